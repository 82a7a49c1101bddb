/** What a person can pick when a command needs a task, a phase or a run. Pure. */

import type { Plan, PlanPhase, PlanTask, Run } from "../protocol";
import { parentOf } from "../views/plan-moves";
import { joined, moment, money, plainLabel, runName } from "../views/text";

export interface Row<T> {
  readonly label: string;
  readonly description: string;
  readonly detail?: string;
  readonly value: T;
}

/** Tasks that can be started now; the one at the cursor first. */
export function taskRows(plan: Plan, at?: PlanTask): readonly Row<PlanTask>[] {
  const able = plan.tasks.filter((task) => task.state === "ready" || task.state === "partial");
  const ordered = at !== undefined && able.includes(at) ? [at, ...able.filter((task) => task !== at)] : able;
  return ordered.map((task) => ({
    label: `$(play) ${plainLabel(`${task.id} ${task.title}`, 90)}`,
    description: joined(task === at && "at the cursor", task.state === "partial" && "was left partial"),
    value: task,
  }));
}

/** Phases with something left to do. */
export function phaseRows(plan: Plan): readonly Row<PlanPhase>[] {
  return plan.phases.flatMap((phase, at) => {
    const counts = plan.stats.phases[at];
    const left = counts === undefined ? 0 : counts.total - counts.done;
    const row = {
      label: `$(play) ${plainLabel(phase.name || phase.id, 90)}`,
      description: `${left} open`,
      value: phase,
    };
    return left > 0 ? [row] : [];
  });
}

/** Runs, those that wait first, then the other open ones, then by age. */
export function runRows(runs: readonly Run[], now: Date): readonly Row<Run>[] {
  const rank = (run: Run) => (run.state === "waiting" ? 0 : run.state === "ended" ? 2 : 1);
  const ordered = runs.toSorted((a, b) => rank(a) - rank(b) || (b.started ?? 0) - (a.started ?? 0));
  return ordered.map((run) => ({
    label: `${icon(run)} ${plainLabel(runName(run), 90)}`,
    description: joined(
      run.state === "ended" ? (run.outcome ?? "ended") : run.state === "waiting" ? "waits for you" : run.state,
      money(run.cost_usd),
      run.scripted && "scripted",
      run.started !== null && moment(run.started, now),
    ),
    value: run,
  }));
}

/** The task itself, or the one that it is a step of: only those run. */
export function whole(plan: Plan, task: PlanTask): PlanTask {
  const parent = task.pickable === true ? undefined : parentOf(plan, task);
  return parent === undefined ? task : whole(plan, parent);
}

function icon(run: Run): string {
  if (run.state === "waiting") {
    return "$(bell-dot)";
  }
  if (run.state !== "ended") {
    return "$(sync)";
  }
  return run.outcome === "landed" || run.outcome === "accepted" ? "$(check)" : "$(circle-slash)";
}
