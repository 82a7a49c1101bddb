import { beforeEach, describe, expect, it, vi } from "vitest";
import { vs } from "./commands-vscode";
import { call, type FakeSession, freshWindow } from "./commands-world";

vi.mock("vscode", async () => (await import("./commands-vscode.js")).fakeVscode());

let one: FakeSession;

beforeEach(() => {
  ({ one } = freshWindow());
});

describe("what begins with words", () => {
  const text = "# Plan: x\n\n## Phase 0: Triage\n\n## Phase 5: Planning\n\n## Phase 9: Security\n";
  const refused = (message: string) =>
    new Error(message, { cause: Object.assign(new Error("x"), { data: { kind: "refused" } }) });

  it("starts a workflow without the phases that are left out, never offering those that always stay", async () => {
    vs.words = " Reset passwords ";
    vs.pick = (items) => items.slice(1);
    one.answers["devloop/start"] = { text, skipped: ["security"] };
    await call("devloop.start");
    expect(vs.picks[0]).toMatchObject([
      { label: "Triage", picked: false },
      { label: "Security", picked: true },
    ]);
    expect(one.calls).toEqual([
      ["devloop/start", { text: "Reset passwords", write: false }],
      ["devloop.start", { message: "Reset passwords", skip: ["Security"], replace: false }],
    ]);
  });

  it("replaces a plan in hand only on a yes", async () => {
    vs.words = "Reset passwords";
    vs.pick = () => [];
    one.answers["devloop/start"] = { text, skipped: [] };
    one.answers["devloop.start"] = refused("There is a plan in hand: plan.md with 2 open tasks.");
    await call("devloop.start");
    expect(one.calls.filter(([name]) => name === "devloop.start")).toHaveLength(1);
    expect(vs.said[0]).toEqual(["There is a plan in hand: plan.md with 2 open tasks.", "Replace It", "Open Plan"]);
    vs.press = "Replace It";
    await call("devloop.start");
    expect(one.calls.at(-1)).toEqual(["devloop.start", { message: "Reset passwords", skip: [], replace: true }]);
  });

  it("passes words on, an issue by its id, and begins nothing without them", async () => {
    vs.words = "Fix the typo";
    await call("devloop.quick");
    vs.words = "FEAT-001";
    await call("devloop.spike");
    await call("devloop.planRevise");
    vs.words = "  ";
    await call("devloop.quick");
    expect(one.calls).toEqual([
      ["devloop.quick", { message: "Fix the typo" }],
      ["devloop.spike", { source: "FEAT-001" }],
      ["devloop.planRevise", { source: "FEAT-001" }],
    ]);
  });

  it("asks what becomes of a plan that is there", async () => {
    vs.words = "Log in";
    one.answers["devloop/status"] = { plan: { path: null } };
    await call("devloop.planNew");
    expect(vs.picks).toEqual([]);
    one.answers["devloop/status"] = { plan: { path: ".devloop/plan.md" } };
    vs.pick = (items) => items[1];
    await call("devloop.planNew");
    vs.pick = () => undefined;
    await call("devloop.planNew");
    expect(one.calls.filter(([name]) => name === "devloop.planNew")).toEqual([
      ["devloop.planNew", { message: "Log in" }],
      ["devloop.planNew", { message: "Log in", replace: true }],
    ]);
  });

  const release = {
    since: "v1.2.0",
    version: "1.3.0",
    tag: "v1.3.0",
    commits: 3,
    changelog: "## 1.3.0\n\n- Adds login\n",
    files: ["CHANGELOG.md"],
    found: [{ severity: "blocker", kind: "secret", path: "a.py", line: 3, text: "a token" }],
    open_tasks: ["1.2 Log out"],
    notes: [],
  };

  it("shows the next version before it ships, and wants words for what should not go out", async () => {
    one.answers["devloop.ship"] = release;
    vs.words = undefined;
    vs.pick = (items) => items[1];
    await call("devloop.ship");
    expect(one.calls).toEqual([["devloop.ship", { preview: true }]]);
    expect(vs.pages[0]).toContain("- a.py:3 secret: a token");
    expect(vs.pages[0]).toContain("    - Adds login");
    vs.words = "It is a test's";
    await call("devloop.ship");
    expect(one.calls.at(-1)).toEqual(["devloop.ship", { reason: "It is a test's", tag: true }]);
  });

  it("ships another version after showing that one", async () => {
    one.answers["devloop.ship"] = { ...release, found: [] };
    vs.words = "2.0.0";
    let asked = 0;
    vs.pick = (items) => items[asked++ === 0 ? 2 : 0];
    await call("devloop.ship");
    expect(one.calls).toEqual([
      ["devloop.ship", { preview: true }],
      ["devloop.ship", { version: "2.0.0", preview: true }],
      ["devloop.ship", { version: "2.0.0", tag: false }],
    ]);
  });
});
