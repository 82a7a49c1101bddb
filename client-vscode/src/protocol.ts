/**
 * What goes over the wire, spelled as it is sent (server/ARCHITECTURE.md, "What the parts say to each other").
 * Everything here comes from outside: texts are foreign, lists may be long, and newer servers may say more.
 */

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
export type Decision = "continue" | "commit" | "fresh" | "stop" | "revise" | "discard" | "answer" | "recheck" | "block";
export type Verdict = "pass" | "fail" | "error" | "unknown" | "skipped";

export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cache_read: number;
  readonly cache_write: number;
}

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

export interface Spent {
  readonly usd: number;
  readonly scripted_usd: number;
  readonly turns: number;
  readonly input: number;
  readonly output: number;
  readonly cache_read: number;
  readonly cache_write: number;
}

export interface Budget {
  readonly caps: {
    readonly run_usd: number | null;
    readonly plan_usd: number | null;
    readonly day_usd: number | null;
    readonly run_tokens: number | null;
    readonly turns: number;
    readonly wall: number;
  };
  readonly day: Spent;
  readonly total: Spent;
  readonly by_task: readonly (Spent & { readonly label: string })[];
  readonly by_day: readonly (Spent & { readonly label: string })[];
}

export interface Sandbox {
  readonly backend: string;
  readonly degraded: boolean;
  readonly state: string;
  readonly reason: string;
  readonly fix: string;
  /** What the state means, in a sentence or two. */
  readonly meaning?: string;
}

/** `devloop/status`: the object of `devloop status --json`. `runs` are those that have not ended. */
export interface Status {
  readonly daemon: { readonly pid: number; readonly version: string; readonly uptime_s?: number };
  readonly engine: { readonly pid: number | null; readonly state: string; readonly problem: string | null };
  readonly sandbox: Sandbox;
  readonly model: { readonly name: string; readonly scripted: boolean; readonly key: boolean };
  readonly runs: readonly Run[];
  /** Without a plan `path` is null and only `problem` says why. */
  readonly plan: { readonly path: string | null; readonly problem: string | null } & Partial<Stats>;
  readonly budget: Budget;
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

export interface DiffFile {
  readonly path: string;
  readonly old_path: string | null;
  readonly status: string;
  readonly added: number | null;
  readonly deleted: number | null;
  readonly binary: boolean;
}

export interface Gate {
  readonly gate: string;
  readonly verdict: Verdict;
  readonly [more: string]: unknown;
}

/** What accepting makes of the plan, as it was when the checkpoint opened. */
export interface Proposal {
  readonly path: string;
  readonly exists: boolean;
  readonly patch: string;
  /** The whole plan; null where it is long. */
  readonly text: string | null;
  /** The change in words; "" where nothing changes. */
  readonly said: string;
  readonly notes: readonly string[];
  /** What does not fit, and why. */
  readonly left_out: readonly string[];
  /** Whether the rest can be accepted without it. */
  readonly optional: boolean;
}

/** A task that a rule accepted since the last checkpoint. */
export interface AcceptedTask {
  readonly run: string;
  readonly task: string;
  readonly title: string;
  readonly files: number;
  readonly added: number;
  readonly deleted: number;
}

/** What looks like a secret in a run's work. */
export interface Secret {
  readonly id: string;
  readonly file: string;
  /** From 1; 0 for the name itself. */
  readonly line: number;
  readonly kind: string;
}

export interface Checkpoint {
  readonly number: number;
  readonly kind: "decision" | "question" | "problem";
  readonly summary: string;
  readonly decisions: readonly Decision[];
  /** What to put first; an older server does not say it. */
  readonly recommended?: Decision | null;
  /** Why that is recommended, or nothing is. */
  readonly why?: string | null;
  readonly report?: { readonly text: string } | null;
  readonly proposal?: Proposal | null;
  /** Everything since the last checkpoint, this run included. */
  readonly accepted?: {
    readonly tasks: readonly AcceptedTask[];
    readonly files: number;
    readonly added: number;
    readonly deleted: number;
  } | null;
  /** Modes that do the task one after the other. */
  readonly chain?: { readonly modes: readonly string[]; readonly at: number; readonly next: string | null } | null;
  /** Tasks that were begun together and are answered together. */
  readonly group?: { readonly id: string; readonly size: number; readonly label?: string | null } | null;
  readonly diff: {
    readonly files: number;
    readonly added: number;
    readonly deleted: number;
    readonly list: readonly DiffFile[];
  } | null;
  readonly gates: readonly Gate[];
  /** What holds the work back until a person says that it is none; an older server does not say it. */
  readonly secrets?: readonly Secret[];
  readonly guards: readonly unknown[];
  readonly question: { readonly text: string; readonly choices: readonly string[] } | null;
  readonly problem: string | null;
  readonly cost_usd: number | null;
  readonly turns: number;
  readonly tokens: Tokens;
  readonly notices: readonly unknown[];
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

/** `devloop/diff`. */
export interface Diff {
  readonly run: string;
  readonly base: string | null;
  readonly commit: string | null;
  readonly patch: string;
  readonly files: readonly DiffFile[];
  readonly truncated: boolean;
  readonly added: number;
  readonly deleted: number;
}

/** `devloop/content`; `text` is null where the file does not exist on that side. */
export interface Content {
  readonly text: string | null;
  readonly binary: boolean;
  readonly size: number;
  /** Why there is no text although the file is there. */
  readonly problem: string | null;
}

export interface Agent {
  readonly name: string;
  readonly description: string;
  readonly modes: readonly (string | { readonly name: string; readonly description?: string })[];
  readonly path: string;
  readonly source: string;
  readonly why?: string | null;
}

export interface Skill {
  readonly name: string;
  readonly description: string;
  readonly path: string;
  readonly source: string;
  readonly triggers: readonly string[];
  readonly why?: string | null;
  readonly chars?: number;
  /** `active`, `overridden` by one of the same name, `untrusted`; what is not active is not loaded. */
  readonly state?: string;
  /** Why it is in that state, or what it stands in place of. */
  readonly note?: string;
}

/** Something wrong with the file of an agent or a skill. */
export interface LibraryProblem {
  readonly path: string;
  /** From 1; 0 for the whole file. */
  readonly line: number;
  readonly severity: string;
  readonly message: string;
}

/** `devloop/library`. */
export interface Library {
  readonly agents: readonly Agent[];
  readonly skills: readonly Skill[];
  readonly agent_problems?: readonly LibraryProblem[];
  /** Of skills' files. */
  readonly problems?: readonly LibraryProblem[];
}

/** One thing that the repository wants to execute (`devloop/trust`). */
export interface TrustItem {
  readonly key: string;
  readonly kind: string;
  readonly path: string;
  readonly sha256: string;
  readonly status: "trusted" | "new" | "changed" | "refused";
  /** What trusting an item of this kind means. */
  readonly about?: string;
  readonly text: string;
  readonly diff: string;
  /** Why nobody may trust it. */
  readonly reason?: string;
}

/** One check of `devloop/doctor`. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "problem";
  readonly message: string;
  readonly fix: string;
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

/** The one object that a command of the server takes. */
export interface CommandArguments {
  readonly uri?: string;
  readonly task?: TaskReference;
  readonly run?: string;
  readonly decision?: Decision;
  readonly checkpoint?: number;
  readonly phase?: string;
  readonly message?: string;
  /** What is accepted without, as the checkpoint names it: `plan` is its proposal. */
  readonly leave_out?: readonly string[];
  readonly limit?: number;
  /** What a review found, and the review itself. */
  readonly finding?: string;
  readonly review?: string;
}
