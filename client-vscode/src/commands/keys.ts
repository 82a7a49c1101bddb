/** Context keys for `when` clauses: what is possible in this window now. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Session } from "../session";

export type Keys = Readonly<Record<string, boolean>>;

/** Pure. `active`: some folder uses devloop; `ready`: a server answers; `canAct`: and may do something. */
export function keysOf(sessions: readonly Pick<Session, "state" | "status">[]): Keys {
  const runs = sessions.flatMap((each) => each.status?.runs ?? []);
  const states = sessions.map((each) => each.state);
  return {
    "devloop.active": sessions.length > 0,
    "devloop.ready": states.some((state) => state.kind === "running"),
    "devloop.canAct": states.some((state) => state.kind === "running" && !state.restricted),
    "devloop.hasPlan": sessions.some((each) => typeof each.status?.plan.path === "string"),
    "devloop.running": runs.some((run) => run.state !== "waiting" && run.state !== "ended"),
    "devloop.waiting": runs.some((run) => run.state === "waiting"),
  };
}

export function register(context: Context): void {
  const told = new Map<string, boolean>();
  const tell = () => {
    for (const [key, value] of Object.entries(keysOf(context.sessions.all))) {
      if (told.get(key) !== value) {
        told.set(key, value);
        void vscode.commands.executeCommand("setContext", key, value);
      }
    }
  };
  context.extension.subscriptions.push(context.sessions.onDidChange(tell), context.sessions.onDidChangeData(tell));
  tell();
}
