/** What dropping tasks somewhere means: which moves the server is asked for, and which would take them back. */
import type { Plan, PlanPhase, PlanTask, TaskReference } from "../protocol";

export interface Move {
  readonly task: TaskReference;
  readonly before?: TaskReference;
  readonly after?: TaskReference;
  readonly phase?: string;
}

export type Target = { readonly task: PlanTask } | { readonly phase: PlanPhase } | null;

export function referenceOf(task: PlanTask): TaskReference {
  return { id: task.id, key: task.key, title: task.title, line: task.line };
}

/**
 * Moves for dropping `dragged` on a task (they take its place), on a phase (they go to its end), or on nothing (to the
 * plan's end). They keep their order in the plan; a subtask goes with the task around it. Empty: nothing would change.
 */
export function movesFor(plan: Plan, dragged: readonly PlanTask[], target: Target): Move[] {
  const wanted = new Set(dragged.map((task) => task.line));
  const moving = plan.tasks.filter((task) => wanted.has(task.line) && !within(plan, task, wanted));
  const first = moving[0];
  if (first === undefined) {
    return [];
  }
  if (target !== null && "task" in target) {
    return besides(plan, moving, first, target.task, wanted);
  }
  const phase = target === null ? plan.phases.at(-1)?.id : target.phase.id;
  if (phase !== undefined) {
    return moving.map((task) => ({ task: referenceOf(task), phase }));
  }
  const last = plan.tasks.filter((task) => task.parent === null).at(-1);
  return last === undefined ? [] : besides(plan, moving, first, last, wanted);
}

function besides(
  plan: Plan,
  moving: readonly PlanTask[],
  first: PlanTask,
  place: PlanTask,
  wanted: ReadonlySet<number>,
): Move[] {
  if (wanted.has(place.line) || within(plan, place, wanted)) {
    return [];
  }
  // Dragged down, the task under the mouse makes room upwards; dragged up, downwards: as lists of files do it.
  const down = first.line < place.line && sameList(first, place);
  if (!down) {
    return moving.map((task) => ({ task: referenceOf(task), before: referenceOf(place) }));
  }
  let last = place;
  return moving.map((task) => {
    const move = { task: referenceOf(task), after: referenceOf(last) };
    last = task;
    return move;
  });
}

/** Moves of selected tasks by one place up (-1) or down (1); at the edge of a phase into the next one. */
export function movesBeside(plan: Plan, selected: readonly PlanTask[], by: -1 | 1): Move[] {
  const wanted = new Set(selected.map((task) => task.line));
  const moving = plan.tasks.filter((task) => wanted.has(task.line) && !within(plan, task, wanted));
  const edge = by < 0 ? moving[0] : moving.at(-1);
  if (edge === undefined || moving.some((task) => !sameList(task, edge))) {
    return [];
  }
  const list = plan.tasks.filter((task) => sameList(task, edge));
  const next = list[list.indexOf(edge) + by];
  if (next === undefined) {
    return edge.parent === null ? toNextPhase(plan, moving, edge, by) : [];
  }
  if (by < 0) {
    return moving.map((task) => ({ task: referenceOf(task), before: referenceOf(next) }));
  }
  return besides(plan, moving, edge, next, wanted);
}

/** To the end of the phase above, or to the beginning of the one below. */
function toNextPhase(plan: Plan, moving: readonly PlanTask[], edge: PlanTask, by: -1 | 1): Move[] {
  const at = plan.phases.findIndex((phase) => phase.line < edge.line && phase.end_line >= edge.line);
  const phase = at < 0 ? undefined : plan.phases[at + by];
  if (phase === undefined) {
    return [];
  }
  const first = plan.tasks.find(
    (task) => task.parent === null && task.line > phase.line && task.line <= phase.end_line,
  );
  return moving.map((task) =>
    by > 0 && first !== undefined
      ? { task: referenceOf(task), before: referenceOf(first) }
      : { task: referenceOf(task), phase: phase.id },
  );
}

/** Whether a task around this one is among the wanted lines. */
function within(plan: Plan, task: PlanTask, wanted: ReadonlySet<number>): boolean {
  let around = parentOf(plan, task);
  while (around !== undefined) {
    if (wanted.has(around.line)) {
      return true;
    }
    around = parentOf(plan, around);
  }
  return false;
}

/** The task around this one: `parent` is an id, and of several tasks with that id the nearest above is meant. */
export function parentOf(plan: Plan, task: PlanTask): PlanTask | undefined {
  return task.parent === null
    ? undefined
    : plan.tasks.findLast((each) => each.id === task.parent && each.line < task.line);
}

function sameList(left: PlanTask, right: PlanTask): boolean {
  return left.parent === right.parent && left.phase === right.phase;
}

/** The moves that bring these tasks back to where `plan` has them, to be made in this order. */
export function movesBack(plan: Plan, moves: readonly Move[]): Move[] {
  const moved = new Set(moves.map((move) => move.task.line));
  const back: Move[] = [];
  for (const task of plan.tasks.filter((each) => moved.has(each.line)).reverse()) {
    const list = plan.tasks.filter((each) => sameList(each, task));
    const at = list.indexOf(task);
    const next = list[at + 1];
    const before = list[at - 1];
    if (next !== undefined) {
      back.push({ task: referenceOf(task), before: referenceOf(next) });
    } else if (before !== undefined && !moved.has(before.line)) {
      back.push({ task: referenceOf(task), after: referenceOf(before) });
    } else if (task.phase !== null) {
      back.push({ task: referenceOf(task), phase: task.phase });
    }
  }
  return back;
}
