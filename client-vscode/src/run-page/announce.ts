/** What a screen reader says when a run goes on: changes of its state and verdicts, never what is being written. Pure. */

import type { PageState } from "./state";
import { headingOf, stateOf } from "./words";

export function announcement(before: PageState, after: PageState): string {
  const told: string[] = [];
  if (after.checkpoint !== null && after.checkpoint.number !== before.checkpoint?.number) {
    told.push(`${headingOf(after.checkpoint.kind)}.`);
  } else if (before.run.state !== "" && stateOf(before.run) !== stateOf(after.run)) {
    told.push(`${stateOf(after.run)}.`);
  }
  const known = new Map(before.gates.map((gate) => [gate.key, gate.verdict]));
  for (const gate of before.gates.length > 0 || before.run.state !== "" ? after.gates : []) {
    if (gate.verdict !== "running" && known.get(gate.key) !== gate.verdict) {
      told.push(`Gate ${gate.name}: ${gate.verdict}.`);
    }
  }
  if (after.trouble !== "" && after.trouble !== before.trouble) {
    return ""; // it stands in an alert
  }
  return told.join(" ");
}
