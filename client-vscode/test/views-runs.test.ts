import { describe, expect, it } from "vitest";
import { LiveRuns, NOTHING } from "../src/live/runs";
import type { DevloopEvent, Run } from "../src/protocol";
import { type Row, Tree } from "../src/views/rows";
import { type History, type RunSubject, runRows } from "../src/views/run-rows";
import { checkpoint, run, shown } from "./views-fixtures";

const NOW = new Date(2026, 4, 6, 12, 0);
const event = (kind: string, data: Record<string, unknown> = {}, of = "r1"): DevloopEvent => ({
  at: 0,
  run: of,
  kind,
  data,
});
const rowsOf = (open: Run[], live = new LiveRuns(), history: History | null = null): Row<RunSubject>[] =>
  runRows(open, (id) => live.of(id), history, "f", NOW);
const parts = (row: Row<RunSubject> | undefined): string[] =>
  (row?.children ?? []).map((each) => `${each.label}: ${each.description}`);

describe("a run that works", () => {
  it("shows its turn, the tools at work, each gate with its verdict, and its cost, as events tell", () => {
    const live = new LiveRuns();
    const open = [
      run("r1", { cost_usd: 0.2, turn_limit: 40, tokens: { input: 1500, output: 0, cache_read: 0, cache_write: 0 } }),
    ];
    live.take([
      event("turn.started", { turn: 2 }),
      event("tool.started", { id: "a", tool: "edit_file", argument: "src/a.py" }),
    ]);
    expect(rowsOf(open, live)[0]?.description).toBe("turn 2 · edit_file src/a.py · $0.20");
    expect(parts(rowsOf(open, live)[0])).toEqual([
      "Turn 2 of at most 40: ",
      "edit_file: src/a.py",
      "$0.20: 1.5k tokens",
    ]);
    live.take([
      event("tool.ended", { id: "a" }),
      event("turn.progress", { turn: 2, doing: "tool_input", tool: "finish" }),
    ]);
    expect(parts(rowsOf(open, live)[0])[0]).toBe("Turn 2 of at most 40: calling finish");
    live.take([
      event("turn.ended", { turn: 2 }),
      event("gate.started", { gate: "tests", commit: "c", of: 2 }),
      event("gate.ended", { gate: "tests", verdict: "fail", reason: "2 failed" }),
      event("gate.started", { gate: "lint", commit: "c", of: 2 }),
    ]);
    const checking = rowsOf([{ ...open[0], state: "checking" } as Run], live)[0];
    expect(checking?.description).toBe("turn 2 · gate lint · $0.20");
    expect(parts(checking).slice(1, 3)).toEqual(["tests: fail · 2 failed", "lint: running"]);
    expect(checking?.children?.map((each) => each.icon?.id)).toEqual([
      "comment-discussion",
      "error",
      "loading~spin",
      "graph",
    ]);
    live.take([event("gate.started", { gate: "tests", commit: "d", of: 2 })]);
    expect(parts(rowsOf(open, live)[0]).slice(1, 2)).toEqual(["tests: running"]);
  });

  it("begins with what the records say of gates that ran before anybody listened, and keeps what it heard", () => {
    const live = new LiveRuns();
    const gates = [
      { gate: "tests", verdict: "fail" as const, commit: "old" },
      { gate: "tests", verdict: "pass" as const, commit: "new" },
    ];
    live.seed("r1", shown(run("r1", { turn: 4 }), gates));
    expect(parts(rowsOf([run("r1")], live)[0])).toEqual(["Turn 4: ", "tests: pass", "$0.00: 0 tokens"]);
    live.take([event("gate.started", { gate: "lint", commit: "newer" })]);
    live.seed("r1", shown(run("r1"), gates));
    expect(parts(rowsOf([run("r1")], live)[0])[1]).toBe("lint: running");
  });

  it("says what it waits for", () => {
    expect(rowsOf([run("r1", { state: "queued", turn: 0, waiting_for: "a slot" })])[0]?.description).toBe(
      "waits for a slot",
    );
    expect(rowsOf([run("r1", { state: "preparing", turn: 0 })])[0]?.description).toBe("preparing");
  });

  it("is drawn alone when it alone does something", () => {
    const live = new LiveRuns();
    const tree = new Tree<RunSubject>();
    const open = [run("r1", { started: 2 }), run("r2", { started: 1 })];
    tree.update(rowsOf(open, live));
    expect(live.take([event("turn.progress", { turn: 1, doing: "text" }, "r2")])).toBe(true);
    const changed = tree.update(rowsOf(open, live));
    expect(changed === "all" ? "all" : changed.map((node) => node.row.id)).toEqual(["f run r2"]);
    expect(live.take([event("turn.progress", { turn: 1, doing: "text", tokens: 7 }, "r2")])).toBe(false);
  });

  it("is forgotten when it is open no more", () => {
    const live = new LiveRuns();
    live.take([event("turn.started", { turn: 2 })]);
    live.keep([]);
    expect(live.of("r1")).toBe(NOTHING);
  });

  it("survives events without sense", () => {
    const live = new LiveRuns();
    live.take([
      event("tool.started"),
      event("gate.ended", { gate: 7, verdict: null }),
      event("turn.started", { turn: "x" }),
    ]);
    expect(rowsOf([run("r1")], live)[0]?.children?.length).toBeGreaterThan(0);
  });
});

describe("the order", () => {
  it("has what waits for a person first, then what works, what is queued, and what has ended", () => {
    const open = [
      run("q", { state: "queued", title: "queued" }),
      run("w", { title: "works" }),
      run("c", { state: "waiting", title: "waits" }),
    ];
    const ended = [run("e", { state: "ended", outcome: "landed", title: "over" }), run("w", { title: "works" })];
    const rows = rowsOf(open, new LiveRuns(), { runs: ended, more: true, shown: new Map() });
    expect(rows.map((each) => each.label)).toEqual(["1.1 waits", "1.1 works", "1.1 queued", "1.1 over", "Show more"]);
  });
});

describe("a run that gathers others", () => {
  it("has its parts below it, whether they work or have ended, and names the command", () => {
    const whole = run("g", { task: "@review", title: "What is staged", state: "waiting" });
    const parts = [
      run("a", { task: "@review/quality", title: "Quality", part_of: "g" }),
      run("b", { task: "@review/security", title: "Security", part_of: "g", state: "ended", outcome: "accepted" }),
      run("c", { task: "@review/x", title: "Of another", part_of: "gone", state: "ended", outcome: "accepted" }),
    ];
    const ended = parts.filter((each) => each.state === "ended");
    const known = { runs: ended, more: false, shown: new Map() };
    const rows = rowsOf([whole, ...parts.slice(0, 1)], new LiveRuns(), known);
    expect(rows.map((each) => each.label)).toEqual(["review: What is staged", "review x: Of another"]);
    expect(rows[0]?.children?.map((each) => each.label).slice(0, 2)).toEqual([
      "review quality: Quality",
      "review security: Security",
    ]);
    expect(rows[0]?.tooltip).toContain("**review**");
  });

  it("has them below it when it has ended, too", () => {
    const ended = [
      run("g", { task: "@review", title: "What is staged", state: "ended", outcome: "accepted" }),
      run("a", { task: "@review/quality", title: "Quality", part_of: "g", state: "ended", outcome: "accepted" }),
    ];
    const rows = rowsOf([], new LiveRuns(), { runs: ended, more: false, shown: new Map() });
    expect(rows.map((each) => [each.label, each.children])).toEqual([["review: What is staged", null]]);
    const looked = new Map([["g", shown(ended[0] as Run)]]);
    const open = rowsOf([], new LiveRuns(), { runs: ended, more: false, shown: looked })[0];
    expect(open?.children?.[0]?.label).toBe("review quality: Quality");
  });
});

describe("a run at a checkpoint", () => {
  it("waits for you, or asks, and offers what the checkpoint offers", () => {
    const waiting = rowsOf([run("r1", { state: "waiting", checkpoint: checkpoint() })])[0];
    expect(waiting).toMatchObject({ description: "waits for you", icon: { id: "bell-dot" } });
    expect(waiting?.context).toBe(";run;open;checkpoint;can-continue;can-commit;");
    const asking = checkpoint({ kind: "question", decisions: ["answer"] });
    expect(rowsOf([run("r1", { state: "waiting", checkpoint: asking })])[0]?.description).toBe("asks you");
    const problem = checkpoint({ kind: "problem", decisions: ["revise"] });
    expect(rowsOf([run("r1", { state: "waiting", checkpoint: problem })])[0]?.description).toBe("needs you");
    expect(rowsOf([run("r1", { state: "waiting", checkpoint: 3 })])[0]?.context).toContain("can-commit");
  });
});

describe("a run that has ended", () => {
  const ended = (given: Partial<Run>): Run =>
    run("r1", { state: "ended", outcome: "landed", ended: new Date(2026, 4, 6, 9, 5).getTime() / 1000, ...given });
  const history = (of: Run, shownRuns: History["shown"] = new Map()): History => ({
    runs: [of],
    more: false,
    shown: shownRuns,
  });

  it("says how, when and for how much, and that no model was asked", () => {
    const row = rowsOf([], new LiveRuns(), history(ended({ cost_usd: 0.5, scripted: true })))[0];
    expect(row?.description).toBe("landed · 09:05 · $0.50 · scripted");
    expect(row?.spoken).toBe("1.1 Do it, landed, 09:05, $0.50, scripted");
  });

  it.each([
    "accepted",
    "landed",
    "partial",
    "discarded",
    "cancelled",
    "failed",
    "exhausted",
    "stalled",
    "refused",
  ] as const)("has an icon for %s", (outcome) => {
    expect(rowsOf([], new LiveRuns(), history(ended({ outcome })))[0]?.icon?.id).not.toBe("circle-outline");
  });

  it("is asked for when it is opened, then shows reason, turns, gates and cost", () => {
    const failed = ended({ outcome: "failed", reason: "no <b>disk</b>", turn: 2, started: 0, ended: 90 });
    expect(rowsOf([], new LiveRuns(), history(failed))[0]?.children).toBeNull();
    const known = new Map([["r1", shown(failed, [{ gate: "tests", verdict: "pass", commit: "c" }])]]);
    const row = rowsOf([], new LiveRuns(), history(failed, known))[0];
    expect(parts(row)).toEqual(["no <b>disk</b>: ", "2 turns: 1 min 30 s", "tests: pass", "$0.00: 0 tokens"]);
    expect(row?.tooltip).toContain("no \\<b\\>disk\\<\\/b\\>");
  });
});
