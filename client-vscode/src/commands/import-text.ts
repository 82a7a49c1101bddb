/** What an import would do, for reading before it is done. Pure. */

import type { Imported } from "../protocol";
import { counted, oneLine } from "../views/text";

const KINDS: Readonly<Record<string, string>> = {
  "spec-kit": "tasks of Spec Kit",
  kiro: "tasks of Kiro",
  headings: "headings",
  bullets: "a list of bullets",
  prd: "a PRD",
  "task-master": "tasks of Task Master",
  "devloop-json": "a plan of devloop as JSON",
  plan: "a plan",
};
const HEADINGS = { lost: "Lost", changed: "Changed", kept: "Kept" } as const;

/** `3 things are lost, 1 is changed`; "" where all is as it was. */
function figures({ notes, problems }: Imported): string {
  const count = (kind: string) => notes.filter((note) => note.kind === kind).length;
  const [lost, changed] = [count("lost"), count("changed")];
  return [
    problems.length > 0 && counted(problems.length, "problem"),
    lost > 0 && `${counted(lost, "thing")} lost`,
    changed > 0 && `${counted(changed, "thing")} changed`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** The question: what it is, what happens to it and to the plan that is there. */
export function importQuestion(found: Imported): string {
  const what = `${counted(found.tasks, "task")} from ${oneLine(found.source, 80)} (${KINDS[found.kind] ?? oneLine(found.kind, 40)})`;
  const less = figures(found);
  const place = oneLine(found.path, 120);
  const then = found.exists
    ? `Replace ${place}? The plan that is there now is kept in .devloop/archive/replaced.`
    : `Write ${place}?`;
  return `${what}${less === "" ? "" : `; ${less}`}. ${then}`;
}

export function hasNotes({ notes, problems }: Imported): boolean {
  return notes.length + problems.length > 0;
}

/** Problems first, then what is lost, changed and kept, each with its place in the source. */
export function importNotes(found: Imported): string {
  const lines = [`Import of ${oneLine(found.source, 120)}`, ""];
  lines.push(`${counted(found.tasks, "task")}, read as ${KINDS[found.kind] ?? oneLine(found.kind, 40)}.`);
  section(
    "Problems",
    found.problems.map(({ message, ...where }) => ({ text: message, ...where })),
  );
  for (const [kind, heading] of Object.entries(HEADINGS)) {
    section(
      heading,
      found.notes.filter((note) => note.kind === kind),
    );
  }
  return `${lines.join("\n")}\n`;

  function section(heading: string, told: readonly { text: string; line: number; path: string }[]): void {
    if (told.length > 0) {
      lines.push("", heading, "-".repeat(heading.length));
      for (const { text, line, path } of told) {
        const where = line > 0 ? `line ${line}: ` : path === "" ? "" : `${oneLine(path, 80)}: `;
        lines.push(`${where}${oneLine(text, 300)}`);
      }
    }
  }
}
