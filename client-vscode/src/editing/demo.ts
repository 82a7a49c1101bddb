/** `Devloop: Try the Demo`: the project of `devloop demo` in a window of its own, where a scripted player is the model. */

import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import type { Walkthrough } from "../commands/walkthrough";
import type { Context } from "../context";
import { isNew, remember } from "../server/demos";
import { findServer } from "../server/find";
import { withoutLsp } from "../server/program";

const PATIENCE_MS = 60_000;
const NAME = "devloop-demo";

interface Made {
  readonly root: string;
  readonly scenario: string;
}

export async function tryDemo(context: Context): Promise<void> {
  const where = vscode.workspace.workspaceFolders?.[0];
  const { found } = await findServer(where);
  if (found === undefined) {
    throw new Error("devloop is not installed yet. `Devloop: Install` shows how.");
  }
  const program = withoutLsp(found.command);
  if (program === undefined) {
    throw new Error("The setting devloop.serverCommand does not end with `lsp`, so the demo can't be made with it.");
  }
  const folder = join(tmpdir(), `${NAME}-${Date.now().toString(36)}`, "purse");
  const made = await make([...program, "demo", "--prepare", "--dir", folder]);
  await remember(context.extension, made.root, made.scenario);
  await vscode.commands.executeCommand("vscode.openFolder", vscode.Uri.file(made.root), { forceNewWindow: false });
}

/** The first time that the demo's window opens: its plan, and beside it the walkthrough at the step that comes next. */
export async function welcomeToDemo(context: Context, walkthrough: Walkthrough): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (folder !== undefined && (await isNew(context.extension, folder.uri.fsPath))) {
    await vscode.window.showTextDocument(vscode.Uri.joinPath(folder.uri, ".devloop/plan.md"), { preview: false });
    await walkthrough.show("run", true);
  }
}

function make(command: readonly string[]): Promise<Made> {
  const [program = "", ...rest] = command;
  return new Promise((resolve, reject) => {
    execFile(program, rest, { timeout: PATIENCE_MS, windowsHide: true }, (problem, stdout, stderr) => {
      if (problem !== null) {
        reject(new Error(`The demo could not be made: ${stderr.trim() || problem.message}`));
        return;
      }
      try {
        resolve(JSON.parse(stdout) as Made);
      } catch {
        reject(new Error("The demo could not be made: this devloop is too old for it."));
      }
    });
  });
}
