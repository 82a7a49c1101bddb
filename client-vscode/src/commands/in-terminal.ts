/**
 * Commands of the terminal that only print: they run in VS Code's terminal as they are, with the server's own program,
 * so that their tables are the same in both places and a person learns their names. `new` alone answers with a file.
 */

import { execFile } from "node:child_process";
import * as vscode from "vscode";
import type { Context } from "../context";
import type { CommandArguments } from "../protocol";
import { environment } from "../server/demos";
import { findServer } from "../server/find";
import { withoutLsp } from "../server/program";
import { sessionOf } from "./ask";
import { ask } from "./beginning";

const PATIENCE_MS = 60_000;

/** Run `devloop ARGS…`; the terminal stays open until a key is pressed. No shell reads the words. */
export async function print(context: Context, given: CommandArguments, args: readonly string[]): Promise<void> {
  const { folder } = sessionOf(context, given);
  const { program, rest, env } = await programFor(context, folder);
  const name = `devloop ${args.join(" ")}`;
  const process = new vscode.ProcessExecution(program, [...rest, ...args], { cwd: folder.uri.fsPath, env });
  const task = new vscode.Task({ type: "devloop", command: args.join(" ") }, folder, name, "devloop", process);
  task.presentationOptions = {
    reveal: vscode.TaskRevealKind.Always,
    panel: vscode.TaskPanelKind.Shared,
    clear: true,
    showReuseMessage: false,
  };
  await vscode.tasks.executeTask(task);
}

export async function explain(context: Context, given: CommandArguments): Promise<void> {
  const key = await ask("Which setting? Or a section, for all of its settings.", "budget.run_usd");
  if (key !== undefined) {
    await print(context, given, ["config", "explain", "--", key]);
  }
}

const KINDS = [
  { label: "Let devloop tell by the words", type: undefined },
  ...["feature", "task", "chore", "spike", "bug"].map((type) => ({ label: type, type })),
];

export async function newIssue(context: Context, given: CommandArguments): Promise<unknown> {
  const text = await ask("What is it about?", "Dark colours");
  const kind = text && (await vscode.window.showQuickPick(KINDS, { placeHolder: "Which kind of issue?" }));
  return text && kind && (await note(context, given, text, kind.type));
}

export async function newBug(context: Context, given: CommandArguments): Promise<unknown> {
  const text = await ask("What goes wrong?", "It crashes when the plan is empty");
  return text && (await note(context, given, text, "bug"));
}

/** Write the issue's file and open it, to be gone on with. */
async function note(context: Context, given: CommandArguments, text: string, type: string | undefined): Promise<void> {
  const { folder } = sessionOf(context, given);
  const { program, rest, env } = await programFor(context, folder);
  const args = [...rest, "new", "--json", ...(type === undefined ? [] : ["--type", type]), "--", text];
  const answer = await new Promise<string>((resolve, reject) => {
    const options = {
      cwd: folder.uri.fsPath,
      env: { ...process.env, ...env },
      timeout: PATIENCE_MS,
      windowsHide: true,
    };
    execFile(program, args, options, (problem, stdout, stderr) =>
      problem === null ? resolve(stdout) : reject(new Error(refusalIn(stdout) || stderr.trim() || problem.message)),
    );
  });
  const { path } = JSON.parse(answer) as { readonly path: string };
  await vscode.window.showTextDocument(vscode.Uri.joinPath(folder.uri, path), { preview: false });
}

/** With `--json` a refusal is JSON too: `{"error": {"message", "hint"}}`. */
export function refusalIn(stdout: string): string {
  try {
    const { error } = JSON.parse(stdout) as { readonly error?: { readonly message?: string; readonly hint?: string } };
    return [error?.message, error?.hint].filter(Boolean).join(" ");
  } catch {
    return "";
  }
}

interface Program {
  readonly program: string;
  readonly rest: readonly string[];
  readonly env: Record<string, string>;
}

export async function programFor(context: Context, folder: vscode.WorkspaceFolder): Promise<Program> {
  if (!vscode.workspace.isTrusted) {
    throw new Error("In restricted mode devloop runs no command. Trust the folder first.");
  }
  const { found } = await findServer(folder);
  const [program, ...rest] = (found && withoutLsp(found.command)) ?? [];
  if (program === undefined) {
    throw new Error("devloop's program was not found. `Devloop: Doctor` says where it was looked for.");
  }
  return { program, rest, env: { ...environment(context.extension, folder.uri.fsPath) } };
}
