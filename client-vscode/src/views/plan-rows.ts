/** The rows of the Plan view. */
import { waits } from "../decisions";
import type { Plan, PlanPhase, PlanTask, TaskRun } from "../protocol";
import { contextOf, type Icon, type Node, type Row, row } from "./rows";
import { counted, escaped, joined, money, oneLine, some } from "./text";

export type PlanSubject =
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "phase"; readonly folder: string; readonly phase: PlanPhase }
  | { readonly kind: "task"; readonly folder: string; readonly task: PlanTask };
type PlanRow = Row<PlanSubject>;
export type PlanNode = Node<PlanSubject>;

interface Look {
  readonly icon: Icon;
  /** What a screen reader says of it. */
  readonly spoken: string;
}

const LOOKS: Readonly<Record<string, Look>> = {
  ready: { icon: { id: "circle-large-outline", color: "charts.blue" }, spoken: "ready" },
  waiting: { icon: { id: "circle-outline", color: "disabledForeground" }, spoken: "waiting" },
  done: { icon: { id: "pass-filled", color: "charts.green" }, spoken: "done" },
  working: { icon: { id: "loading~spin", color: "charts.blue" }, spoken: "working" },
  checkpoint: { icon: { id: "bell-dot", color: "charts.yellow" }, spoken: "waits for you" },
  blocked: { icon: { id: "circle-slash", color: "charts.red" }, spoken: "blocked" },
  skipped: { icon: { id: "debug-step-over", color: "disabledForeground" }, spoken: "skipped" },
  partial: { icon: { id: "color-mode", color: "charts.orange" }, spoken: "partly done" },
};
const UNKNOWN: Look = { icon: { id: "question" }, spoken: "state unknown" };
/** Ready, and the last run did not end well. */
const AGAIN: Icon = { id: "circle-large-outline", color: "charts.orange" };
/** Outcomes after which nothing more has to be said of a task. */
const GOOD = new Set(["accepted", "landed"]);

const USUAL: readonly string[] = ["commit", "continue", "revise"];

/** `3/7`; "" where nothing is to be counted. */
export function progress(plan: Plan): string {
  return plan.stats.total > 0 ? `${plan.stats.done}/${plan.stats.total}` : "";
}

/** The decisions of a run's open checkpoint, as far as they are known. */
export type Offered = (run: TaskRun) => readonly string[] | undefined;

/** What all rows of a plan are made with. */
interface Making {
  readonly folder: string;
  readonly offered: Offered;
  readonly names: Names;
  readonly children: Children;
}

/**
 * The rows of one plan. `folder` is the session's folder (its URI), which makes ids unique in a multi-root workspace.
 */
export function planRows(plan: Plan, folder: string, offered: Offered = () => undefined): PlanRow[] {
  const root: Branch = { line: 0, end: Number.POSITIVE_INFINITY, inner: [], make: null };
  const phases = plan.phases.map((phase, at) => branchOf(phase, plan.stats.phases[at], folder));
  const children = tasksByParent(plan.tasks);
  const making: Making = { folder, offered, names: new Names(), children };
  const open: Branch[] = [root];
  let next = 0;
  const enter = (line: number): Branch => {
    for (let phase = phases[next]; phase !== undefined && phase.line <= line; phase = phases[++next]) {
      around(open, phase.line).inner.push(phase);
      open.push(phase);
    }
    return around(open, line);
  };
  for (const task of plan.tasks) {
    if (!children.inside.has(task)) {
      enter(task.line).inner.push({ line: task.line, made: taskRow(task, making) });
    }
  }
  enter(Number.POSITIVE_INFINITY);
  return rowsOf(root, making.names);
}

interface Leaf {
  readonly line: number;
  readonly made: PlanRow;
}

interface Branch {
  readonly line: number;
  readonly end: number;
  readonly inner: (Branch | Leaf)[];
  readonly make: ((inner: PlanRow[], names: Names) => PlanRow) | null;
}

/** The innermost open phase at a line; those that ended before are closed. */
function around(open: Branch[], line: number): Branch {
  let last = open.at(-1) as Branch;
  while (open.length > 1 && last.end < line) {
    open.pop();
    last = open.at(-1) as Branch;
  }
  return last;
}

function rowsOf(branch: Branch, names: Names): PlanRow[] {
  return branch.inner.flatMap((each) => {
    if ("made" in each) {
      return [each.made];
    }
    const inner = rowsOf(each, names);
    return each.make === null ? inner : [each.make(inner, names)];
  });
}

/** Ids of rows: by the id in the plan's text, else by the title; a second one of the same name is counted. */
class Names {
  private readonly seen = new Map<string, number>();

  of(name: string): string {
    const count = (this.seen.get(name) ?? 0) + 1;
    this.seen.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  }
}

interface Children {
  readonly of: ReadonlyMap<PlanTask, readonly PlanTask[]>;
  readonly inside: ReadonlySet<PlanTask>;
}

/** Subtasks by the task around them: `parent` is an id, and of several tasks with that id the nearest above is meant. */
function tasksByParent(tasks: readonly PlanTask[]): Children {
  const latest = new Map<string, PlanTask>();
  const of = new Map<PlanTask, PlanTask[]>();
  const inside = new Set<PlanTask>();
  for (const task of tasks) {
    const parent = task.parent === null ? undefined : latest.get(task.parent);
    if (parent !== undefined) {
      const inner = of.get(parent);
      if (inner === undefined) {
        of.set(parent, [task]);
      } else {
        inner.push(task);
      }
      inside.add(task);
    }
    latest.set(task.id, task);
  }
  return { of, inside };
}

function branchOf(phase: PlanPhase, counts: { total: number; done: number } | undefined, folder: string): Branch {
  const figures = counts !== undefined && counts.total > 0 ? `${counts.done}/${counts.total}` : "";
  return {
    line: phase.line,
    end: phase.end_line,
    inner: [],
    make: (inner, names) => {
      const states = new Set(inner.flatMap(statesIn));
      const done = counts !== undefined && counts.total > 0 && counts.done === counts.total;
      const label = oneLine(phase.name ? `Phase ${phase.id}: ${phase.name}` : `Phase ${phase.id}`, 120);
      const goal = phase.goal ? `  \n${escaped(phase.goal, 400)}` : "";
      return row<PlanSubject>({
        id: names.of(`${folder} phase ${phase.id}`),
        label,
        description: figures,
        icon: phaseIcon(states, done, counts?.done ?? 0),
        tooltip: `**${escaped(label)}**${goal}${figures ? `  \n${escaped(figures)} done` : ""}`,
        spoken: joined(
          label,
          counts ? `${counts.done} of ${counted(counts.total, "task")} done` : "no task",
        ).replaceAll(" · ", ", "),
        context: contextOf("phase", states.has("ready") && "runnable"),
        expand: inner.length === 0 ? "none" : done ? "closed" : "open",
        children: inner,
        dim: done,
        click: true,
        subject: { kind: "phase", folder, phase },
      });
    },
  };
}

function statesIn(inner: PlanRow): string[] {
  const own = inner.subject.kind === "task" ? [inner.subject.task.state] : [];
  return [...own, ...(inner.children ?? []).flatMap(statesIn)];
}

function phaseIcon(states: ReadonlySet<string>, done: boolean, count: number): Icon {
  if (done) {
    return { id: "pass-filled", color: "charts.green" };
  }
  if (states.has("checkpoint")) {
    return { id: "bell-dot", color: "charts.yellow" };
  }
  if (states.has("working")) {
    return { id: "color-mode", color: "charts.blue" };
  }
  return { id: count > 0 || states.has("partial") ? "color-mode" : "circle-large-outline" };
}

function taskRow(task: PlanTask, making: Making): PlanRow {
  const { folder, names, children } = making;
  const id = names.of(`${folder} task ${task.explicit ? task.id : task.key}`);
  const inner = (children.of.get(task) ?? []).map((each) => taskRow(each, making));
  const look = LOOKS[task.state] ?? UNKNOWN;
  const label = labelOf(task);
  const description = stands(task);
  const step = !(task.pickable ?? (task.parent === null || task.explicit));
  const done = task.state === "done" || task.state === "skipped";
  const run = task.run;
  return row<PlanSubject>({
    id,
    label,
    description,
    icon: task.state === "ready" && wentWrong(task) ? AGAIN : look.icon,
    tooltip: taskTooltip(task, look),
    spoken: [label, description.startsWith(look.spoken) ? "" : look.spoken, description.replaceAll(" · ", ", ")]
      .filter(Boolean)
      .join(", "),
    context: contextOf(
      "task",
      task.state,
      step && "step",
      !step && !done && task.state !== "working" && task.state !== "checkpoint" && startable(task) && "runnable",
      run !== null && "has-run",
      run !== null && run.state !== "ended" && "open",
      ...(task.state === "checkpoint" ? decisions(run, making.offered).map((each) => `can-${each}`) : []),
    ),
    expand: inner.length === 0 ? "none" : done ? "closed" : "open",
    children: inner,
    dim: done,
    click: true,
    subject: { kind: "task", folder, task },
  });
}

/** Whether a person may start it: as the server says, ready; or begun before and free. */
function startable(task: PlanTask): boolean {
  return task.state === "ready" || (task.state === "partial" && task.blocked_by.length === 0);
}

/** `1.2 Show debts`, or the title alone where the id does not stand in the text. */
export function labelOf(task: Pick<PlanTask, "id" | "title" | "explicit">): string {
  const title = oneLine(task.title, 160);
  return task.explicit || !title ? `${oneLine(task.id, 40)} ${title}`.trim() : title;
}

/** The decisions that a menu shows; until they are known the usual ones. */
function decisions(run: PlanTask["run"], offered: Offered): readonly string[] {
  return (run === null ? undefined : offered(run)) ?? (run?.asks === "question" ? ["answer"] : USUAL);
}

/** How the task stands, behind its title. */
function stands(task: PlanTask): string {
  const run = task.run;
  const cost = run !== null && run.cost_usd !== 0 ? money(run.cost_usd) : "";
  switch (task.state) {
    case "working":
      return joined(who(run), run !== null && run.turn > 0 && `turn ${run.turn}`, cost) || "working";
    case "checkpoint":
      return joined(waits(run?.asks), cost);
    case "waiting":
      return task.blocked_by.length > 0
        ? `waits for ${some(
            task.blocked_by.map((each) => oneLine(each, 40)),
            3,
          )}`
        : "waits";
    case "blocked":
      return joined("blocked", cost);
    case "skipped":
      return "skipped";
    case "done":
      return cost;
    default:
      return joined(task.state === "partial" && "partly done", lastRun(task), cost);
  }
}

function who(run: PlanTask["run"]): string {
  if (run === null) {
    return "";
  }
  const mode = run.mode && run.mode !== "default" ? run.mode : "";
  return [run.agent, mode]
    .filter(Boolean)
    .map((each) => oneLine(`${each}`, 40))
    .join("·");
}

/** What a person ended is no failure. */
function wentWrong(task: PlanTask): boolean {
  const outcome = task.run?.outcome;
  return Boolean(outcome) && !GOOD.has(`${outcome}`) && outcome !== "cancelled" && outcome !== "discarded";
}

function lastRun(task: PlanTask): string {
  const outcome = task.run?.outcome;
  return outcome && !GOOD.has(outcome) ? `last run ${oneLine(outcome, 40)}` : "";
}

function taskTooltip(task: PlanTask, look: Look): string {
  const run = task.run;
  const lines = [
    `**${escaped(task.explicit ? `Task ${task.id}` : "Task")}** ${escaped(task.title, 300)}`,
    `${look.spoken.slice(0, 1).toUpperCase()}${look.spoken.slice(1)}${task.optional ? ", optional" : ""}`,
    task.blocked_by.length > 0 && `Waits for: ${escaped(some(task.blocked_by, 8))}`,
    task.agent !== null && `Agent: ${escaped([task.agent, task.mode].filter(Boolean).join(", mode "))}`,
    task.acceptance.length > 0 &&
      `Acceptance: ${some(
        task.acceptance.map((each) => escaped(each, 160)),
        3,
      )}`,
    task.files.length > 0 &&
      `Files: ${some(
        task.files.map((each) => escaped(each.path, 100)),
        5,
      )}`,
    run !== null &&
      `Run: ${escaped(joined(who(run), run.turn > 0 && counted(run.turn, "turn"), money(run.cost_usd), run.outcome ?? run.state))}`,
  ];
  return lines.filter(Boolean).join("  \n");
}
