/**
 * `Devloop: Sign In…` and `Sign Out`: the terminal's own commands, which keep the key. It goes to `devloop login` by
 * standard input and nowhere else: what goes over the language server's protocol can be traced into a log, and what
 * stands in arguments, variables or settings can be read by others.
 */

import { spawn } from "node:child_process";
import * as vscode from "vscode";
import type { Context } from "../context";
import { forNotice } from "../views/text";
import { folderOf } from "./ask";
import { programFor, refusalIn } from "./in-terminal";
import { signedIn, signedOut } from "./signing-in-text";

const PATIENCE_MS = 30_000;

export async function signIn(context: Context): Promise<void> {
  const folder = await folderOf(context);
  const key = folder && (await askKey());
  if (folder === undefined || key === undefined) {
    return;
  }
  void vscode.window.showInformationMessage(forNotice(signedIn(await tell(context, folder, "login", key))));
}

export async function signOut(context: Context): Promise<void> {
  const folder = await folderOf(context);
  if (folder === undefined) {
    return;
  }
  const yes = "Sign Out";
  const question = "Forget the key that devloop has stored for the model's service?";
  if ((await vscode.window.showWarningMessage(question, { modal: true }, yes)) === yes) {
    void vscode.window.showInformationMessage(forNotice(signedOut(await tell(context, folder, "logout"))));
  }
}

function askKey(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: "Sign In: the key for the model's service",
    prompt: "Nothing is shown. It is kept in the system's keyring, or in a file that only you can read.",
    password: true,
    ignoreFocusOut: true,
    validateInput: (typed) => (typed.trim() === "" ? "Paste the key, or press Escape." : undefined),
  });
}

/** What `devloop login|logout --json` answers. Rejects with its refusal, which never says the key. */
async function tell(
  context: Context,
  folder: vscode.WorkspaceFolder,
  command: "login" | "logout",
  key = "",
): Promise<unknown> {
  const { program, rest, env } = await programFor(context, folder);
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...rest, command, "--json"], {
      cwd: folder.uri.fsPath,
      env: { ...process.env, ...env },
      timeout: PATIENCE_MS,
      windowsHide: true,
    });
    let answer = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
    });
    child.stderr.resume(); // warnings for a terminal; a refusal stands in the answer
    child.stdin.on("error", () => undefined); // it read enough to refuse; the answer says so
    child.on("error", () => reject(new Error(`${program} could not be started.`)));
    child.on("close", (code) => {
      if (code === 0) {
        resolve(read(answer));
      } else {
        reject(new Error(refusalIn(answer) || `devloop ${command} did not work; in a terminal it says why.`));
      }
    });
    child.stdin.end(key);
  });
}

function read(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}
