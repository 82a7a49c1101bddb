/** The open checkpoints of every session, with what they show, as soon as it is known. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { onePerWindow } from "../each-session";
import type { Run, Shown } from "../protocol";
import type { Session } from "../session";
import { type Change, keyOf, type Open, WaitingRuns } from "./waiting";

export interface Opened {
  readonly session: Session;
  readonly run: Run;
  readonly open: Required<Open> & { readonly content: NonNullable<Open["content"]> };
}

/** A session's open checkpoints, and those of them that were told to others or are being read. */
interface Entry {
  waiting: WaitingRuns;
  readonly told: Set<string>;
  readonly asked: Map<string, number>;
  readonly listeners: vscode.Disposable;
}

/** So often a checkpoint is asked for before the next event or reload has to bring it. */
const MOST_TRIES = 5;

export class Checkpoints implements vscode.Disposable {
  private readonly by = new Map<Session, Entry>();
  private readonly runs = new WeakMap<Session, Map<string, Run>>();
  private readonly changeEmitter = new vscode.EventEmitter<Session>();
  private readonly openEmitter = new vscode.EventEmitter<Opened>();
  private readonly listener: vscode.Disposable;
  /** Something opened, closed or came to be known. */
  readonly onDidChange = this.changeEmitter.event;
  /** A run waits, and everything that is shown of that is known. */
  readonly onDidOpen = this.openEmitter.event;

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
    for (const emitter of [this.changeEmitter, this.openEmitter]) {
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
    const entry: Entry = {
      waiting: new WaitingRuns(),
      told: new Set(),
      asked: new Map(),
      listeners: vscode.Disposable.from(
        session.onDidChangeStatus((status) => this.heard(session, entry.waiting.takeStatus(status))),
        session.onDidReceiveEvents((events) => this.heard(session, entry.waiting.takeEvents(events))),
        session.onDidChangeState((state) => {
          if (state.kind !== "running" && entry.waiting.all.length > 0) {
            entry.waiting = new WaitingRuns();
            entry.told.clear();
            entry.asked.clear();
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
    for (const open of this.by.get(session)?.waiting.all ?? []) {
      void this.complete(session, open);
    }
    if (change.opened.length + change.closed.length > 0) {
      this.changeEmitter.fire(session);
    }
  }

  /** Whatever is not said yet of a checkpoint and its run is asked for; then the checkpoint is told, once. */
  private async complete(session: Session, open: Open): Promise<void> {
    const entry = this.by.get(session);
    const key = keyOf(open.run, open.number);
    let run = this.runOf(session, open.run);
    let content = open.content;
    if (entry === undefined || entry.told.has(key)) {
      return;
    }
    if (run === undefined || content === undefined) {
      const tries = (entry.asked.get(key) ?? 0) + 1;
      if (tries > MOST_TRIES) {
        return;
      }
      entry.asked.set(key, tries);
      try {
        const shown = await session.request<Shown>("devloop/show", { run: open.run });
        run = shown.run;
        content = shown.checkpoint ?? content;
      } catch (problem) {
        this.context.log.warn(`The checkpoint of ${open.run} could not be read: ${String(problem)}`);
        return;
      }
    }
    if (content?.number !== open.number || !entry.waiting.tell(open.run, content) || entry.told.has(key)) {
      return; // it is over by now, or somebody was faster
    }
    entry.told.add(key);
    const known = this.runs.get(session) ?? new Map<string, Run>();
    this.runs.set(session, known.set(open.run, run));
    this.changeEmitter.fire(session);
    this.openEmitter.fire({ session, run, open: { ...open, content } });
  }
}

/** The one store of a window. */
export const checkpointsOf = onePerWindow((context) => new Checkpoints(context));
