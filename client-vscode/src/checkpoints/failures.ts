/** A run that failed is said once, as it happens; what failed before this window was loaded is in the views. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { EachSession } from "../each-session";
import type { DevloopEvent, Shown } from "../protocol";
import type { Session } from "../session";
import { failed } from "./content";

const SHOW = "Show Run";

export function registerFailures(context: Context): vscode.Disposable {
  return new EachSession(context.sessions, (session) =>
    session.onDidReceiveEvents((events) => {
      for (const event of events.filter((each) => each.kind === "run.ended")) {
        void tell(context, session, event);
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
