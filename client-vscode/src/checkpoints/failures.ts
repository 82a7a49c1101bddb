/** A run that failed is said once, as it happens; what failed before this window was loaded is in the views. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { DevloopEvent, Shown } from "../protocol";
import type { Session } from "../session";
import { failed } from "./content";

const SHOW = "Show Run";

export function registerFailures(context: Context): vscode.Disposable {
  const listeners = new Map<Session, vscode.Disposable>();
  const look = (): void => {
    for (const [session, listener] of listeners) {
      if (!context.sessions.all.includes(session)) {
        listener.dispose();
        listeners.delete(session);
      }
    }
    for (const session of context.sessions.all.filter((each) => !listeners.has(each))) {
      listeners.set(
        session,
        session.onDidReceiveEvents((events) => {
          for (const event of events.filter((each) => each.kind === "run.ended")) {
            void tell(context, session, event);
          }
        }),
      );
    }
  };
  look();
  return vscode.Disposable.from(
    context.sessions.onDidChange(look),
    new vscode.Disposable(() => {
      for (const listener of listeners.values()) {
        listener.dispose();
      }
    }),
  );
}

async function tell(context: Context, session: Session, { run, data }: DevloopEvent): Promise<void> {
  if (run === null || failed({ task: "", title: "" }, data["outcome"], "") === undefined) {
    return;
  }
  const known = session.status?.runs.find((each) => each.id === run);
  try {
    const about = known ?? (await session.request<Shown>("devloop/show", { run })).run;
    const said = failed(about, data["outcome"], data["reason"]) ?? "";
    if ((await vscode.window.showWarningMessage(said, SHOW)) === SHOW) {
      const uri = session.folder.uri.toString();
      await vscode.commands.executeCommand("devloop.showRun", { run, uri });
    }
  } catch (problem) {
    context.log.warn(`The end of ${run} could not be told: ${String(problem)}`);
  }
}
