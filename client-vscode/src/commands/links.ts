/** Opens `vscode://devloop.devloop/run/<id>`: a page to look at, nothing is done. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Session } from "../session";
import { forNotice } from "../views/text";
import { bare, type RunLink, runLink } from "./run-link";

export function register(context: Context): void {
  const handler = { handleUri: (uri: vscode.Uri) => open(context, uri) };
  context.extension.subscriptions.push(vscode.window.registerUriHandler(handler));
}

export async function open(context: Context, uri: vscode.Uri): Promise<void> {
  const link = runLink(uri.path, uri.query);
  if (link === undefined) {
    say("devloop can't open this link: it has to be vscode://devloop.devloop/run/ and a run.");
    return;
  }
  const session = await holder(context, link);
  if (session === undefined) {
    say(
      link.folder === undefined || context.sessions.all.some((each) => isFolder(each, link.folder))
        ? `No folder of this window has a run ${link.run}.`
        : `The run ${link.run} is of ${link.folder}, which is not open in this window.`,
    );
    return;
  }
  await vscode.commands.executeCommand("devloop.openRun", { run: link.run, uri: session.folder.uri.toString() });
}

/** The session that is meant, if its server knows the run: that of the folder, else any. */
async function holder({ sessions }: Context, { run, folder }: RunLink): Promise<Session | undefined> {
  const known = folder === undefined ? sessions.withRun(run) : undefined;
  if (known !== undefined) {
    return known;
  }
  const able = sessions.all.filter((each) => folder === undefined || isFolder(each, folder));
  const knows = able.map(async (session) => {
    await session.request("devloop/show", { run });
    return session;
  });
  return await Promise.any(knows).catch(() => undefined);
}

function isFolder(session: Session, folder: string | undefined): boolean {
  return bare(session.folder.uri.path) === folder;
}

function say(text: string): void {
  void vscode.window.showWarningMessage(forNotice(text));
}
