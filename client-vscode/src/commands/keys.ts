/** Context keys for `when` clauses: what is possible in this window now. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Session } from "../session";
import { planUri } from "./plan-uri";

export type Keys = Readonly<Record<string, boolean>>;

/** Pure. `active`: some folder uses devloop; `ready`: a server answers; `canAct`: and may do something;
 * `accepted`: a task's work is accepted, and not known to be on the person's branch. */
export function keysOf(sessions: readonly Pick<Session, "state" | "status" | "plan">[]): Keys {
  const runs = sessions.flatMap((each) => each.status?.runs ?? []);
  const states = sessions.map((each) => each.state);
  return {
    "devloop.active": sessions.length > 0,
    "devloop.ready": states.some((state) => state.kind === "running"),
    "devloop.canAct": states.some((state) => state.kind === "running" && !state.restricted),
    "devloop.hasPlan": sessions.some((each) => typeof each.status?.plan.path === "string"),
    "devloop.accepted": sessions.some((each) => each.plan?.tasks.some((task) => task.run?.outcome === "accepted")),
    "devloop.running": runs.some((run) => run.state !== "waiting" && run.state !== "ended"),
    "devloop.waiting": runs.some((run) => run.state === "waiting"),
  };
}

/** The paths of the plans that are worked on, whatever their names, as `resourcePath` has them in `when` clauses. */
export function plansOf(sessions: readonly Pick<Session, "folder" | "plan" | "status">[]): readonly string[] {
  const uris = sessions.map(planUri).filter((uri) => uri !== undefined);
  return [...new Set(uris.flatMap((uri) => [uri.path, uri.fsPath]))];
}

export function register(context: Context): void {
  const told = new Map<string, string>();
  const tell = () => {
    const { all } = context.sessions;
    for (const [key, value] of Object.entries({ ...keysOf(all), "devloop.plans": plansOf(all) })) {
      const text = JSON.stringify(value);
      if (told.get(key) !== text) {
        told.set(key, text);
        void vscode.commands.executeCommand("setContext", key, value);
      }
    }
  };
  context.extension.subscriptions.push(context.sessions.onDidChange(tell), context.sessions.onDidChangeData(tell));
  tell();
}
