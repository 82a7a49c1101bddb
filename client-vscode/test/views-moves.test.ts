import { describe, expect, it } from "vitest";
import { type Move, movesBack, movesBeside, movesFor } from "../src/views/plan-moves";
import { phase, plan, task } from "./views-fixtures";

const tasks = [
  task(2, { id: "1.1", phase: "1" }),
  task(3, { id: "1.2", phase: "1" }),
  task(4, { id: "1.2.1", phase: "1", parent: "1.2" }),
  task(5, { id: "1.3", phase: "1" }),
  task(12, { id: "2.1", phase: "2" }),
];
const phases = [phase(1, 9, { id: "1" }), phase(11, 19, { id: "2" })];
const whole = plan(tasks, phases);
const [one, two, sub, three, other] = tasks as [
  (typeof tasks)[0],
  (typeof tasks)[0],
  (typeof tasks)[0],
  (typeof tasks)[0],
  (typeof tasks)[0],
];
const [, second] = phases as [(typeof phases)[0], (typeof phases)[0]];
const brief = (moves: readonly Move[]): string[] =>
  moves.map((move) => {
    const place = move.before ? `before ${move.before.id}` : move.after ? `after ${move.after.id}` : `in ${move.phase}`;
    return `${move.task.id} ${place}`;
  });

describe("dropping tasks", () => {
  it("takes the place of the task below the mouse, from above and from below", () => {
    expect(brief(movesFor(whole, [one], { task: three }))).toEqual(["1.1 after 1.3"]);
    expect(brief(movesFor(whole, [three], { task: one }))).toEqual(["1.3 before 1.1"]);
    expect(brief(movesFor(whole, [one], { task: other }))).toEqual(["1.1 before 2.1"]);
  });

  it("keeps the plan's order of several, in whatever order they were selected", () => {
    expect(brief(movesFor(whole, [two, one], { task: three }))).toEqual(["1.1 after 1.3", "1.2 after 1.1"]);
    expect(brief(movesFor(whole, [three, one], { task: other }))).toEqual(["1.1 before 2.1", "1.3 before 2.1"]);
    expect(brief(movesFor(whole, [three, one], { phase: second }))).toEqual(["1.1 in 2", "1.3 in 2"]);
  });

  it("takes a subtask along with the task around it", () => {
    expect(brief(movesFor(whole, [sub, two], { phase: second }))).toEqual(["1.2 in 2"]);
  });

  it("changes nothing for a drop on oneself, on something that is dragged or inside of it", () => {
    expect(movesFor(whole, [one], { task: one })).toEqual([]);
    expect(movesFor(whole, [one, two], { task: two })).toEqual([]);
    expect(movesFor(whole, [two], { task: sub })).toEqual([]);
    expect(movesFor(whole, [], { task: one })).toEqual([]);
  });

  it("goes to the end of the plan when dropped below it, also in a plan without phases", () => {
    expect(brief(movesFor(whole, [one], null))).toEqual(["1.1 in 2"]);
    expect(brief(movesFor(plan([task(1, { id: "a" }), task(2, { id: "b" })]), [task(1, { id: "a" })], null))).toEqual([
      "a after b",
    ]);
  });

  it("names tasks so that the server can tell when they have changed", () => {
    const [move] = movesFor(whole, [one], { task: three });
    expect(move?.task).toEqual({ id: "1.1", key: "key-1.1", title: "Title 1.1", line: 2 });
  });
});

describe("taking moves back", () => {
  const back = (moved: typeof tasks, target: Parameters<typeof movesFor>[2]): string[] =>
    brief(movesBack(whole, movesFor(whole, moved, target)));

  it("puts a task before the one that followed it, else behind the one before, else into its phase", () => {
    expect(back([one], { task: three })).toEqual(["1.1 before 1.2"]);
    expect(back([three], { task: one })).toEqual(["1.3 after 1.2"]);
    expect(back([other], { task: one })).toEqual(["2.1 in 2"]);
  });

  it("puts several back from the last to the first, so that each finds its neighbour in place", () => {
    expect(back([one, two, three], { phase: second })).toEqual(["1.3 in 1", "1.2 before 1.3", "1.1 before 1.2"]);
  });
});

describe("moving by one place", () => {
  it("passes the neighbour, with all that are selected", () => {
    expect(brief(movesBeside(whole, [two], -1))).toEqual(["1.2 before 1.1"]);
    expect(brief(movesBeside(whole, [one], 1))).toEqual(["1.1 after 1.2"]);
    expect(brief(movesBeside(whole, [one, two], 1))).toEqual(["1.1 after 1.3", "1.2 after 1.1"]);
    expect(brief(movesBeside(whole, [three, two], -1))).toEqual(["1.2 before 1.1", "1.3 before 1.1"]);
  });

  it("goes on in the next phase, at the end that it comes from", () => {
    expect(brief(movesBeside(whole, [three], 1))).toEqual(["1.3 before 2.1"]);
    expect(brief(movesBeside(whole, [other], -1))).toEqual(["2.1 in 1"]);
    const empty = plan(tasks.slice(0, 4), phases);
    expect(brief(movesBeside(empty, [three], 1))).toEqual(["1.3 in 2"]);
  });

  it("stops at the ends of the plan and of a task, and moves nothing where two lists are selected", () => {
    expect(movesBeside(whole, [one], -1)).toEqual([]);
    expect(movesBeside(whole, [other], 1)).toEqual([]);
    expect(movesBeside(whole, [sub], 1)).toEqual([]);
    expect(movesBeside(whole, [one, other], 1)).toEqual([]);
    expect(movesBeside(whole, [], 1)).toEqual([]);
  });
});
