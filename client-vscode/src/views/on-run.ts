/** What the menus of a task and of a run have in common: each passes it on to a command of the palette. */

interface Passed {
  /** The last word of the view's command: `devloop.plan.commit`, `devloop.runs.commit`. */
  readonly name: string;
  readonly command: string;
  /** What the command is told beside the run. */
  readonly more?: object;
}

const ON_RUN: readonly Passed[] = [
  { name: "review", command: "devloop.review" },
  { name: "commit", command: "devloop.decide", more: { decision: "commit" } },
  { name: "accept", command: "devloop.decide", more: { decision: "continue" } },
  { name: "revise", command: "devloop.decide", more: { decision: "revise" } },
  { name: "answer", command: "devloop.answer" },
  { name: "decide", command: "devloop.decide" },
  { name: "more", command: "devloop.decide" },
  { name: "cancel", command: "devloop.cancel" },
];

/** Register them for the view of that name. */
export function passOnRun(
  view: "plan" | "runs",
  pass: (name: string, command: string, more: object | undefined) => void,
): void {
  for (const { name, command, more } of ON_RUN) {
    pass(`devloop.${view}.${name}`, command, more);
  }
}
