import { describe, expect, it } from "vitest";
import type { PlanTask, TaskState } from "../src/protocol";
import { type PlanSubject, planRows, progress } from "../src/views/plan-rows";
import type { Row } from "../src/views/rows";
import { Tree } from "../src/views/rows";
import { phase, plan, task, taskRun } from "./views-fixtures";

type PlanRow = Row<PlanSubject>;
const outline = (rows: readonly PlanRow[], depth = 0): string[] =>
  rows.flatMap((each) => [`${"  ".repeat(depth)}${each.label}`, ...outline(each.children ?? [], depth + 1)]);
const only = (given: Partial<PlanTask>): PlanRow => {
  const found = planRows(plan([task(1, { id: "1.1", title: "Do it", ...given })]), "f")[0];
  if (found === undefined) {
    throw new Error("no row");
  }
  return found;
};

describe("the order of rows", () => {
  it("follows the plan: tasks before the first phase, phases in phases, subtasks in tasks", () => {
    const tasks = [
      task(2, { id: "0" }),
      task(5, { id: "1.1" }),
      task(6, { id: "1.1/1", parent: "1.1", explicit: false, title: "Step" }),
      task(7, { id: "1.1.1", parent: "1.1" }),
      task(11, { id: "1.2" }),
      task(21, { id: "2.1" }),
      task(31, { id: "9", title: "After" }),
    ];
    const phases = [
      phase(4, 15, { id: "1", name: "One" }),
      phase(10, 15, { id: "1a", name: "Inner" }),
      phase(20, 25, { id: "2", name: "Two" }),
      phase(28, 29, { id: "3", name: "" }),
    ];
    expect(outline(planRows(plan(tasks, phases), "f"))).toEqual([
      "0 Title 0",
      "Phase 1: One",
      "  1.1 Title 1.1",
      "    Step",
      "    1.1.1 Title 1.1.1",
      "  Phase 1a: Inner",
      "    1.2 Title 1.2",
      "Phase 2: Two",
      "  2.1 Title 2.1",
      "Phase 3",
      "9 After",
    ]);
  });

  it("takes the nearest task above for the parent where ids are there twice, and ids of rows differ", () => {
    const tasks = [task(1, { id: "1" }), task(2, { id: "1" }), task(3, { id: "1/1", parent: "1", explicit: false })];
    const rows = planRows(plan(tasks), "f");
    expect(rows.map((each) => each.children?.length)).toEqual([0, 1]);
    expect(new Set(rows.map((each) => each.id)).size).toBe(2);
  });

  it("shows a subtask whose parent is not there", () => {
    expect(outline(planRows(plan([task(1, { id: "2", parent: "nobody" })]), "f"))).toEqual(["2 Title 2"]);
  });
});

describe("ids of rows", () => {
  it("stay when lines move and titles of tasks with an id change, or a title without id moves", () => {
    const of = (given: Partial<PlanTask>, line = 3): string => {
      const rows = planRows(plan([task(line, given)], [phase(1, 9, { id: "1" })]), "f");
      return rows[0]?.children?.[0]?.id ?? "";
    };
    expect(of({ id: "1.1", title: "A", key: "a" })).toBe(of({ id: "1.1", title: "B", key: "b" }, 4));
    expect(of({ id: "p1.1", explicit: false, key: "a" })).toBe(of({ id: "p1.2", explicit: false, key: "a" }, 5));
    expect(of({ id: "1.1" })).not.toBe(of({ id: "1.2" }));
  });

  it("name the folder, so that two plans can have the same tasks", () => {
    const shared = plan([task(1, { id: "1" })]);
    expect(planRows(shared, "f")[0]?.id).not.toBe(planRows(shared, "g")[0]?.id);
  });
});

describe("a task", () => {
  const states: [TaskState, string, string][] = [
    ["ready", "circle-large-outline", "ready"],
    ["waiting", "circle-outline", "waiting"],
    ["done", "pass-filled", "done"],
    ["working", "loading~spin", "working"],
    ["checkpoint", "bell-dot", "waits for you"],
    ["blocked", "circle-slash", "blocked"],
    ["skipped", "debug-step-over", "skipped"],
    ["partial", "color-mode", "partly done"],
  ];
  it.each(states)("that is %s has an icon of its own and says so", (state, icon, spoken) => {
    const found = only({ state });
    expect(found.icon?.id).toBe(icon);
    expect(found.spoken).toContain(spoken);
    expect(found.context).toContain(`;${state};`);
    expect(found.spoken.split(", ")).toHaveLength(new Set(found.spoken.split(", ")).size);
  });

  it("has an icon also in a state that a newer server may know", () => {
    expect(only({ state: "dreaming" as TaskState }).icon?.id).toBe("question");
  });

  it("says who works, how far, for how much", () => {
    const row = only({ state: "working", run: taskRun() });
    expect(row.description).toBe("engineer·refactorer · turn 3 · $0.0300");
    expect(row.spoken).toBe("1.1 Do it, working, engineer·refactorer, turn 3, $0.0300");
    expect(only({ state: "working", run: taskRun({ mode: "default", turn: 0, cost_usd: 0 }) }).description).toBe(
      "engineer",
    );
  });

  it("says what it waits for, what it cost, and how the last run ended when that was not well", () => {
    expect(only({ state: "waiting", blocked_by: ["1.2"] }).description).toBe("waits for 1.2");
    expect(only({ state: "waiting", blocked_by: ["1", "2", "3", "4", "5"] }).description).toBe(
      "waits for 1, 2, 3 and 2 more",
    );
    const ended = taskRun({ state: "ended", outcome: "landed", cost_usd: 0.5 });
    expect(only({ state: "done", run: ended }).description).toBe("$0.50");
    expect(only({ state: "ready", run: { ...ended, outcome: "exhausted" } }).description).toBe(
      "last run exhausted · $0.50",
    );
    expect(only({ state: "ready" }).description).toBe("");
    expect(only({ state: "ready", run: { ...ended, outcome: "failed" } }).icon?.color).toBe("charts.orange");
    expect(only({ state: "ready", run: { ...ended, outcome: "cancelled" } }).icon?.color).toBe("charts.blue");
  });

  it("can be run when it is ready or begun and free, is a whole task, and has no open run", () => {
    expect(only({ state: "ready" }).context).toContain(";runnable;");
    expect(only({ state: "partial" }).context).toContain(";runnable;");
    expect(only({ state: "partial", blocked_by: ["2"] }).context).not.toContain("runnable");
    for (const state of ["waiting", "done", "working", "checkpoint", "blocked", "skipped"] as const) {
      expect(only({ state }).context).not.toContain("runnable");
    }
    const step = planRows(plan([task(1, { id: "1" }), task(2, { id: "1/1", parent: "1", explicit: false })]), "f");
    expect(step[0]?.children?.[0]?.context).toBe(";task;ready;step;");
  });

  it("offers the decisions of its checkpoint, the usual ones until they are known", () => {
    const of = (asks: string, offered?: readonly string[]): string => {
      const waiting = task(1, { state: "checkpoint", run: taskRun({ state: "waiting", asks }) });
      return planRows(plan([waiting]), "f", () => offered)[0]?.context ?? "";
    };
    expect(of("question", ["answer", "stop"])).toBe(";task;checkpoint;has-run;open;can-answer;can-stop;");
    expect(of("decision")).toContain(";can-commit;can-continue;can-revise;");
    expect(of("question")).toContain(";open;can-answer;");
  });

  it("says that it asks", () => {
    const asking = only({ state: "checkpoint", run: taskRun({ state: "waiting", asks: "question", cost_usd: 0 }) });
    expect(asking.description).toBe("asks you");
    const problem = only({ state: "checkpoint", run: taskRun({ state: "waiting", asks: "problem", cost_usd: 0 }) });
    expect(problem.description).toBe("needs you");
    const waiting = only({ state: "checkpoint", run: taskRun({ state: "waiting", asks: "decision", cost_usd: 0 }) });
    expect(waiting.spoken).toBe("1.1 Do it, waits for you");
  });

  it("shows foreign text as text, in its label, its tooltip and what is spoken", () => {
    const row = only({
      title: "[x](command:y) <b>\u202e\n# z",
      blocked_by: ["*a*"],
      acceptance: ["`b`"],
      agent: "_c_",
    });
    expect(row.label).toBe("1.1 [x](command:y) <b> # z");
    expect(row.tooltip).toContain("\\[x\\]\\(command\\:y\\) \\<b\\> \\# z");
    expect(row.tooltip).toContain("\\*a\\*");
    expect(row.tooltip).toContain("\\`b\\`");
    expect(row.tooltip).toContain("\\_c\\_");
  });

  it("is named by its title where the plan gives it no id", () => {
    expect(only({ explicit: false, id: "s1" }).label).toBe("Do it");
    expect(only({ explicit: false, id: "s1", title: "" }).label).toBe("s1");
  });
});

describe("a phase", () => {
  const phaseOf = (tasks: PlanTask[]): PlanRow | undefined =>
    planRows(plan(tasks, [phase(1, 99, { id: "1" })]), "f")[0];

  it("counts its tasks and takes the look of what goes on in it", () => {
    const row = phaseOf([task(2, { state: "done" }), task(3, { state: "ready" })]);
    expect(row).toMatchObject({ description: "1/2", icon: { id: "color-mode" }, expand: "open", dim: false });
    expect(row?.spoken).toBe("Phase 1: Name 1, 1 of 2 tasks done");
    expect(row?.context).toBe(";phase;runnable;");
    expect(phaseOf([task(2, { state: "waiting" })])).toMatchObject({
      icon: { id: "circle-large-outline" },
      context: ";phase;",
    });
    expect(phaseOf([task(2, { state: "working" })])?.icon).toEqual({ id: "color-mode", color: "charts.blue" });
    expect(phaseOf([task(2, { state: "working" }), task(3, { state: "checkpoint" })])?.icon?.id).toBe("bell-dot");
  });

  it("is folded and dimmed when all is done, and no branch when it is empty", () => {
    expect(phaseOf([task(2, { state: "done" })])).toMatchObject({
      expand: "closed",
      dim: true,
      icon: { id: "pass-filled" },
    });
    expect(phaseOf([])).toMatchObject({ expand: "none", description: "" });
  });

  it("sees a checkpoint of a subtask", () => {
    const tasks = [task(2, { id: "a" }), task(3, { id: "b", parent: "a", state: "checkpoint" })];
    expect(phaseOf(tasks)?.icon?.id).toBe("bell-dot");
  });
});

describe("the whole plan", () => {
  it("has a progress, or none without tasks", () => {
    expect(progress(plan([task(1, { state: "done" }), task(2)]))).toBe("1/2");
    expect(progress(plan([]))).toBe("");
  });

  it("of 1,000 tasks in 50 phases grows with its length, not with its square, and one change draws one row", () => {
    const make = (count: number, changed = -1) => {
      const tasks: PlanTask[] = [];
      for (let at = 0; at < count; at += 1) {
        const line = at * 2 + 2 + Math.floor(at / 20);
        const inner = at % 4 === 3 ? { parent: `T${at - 1}` } : {};
        tasks.push(task(line, { id: `T${at}`, ...inner, state: at === changed ? "skipped" : "ready" }));
      }
      const phases = Array.from({ length: count / 20 }, (_, at) => phase(at * 41 + 1, at * 41 + 41, { id: `${at}` }));
      return plan(tasks, phases);
    };
    const reads = (count: number): number => {
      const found = make(count);
      let read = 0;
      const watched = found.tasks.map(
        (each) =>
          new Proxy(each, {
            get: (of, name) => {
              read += 1;
              return Reflect.get(of, name);
            },
          }),
      );
      planRows({ ...found, tasks: watched }, "f");
      return read;
    };
    expect(reads(4000) / reads(1000)).toBeLessThan(4.1);
    const tree = new Tree<PlanSubject>();
    tree.update(planRows(make(1000), "f"));
    const changed = tree.update(planRows(make(1000, 501), "f"));
    expect(changed === "all" ? "all" : changed.map((node) => node.row.label)).toEqual(["T501 Title T501"]);
  });
});
