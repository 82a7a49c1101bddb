/** How a workspace is: its server, sandbox, model and budget. */

import type { Stats } from "./plan";
import type { Run } from "./runs";

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

/** One check of `devloop/doctor`. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "problem";
  readonly message: string;
  readonly fix: string;
}
