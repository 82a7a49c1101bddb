/** Answers and events of the server as they come, for the page of a run. */

export const RUN = "r-1";
const TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
export const HOSTILE =
  '<img src=x onerror="alert(1)"> [go](command:workbench.action.quit) \u202egnp.exe \x1b[31mred\x1b[0m';

export function run(more: object = {}): object {
  return {
    id: RUN,
    task: "1.1",
    key: "k",
    title: "Read amounts of money",
    agent: "coder",
    mode: "implement",
    model: "claude-sonnet-4-5",
    scripted: false,
    state: "working",
    outcome: null,
    reason: null,
    turn: 2,
    turn_limit: 40,
    waiting_for: null,
    cost_usd: 0.0421,
    tokens: { input: 1200, output: 640, cache_read: 9000, cache_write: 2100 },
    attempt: 1,
    loop: null,
    started: 1_700_000_000,
    ended: null,
    branch: "devloop/plan",
    commit: null,
    checkpoint: null,
    ...more,
  };
}

export function shown(more: object = {}): object {
  return { run: run(), turns: [], gates: [], checkpoint: null, notices: [], ...more };
}

export function turn(number: number, more: object = {}): object {
  return {
    number,
    started: 1_700_000_000 + number * 10,
    ended: 1_700_000_006 + number * 10,
    model: "claude-sonnet-4-5",
    text: `I look at part **${number}** of \`purse/money.py\`.\n\n- first\n- second\n\n\`\`\`python\ndef parse(text):\n    return ${number}\n\`\`\`\n`,
    thinking: "",
    tools: [
      {
        id: `a${number}`,
        name: "read_file",
        argument: "purse/money.py",
        result: "1\tdef parse(text):\n",
        ok: true,
        ms: 12,
      },
      {
        id: `b${number}`,
        name: "run_command",
        argument: "python -m pytest -q",
        result: "1 failed, 3 passed",
        ok: number % 5 !== 0,
        ms: 1840,
      },
    ],
    told: [],
    usage: {
      input: 200 + number,
      output: 90 + ((number * 37) % 200),
      cache_read: 1500,
      cache_write: number === 1 ? 2100 : 120,
    },
    cost_usd: 0.004 + (number % 7) / 1000,
    stop_reason: "tool_use",
    outcome: "go_on",
    ...more,
  };
}

export function conversation(count: number, more: object = {}): object {
  return {
    run: RUN,
    turns: Array.from({ length: count }, (_, index) => turn(index + 1)),
    more: false,
    openings: [{ turn: 1, text: "# Task 1.1\n\nRead amounts of money.", carried: null }],
    messages: [],
    gates: [],
    ...more,
  };
}

export function gate(name: string, verdict: string, more: object = {}): object {
  return {
    gate: name,
    kind: "tests",
    verdict,
    reason: verdict === "pass" ? "" : "1 test fails that passed before",
    command: ["python", "-m", "pytest", "-q", "-k", "not slow"],
    exit_code: verdict === "pass" ? 0 : 1,
    signal: null,
    started: 1_700_000_100,
    duration_s: 2.34,
    tree: TREE,
    commit: TREE,
    counts: { passed: 11, failed: verdict === "pass" ? 0 : 1, errors: 0, skipped: 2 },
    changes: {
      compared: true,
      new: verdict === "pass" ? [] : ["tests/test_money.py::test_zero"],
      existing: ["a"],
      fixed: [],
    },
    output_tail: "FAILED tests/test_money.py::test_zero\n1 failed, 11 passed",
    required: true,
    ...more,
  };
}

export function checkpoint(more: object = {}): object {
  return {
    number: 1,
    kind: "decision",
    summary: "`money.parse` reads amounts with an optional sign.",
    decisions: ["continue", "commit", "fresh", "stop", "revise", "discard"],
    diff: { files: 2, added: 12, deleted: 1, list: [] },
    gates: [],
    guards: [
      {
        kind: "skipped_test",
        file: "tests/test_money.py",
        line: 3,
        place: "tests/test_money.py:4",
        text: "@pytest.mark.skip",
      },
      { kind: "changed-test", file: "tests/test_b.py", line: 0, text: "test_b", by_task: true },
    ],
    question: null,
    problem: null,
    cost_usd: 0.1,
    turns: 2,
    tokens: {},
    notices: [],
    ...more,
  };
}

export const DIFF = {
  run: RUN,
  base: TREE,
  commit: TREE,
  patch: "",
  files: [
    { path: "purse/money.py", status: "M", added: 12, deleted: 1, binary: false },
    { path: "tests/test_money.py", status: "A", added: 30, deleted: 0, binary: false },
    { path: "logo.png", status: "A", added: null, deleted: null, binary: true },
    { path: "docs/new.md", old_path: "docs/old.md", status: "R087", added: 1, deleted: 1, binary: false },
  ],
  added: 43,
  deleted: 2,
};

export function event(kind: string, data: object, at = 1_700_000_030): object {
  return { seq: 1, at, run: RUN, kind, data };
}
