/** What the open runs of every session do at this moment: heard once, for all that show it. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { EachSession, onePerWindow } from "../each-session";
import type { Run, Shown } from "../protocol";
import type { Session } from "../session";
import { LiveRuns } from "./runs";

interface Heard extends vscode.Disposable {
  readonly runs: LiveRuns;
}

export class Live implements vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<Session>();
  private readonly by: EachSession<Heard>;
  /** Some run of the session looks different now. */
  readonly onDidChange = this.emitter.event;

  constructor(private readonly context: Context) {
    this.by = new EachSession(context.sessions, (session) => this.hear(session));
  }

  of(session: Session): LiveRuns {
    return this.by.of(session)?.runs ?? new LiveRuns();
  }

  dispose(): void {
    this.by.dispose();
    this.emitter.dispose();
  }

  private hear(session: Session): Heard {
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
    told(session.status?.runs ?? []);
    return { runs, dispose: () => listeners.dispose() };
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

/** The one store of a window. */
export const liveOf = onePerWindow((context) => new Live(context));
