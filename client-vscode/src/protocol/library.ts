/** Agents, skills, and what of the repository may execute. */

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
