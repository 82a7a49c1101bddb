import { beforeEach, describe, expect, it, vi } from "vitest";
import { registerPlanCommands } from "../src/views/plan-commands";
import { PlanDrop } from "../src/views/plan-drop";
import type { PlanNode, PlanSubject } from "../src/views/plan-rows";
import { phase, plan, task, taskRun } from "./views-fixtures";

const vs = vi.hoisted(() => ({
  commands: new Map<string, (...given: unknown[]) => Promise<unknown>>(),
  executed: [] as unknown[][],
  words: undefined as string | undefined,
  asked: [] as { title: string; validateInput(text: string): string | undefined }[],
  pick: (items: readonly { id: string; picked: boolean }[]): unknown => items,
  said: [] as string[],
  press: undefined as string | undefined,
  clipboard: "",
}));

vi.mock("vscode", () => {
  const say = async (message: string) => {
    vs.said.push(message);
    return vs.press;
  };
  return {
    commands: {
      registerCommand: (name: string, act: (...given: unknown[]) => Promise<unknown>) => {
        vs.commands.set(name, act);
        return { dispose: () => vs.commands.delete(name) };
      },
      executeCommand: async (...given: unknown[]) => void vs.executed.push(given),
    },
    env: {
      clipboard: {
        writeText: async (text: string) => {
          vs.clipboard = text;
        },
      },
    },
    Uri: { parse: (text: string) => ({ toString: () => text }) },
    DataTransferItem: class {
      constructor(readonly value: unknown) {}
    },
    window: {
      withProgress: (_: unknown, work: () => unknown) => work(),
      showInputBox: async (box: (typeof vs.asked)[number]) => {
        vs.asked.push(box);
        return vs.words;
      },
      showQuickPick: async (items: never) => vs.pick(items),
      showWarningMessage: say,
      showInformationMessage: say,
    },
    workspace: { textDocuments: [] },
  };
});

const TASKS = [
  task(3, { id: "1.1" }),
  task(4, { id: "1.2", depends_on: ["1.1", "9.9"], state: "checkpoint", run: taskRun({ id: "run-1-2-1" }) }),
  task(5, { id: "1.3" }),
];
const PLAN = plan(TASKS, [phase(2, 9, { id: "1" })]);
const FOLDER = "file:///p";
const refer = (at: number) => {
  const { id, key, title, line } = TASKS[at] ?? expect.fail();
  return { id, key, title, line };
};

let requests: unknown[][] = [];
let refuse: string | undefined;
const session = {
  plan: PLAN,
  folder: { uri: { toString: () => FOLDER } },
  async request(...given: unknown[]): Promise<unknown> {
    requests.push(given);
    if (refuse !== undefined) {
      throw new Error(refuse);
    }
    return {};
  },
};
const node = (subject: PlanSubject): PlanNode => ({ row: { id: subject.kind, subject } }) as unknown as PlanNode;
const nodes = TASKS.map((each) => node({ kind: "task", folder: FOLDER, task: each }));
const [first, second, third] = nodes;
const view = { view: { selection: [] as PlanNode[] } };
const context = {
  extension: { subscriptions: [] },
  sessions: { all: [session] },
  log: { warn: () => undefined },
} as never;
const call = (name: string, ...given: unknown[]) => vs.commands.get(`devloop.plan.${name}`)?.(...given);

beforeEach(() => {
  requests = [];
  refuse = undefined;
  view.view.selection = [];
  Object.assign(vs, { executed: [], asked: [], said: [], words: undefined, press: undefined, clipboard: "" });
  vs.pick = (items) => items.filter((each) => each.picked);
  registerPlanCommands(context, view as never);
});

describe("a task's menu", () => {
  it("runs it, or all that are selected, by the command of the palette", async () => {
    await call("run", first, [first, third]);
    const run = (at: number) => ["devloop.run", { uri: PLAN.uri, task: refer(at) }];
    expect(vs.executed).toEqual([run(0), run(2)]);
    await call("run", second, [first, third]);
    expect(vs.executed[2]).toEqual(run(1));
  });

  it("decides about its own run, and cancels that", async () => {
    await call("commit", second);
    await call("cancel", second);
    const about = { uri: PLAN.uri, task: refer(1), run: "run-1-2-1" };
    expect(vs.executed).toEqual([
      ["devloop.decide", { ...about, decision: "commit" }],
      ["devloop.cancel", about],
    ]);
  });

  it("skips and blocks with a reason only, asked for once", async () => {
    vs.words = "  No time. ";
    await call("skip", first, [first, third]);
    expect(vs.asked.map((each) => each.title)).toEqual(["Skip 2 tasks"]);
    expect(vs.asked[0]?.validateInput(" ")).toBe("Say why it is skipped");
    expect(requests).toEqual([0, 2].map((at) => ["devloop/mark", { task: refer(at), to: "skip", reason: "No time." }]));
    vs.words = undefined; // Escape
    await call("block", first);
    expect(requests).toHaveLength(2);
    await call("todo", first);
    expect(requests[2]).toEqual(["devloop/mark", { task: refer(0), to: "todo" }]);
  });

  it("says why a mark was refused", async () => {
    refuse = "1.1 can't be opened again: its run waits for you.";
    await call("todo", first);
    expect(vs.said).toEqual([refuse]);
  });

  it("edits what a task waits for, keeping order and what is not in the plan", async () => {
    vs.pick = (items) => items.filter((each) => each.picked || each.id === "1.3");
    await call("depends", second);
    expect(requests).toEqual([["devloop/depends", { task: refer(1), on: ["1.1", "9.9", "1.3"] }]]);
    vs.pick = (items) => items.filter((each) => each.picked);
    await call("depends", second);
    vs.pick = () => undefined;
    await call("depends", second);
    expect(requests).toHaveLength(1); // nothing changed, nothing was chosen
  });

  it("moves the selected row by keys, which name no row", async () => {
    view.view.selection = [third as PlanNode];
    await call("moveUp");
    expect(requests).toEqual([["devloop/move", { task: refer(2), before: refer(1) }]]);
    expect(vs.said[0]).toContain("is not open in an editor");
  });

  it("copies ids", async () => {
    await call("copyId", first, [first, second]);
    expect(vs.clipboard).toBe("1.1\n1.2");
  });
});

describe("dragging", () => {
  const drop = new PlanDrop(context);
  const transfer = () => {
    const kept = new Map<string, unknown>();
    return { set: (type: string, item: unknown) => kept.set(type, item), get: (type: string) => kept.get(type) };
  };

  it("moves tasks to where they are dropped, and back when that is wished", async () => {
    const data = transfer();
    vs.press = "Undo";
    drop.handleDrag([third as PlanNode], data as never);
    await drop.handleDrop(first, data as never);
    expect(requests).toEqual([
      ["devloop/move", { task: refer(2), before: refer(0) }],
      ["devloop/move", { task: refer(2), after: refer(1) }],
    ]);
  });

  it("says what is refused, and moves nothing to another folder or from elsewhere", async () => {
    const data = transfer();
    drop.handleDrag([third as PlanNode], data as never);
    refuse = "1.3 is in a [code](command:x) block.";
    await drop.handleDrop(first, data as never);
    expect(vs.said).toEqual(["1.3 is in a [code] (command:x) block."]);
    await drop.handleDrop(node({ kind: "folder", folder: "file:///other" }), data as never);
    const strange = transfer();
    strange.set("application/vnd.code.tree.devloop.plan", { value: "{" });
    await drop.handleDrop(first, strange as never);
    expect(requests).toHaveLength(1);
  });
});
