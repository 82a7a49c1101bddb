import { describe, expect, it } from "vitest";
import {
  newModel,
  wantedAfter,
  withConversation,
  withDiff,
  withEvents,
  withLock,
  withShow,
  withTrouble,
} from "../src/run-page/model";
import { difference, patched } from "../src/run-page/patch";
import { blank, type Model, type PageState } from "../src/run-page/state";
import { checkpoint, conversation, DIFF, event, gate, HOSTILE, RUN, run, shown, turn } from "./run-page-fixtures";

const all = () => true;

function loaded(turns = 2): Model {
  return withDiff(withConversation(withShow(newModel(RUN), shown()), conversation(turns)), DIFF);
}

function live(): Model {
  return withEvents(loaded(), [event("turn.started", { turn: 3 }, 100)]);
}

describe("what is told about a run", () => {
  it("becomes its head, turns, gates, files and notices", () => {
    const model = withShow(
      loaded(),
      shown({ gates: [gate("tests", "fail")], notices: ["left out: x", { text: "y" }] }),
    );
    expect(model.run).toMatchObject({ task: "1.1", state: "working", turnLimit: 40, cost: 0.0421, scripted: false });
    expect(model.turns.map((each) => each.number)).toEqual([1, 2]);
    expect(model.turns[0]).toMatchObject({ phase: "done", seconds: 6, calls: 2, failed: 0 });
    expect(model.turns[0]?.summary).toBe("I look at part 1 of purse/money.py.");
    expect(model.gates[0]).toMatchObject({
      verdict: "fail",
      exitCode: 1,
      command: "python -m pytest -q -k 'not slow'",
      fresh: ["tests/test_money.py::test_zero"],
      existing: 1,
    });
    expect(model.files.map((file) => [file.path, file.old, file.added, file.binary])).toEqual([
      ["purse/money.py", "", 12, false],
      ["tests/test_money.py", "", 30, false],
      ["logo.png", "", 0, true],
      ["docs/new.md", "docs/old.md", 1, false],
    ]);
    expect(model.notices).toEqual(["left out: x", "y"]);
  });

  it("may have any shape without harm", () => {
    for (const nonsense of [null, 7, "x", [], {}, { run: 3, turns: {}, gates: [null, 4, {}], checkpoint: [] }]) {
      const model = withConversation(withDiff(withShow(newModel(RUN), nonsense), nonsense), nonsense);
      expect(model.run.id).toBe(RUN);
      expect(withEvents(model, [nonsense, event("tool.started", {}), event("gate.ended", { gate: 5 })]).run.id).toBe(
        RUN,
      );
    }
  });

  it("has no control, escape or bidi characters", () => {
    const told = JSON.stringify(run({ title: HOSTILE, reason: HOSTILE }));
    const model = withConversation(
      withShow(newModel(RUN), {
        run: JSON.parse(told),
        notices: [HOSTILE],
        gates: [gate(HOSTILE, "fail", { output_tail: HOSTILE })],
      }),
      conversation(1, {
        turns: [
          turn(1, { text: HOSTILE, tools: [{ id: HOSTILE, name: HOSTILE, argument: HOSTILE, result: HOSTILE }] }),
        ],
      }),
    );
    const text = JSON.stringify([model.run, model.gates, model.notices, model.turns, [...model.bodies.values()]]);
    expect(text).toContain("<img src=x onerror=");
    expect(text).not.toMatch(/\\u001b|\\u202e|\u202e/i);
  });

  it("is the same object when it is told again", () => {
    const model = loaded();
    const again = withDiff(withConversation(withShow(model, shown()), conversation(2)), DIFF);
    expect(difference(model, again, all)).toBeNull();
  });
});

describe("events", () => {
  it("begin a turn, name what it does, add tools with their times", () => {
    const begun = live();
    expect(begun.turns.at(-1)).toMatchObject({ number: 3, phase: "asking", started: 100 });
    expect(begun.doing).toBe("Asking the model");
    const writing = withEvents(begun, [
      event("turn.progress", {
        turn: 3,
        doing: "text",
        tokens: 40,
        tool: null,
        text: "I mend",
        thinking: "",
        cut: false,
      }),
    ]);
    expect(writing.doing).toBe("Answering, 40 tokens");
    expect(writing.bodies.get(3)?.text).toBe("I mend");
    const working = withEvents(writing, [
      event("tool.started", { turn: 3, id: "t1", tool: "run_command", argument: "make" }, 101),
    ]);
    expect(working.doing).toBe("run_command make");
    expect(working.turns.at(-1)).toMatchObject({ phase: "working", calls: 1 });
    const ended = withEvents(working, [
      event("tool.ended", { turn: 3, id: "t1", summary: "exit 2", is_error: true }, 103.5),
      event("turn.ended", { turn: 3, outcome: "go_on", cost_usd: 1.5, tokens: { input: 9 } }, 104),
    ]);
    expect(ended.bodies.get(3)?.tools).toEqual([
      { id: "t1", name: "run_command", argument: "make", result: "exit 2", ok: false, ms: 2500 },
    ]);
    expect(ended.turns.at(-1)).toMatchObject({ phase: "done", seconds: 4, failed: 1 });
    expect(ended.run).toMatchObject({ cost: 1.5, tokens: { input: 9, output: 0 } });
    expect(ended.doing).toBe("");
  });

  it("of another run change nothing", () => {
    const model = loaded();
    expect(withEvents(model, [{ ...event("run.ended", { outcome: "failed" }), run: "other" }])).toBe(model);
  });

  it("that come late do not undo what an answer told", () => {
    const ended = withShow(loaded(), shown({ run: run({ state: "ended", outcome: "landed", ended: 5 }) }));
    const late = withEvents(ended, [
      event("run.state", { state: "landing", waiting_for: null }),
      event("turn.started", { turn: 2 }),
      event("turn.progress", { turn: 2, doing: "text", text: "old words" }),
    ]);
    expect(late.run).toMatchObject({ state: "ended", outcome: "landed" });
    expect(late.turns.at(-1)?.phase).toBe("done");
    expect(late.bodies.get(2)?.text).not.toBe("old words");
  });

  it("open and close a checkpoint", () => {
    const open = withEvents(live(), [event("checkpoint.opened", checkpoint())]);
    expect(open.run.state).toBe("waiting");
    expect(open.checkpoint).toMatchObject({
      number: 1,
      kind: "decision",
      guards: [
        "skipped test: tests/test_money.py:4: @pytest.mark.skip",
        "(the task says so) changed-test: tests/test_b.py: test_b",
      ],
    });
    const closed = withEvents(open, [event("checkpoint.closed", { number: 1, decision: "revise", message: "x" })]);
    expect(closed.checkpoint).toBeNull();
    expect(withEvents(open, [event("run.ended", { outcome: "landed" })]).checkpoint).toBeNull();
  });

  it("let a gate run and give its verdict to the commit that it ran on", () => {
    const running = withEvents(loaded(), [event("gate.started", { gate: "tests", commit: "c2", of: 2 })]);
    expect(running.gates).toMatchObject([{ name: "tests", commit: "c2", verdict: "running" }]);
    const recorded = withShow(running, shown({ gates: [gate("tests", "fail", { commit: "c1" })] }));
    expect(recorded.gates.map((each) => [each.commit, each.verdict])).toEqual([
      ["c1", "fail"],
      ["c2", "running"],
    ]);
    const ended = withEvents(recorded, [
      event("gate.ended", { gate: "tests", verdict: "pass", counts: { passed: 4 }, duration_s: 1 }),
    ]);
    expect(ended.gates.map((each) => [each.commit, each.verdict])).toEqual([
      ["c1", "fail"],
      ["c2", "pass"],
    ]);
  });

  it("say which answers have to be asked for", () => {
    const asked = (...kinds: string[]) =>
      wantedAfter(
        RUN,
        kinds.map((kind) => event(kind, {})),
      );
    expect(asked("turn.progress", "notice")).toEqual({ show: false, conversation: false, diff: false });
    expect(asked("tool.ended")).toEqual({ show: false, conversation: true, diff: false });
    expect(asked("turn.ended")).toEqual({ show: true, conversation: true, diff: true });
    expect(wantedAfter("other", [event("turn.ended", {})]).show).toBe(false);
  });
});

describe("a conversation", () => {
  it("keeps what was heard live until the whole is told", () => {
    const heard = withEvents(live(), [
      event("tool.started", { turn: 3, id: "t1", tool: "run_command", argument: "make" }, 1),
      event("tool.ended", { turn: 3, id: "t1", summary: "exit 0" }, 2),
    ]);
    const open = {
      ...turn(3),
      ended: null,
      tools: [{ id: "t1", name: "run_command", argument: "make", result: null, ok: null, ms: null }],
    };
    const told = withConversation(heard, conversation(0, { turns: [open] }));
    expect(told.bodies.get(3)?.tools[0]).toMatchObject({ ok: true, result: "exit 0", ms: 1000 });
    expect(told.turns.at(-1)?.phase).toBe("working");
    const whole = withConversation(told, conversation(0, { turns: [turn(3)] }));
    expect(whole.bodies.get(3)?.tools[0]?.name).toBe("read_file");
    expect(whole.turns.at(-1)?.phase).toBe("done");
  });

  it("has between its turns what gates, people and devloop said, in order", () => {
    const model = withConversation(
      loaded(),
      conversation(0, {
        turns: [turn(2, { told: ["Gate tests fails.", "Use Decimal."] })],
        openings: [
          { turn: 1, text: "The task" },
          { turn: 3, text: "Go on" },
        ],
        messages: [{ turn: 2, checkpoint: 1, decision: "revise", text: "Use Decimal.", leave_out: ["a.txt"] }],
        gates: [{ number: 1, turn: 2, results: [{ gate: "tests", verdict: "fail", reason: "1 fails" }] }],
      }),
    );
    expect(model.said.map((each) => [each.after, each.who, each.title])).toEqual([
      [0, "devloop", "What the agent was told"],
      [2, "gates", "Gates · 1 fail"],
      [2, "person", "Revise, without a.txt"],
      [2, "devloop", "The agent was told"],
      [2, "devloop", "A fresh conversation begins"],
    ]);
    expect(model.said[3]?.text).toBe("Gate tests fails.");
    const later = withConversation(model, conversation(0, { turns: [turn(3)], openings: [], gates: [] }));
    expect(later.said.map((each) => each.text)).toEqual(["Gate tests fails."]);
  });
});

describe("what nobody was asked about", () => {
  const hook = { id: "h1", hook: "guard", event: "PreToolUse", tool: "run_command", turn: 1, at: 5 };

  it("is said: hooks that refused, and what a rule accepted", () => {
    const decisions = [
      { number: 1, kind: "decision", decision: "revise", by: "person", at: 6 },
      { number: 2, kind: "decision", decision: "continue", by: "rule", at: 9 },
    ];
    const hooks = [
      { ...hook, result: "pass" },
      { ...hook, result: "block", reason: "no network" },
    ];
    const model = withShow(loaded(), shown({ hooks, decisions }));
    const found = () => model.said.filter((each) => /^(?:hook|rule)/.test(each.key));
    expect(found().map((each) => [each.after, each.title, each.text])).toEqual([
      [1, "Hook guard refused", "PreToolUse · run_command: no network"],
      [model.run.turn, "Accepted by rule: Continue", "Every gate passed; nobody was asked."],
    ]);
    const later = withConversation(model, conversation(0, { turns: [], openings: [], gates: [] }));
    expect(later.said.filter((each) => /^(?:hook|rule)/.test(each.key))).toEqual(found());
  });

  it("comes with events, once", () => {
    const started = withEvents(loaded(), [event("hook.started", { event: "Stop", hooks: ["a"] })]);
    expect(started.doing).toBe("Hook a");
    const blocked = event("hook.ended", { ...hook, result: "timeout", reason: "" });
    const ended = withEvents(started, [blocked, blocked]);
    expect(ended.doing).toBe("");
    expect(ended.said.filter((each) => each.title === "Hook guard: timeout")).toHaveLength(1);
  });
});

describe("a patch", () => {
  it("makes one state into the next, whatever happened", () => {
    const states: Model[] = [newModel(RUN)];
    const next = (model: Model) => states.push(model);
    const last = () => states.at(-1) ?? newModel(RUN);
    next(withShow(last(), shown()));
    next(withConversation(last(), conversation(3)));
    next(
      withEvents(last(), [
        event("turn.started", { turn: 4 }),
        event("turn.progress", { turn: 4, text: "x", doing: "text" }),
      ]),
    );
    next(withEvents(last(), [event("checkpoint.opened", checkpoint())]));
    next(withLock(withTrouble(withDiff(last(), DIFF), "gone"), "not trusted"));
    next(withEvents(last(), [event("run.ended", { outcome: "landed" })]));
    let page: PageState = blank("");
    let before: Model | null = null;
    for (const state of states) {
      const change = difference(before, state, all);
      page = patched(page, change ?? {});
      const { began: _, base: __, work: ___, ...shownState } = state;
      expect(page).toEqual(shownState);
      before = state;
    }
  });

  it("holds only what changed, and bodies only of turns that somebody looks at", () => {
    const model = loaded(500);
    const next = withEvents(model, [event("turn.progress", { turn: 9, doing: "text", tokens: 3 })]);
    expect(Object.keys(difference(model, next, all) ?? {})).toEqual(["doing"]);
    const first = difference(null, model, (number) => number > 480);
    expect(first?.turns).toHaveLength(500);
    expect(first?.bodies).toHaveLength(20);
  });
});
