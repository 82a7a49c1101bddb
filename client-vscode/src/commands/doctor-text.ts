/** The doctor's page, in Markdown that is read as plain text. Pure. */

import type { Check } from "../protocol";
import type { SessionState } from "../session";
import { oneLine } from "../views/text";

export interface Patient {
  readonly folder: string;
  readonly state: SessionState;
  /** Undefined where the server could not be asked; then `problem` says why. */
  readonly checks: readonly Check[] | undefined;
  readonly problem?: string;
}

export interface Surroundings {
  readonly extension: string;
  readonly vscode: string;
  readonly remote: string | undefined;
  readonly trusted: boolean;
}

const SIGNS = { ok: "✓", warning: "!", problem: "✗" } as const;

export function doctorText(patients: readonly Patient[], around: Surroundings): string {
  const lines = ["devloop doctor", ""];
  lines.push(
    `Extension ${around.extension}, VS Code ${around.vscode}${around.remote ? `, remote window (${around.remote})` : ""}.`,
  );
  lines.push(
    around.trusted ? "This window trusts its folders." : "Restricted mode: nothing is run or decided from here.",
  );
  for (const patient of patients) {
    lines.push("", patient.folder, "-".repeat(Math.min(80, Math.max(3, patient.folder.length))));
    lines.push(...server(patient.state), ...checks(patient));
  }
  if (patients.length === 0) {
    lines.push("", "No folder of this window uses devloop. `Devloop: New Plan` begins one.");
  }
  return `${lines.join("\n")}\n`;
}

function server(state: SessionState): string[] {
  switch (state.kind) {
    case "running":
      return [
        sign("ok", "server", `devloop ${line(state.version)} runs: ${line(state.server)}`),
        folded(`${INDENT}found by `, line(state.from)),
      ];
    case "starting":
      return [sign("warning", "server", "The server is starting.")];
    case "stopped":
      return [sign("warning", "server", "The server is stopped."), fix("Devloop: Restart Server")];
    case "failed":
      return [sign("problem", "server", line(state.reason)), fix(line(state.hint))];
    case "missing":
      return [
        sign("problem", "server", "No server was found."),
        ...state.tried.map((each) => folded(`${INDENT}tried: `, line(each))),
        fix("`Devloop: Install` shows the command; `Devloop: Select Interpreter` names one that has devloop."),
      ];
  }
}

function checks({ checks: found, problem }: Patient): string[] {
  if (found === undefined) {
    return problem === undefined ? [] : ["", `The server could not be asked: ${line(problem)}`];
  }
  return found.flatMap((check) => {
    const told = sign(check.state, check.name, line(check.message));
    return check.fix === "" ? [told] : [told, fix(line(check.fix))];
  });
}

const WIDTH = 100;
const INDENT = " ".repeat(14);

function sign(state: Check["state"], name: string, message: string): string {
  return folded(`${SIGNS[state] ?? "?"} ${oneLine(name, 20).padEnd(12)}`, message);
}

function fix(text: string): string {
  return folded(`${INDENT}→ `, text);
}

/** Lines of a readable length, the following ones below the first one's text. */
function folded(head: string, text: string): string {
  const lines: string[] = [];
  let current = head;
  for (const word of text.split(" ")) {
    if (current.length + word.length > WIDTH && current.trim() !== "" && current !== head) {
      lines.push(current.trimEnd());
      current = " ".repeat(head.length);
    }
    current += `${word} `;
  }
  return [...lines, current.trimEnd()].join("\n");
}

function line(text: string): string {
  return oneLine(text, 500);
}
