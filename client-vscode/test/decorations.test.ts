import { describe, expect, it } from "vitest";
import { marks } from "../src/editing/decoration-lines";
import type { PlanTask, TaskState } from "../src/protocol";

const TEXT = `# Plan
## Phase 1
- [x] Task 1.1: done
  - **Acceptance**: yes

  more of it
- [x] Task 1.2: done too
	- tabbed
- [~] Task 1.3: works
  - detail
- [~] Task 1.4: waits
text at the margin
- [-] Task 1.5: left out
  - why
### Notes
    code below
`.split("\n");

function of(states: Readonly<Record<number, TaskState>>, text = TEXT) {
  const tasks = Object.entries(states).map(([line, state]) => ({ line: Number(line), state }) as PlanTask);
  return marks({ tasks }, (at) => text[at] ?? "", text.length);
}

describe("how a plan is decorated", () => {
  it("dims finished tasks with all that belongs to them, and nothing after", () => {
    expect(of({ 3: "done", 7: "done", 9: "working", 11: "checkpoint", 13: "skipped" })).toEqual({
      dimmed: [
        { first: 2, last: 7 },
        { first: 12, last: 13 },
      ],
      running: [8],
      waiting: [10],
    });
  });

  it("leaves open tasks alone", () => {
    expect(of({ 3: "ready", 7: "waiting", 9: "blocked", 11: "partial" })).toEqual({
      dimmed: [],
      running: [],
      waiting: [],
    });
  });

  it("marks no line that is no task any more, nor one behind the end", () => {
    expect(of({ 12: "working", 500: "done", 4: "done" }).running).toEqual([]);
    expect(of({ 500: "done", 12: "done" }).dimmed).toEqual([]);
  });

  it("dims only the heading of a task that is one", () => {
    const text = ["### Task 1: done", "", "prose", "- a list"];
    expect(of({ 1: "done" }, text).dimmed).toEqual([{ first: 0, last: 0 }]);
  });

  it("takes a long finished plan in one span and in linear time", () => {
    const text = Array.from({ length: 20_000 }, (_, at) => `- [x] Task ${at}: done`);
    const states = Object.fromEntries(text.map((_, at) => [at + 1, "done" as const]));
    const began = performance.now();
    expect(of(states, text).dimmed).toEqual([{ first: 0, last: 19_999 }]);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
