/** Opens `vscode://devloop.devloop/run/<id>`: a page to look at, nothing is done. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Session } from "../session";
import { runOf } from "./run-link";

export function register(context: Context): void {
  const handler = { handleUri: (uri: vscode.Uri) => open(context, uri) };
  context.extension.subscriptions.push(vscode.window.registerUriHandler(handler));
}

export async function open(context: Context, uri: vscode.Uri): Promise<void> {
  const run = runOf(uri.path);
  if (run === undefined) {
    void vscode.window.showWarningMessage(
      "devloop can't open this link: it has to be vscode://devloop.devloop/run/ and a run.",
    );
    return;
  }
  const session = context.sessions.withRun(run) ?? (await holder(context, run));
  if (session === undefined) {
    void vscode.window.showWarningMessage(`No folder of this window has a run ${run}.`);
    return;
  }
  await vscode.commands.executeCommand("devloop.openRun", { run, uri: session.folder.uri.toString() });
}

/** The first session whose server knows the run. */
async function holder(context: Context, run: string): Promise<Session | undefined> {
  const knows = context.sessions.all.map(async (session) => {
    await session.request("devloop/show", { run });
    return session;
  });
  return await Promise.any(knows).catch(() => undefined);
}
