/** The open checkpoints of every session, with what they show, as soon as it is known. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Run, Shown } from "../protocol";
import type { Session } from "../session";
import { type Change, type Closed, type Open, WaitingRuns } from "./waiting";

export interface Opened {
  readonly session: Session;
  readonly run: Run;
  readonly open: Required<Open> & { readonly content: NonNullable<Open["content"]> };
}

export class Checkpoints implements vscode.Disposable {
  private readonly by = new Map<Session, { waiting: WaitingRuns; readonly listeners: vscode.Disposable }>();
  private readonly runs = new WeakMap<Session, Map<string, Run>>();
  private readonly changeEmitter = new vscode.EventEmitter<Session>();
  private readonly openEmitter = new vscode.EventEmitter<Opened>();
  private readonly closeEmitter = new vscode.EventEmitter<{ session: Session; closed: Closed }>();
  private readonly listener: vscode.Disposable;
  /** Something opened, closed or came to be known. */
  readonly onDidChange = this.changeEmitter.event;
  /** A run waits, and everything that is shown of that is known. */
  readonly onDidOpen = this.openEmitter.event;
  readonly onDidClose = this.closeEmitter.event;

  constructor(private readonly context: Context) {
    this.listener = context.sessions.onDidChange(() => this.look());
    this.look();
  }

  of(session: Session): WaitingRuns {
    return this.by.get(session)?.waiting ?? new WaitingRuns();
  }

  /** All that wait, those of the current session first. */
  get all(): readonly { readonly session: Session; readonly open: Open }[] {
    const { current, all } = this.context.sessions;
    const order = [...all].sort((a, b) => Number(b === current) - Number(a === current));
    return order.flatMap((session) => this.of(session).all.map((open) => ({ session, open })));
  }

  /** The session in which this run waits. */
  sessionOf(run: string): Session | undefined {
    return this.all.find((each) => each.open.run === run)?.session;
  }

  /** What was last said of a run that waits. */
  runOf(session: Session, run: string): Run | undefined {
    return session.status?.runs.find((each) => each.id === run) ?? this.runs.get(session)?.get(run);
  }

  dispose(): void {
    this.listener.dispose();
    for (const { listeners } of this.by.values()) {
      listeners.dispose();
    }
    this.by.clear();
    for (const emitter of [this.changeEmitter, this.openEmitter, this.closeEmitter]) {
      emitter.dispose();
    }
  }

  private look(): void {
    const { all } = this.context.sessions;
    for (const [session, { listeners }] of this.by) {
      if (!all.includes(session)) {
        listeners.dispose();
        this.by.delete(session);
        this.changeEmitter.fire(session);
      }
    }
    for (const session of all) {
      if (!this.by.has(session)) {
        this.listen(session);
      }
    }
  }

  private listen(session: Session): void {
    const entry = {
      waiting: new WaitingRuns(),
      listeners: vscode.Disposable.from(
        session.onDidChangeStatus((status) => this.heard(session, entry.waiting.takeStatus(status))),
        session.onDidReceiveEvents((events) => this.heard(session, entry.waiting.takeEvents(events))),
        session.onDidChangeState((state) => {
          if (state.kind !== "running" && entry.waiting.all.length > 0) {
            entry.waiting = new WaitingRuns();
            this.changeEmitter.fire(session);
          }
        }),
      ),
    };
    this.by.set(session, entry);
    if (session.status !== undefined) {
      this.heard(session, entry.waiting.takeStatus(session.status));
    }
  }

  private heard(session: Session, change: Change): void {
    for (const closed of change.closed) {
      this.closeEmitter.fire({ session, closed });
    }
    for (const open of change.opened) {
      void this.complete(session, open);
    }
    if (change.opened.length + change.closed.length > 0) {
      this.changeEmitter.fire(session);
    }
  }

  /** Whatever is not said yet of a checkpoint and its run is asked for. */
  private async complete(session: Session, open: Open): Promise<void> {
    const { waiting } = this.by.get(session) ?? {};
    let run = this.runOf(session, open.run);
    let content = open.content;
    if (run === undefined || content === undefined) {
      try {
        const shown = await session.request<Shown>("devloop/show", { run: open.run });
        run = shown.run;
        content = shown.checkpoint ?? content;
      } catch (problem) {
        this.context.log.warn(`The checkpoint of ${open.run} could not be read: ${String(problem)}`);
        return;
      }
    }
    if (content?.number !== open.number || waiting?.tell(open.run, content) !== true) {
      return; // it is over by now
    }
    const known = this.runs.get(session) ?? new Map<string, Run>();
    this.runs.set(session, known.set(open.run, run));
    this.changeEmitter.fire(session);
    this.openEmitter.fire({ session, run, open: { ...open, content } });
  }
}

const made = new WeakMap<Context, Checkpoints>();

/** The one store of a window. */
export function checkpointsOf(context: Context): Checkpoints {
  let found = made.get(context);
  if (found === undefined) {
    found = new Checkpoints(context);
    made.set(context, found);
    context.extension.subscriptions.push(found);
  }
  return found;
}
