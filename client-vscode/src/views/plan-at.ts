/** Which task a line of the plan belongs to, and which tasks another one may wait for. */
import type { Plan, PlanTask } from "../protocol";

/** The task whose line or details stand at `line` (from 1). */
export function taskAt(plan: Plan, line: number): PlanTask | undefined {
  const task = plan.tasks.findLast((each) => each.line <= line);
  if (task === undefined) {
    return undefined;
  }
  const phase = plan.phases.findLast((each) => each.line <= line);
  const after = phase !== undefined && phase.line > task.line;
  const around = plan.phases.findLast((each) => each.line < task.line && each.end_line >= task.line);
  return after || (around !== undefined && around.end_line < line) ? undefined : task;
}

/**
 * The tasks that `task` can be made to wait for: not itself, not what is around or inside of it, not those that wait for
 * it themselves. What it waits for already is always among them, first.
 */
export function dependable(plan: Plan, task: PlanTask): PlanTask[] {
  const waiting = waiters(plan, task.id);
  const present = new Set(task.depends_on);
  const able = plan.tasks.filter(
    (each) =>
      each.line !== task.line &&
      (present.has(each.id) ||
        (each.explicit && !waiting.has(each.id) && !contains(plan, each, task) && !contains(plan, task, each))),
  );
  return [...able.filter((each) => present.has(each.id)), ...able.filter((each) => !present.has(each.id))];
}

/** Ids of the tasks that wait for this one, directly or through others. */
function waiters(plan: Plan, id: string): ReadonlySet<string> {
  const found = new Set([id]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const each of plan.tasks) {
      if (each.depends_on.some((other) => found.has(other))) {
        found.add(each.id);
      }
    }
  }
  return found;
}

function contains(plan: Plan, outer: PlanTask, inner: PlanTask): boolean {
  for (let parent = inner.parent; parent !== null; ) {
    if (parent === outer.id) {
      return true;
    }
    parent = plan.tasks.find((each) => each.id === parent)?.parent ?? null;
  }
  return false;
}
