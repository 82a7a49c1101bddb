import { describe, expect, it } from "vitest";
import type { Session } from "../src/session";
import { dependable, taskAt } from "../src/views/plan-at";
import { standsOf } from "../src/views/stands";
import { phase, plan, task } from "./views-fixtures";

const phases = [phase(3, 10, { id: "1" }), phase(12, 20, { id: "2" })];
const tasks = [task(1, { id: "0" }), task(5, { id: "1.1" }), task(8, { id: "1.2" }), task(14, { id: "2.1" })];

describe("the task at a line", () => {
  it.each([
    [1, "0"],
    [2, "0"],
    [3, undefined],
    [4, undefined],
    [5, "1.1"],
    [7, "1.1"],
    [8, "1.2"],
    [10, "1.2"],
    [11, undefined],
    [13, undefined],
    [14, "2.1"],
    [21, undefined],
  ])("%i is %s", (line, id) => {
    expect(taskAt(plan(tasks, phases), line)?.id).toBe(id);
  });
});

describe("what a task can be made to wait for", () => {
  const ids = (of: string, all = plan): string[] => {
    const whole = all([
      task(1, { id: "a" }),
      task(2, { id: "b", depends_on: ["a"] }),
      task(3, { id: "b/1", parent: "b", explicit: false }),
      task(4, { id: "b.2", parent: "b" }),
      task(5, { id: "c", depends_on: ["b"] }),
      task(6, { id: "d" }),
      task(7, { id: "e", depends_on: ["d", "gone"] }),
    ]);
    const found = whole.tasks.find((each) => each.id === of);
    return found === undefined ? [] : dependable(whole, found).map((each) => each.id);
  };

  it("is everything but itself, what waits for it, steps, and what is around or inside of it", () => {
    expect(ids("a")).toEqual(["b.2", "d", "e"]);
    expect(ids("b")).toEqual(["a", "d", "e"]);
    expect(ids("b.2")).toEqual(["a", "c", "d", "e"]);
  });

  it("begins with what it waits for now", () => {
    expect(ids("e")).toEqual(["d", "a", "b", "b.2", "c"]);
  });
});

describe("what an empty view says", () => {
  const of = (kind: string, path?: string | null, planned = false): Pick<Session, "state" | "status" | "plan"> =>
    ({
      state: { kind },
      status: path === undefined ? undefined : { plan: { path } },
      plan: planned ? plan([]) : undefined,
    }) as unknown as Session;

  it("depends on what is known", () => {
    expect(standsOf([])).toBe("none");
    expect(standsOf([of("starting")])).toBe("busy");
    expect(standsOf([of("running")])).toBe("busy");
    expect(standsOf([of("running", ".devloop/plan.md")])).toBe("busy");
    expect(standsOf([of("running", null)])).toBe("none");
    expect(standsOf([of("running", ".devloop/plan.md", true)])).toBe("plan");
    expect(standsOf([of("failed")])).toBe("failed");
    expect(standsOf([of("missing")])).toBe("missing");
    expect(standsOf([of("stopped")])).toBe("stopped");
  });

  it("of several folders is the best there is", () => {
    expect(standsOf([of("failed"), of("running", "p", true)])).toBe("plan");
    expect(standsOf([of("failed"), of("starting")])).toBe("busy");
    expect(standsOf([of("missing"), of("failed")])).toBe("failed");
  });
});
