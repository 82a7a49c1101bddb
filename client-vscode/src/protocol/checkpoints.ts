/** What a run waits for, and what may be decided. */

import type { DiffFile, Gate, Tokens } from "./work";

export type Decision = "continue" | "commit" | "fresh" | "stop" | "revise" | "discard" | "answer" | "recheck" | "block";

/** What looks like a secret in a run's work. */
export interface Secret {
  readonly id: string;
  readonly file: string;
  /** From 1; 0 for the name itself. */
  readonly line: number;
  readonly kind: string;
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
