/**
 * What a run's page shows, from the server's answers and events. Pure: a model and the next news give the next model,
 * and what did not change stays the same object, so that a patch is what differs (`patch.ts`).
 */

import { type Fold, folds } from "./events";
import { upserted } from "./patch";
import { line, row, rows, whole } from "./read";
import { checkpointOf, filesOf, gateOf, headWith, noticesOf } from "./reading";
import { recordedWith, saidWith } from "./said";
import { type Body, blank, type Gate, type Model, type Turn } from "./state";
import { recordedTurn, toldBody, toldTurn } from "./turns";

export function newModel(run: string): Model {
  return { ...blank(run), base: "", work: "", began: new Map() };
}

/** `devloop/show`. */
export function withShow(model: Model, answer: unknown): Model {
  const told = row(answer);
  const run = kept(model.run, headWith(model.run, row(told["run"])));
  const known = new Map(model.turns.map((turn) => [turn.number, turn]));
  const recorded = rows(told["turns"]).map((each) => {
    const before = known.get(whole(each["number"]));
    return kept(before, recordedTurn(before, each));
  });
  const turns = withPhases(upserted(model.turns, recorded), run.state, run.turn);
  return {
    ...model,
    run,
    turns: keptList(model.turns, turns),
    gates: keptList(model.gates, withRunning(model.gates, gatesOf(told["gates"]), run.state)),
    checkpoint: run.state === "ended" ? null : kept(model.checkpoint, checkpointOf(told["checkpoint"])),
    notices: keptList(model.notices, noticesOf(told["notices"])),
    said: keptList(model.said, recordedWith(model.said, told, run.turn)),
    doing: run.state === "ended" || run.state === "waiting" ? "" : model.doing,
  };
}

/** One row for each gate on each commit, the newest word about it. */
function gatesOf(value: unknown): readonly Gate[] {
  const found = new Map<string, Gate>();
  for (const each of rows(value)) {
    const gate = gateOf(each);
    found.delete(gate.key);
    found.set(gate.key, gate);
  }
  return [...found.values()];
}

/** Gates that run now are not recorded yet; nothing runs while the run waits or when it has ended. */
function withRunning(before: readonly Gate[], recorded: readonly Gate[], state: string): readonly Gate[] {
  const running = state === "waiting" || state === "ended" ? [] : before.filter((gate) => gate.verdict === "running");
  const live = new Set(running.map((gate) => gate.key));
  return [...recorded.filter((gate) => !live.has(gate.key)), ...running];
}

/** A turn is over when the next one has begun or the run has left it. */
function withPhases(turns: readonly Turn[], state: string, last: number): readonly Turn[] {
  const over = state === "ended" || state === "waiting";
  return turns.map((turn) =>
    turn.phase !== "done" && (over || turn.number < last) ? { ...turn, phase: "done" } : turn,
  );
}

/** `devloop/conversation`, of all turns or of those after some turn. */
export function withConversation(model: Model, answer: unknown): Model {
  const told = row(answer);
  const known = new Map(model.turns.map((turn) => [turn.number, turn]));
  const bodies = new Map(model.bodies);
  const newer: Turn[] = [];
  for (const each of rows(told["turns"])) {
    const number = whole(each["number"]);
    if (number > 0) {
      const before = bodies.get(number);
      const body = sameBody(before, toldBody(before, each));
      bodies.set(number, body);
      newer.push(kept(known.get(number), toldTurn(known.get(number), body, each)));
    }
  }
  const turns = withPhases(upserted(model.turns, newer), model.run.state, model.run.turn);
  return {
    ...model,
    turns: keptList(model.turns, turns),
    bodies,
    said: keptList(model.said, saidWith(model.said, told)),
  };
}

/** `devloop/diff`. */
export function withDiff(model: Model, answer: unknown): Model {
  const told = row(answer);
  const files = filesOf(Array.isArray(told["list"]) ? told["list"] : told["files"]);
  const [base, work] = [line(told["base"], 64), line(told["commit"], 64)];
  return { ...model, base, work, files: keptList(model.files, files) };
}

/** Events of this run, in order; others are passed over. */
export function withEvents(model: Model, events: readonly unknown[]): Model {
  let next = model;
  for (const each of events) {
    const event = row(each);
    const kind = event["kind"];
    if (event["run"] === model.run.id && typeof kind === "string" && Object.hasOwn(folds, kind)) {
      const fold: Fold | undefined = folds[kind];
      next = fold?.(next, row(event["data"]), typeof event["at"] === "number" ? event["at"] : null) ?? next;
    }
  }
  return next;
}

export function withTrouble(model: Model, trouble: string): Model {
  return model.trouble === trouble ? model : { ...model, trouble };
}

export function withLock(model: Model, locked: string): Model {
  return model.locked === locked ? model : { ...model, locked };
}

/** What has to be asked anew after events. */
export interface Wanted {
  readonly show: boolean;
  readonly conversation: boolean;
  readonly diff: boolean;
}

const SHOW = new Set([
  "run.state",
  "run.ended",
  "turn.ended",
  "gate.ended",
  "checkpoint.opened",
  "checkpoint.closed",
  "landing.done",
]);
const CONVERSATION = new Set([
  "tool.started",
  "tool.ended",
  "turn.ended",
  "checkpoint.closed",
  "checkpoint.opened",
  "run.ended",
]);
const DIFF = new Set(["turn.ended", "checkpoint.opened", "run.ended"]);

export function wantedAfter(run: string, events: readonly unknown[]): Wanted {
  const kinds = events
    .map(row)
    .filter((event) => event["run"] === run)
    .map((event) => String(event["kind"]));
  const any = (among: ReadonlySet<string>) => kinds.some((kind) => among.has(kind));
  return { show: any(SHOW), conversation: any(CONVERSATION), diff: any(DIFF) };
}

/** `before` when both say the same, so that nothing is sent for it. */
function kept<T>(before: T | undefined, after: T): T {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(after) ? before : after;
}

function keptList<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  const same = after.length === before.length && after.every((each, index) => each === before[index]);
  return same ? before : kept(before, after);
}

function sameBody(before: Body | undefined, after: Body): Body {
  return kept(before, after);
}
