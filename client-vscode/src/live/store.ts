/** What the open runs of every session do at this moment: heard once, for all that show it. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Run, Shown } from "../protocol";
import type { Session } from "../session";
import { LiveRuns } from "./runs";

interface Heard {
  readonly runs: LiveRuns;
  readonly asked: Set<string>;
  readonly listeners: vscode.Disposable;
}

export class Live implements vscode.Disposable {
  private readonly by = new Map<Session, Heard>();
  private readonly emitter = new vscode.EventEmitter<Session>();
  private readonly listener: vscode.Disposable;
  /** Some run of the session looks different now. */
  readonly onDidChange = this.emitter.event;

  constructor(private readonly context: Context) {
    this.listener = context.sessions.onDidChange(() => this.look());
    this.look();
  }

  of(session: Session): LiveRuns {
    return this.by.get(session)?.runs ?? new LiveRuns();
  }

  dispose(): void {
    this.listener.dispose();
    for (const { listeners } of this.by.values()) {
      listeners.dispose();
    }
    this.by.clear();
    this.emitter.dispose();
  }

  private look(): void {
    const { all } = this.context.sessions;
    for (const [session, { listeners }] of this.by) {
      if (!all.includes(session)) {
        listeners.dispose();
        this.by.delete(session);
      }
    }
    for (const session of all) {
      if (!this.by.has(session)) {
        this.hear(session);
      }
    }
  }

  private hear(session: Session): void {
    const runs = new LiveRuns();
    const asked = new Set<string>();
    const told = (open: readonly Run[]): void => {
      runs.keep(open);
      for (const run of open) {
        if (!asked.has(run.id)) {
          asked.add(run.id);
          void this.seed(session, runs, run);
        }
      }
    };
    const listeners = vscode.Disposable.from(
      session.onDidReceiveEvents((events) => {
        if (runs.take(events)) {
          this.emitter.fire(session);
        }
      }),
      session.onDidChangeStatus((status) => told(status.runs)),
      session.onDidChangeState((state) => {
        if (state.kind === "running") {
          runs.clear();
          asked.clear();
        }
      }),
    );
    this.by.set(session, { runs, asked, listeners });
    told(session.status?.runs ?? []);
  }

  /** Of a run that began before this window listened the records say which gates ran. */
  private async seed(session: Session, runs: LiveRuns, run: Run): Promise<void> {
    if (run.turn === 0) {
      return;
    }
    try {
      runs.seed(run.id, await session.request<Shown>("devloop/show", { run: run.id }));
      this.emitter.fire(session);
    } catch (problem) {
      this.context.log.debug(`The gates of ${run.id} could not be read: ${String(problem)}`);
    }
  }
}

const made = new WeakMap<Context, Live>();

/** The one store of a window. */
export function liveOf(context: Context): Live {
  let found = made.get(context);
  if (found === undefined) {
    found = new Live(context);
    made.set(context, found);
    context.extension.subscriptions.push(found);
  }
  return found;
}
