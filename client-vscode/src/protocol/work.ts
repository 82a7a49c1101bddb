/** What a run's work comes to: tokens, gates, changed files. */

export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cache_read: number;
  readonly cache_write: number;
}

export type Verdict = "pass" | "fail" | "error" | "unknown" | "skipped";

export interface Gate {
  readonly gate: string;
  readonly verdict: Verdict;
  readonly [more: string]: unknown;
}

export interface DiffFile {
  readonly path: string;
  readonly old_path: string | null;
  readonly status: string;
  readonly added: number | null;
  readonly deleted: number | null;
  readonly binary: boolean;
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
