import { beforeEach, describe, expect, it, vi } from "vitest";
import { checkpoint } from "./checkpoints-fixtures";
import { Screen } from "./checkpoints-vscode";
import { FakeSession, World } from "./checkpoints-world";

let screen = new Screen();
vi.mock("vscode", async () => (await import("./checkpoints-vscode.js")).fakeVscode(() => screen));

let session = new FakeSession();

beforeEach(() => {
  screen = new Screen();
  session = new FakeSession();
  new World(session);
});

describe("a change of the plan that is proposed", () => {
  const proposal = {
    path: ".devloop/plan.md",
    exists: true,
    patch: "--- a\n+++ b\n",
    text: "# Plan: Login\n",
    said: "2 tasks added",
    notes: [],
    left_out: [],
    optional: true,
  };
  const report = checkpoint({
    decisions: ["continue", "revise", "discard"],
    diff: null,
    gates: [],
    report: { text: "Planned." },
    proposal,
  });

  it("is said and shown from the notification, and goes when it is decided", async () => {
    await session.waits(report, { task: "@plan-revise", title: "Split it" });
    expect(screen.toast.buttons).toEqual(["Continue", "Show Plan Changes", "Revise…", "More…"]);
    expect(screen.toast.message).toMatch(/^plan-revise: Split it – .*plan: 2 tasks added/);
    expect(screen.toast.message).not.toContain("no file was changed");
    await screen.toast.press("Show Plan Changes");
    const [command, now, then, title] = screen.executed.at(-1) ?? [];
    expect([command, title]).toEqual(["vscode.diff", "Plan Changes of plan-revise: Split it"]);
    expect([screen.proposal(now), screen.proposal(then)]).toEqual(["", "# Plan: Login\n"]);
  });

  it("can be left out where the report stands without it", async () => {
    await session.waits(report);
    await screen.toast.press("More…");
    expect(screen.box.items.map((each) => each.label)).toEqual([
      "$(debug-continue) Continue",
      "$(debug-continue) Continue without Plan Changes",
      "$(edit) Revise…",
      "$(trash) Discard…",
      "$(diff-multiple) Show Plan Changes",
    ]);
    expect(screen.box.items[0]?.detail).toBe("Accept it, and change the plan as shown.");
    await screen.box.enter("without");
    expect(session.decisions()).toEqual([
      { run: "run-1.1-1", checkpoint: 1, decision: "continue", message: null, leave_out: ["plan"] },
    ]);
    screen.toasts = [];
    await session.decided(1, "continue");
    await session.waits(checkpoint({ ...report, number: 2, proposal: { ...proposal, optional: false } }));
    await screen.toast.press("More…");
    expect(screen.box.items.filter((each) => each.label.includes("without"))).toEqual([]);
  });
});

describe("what a decision says", () => {
  it("gives the reason for what is recommended", async () => {
    await session.waits(checkpoint({ recommended: "fresh", why: "60 % of the context is used" }));
    await screen.toast.press("More…");
    expect(screen.box.items[0]).toMatchObject({
      label: "$(debug-restart) Fresh Start",
      description: "recommended: 60 % of the context is used",
    });
  });

  it("recommends nothing where something wants a person's eye, and says what", async () => {
    await session.waits(checkpoint({ recommended: null, why: "the report wants your judgement" }));
    expect(screen.toast.message).toContain("the report wants your judgement");
    await screen.toast.press("More…");
    expect(screen.box.items[0]).not.toHaveProperty("description");
    expect(screen.box.placeholder).toBe("What should be done? Look closer: the report wants your judgement");
  });

  it("does not take its own answer for somebody else's while the box goes away", async () => {
    await session.waits(checkpoint());
    await screen.toast.press("More…");
    const { box } = screen;
    box.hide = () => undefined; // VS Code tells later
    await box.enter("Commit");
    await session.decided(1, "commit");
    expect(screen.toasts).toEqual([]);
  });

  it("speaks of no task where there is none, and of gates only where gates are meant", async () => {
    await session.waits(checkpoint({ decisions: ["commit", "continue", "revise", "discard"] }), { task: "@quick" });
    await screen.toast.press("More…");
    expect(screen.box.items.map((each) => each.detail ?? "").join(" ")).not.toMatch(/task|tick/);
    await screen.box.escape();
    await session.decided(1, "commit");
    const problem = { kind: "problem", number: 2, problem: "The plan changed meanwhile." } as const;
    await session.waits(checkpoint({ ...problem, decisions: ["recheck", "stop"] }));
    expect(screen.toast.buttons).toContain("Try Again");
  });

  it("names what else is accepted with it", async () => {
    const task = { run: "r0", task: "1.0", title: "First", files: 1, added: 2, deleted: 0 };
    const accepted = { tasks: [task, { ...task, task: "1.1" }], files: 2, added: 5, deleted: 1 };
    await session.waits(checkpoint({ accepted, chain: { modes: ["explorer", "default"], at: 0, next: "default" } }));
    expect(screen.toast.message).toContain("2 tasks since the last checkpoint, +5 −1 · mode default is next");
  });
});
