/** What a person is told when the server can't start or ends. Pure. */

import type { Source } from "./locate";

export interface Failure {
  readonly reason: string;
  readonly hint: string;
}

/** How a server process came to its end. */
export interface End {
  /** The operating system's word for why it could not be started, for example ENOENT. */
  readonly errno?: string | undefined;
  readonly code?: number | null | undefined;
  readonly signal?: string | null | undefined;
  /** The last lines that it wrote to stderr. */
  readonly stderr: readonly string[];
}

const LENGTH = 300;

export function failure(command: readonly string[], source: Source, end: End): Failure {
  const program = plain(command[0] ?? "", 120);
  if (end.errno === "ENOENT") {
    return { reason: `${program} does not exist.`, hint: whereToLook(source) };
  }
  if (end.errno === "EACCES" || end.errno === "EPERM") {
    return { reason: `${program} may not be executed.`, hint: whereToLook(source) };
  }
  if (end.errno !== undefined) {
    return { reason: `${program} could not be started (${plain(end.errno, 40)}).`, hint: whereToLook(source) };
  }
  const said = lastWords(end.stderr);
  const missing = /No module named '?(devloop)?/.exec(said);
  if (missing !== null) {
    const reason =
      missing[1] === undefined ? `devloop is not installed completely: ${said}` : `${program} has no devloop.`;
    return { reason, hint: "Install devloop there, or select another interpreter." };
  }
  if (/unknown option -P|Unknown option: -P/i.test(said)) {
    return { reason: `${program} is older than Python 3.11.`, hint: "Select a newer interpreter." };
  }
  const how = howItEnded(end);
  return {
    reason: sentence(said === "" ? `The server ${how}` : `The server ${how}: ${said}`),
    hint: "The log says more.",
  };
}

/** A server that kept ending while it was used. */
export function keptEnding(last: Failure, times: number): Failure {
  return { reason: `The server ended ${times} times in a short while. ${last.reason}`, hint: last.hint };
}

/** The last line that says something: tracebacks end with the error, so nothing above it is needed. */
export function lastWords(lines: readonly string[]): string {
  for (const line of lines.toReversed()) {
    const text = plain(line, LENGTH);
    if (text !== "" && !/^[\s^~]*$/.test(text)) {
      return text;
    }
  }
  return "";
}

function howItEnded(end: End): string {
  if (typeof end.signal === "string") {
    return `was ended by ${plain(end.signal, 20)}`;
  }
  if (typeof end.code === "number") {
    return end.code === 0 ? "ended" : `ended with status ${end.code}`;
  }
  return "gave no answer";
}

function whereToLook(source: Source): string {
  switch (source) {
    case "serverCommand":
      return "Check the setting devloop.serverCommand.";
    case "interpreter":
      return "Check the setting devloop.interpreter.";
    case "python":
      return "Select another Python interpreter.";
    case "path":
      return "Install devloop anew.";
  }
}

export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** One line without control characters: what a process wrote is foreign. */
export function plain(text: string, limit: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const line = text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "").replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, " ");
  const trimmed = line.trim();
  return trimmed.length > limit ? `${trimmed.slice(0, limit - 1)}…` : trimmed;
}
