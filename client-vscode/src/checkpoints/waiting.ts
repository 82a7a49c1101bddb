/**
 * Which runs of a session wait for a person, from what the server says of it: the status, and events.
 *
 * Both tell of the same thing and neither comes first for sure: a status that was made before the checkpoint opened may
 * arrive after the event. So what an event opened is closed by an event, or by a second status that does not know it.
 */

import type { Checkpoint, DevloopEvent, Run, Status } from "../protocol";

export interface Open {
  readonly run: string;
  readonly number: number;
  /** Undefined until it was told or asked for. */
  readonly content: Checkpoint | undefined;
}

export interface Closed extends Open {
  /** What was decided, where that was said. */
  readonly decision: string | undefined;
}

export interface Change {
  readonly opened: readonly Open[];
  readonly closed: readonly Closed[];
}

interface Kept {
  open: Open;
  /** 0: only an event told of it. 1: a status knows it, or one did not. 2: gone. */
  misses: number;
}

const MOST_DECIDED = 200;

export class WaitingRuns {
  private readonly kept = new Map<string, Kept>();
  private readonly decided = new Map<string, string>();

  get all(): readonly Open[] {
    return [...this.kept.values()].map((each) => each.open);
  }

  of(run: string): Open | undefined {
    return this.kept.get(run)?.open;
  }

  /** What was decided at a checkpoint that is over, in the server's word; undefined where nobody said. */
  decision(run: string, number: number): string | undefined {
    return this.decided.get(keyOf(run, number));
  }

  /** The checkpoint that was asked for. False when it is not the open one any more. */
  tell(run: string, content: Checkpoint): boolean {
    const found = this.kept.get(run);
    if (found?.open.number !== content.number) {
      return false;
    }
    found.open = { ...found.open, content };
    return true;
  }

  takeEvents(events: readonly DevloopEvent[]): Change {
    const before = this.all;
    for (const event of events) {
      if (event.run === null) {
        continue;
      }
      const number = event.data["number"];
      if (event.kind === "checkpoint.opened" && typeof number === "number") {
        const content = isCheckpoint(event.data) ? event.data : undefined;
        this.kept.set(event.run, { open: { run: event.run, number, content }, misses: 0 });
      } else if (event.kind === "checkpoint.closed") {
        this.close(event.run, number, event.data["decision"]);
      } else if (event.kind === "run.ended") {
        this.kept.delete(event.run);
      }
    }
    return this.since(before);
  }

  takeStatus(status: Status): Change {
    const before = this.all;
    const waiting = new Map(status.runs.filter((run) => run.state === "waiting").map((run) => [run.id, run]));
    for (const [run, kept] of this.kept) {
      const told = waiting.get(run);
      if (told === undefined || numberOf(told) === undefined) {
        kept.misses += 1;
        if (kept.misses > 1) {
          this.kept.delete(run);
        }
      }
    }
    for (const run of waiting.values()) {
      const number = numberOf(run);
      const known = this.kept.get(run.id);
      if (number === undefined || (known !== undefined && known.open.number > number)) {
        continue;
      }
      if (this.decided.has(keyOf(run.id, number))) {
        continue; // decided since that status was made
      }
      if (known?.open.number === number) {
        known.misses = 1;
      } else {
        const content = typeof run.checkpoint === "object" ? (run.checkpoint ?? undefined) : undefined;
        this.kept.set(run.id, { open: { run: run.id, number, content }, misses: 1 });
      }
    }
    return this.since(before);
  }

  private close(run: string, number: unknown, decision: unknown): void {
    const found = this.kept.get(run);
    const which = typeof number === "number" ? number : found?.open.number;
    if (which !== undefined) {
      this.decided.set(keyOf(run, which), typeof decision === "string" ? decision : "");
      while (this.decided.size > MOST_DECIDED) {
        this.decided.delete(this.decided.keys().next().value ?? "");
      }
    }
    if (found !== undefined && (which === undefined || which >= found.open.number)) {
      this.kept.delete(run);
    }
  }

  private since(before: readonly Open[]): Change {
    const was = new Map(before.map((each) => [keyOf(each.run, each.number), each]));
    const is = new Map(this.all.map((each) => [keyOf(each.run, each.number), each]));
    return {
      opened: this.all.filter((each) => !was.has(keyOf(each.run, each.number))),
      closed: before
        .filter((each) => !is.has(keyOf(each.run, each.number)))
        .map((each) => ({ ...each, decision: this.decision(each.run, each.number) })),
    };
  }
}

export function keyOf(run: string, number: number): string {
  return `${run}#${number}`;
}

function numberOf(run: Run): number | undefined {
  const checkpoint = run.checkpoint;
  return typeof checkpoint === "number" ? checkpoint : (checkpoint?.number ?? undefined);
}

/** Whether what an event carries is the checkpoint itself; an older server might send its number alone. */
function isCheckpoint(data: unknown): data is Checkpoint {
  if (typeof data !== "object" || data === null) {
    return false;
  }
  const given = data as Partial<Record<keyof Checkpoint, unknown>>;
  return typeof given.number === "number" && typeof given.kind === "string" && Array.isArray(given.decisions);
}
