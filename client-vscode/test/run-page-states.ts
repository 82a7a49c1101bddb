/** The page of a run in all its states, as messages of the host, made by the code that makes them in the editor. */

import { document, policy } from "../src/run-page/html";
import type { ToPage } from "../src/run-page/messages";
import {
  newModel,
  withConversation,
  withDiff,
  withEvents,
  withLock,
  withShow,
  withTrouble,
} from "../src/run-page/model";
import { difference } from "../src/run-page/patch";
import type { Model } from "../src/run-page/state";
import { checkpoint, conversation, DIFF, event, gate, RUN, run, shown } from "./run-page-fixtures";

export { document, policy };

const GATES = [
  gate("lint", "pass", { kind: "lint", counts: null }),
  gate("tests", "fail"),
  gate("types", "unknown", { required: false }),
];

function loaded(turns: number, more: object = {}): Model {
  const told = conversation(turns, {
    messages: [{ turn: 2, checkpoint: 1, decision: "revise", text: "Use `Decimal`, please.", leave_out: [] }],
    gates: [
      { number: 1, turn: 2, results: [{ gate: "tests", verdict: "fail", reason: "1 test fails that passed before" }] },
    ],
  });
  const facts = shown({ gates: GATES, notices: ["Left out of the snapshot: data.bin (too large)"], ...more });
  return withDiff(withConversation(withShow(newModel(RUN), facts), told), DIFF);
}

const working = withEvents(loaded(6), [
  event("turn.started", { turn: 7 }),
  event("turn.progress", {
    turn: 7,
    doing: "text",
    tokens: 120,
    text: "I mend the **last** test.\n\n1. read\n2. write",
  }),
  event("gate.started", { gate: "tests", commit: "abc", of: 3 }),
]);

const question = checkpoint({
  kind: "question",
  summary: "",
  guards: [],
  question: { text: "Which rounding do you want for **half cents**?", choices: ["half up", "half even"] },
  decisions: ["answer", "stop", "discard"],
});

const held = checkpoint({
  kind: "problem",
  decisions: ["revise", "recheck", "stop", "block", "discard"],
  recommended: null,
  guards: [],
  gates: [],
  problem: "secrets: fail",
  secrets: [{ id: "0123456789ab", file: "samples/first.py", line: 1, kind: "github-pat" }],
});

const models: Readonly<Record<string, Model>> = {
  empty: newModel(RUN),
  working,
  decision: withEvents(loaded(8), [event("checkpoint.opened", checkpoint())]),
  question: withEvents(loaded(3), [event("checkpoint.opened", question)]),
  held: withEvents(loaded(3), [event("checkpoint.opened", held)]),
  locked: withLock(withEvents(loaded(3), [event("checkpoint.opened", checkpoint())]), "Trust the folder first."),
  failed: withTrouble(
    withShow(
      loaded(4),
      shown({
        gates: GATES,
        run: run({ state: "ended", outcome: "failed", reason: "The model could not be asked.", ended: 1_700_000_600 }),
      }),
    ),
    "devloop does not answer; what is shown may be old.",
  ),
  many: loaded(40),
};

export const states: Readonly<Record<string, ToPage>> = Object.fromEntries(
  Object.entries(models).map(([name, model]) => [name, whole(model)]),
);

function whole(model: Model): ToPage {
  const last = model.turns.at(-20)?.number ?? 0;
  return { type: "show", whole: true, patch: difference(null, model, (number) => number >= last) ?? {} };
}

const longRun = loaded(500);
export const long = whole(longRun);

/** What comes after `long` when its next turn begins and its first words arrive. */
export const next: readonly ToPage[] = [
  event("turn.started", { turn: 501 }, 1_700_006_000),
  event("turn.progress", { turn: 501, doing: "text", tokens: 9, text: "I go **on**." }),
  event("tool.started", { turn: 501, id: "t", tool: "run_command", argument: "make" }),
].map((each, index, all) => {
  const before = withEvents(longRun, all.slice(0, index));
  return { type: "show", whole: false, patch: difference(before, withEvents(before, [each]), () => true) ?? {} };
});
