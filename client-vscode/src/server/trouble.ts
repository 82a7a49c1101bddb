/** A server that can't run says so once, with what helps. The status item goes on saying it. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Session, SessionState } from "../session";
import { forNotice } from "../views/text";

const LOG = { title: "Show Log", command: "devloop.showLog" };
const DOCTOR = { title: "Doctor", command: "devloop.doctor" };
const RETRY = { title: "Try Again", command: "devloop.restart" };
const INSTALL = { title: "Install…", command: "devloop.install" };
const SELECT = { title: "Select Interpreter…", command: "devloop.selectInterpreter" };

export function register(context: Context): void {
  /** The state that each session was spoken of last. */
  const told = new WeakMap<Session, SessionState>();
  const look = () => {
    for (const session of context.sessions.all) {
      const { state } = session;
      if ((state.kind === "failed" || state.kind === "missing") && told.get(session) !== state) {
        told.set(session, state);
        void tell(session, state);
      }
    }
  };
  context.extension.subscriptions.push(context.sessions.onDidChange(look));
  look();
}

async function tell(session: Session, state: SessionState): Promise<void> {
  const { name } = session.folder;
  const uri = session.folder.uri.toString();
  const chosen =
    state.kind === "failed"
      ? await vscode.window.showErrorMessage(
          forNotice(`devloop can't run in ${name}. ${state.reason} ${state.hint}`),
          LOG,
          DOCTOR,
          RETRY,
        )
      : await vscode.window.showWarningMessage(
          forNotice(`devloop's server is not installed where VS Code looks, so ${name} has no plan features.`),
          INSTALL,
          SELECT,
          DOCTOR,
        );
  if (chosen !== undefined) {
    await vscode.commands.executeCommand(chosen.command, { uri });
  }
}
