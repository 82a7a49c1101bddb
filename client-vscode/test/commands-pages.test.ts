import { beforeEach, describe, expect, it, vi } from "vitest";
import type { SessionState } from "../src/session";
import { vs } from "./commands-vscode";
import { call, type FakeSession, freshWindow, PLAN, RUNNING } from "./commands-world";

vi.mock("vscode", async () => (await import("./commands-vscode.js")).fakeVscode());

let one: FakeSession;
let two: FakeSession;

beforeEach(() => {
  ({ one, two } = freshWindow());
});

describe("trust", () => {
  const item = { key: "gate:test", kind: "gate", path: "c", sha256: "abc", status: "new", text: "pytest", diff: "" };

  it("accepts by hash what the page shows, after one click", async () => {
    one.answers["devloop/trust"] = { items: [item] };
    one.answers["devloop/trust/accept"] = { items: [{ ...item, status: "trusted" }] };
    vs.press = "Trust It";
    await call("devloop.trust");
    expect(vs.pages[0]).toContain("    pytest");
    expect(one.calls).toContainEqual(["devloop/trust/accept", { items: [{ key: "gate:test", sha256: "abc" }] }]);
    expect(vs.pages.at(-1)).toContain("Nothing waits");
  });

  it("is not led astray by keys that would be drawn as icons, and stays while the page is read", async () => {
    one.answers["devloop/trust"] = { items: [item, { ...item, key: "gate:$(check) fine" }] };
    vs.press = "Choose…";
    await call("devloop.trust");
    expect(vs.picks[0]).toMatchObject([{ label: "gate:test" }, { label: "gate:$\u2060(check) fine" }]);
    expect(vs.options).toMatchObject({ canPickMany: true, ignoreFocusOut: true });
  });

  it("accepts nothing when the question is closed, and asks none in restricted mode", async () => {
    one.answers["devloop/trust"] = { items: [item] };
    await call("devloop.trust");
    one.state = { ...RUNNING, restricted: true } as SessionState;
    vs.press = "Trust It";
    await call("devloop.trust");
    expect(one.calls.map(([method]) => method)).toEqual(["devloop/trust", "devloop/trust"]);
  });
});

describe("the doctor", () => {
  it("speaks of each folder, also where the server can't", async () => {
    one.answers["devloop/doctor"] = { checks: [{ name: "plan", state: "ok", message: "fine", fix: "" }] };
    two.state = { kind: "failed", reason: "It ended.", hint: "Look." };
    two.answers["devloop/doctor"] = new Error("devloop does not run in two");
    await call("devloop.doctor");
    expect(vs.pages[0]).toContain("✓ plan        fine");
    expect(vs.pages[0]).toContain("✗ server      It ended.");
  });
});

describe("an import", () => {
  const found = {
    kind: "task-master",
    source: "tasks.json",
    text: "# Plan: theirs",
    tasks: 2,
    notes: [{ kind: "lost", text: "a colour", line: 3, path: "" }],
    problems: [],
    path: ".devloop/plan.md",
    exists: true,
  };
  beforeEach(() => {
    vs.file = "{}";
    vs.chosen = [{ path: "/one/tasks.json", toString: () => "file:///one/tasks.json" }];
    one.answers["devloop/import"] = found;
  });
  const asked = () => one.calls.filter(([method]) => method === "devloop/import").map(([, params]) => params);

  it("shows what it would do beside the plan that is there, and writes it when that is wanted", async () => {
    vs.press = "Replace the Plan";
    await call("devloop.importTasks");
    expect(vs.executed[0]?.slice(0, 1)).toEqual(["vscode.diff"]);
    expect(vs.pages).toContain("# Plan: theirs");
    expect(asked()).toEqual([
      { text: "{}", source: "tasks.json" },
      { text: "{}", source: "tasks.json", as: "task-master", write: true, replace: true },
    ]);
    expect(vs.said[0]?.slice(1)).toEqual(["Replace the Plan", "Notes"]);
  });

  it("takes no plan for a list of tasks of another tool's", async () => {
    vs.chosen = [{ toString: () => PLAN.uri }];
    await call("devloop.importTasks");
    expect(vs.said[0]?.[0]).toContain("That is the plan itself");
    expect(asked()).toEqual([]);
  });

  it("writes nothing when the question is closed, or no file is chosen", async () => {
    await call("devloop.importTasks");
    expect(asked()).toEqual([{ text: "{}", source: "tasks.json" }]);
    vs.chosen = undefined;
    await call("devloop.importTasks");
    expect(asked()).toHaveLength(1);
  });

  it("replaces nothing where nothing is, and shows the plan alone", async () => {
    one.answers["devloop/import"] = { ...found, exists: false, notes: [] };
    vs.press = "Write the Plan";
    await call("devloop.importTasks");
    expect(vs.executed).toEqual([]);
    expect(asked()[1]).toMatchObject({ write: true, replace: false });
    expect(vs.said[0]?.slice(1)).toEqual(["Write the Plan"]);
  });

  it("says why where there is no task, or no text", async () => {
    one.answers["devloop/import"] = { ...found, tasks: 0 };
    await call("devloop.importTasks");
    expect(vs.said[0]?.[0]).toContain("There is no task in tasks.json");
    expect(vs.pages[0]).toContain("line 3: a colour");
    vs.file = "\0";
    await call("devloop.importTasks");
    expect(vs.said[1]?.[0]).toContain("no text in UTF-8");
    expect(asked()).toHaveLength(1);
  });
});
