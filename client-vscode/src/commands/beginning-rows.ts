/** What is asked before something begins. Pure. */

import { plainLabel } from "../views/text";

export interface PhaseRow {
  readonly label: string;
  readonly picked: boolean;
  readonly name: string;
}

/** Nothing is built without a plan that a person approved, so the server refuses to leave these out. */
const ALWAYS = new Set(["clarification", "planning", "implementation"]);

/** Phases of a workflow's plan that can be left out; those in `skipped` are so by the settings already. */
export function phasesToLeaveOut(plan: string, skipped: readonly string[]): readonly PhaseRow[] {
  const names = [...plan.matchAll(/^## Phase [\d.]+: (.+)$/gm)].map((found) => (found[1] ?? "").trim());
  return names
    .filter((name) => name !== "" && !ALWAYS.has(name.toLowerCase()))
    .map((name) => ({ label: plainLabel(name, 60), picked: skipped.includes(name.toLowerCase()), name }));
}

/** Words, or an issue by its id: then that is what it comes from. */
export function sourceIn(said: string): { readonly message: string } | { readonly source: string } {
  return /^[A-Z][A-Z0-9]*-\d+$/.test(said) ? { source: said } : { message: said };
}
