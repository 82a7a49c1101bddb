/** The plan: its tasks, what they count, and where plans come from. */

import type { Checkpoint } from "./checkpoints";
import type { Outcome, RunState } from "./runs";

export interface Counts {
  readonly total: number;
  readonly done: number;
  readonly completed: number;
  readonly pending: number;
  readonly in_progress: number;
  readonly blocked: number;
  readonly skipped: number;
  readonly deferred: number;
  readonly unknown: number;
  readonly percentage: number;
}

export interface Done {
  readonly total: number;
  readonly done: number;
}

export interface Stats extends Counts {
  readonly subtasks: Done;
  readonly criteria: Done;
  readonly leaves: Done;
  readonly phases: readonly Counts[];
}

export type TaskState = "ready" | "waiting" | "done" | "working" | "checkpoint" | "blocked" | "skipped" | "partial";

/** The open or last run of a task, as `devloop/plan` tells it. */
export interface TaskRun {
  readonly id: string;
  readonly state: RunState;
  readonly outcome: Outcome | null;
  /** The number of the open one. */
  readonly checkpoint: Checkpoint | number | null;
  /** The kind of the open checkpoint. */
  readonly asks?: string | null;
  readonly agent: string;
  readonly mode: string | null;
  readonly turn: number;
  readonly cost_usd: number | null;
}

export interface PlanTask {
  readonly id: string;
  readonly key: string;
  readonly title: string;
  readonly status: string;
  readonly marker: string;
  /** From 1. */
  readonly line: number;
  readonly phase: string | null;
  readonly parent: string | null;
  readonly depends_on: readonly string[];
  readonly group: string | null;
  readonly acceptance: readonly string[];
  readonly files: readonly {
    readonly path: string;
    readonly new: boolean;
    readonly lines: readonly number[] | null;
    readonly glob: boolean;
  }[];
  readonly tags: readonly string[];
  readonly agent: string | null;
  readonly mode: string | null;
  readonly optional: boolean;
  readonly explicit: boolean;
  /** Whether it can be run by itself; false for a step of another task. */
  readonly pickable?: boolean;
  readonly state: TaskState;
  readonly blocked_by: readonly string[];
  readonly run: TaskRun | null;
}

export interface PlanPhase {
  readonly id: string;
  readonly name: string;
  readonly line: number;
  readonly end_line: number;
  readonly goal: string;
  readonly status: string;
  readonly depends_on: readonly string[];
}

export interface PlanCriterion {
  readonly line: number;
  readonly text: string;
  readonly done: boolean;
  readonly section: string;
  readonly parent: string | null;
}

export interface PlanProblem {
  readonly code: string;
  readonly severity: string;
  readonly line: number;
  readonly message: string;
}

/** `devloop/plan`. */
export interface Plan {
  readonly path: string;
  readonly uri: string;
  readonly sha256: string;
  readonly name: string;
  readonly goal: string;
  readonly phases: readonly PlanPhase[];
  /** Subtasks stand among them with `parent` set and are not counted. */
  readonly tasks: readonly PlanTask[];
  readonly criteria: readonly PlanCriterion[];
  readonly stats: Stats;
  readonly problems: readonly PlanProblem[];
}

/** A task as commands take it: id and key find it again; id alone will do when it was typed by hand. */
export interface TaskReference {
  readonly id: string;
  readonly key?: string;
  readonly title?: string;
  readonly line?: number;
}

/** `devloop/templates`. */
export interface Template {
  readonly name: string;
  readonly title: string;
  readonly text: string;
}

/** `devloop/import`. `line` is of the source, 0 for none; `path` a place in JSON. */
export interface Imported {
  readonly kind: string;
  readonly source: string;
  /** The plan that it gives. */
  readonly text: string;
  readonly tasks: number;
  readonly notes: readonly {
    readonly kind: "kept" | "changed" | "lost";
    readonly text: string;
    readonly line: number;
    readonly path: string;
  }[];
  readonly problems: readonly { readonly message: string; readonly line: number; readonly path: string }[];
  /** Where the plan is or would be. */
  readonly path: string;
  readonly exists: boolean;
  readonly written: boolean;
  /** Where the plan is now that was there before. */
  readonly archived: string | null;
}
