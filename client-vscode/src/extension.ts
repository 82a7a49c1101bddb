import * as vscode from "vscode";
import * as checkpoints from "./checkpoints";
import * as commands from "./commands";
import type { Context } from "./context";
import * as editing from "./editing";
import * as runPage from "./run-page/panel";
import * as trouble from "./server/trouble";
import { WorkspaceSessions } from "./sessions";
import * as status from "./status/item";
import * as views from "./views";

const PARTS = [commands, trouble, status, checkpoints, views, runPage, editing];

let sessions: WorkspaceSessions | undefined;

export async function activate(extension: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("Devloop", { log: true });
  sessions = new WorkspaceSessions(extension, log);
  extension.subscriptions.push(log, sessions);
  const context: Context = { extension, sessions, log };
  for (const part of PARTS) {
    part.register(context);
  }
  await sessions.begin(); // a link that woke this window up has to find its folders
}

/** Runs go on: they are the daemon's, and the next window shows them again. */
export async function deactivate(): Promise<void> {
  await sessions?.stop();
}
