import type { Checkpoint, Gate, Plan, PlanPhase, PlanTask, Run, Shown, Stats } from "../src/protocol";

const COUNTS = { total: 0, done: 0, completed: 0, pending: 0, in_progress: 0, blocked: 0, skipped: 0 };

export function counts(done: number, total: number): Stats["phases"][number] {
  return { ...COUNTS, done, total, deferred: 0, unknown: 0, percentage: total === 0 ? 0 : (100 * done) / total };
}

export function task(line: number, given: Partial<PlanTask> = {}): PlanTask {
  const id = given.id ?? `${line}`;
  return {
    id,
    key: `key-${id}`,
    title: `Title ${id}`,
    status: "pending",
    marker: " ",
    line,
    phase: null,
    parent: null,
    depends_on: [],
    group: null,
    acceptance: [],
    files: [],
    tags: [],
    agent: null,
    mode: null,
    optional: false,
    explicit: true,
    state: "ready",
    blocked_by: [],
    run: null,
    ...given,
  };
}

export function phase(line: number, end_line: number, given: Partial<PlanPhase> = {}): PlanPhase {
  const rest = { status: "pending", depends_on: [], goal: "" };
  return { id: `${line}`, name: `Name ${line}`, line, end_line, ...rest, ...given };
}

export function plan(tasks: PlanTask[], phases: PlanPhase[] = [], given: Partial<Plan> = {}): Plan {
  const own = tasks.filter((each) => each.parent === null);
  const done = (list: PlanTask[]): number => list.filter((each) => each.state === "done").length;
  const inside = (each: PlanPhase): PlanTask[] => own.filter((t) => t.line > each.line && t.line <= each.end_line);
  return {
    path: ".devloop/plan.md",
    uri: "file:///p/.devloop/plan.md",
    sha256: "0",
    name: "Plan",
    goal: "",
    phases,
    tasks,
    criteria: [],
    stats: {
      ...counts(done(own), own.length),
      subtasks: { total: 0, done: 0 },
      criteria: { total: 0, done: 0 },
      leaves: { total: 0, done: 0 },
      phases: phases.map((each) => counts(done(inside(each)), inside(each).length)),
    },
    problems: [],
    ...given,
  };
}

export function taskRun(given: Partial<NonNullable<PlanTask["run"]>> = {}): NonNullable<PlanTask["run"]> {
  const who = { agent: "engineer", mode: "refactorer" };
  return { id: "r1", state: "working", outcome: null, checkpoint: null, turn: 3, cost_usd: 0.03, ...who, ...given };
}

const NO_TOKENS = { input: 0, output: 0, cache_read: 0, cache_write: 0 };

export function run(id: string, given: Partial<Run> = {}): Run {
  return {
    id,
    task: "1.1",
    key: "key",
    title: "Do it",
    agent: "engineer",
    mode: "default",
    state: "working",
    outcome: null,
    reason: null,
    turn: 1,
    turn_limit: null,
    waiting_for: null,
    cost_usd: 0,
    tokens: NO_TOKENS,
    model: "m",
    scripted: false,
    attempt: 1,
    loop: null,
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
    summary: "",
    decisions: ["continue", "commit"],
    diff: null,
    gates: [],
    guards: [],
    question: null,
    problem: null,
    cost_usd: 0,
    turns: 1,
    tokens: NO_TOKENS,
    notices: [],
    ...given,
  };
}

export function shown(of: Run, gates: (Gate & { commit?: string })[] = []): Shown {
  return { run: of, turns: [], gates, checkpoint: null, notices: [] };
}
