import { beforeEach, describe, expect, it, vi } from "vitest";
import { vs } from "./commands-vscode";
import { call, type FakeSession, freshWindow, PLAN } from "./commands-world";

vi.mock("vscode", async () => (await import("./commands-vscode.js")).fakeVscode());
vi.mock("../src/views/reveal", () => ({
  revealLine: (uri: object, ...more: unknown[]) => vs.revealed.push([String(uri), ...more]),
}));

let one: FakeSession;
let two: FakeSession;

beforeEach(() => {
  ({ one, two } = freshWindow());
});

describe("a command", () => {
  it("goes to the folder that its plan is in, else to the one with the run, else to the one in use", async () => {
    const task = { id: "1.1", key: "k", title: "t", line: 3 };
    await call("devloop.run", { uri: "file:///two/.devloop/plan.md", task });
    expect(two.calls).toEqual([["devloop.run", { uri: "file:///two/.devloop/plan.md", task }]]);
    await call("devloop.cancel", { run: "r-two" });
    expect(two.calls[1]).toEqual(["devloop.cancel", { run: "r-two" }]);
    await call("devloop.continue");
    expect(one.calls).toEqual([["devloop.continue", {}]]);
  });

  it("asks which task or phase when nobody said it, and does nothing when nothing is picked", async () => {
    await call("devloop.run");
    expect(one.calls).toEqual([["devloop.run", { task: { id: "2.1", key: "k", title: "t", line: 3 } }]]);
    await call("devloop.runPhase");
    expect(one.calls[1]).toEqual(["devloop.runPhase", { phase: "2" }]);
    vs.pick = () => undefined;
    await call("devloop.run");
    expect(one.calls).toHaveLength(2);
  });

  it("does with a finding what its code action says, in the folder that it is of", async () => {
    const uri = "file:///two/src/a.py";
    await call("devloop.dismissFinding", { uri, finding: "review-1.2" });
    await call("devloop.dismissFinding", { uri, review: "review-1" });
    await call("devloop.planFinding", { uri, finding: "review-1.2" });
    await call("devloop.fixFinding", { uri, finding: "review-1.2" });
    expect(two.calls).toEqual([
      ["devloop.dismissFinding", { finding: "review-1.2" }],
      ["devloop.dismissFinding", { review: "review-1" }],
      ["devloop.planFinding", { finding: "review-1.2" }],
      ["devloop.fixFinding", { finding: "review-1.2" }],
    ]);
  });

  it("runs the task under the cursor", async () => {
    const document = { uri: { toString: () => PLAN.uri } };
    vs.editor = { document, selection: { active: { line: 4 } } };
    await call("devloop.runHere");
    expect(one.calls).toEqual([["devloop.run", { task: { id: "2.1", key: "k", title: "t", line: 3 } }]]);
    vs.editor = { document, selection: { active: { line: 0 } } };
    await call("devloop.runHere");
    expect(vs.said[0]?.[0]).toContain("no task at the cursor");
  });

  it.each([[undefined], [[]]])("asks for a folder where there is none: %j", async (folders) => {
    vs.folders = folders;
    for (const name of ["devloop.run", "devloop.decide", "devloop.showRun", "devloop.signIn", "devloop.importTasks"]) {
      await call(name);
    }
    expect(new Set(vs.said.map(([text]) => text))).toEqual(
      new Set(["Open a folder first: devloop works on a project."]),
    );
    expect([...one.calls, ...two.calls]).toEqual([]);
  });

  it("says that no run is open where there is none to cancel", async () => {
    one.answers["devloop/runs"] = { runs: [{ id: "r1", task: "1", title: "", state: "ended", started: 1 }] };
    await call("devloop.cancel");
    expect(vs.said).toEqual([["No run is open."]]);
  });

  it("says what waits for what, one after the other", async () => {
    const blocked = [
      { id: "1.2", by: ["1.1"] },
      { id: "2.1", by: ["1.1", "1.2"] },
    ];
    one.answers["devloop.nextTask"] = { task: null, state: "blocked", blocked };
    await call("devloop.nextTask");
    one.answers["devloop.nextTask"] = { task: null, state: "blocked", blocked: [] };
    await call("devloop.nextTask");
    expect(vs.said.map(([text]) => text)).toEqual([
      "No task can run now: 1.2 waits for 1.1; 2.1 waits for 1.1, 1.2.",
      "No task can run now.",
    ]);
  });

  it("is told on where the server went while the person was choosing", async () => {
    vs.pick = (items) => {
      one.answers["devloop.run"] = new Error("devloop's server is not running.");
      return items[0];
    };
    await call("devloop.run");
    expect(vs.said).toEqual([["devloop's server is not running."]]);
  });

  it("says why a click started nothing", async () => {
    one.answers["devloop.continue"] = { run: null, message: "Every task of the plan is done." };
    await call("devloop.continue");
    expect(vs.said).toEqual([["Every task of the plan is done."]]);
  });

  it("says what failed once, with what helps", async () => {
    const cause = Object.assign(new Error("x"), { data: { kind: "untrusted" } });
    one.answers["devloop.continue"] = new Error("gate:test is not trusted.", { cause });
    vs.press = "Trust…";
    await call("devloop.continue");
    await vi.waitFor(() => expect(vs.executed).toEqual([["devloop.trust"]]));
    expect(vs.said).toEqual([["gate:test is not trusted.", "Trust…"]]);
  });

  it("makes no link of what failed", async () => {
    one.answers["devloop.continue"] = new Error("Task [Look](command:workbench.action.terminal.new) is blocked.");
    await call("devloop.continue");
    expect(vs.said).toEqual([["Task [Look] (command:workbench.action.terminal.new) is blocked."]]);
  });

  it("shows the task that is meant when it opens the plan", async () => {
    await call("devloop.openPlan", { uri: "file:///one", task: { id: "2.1" } });
    expect(vs.revealed).toEqual([[PLAN.uri, 3, true]]);
  });

  it("opens the page of the only run without asking, of several after asking", async () => {
    one.answers["devloop/runs"] = { runs: [{ id: "r1", task: "1", title: "", state: "ended", started: 1 }] };
    await call("devloop.showRun");
    expect(vs.picks).toHaveLength(0);
    expect(vs.executed).toEqual([["devloop.openRun", { run: "r1", uri: "file:///one" }]]);
    await call("devloop.showDiff", { run: "r-two" });
    expect(vs.executed[1]).toEqual(["devloop.review", { run: "r-two", uri: "file:///two" }]);
    await call("devloop.showRun", { task: { id: "2.1", key: "k" } });
    expect(vs.executed[2]).toEqual(["devloop.openRun", { run: "r-2.1", uri: "file:///one" }]);
  });

  it("counts what was archived in the status bar", async () => {
    one.answers["devloop.archive"] = { phases: ["1"] };
    await call("devloop.archive");
    expect(vs.bar).toEqual(["1 phase archived."]);
  });

  it("lands what was accepted, and says how much of it where", async () => {
    one.answers["devloop/land"] = { commits: 2, branch: "main", old: "a", new: "b" };
    await call("devloop.land");
    one.answers["devloop/land"] = { commits: 0, branch: "main", old: "b", new: "b", run: null };
    await call("devloop.land");
    one.answers["devloop/land"] = { commits: 0, branch: "main", old: "b", new: "b", run: "run-land-1" };
    await call("devloop.land");
    expect(vs.said.map(([text]) => text)).toEqual([
      "2 commits landed on main.",
      "All that was accepted is on your branch already.",
      "main went on since the work was accepted: run-land-1 runs the gates on both, then lands it.",
    ]);
    expect(one.calls).toEqual([["devloop/land"], ["devloop/land"], ["devloop/land"]]);
  });

  it("restarts the folder that is named, else all", async () => {
    await call("devloop.restart", { uri: "file:///two" });
    expect([one.restarted, two.restarted]).toEqual([0, 1]);
    await call("devloop.restart");
    expect([one.restarted, two.restarted]).toEqual([1, 2]);
  });
});

describe("a link", () => {
  it("opens the page in the folder that knows the run", async () => {
    one.answers["devloop/show"] = new Error("There is no run.");
    await vs.uri?.handleUri({ path: "/run/run-1.1-1", query: "" });
    expect(vs.executed).toEqual([["devloop.openRun", { run: "run-1.1-1", uri: "file:///two" }]]);
  });

  it("opens the page in the folder that it names, and in no other", async () => {
    await vs.uri?.handleUri({ path: "/run/run-1.1-1", query: "folder=/two/" });
    expect(vs.executed).toEqual([["devloop.openRun", { run: "run-1.1-1", uri: "file:///two" }]]);
    expect(one.calls).toEqual([]);
    await vs.uri?.handleUri({ path: "/run/run-1.1-1", query: "folder=/three" });
    two.answers["devloop/show"] = new Error("There is no run.");
    await vs.uri?.handleUri({ path: "/run/run-1.1-1", query: "folder=/two" });
    expect(vs.executed).toHaveLength(1);
    expect(vs.said.map(([text]) => text)).toEqual([
      "The run run-1.1-1 is of /three, which is not open in this window.",
      "No folder of this window has a run run-1.1-1.",
    ]);
  });

  it("does nothing for any other link or run", async () => {
    await vs.uri?.handleUri({ path: "/decide/run-1.1-1", query: "" });
    one.answers["devloop/show"] = new Error("no");
    two.answers["devloop/show"] = new Error("no");
    await vs.uri?.handleUri({ path: "/run/unknown", query: "" });
    expect(vs.executed).toEqual([]);
    expect(vs.said).toHaveLength(2);
  });
});
