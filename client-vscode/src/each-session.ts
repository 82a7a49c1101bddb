/** What is kept for a window, and for each of its sessions. */

import type * as vscode from "vscode";
import type { Context } from "./context";
import type { Session } from "./session";
import type { Sessions } from "./sessions";

/** Something for each session, made when it comes and disposed of when it goes. */
export class EachSession<T extends vscode.Disposable> implements vscode.Disposable {
  private readonly by = new Map<Session, T>();
  private readonly listener: vscode.Disposable;

  constructor(
    private readonly sessions: Pick<Sessions, "all" | "onDidChange">,
    private readonly make: (session: Session) => T,
  ) {
    this.listener = sessions.onDidChange(() => this.look());
    this.look();
  }

  of(session: Session): T | undefined {
    return this.by.get(session);
  }

  dispose(): void {
    this.listener.dispose();
    for (const each of this.by.values()) {
      each.dispose();
    }
    this.by.clear();
  }

  private look(): void {
    const { all } = this.sessions;
    for (const [session, kept] of this.by) {
      if (!all.includes(session)) {
        this.by.delete(session);
        kept.dispose();
      }
    }
    for (const session of all) {
      if (!this.by.has(session)) {
        this.by.set(session, this.make(session));
      }
    }
  }
}

/** A function that gives the one of a window: made when it is wanted first, and disposed of with the extension. */
export function onePerWindow<T extends vscode.Disposable>(make: (context: Context) => T): (context: Context) => T {
  const made = new WeakMap<Context, T>();
  return (context) => {
    let found = made.get(context);
    if (found === undefined) {
      found = make(context);
      made.set(context, found);
      context.extension.subscriptions.push(found);
    }
    return found;
  };
}
