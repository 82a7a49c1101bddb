/** Runs, and what is heard of them. */

import type { Checkpoint } from "./checkpoints";
import type { Gate, Tokens } from "./work";

export type RunState = "queued" | "preparing" | "working" | "checking" | "waiting" | "landing" | "ended";

export type Outcome =
  | "accepted"
  | "landed"
  | "partial"
  | "discarded"
  | "cancelled"
  | "failed"
  | "exhausted"
  | "stalled"
  | "refused";

/** Times are Unix seconds, money US dollars. */
export interface Run {
  readonly id: string;
  readonly task: string;
  readonly key: string;
  readonly title: string;
  readonly agent: string;
  readonly mode: string | null;
  readonly state: RunState;
  readonly outcome: Outcome | null;
  readonly reason: string | null;
  readonly turn: number;
  readonly turn_limit: number | null;
  readonly waiting_for: string | null;
  readonly cost_usd: number | null;
  readonly tokens: Tokens;
  readonly model: string;
  readonly scripted: boolean;
  readonly attempt: number;
  readonly loop: string | null;
  readonly loop_limit?: number | null;
  readonly loop_done?: number;
  /** The command, where it stands in no plan; an older server does not say it. */
  readonly errand?: string | null;
  /** The run that gathers it. */
  readonly part_of?: string | null;
  readonly started: number | null;
  readonly ended: number | null;
  readonly branch: string | null;
  readonly commit: string | null;
  /** The number of the open checkpoint in lists of runs; the checkpoint itself where one run is told. */
  readonly checkpoint: Checkpoint | number | null;
}

export type EventKind =
  | "run.queued"
  | "run.state"
  | "run.ended"
  | "turn.started"
  | "turn.progress"
  | "turn.ended"
  | "tool.started"
  | "tool.ended"
  | "hook.started"
  | "hook.ended"
  | "model.waiting"
  | "gate.started"
  | "gate.ended"
  | "checkpoint.opened"
  | "checkpoint.closed"
  | "plan.changed"
  | "landing.done"
  | "loop.ended"
  | "notice";

/** `devloop/event` carries `{events: [event, …]}`, in order. `turn.progress` is not stored and has no `seq`. */
export interface DevloopEvent {
  readonly seq?: number;
  readonly at: number;
  readonly run: string | null;
  readonly kind: EventKind | (string & {});
  readonly data: Readonly<Record<string, unknown>>;
}

/** `devloop/show`. */
export interface Shown {
  readonly run: Run;
  readonly turns: readonly Readonly<Record<string, unknown>>[];
  readonly gates: readonly (Gate & { readonly commit?: string })[];
  readonly checkpoint: Checkpoint | null;
  readonly decisions?: readonly { readonly number: number; readonly decision: string }[];
  readonly notices: readonly Readonly<Record<string, unknown>>[];
}
