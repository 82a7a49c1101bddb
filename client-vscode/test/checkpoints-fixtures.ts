import type { Checkpoint, Run, Status } from "../src/protocol";

const TOKENS = { input: 10, output: 5, cache_read: 0, cache_write: 0 };

export function run(given: Partial<Run> = {}): Run {
  return {
    id: "run-1.1-1",
    task: "1.1",
    key: "k11",
    title: "Add login",
    agent: "implementer",
    mode: null,
    state: "working",
    outcome: null,
    reason: null,
    turn: 2,
    turn_limit: 40,
    waiting_for: null,
    cost_usd: 0.12,
    tokens: TOKENS,
    model: "m",
    scripted: false,
    attempt: 1,
    loop: "loop-1",
    loop_limit: 1,
    loop_done: 0,
    started: 100,
    ended: null,
    branch: null,
    commit: null,
    checkpoint: null,
    ...given,
  };
}

export function checkpoint(given: Partial<Checkpoint> = {}): Checkpoint {
  return {
    number: 1,
    kind: "decision",
    summary: "The login works.",
    decisions: ["continue", "commit", "fresh", "stop", "revise", "discard"],
    diff: {
      files: 1,
      added: 3,
      deleted: 1,
      list: [{ path: "a.py", old_path: null, status: "M", added: 3, deleted: 1, binary: false }],
    },
    gates: [{ gate: "tests", verdict: "pass" }],
    guards: [],
    question: null,
    problem: null,
    cost_usd: 0.12,
    turns: 2,
    tokens: TOKENS,
    notices: [],
    ...given,
  };
}

export function question(choices: readonly string[], text = "Which one?"): Checkpoint {
  return checkpoint({
    kind: "question",
    decisions: ["answer", "stop", "discard"],
    diff: null,
    gates: [],
    summary: "",
    question: { text, choices },
  });
}

const SPENT = {
  usd: 0.5,
  scripted_usd: 0,
  turns: 3,
  input: 0,
  output: 0,
  cache_read: 0,
  cache_write: 0,
};

export function status(given: Partial<Status> = {}): Status {
  return {
    daemon: { pid: 1, version: "0.1.0" },
    engine: { pid: 2, state: "running", problem: null },
    sandbox: { backend: "bubblewrap", degraded: false, state: "on", reason: "Commands run in bubblewrap.", fix: "" },
    model: { name: "the-model", scripted: false, key: true },
    runs: [],
    plan: { path: ".devloop/plan.md", problem: null, total: 7, done: 3 },
    budget: {
      caps: { run_usd: 5, plan_usd: null, day_usd: 20, run_tokens: null, turns: 40, wall: 1 },
      day: SPENT,
      total: SPENT,
      by_task: [],
      by_day: [],
    },
    ...given,
  };
}
