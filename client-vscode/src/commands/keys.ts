/** Context keys for `when` clauses: what is possible in this window now. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { DevloopEvent } from "../protocol";
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
    "devloop.failed": states.some((state) => state.kind === "failed" || state.kind === "missing"),
    "devloop.missing": states.some((state) => state.kind === "missing"),
    "devloop.hasPlan": sessions.some((each) => typeof each.status?.plan.path === "string"),
    "devloop.running": runs.some((run) => run.state !== "waiting" && run.state !== "ended"),
    "devloop.waiting": runs.some((run) => run.state === "waiting"),
    "devloop.finished": sessions.some(
      (each) => each.status?.plan.done === each.status?.plan.total && (each.status?.plan.total ?? 0) > 0,
    ),
  };
}

/** What happened once in this window, for the walkthrough's steps. Pure. */
export function happened(events: readonly Pick<DevloopEvent, "kind">[]): Keys {
  const kinds = new Set<string>(events.map((event) => event.kind));
  return {
    ...(kinds.has("run.queued") || kinds.has("turn.started") ? { "devloop.ran": true } : {}),
    ...(kinds.has("checkpoint.closed") ? { "devloop.decided": true } : {}),
  };
}

export function register(context: Context): void {
  const { sessions, extension } = context;
  const told = new Map<string, boolean>();
  const set = (keys: Keys) => {
    for (const [key, value] of Object.entries(keys)) {
      if (told.get(key) !== value) {
        told.set(key, value);
        void vscode.commands.executeCommand("setContext", key, value);
      }
    }
  };
  const heard = new Map<Session, vscode.Disposable>();
  const look = () => {
    set(keysOf(sessions.all));
    for (const session of sessions.all) {
      if (!heard.has(session)) {
        heard.set(
          session,
          session.onDidReceiveEvents((events) => set(happened(events))),
        );
      }
    }
    for (const session of heard.keys()) {
      if (!sessions.all.includes(session)) {
        heard.get(session)?.dispose();
        heard.delete(session);
      }
    }
  };
  extension.subscriptions.push(
    sessions.onDidChange(look),
    sessions.onDidChangeData(() => set(keysOf(sessions.all))),
  );
  look();
}
