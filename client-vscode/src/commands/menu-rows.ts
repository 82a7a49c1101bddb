/** The quick menu: what can be done now, most likely first. Pure. */

import type { Run, Status } from "../protocol";
import type { SessionState } from "../session";
import { counted, joined, money, plainLabel, runName } from "../views/text";

export interface MenuRow {
  readonly label: string;
  readonly description?: string;
  readonly command: string;
  readonly argument?: object;
}

export interface MenuGroup {
  readonly title: string;
  readonly rows: readonly MenuRow[];
}

export interface Situation {
  readonly state: SessionState | undefined;
  readonly status: Status | undefined;
  /** The session's folder: another one may have runs of the same names. */
  readonly uri?: string;
  /** The active editor shows a plan. */
  readonly planOpen: boolean;
}

export function menu(situation: Situation): readonly MenuGroup[] {
  const { state } = situation;
  const groups = [trouble(situation), waiting(situation), work(situation), look(situation), care(state)];
  return groups.filter((group) => group.rows.length > 0);
}

function trouble({ state }: Situation): MenuGroup {
  const retry = { label: "$(refresh) Try Again", command: "devloop.restart" };
  switch (state?.kind) {
    case "failed":
      return group("The server can't run", retry, { label: "$(output) Show Log", command: "devloop.showLog" });
    case "missing":
      return group(
        "devloop was not found",
        { label: "$(cloud-download) Install devloop…", command: "devloop.install" },
        { label: "$(symbol-misc) Select Interpreter…", command: "devloop.selectInterpreter" },
        retry,
      );
    case "stopped":
      return group("devloop is stopped", { ...retry, label: "$(debug-start) Start" });
    default:
      return state?.kind === "running" && state.restricted
        ? group("Restricted mode: nothing is run or decided from here", {
            label: "$(shield) Manage Workspace Trust",
            command: "workbench.trust.manage",
          })
        : group("");
  }
}

function waiting({ status, state, uri }: Situation): MenuGroup {
  const runs = (status?.runs ?? []).filter((run) => run.state === "waiting");
  if (runs.length === 0 || !acts(state)) {
    return group("");
  }
  const rows = runs.slice(0, 5).map((run) => ({
    label: `$(bell-dot) Decide: ${plainLabel(runName(run), 70)}`,
    description: run.waiting_for ?? "",
    command: "devloop.answer",
    argument: about(run, uri),
  }));
  return group("Waits for you", ...rows);
}

function work({ status, state, planOpen, uri }: Situation): MenuGroup {
  if (state?.kind !== "running") {
    return group("");
  }
  const rows: MenuRow[] = [];
  for (const run of (status?.runs ?? []).filter((each) => each.state !== "waiting").slice(0, 5)) {
    const name = plainLabel(runName(run), 70);
    const argument = about(run, uri);
    const description = joined(run.state, run.turn > 0 && `turn ${run.turn}`, money(run.cost_usd));
    rows.push({ label: `$(eye) Show: ${name}`, description, command: "devloop.showRun", argument });
    rows.push({ label: `$(stop-circle) Cancel: ${name}`, command: "devloop.cancel", argument });
  }
  const hasPlan = typeof status?.plan.path === "string";
  const left = (status?.plan.total ?? 0) - (status?.plan.done ?? 0);
  if (acts(state) && hasPlan && left > 0) {
    rows.push({
      label: "$(debug-continue) Continue the Plan",
      description: `${counted(left, "task")} left`,
      command: "devloop.continue",
    });
    if (planOpen) {
      rows.push({ label: "$(play) Run Task Under Cursor", command: "devloop.runHere" });
    }
    rows.push({ label: "$(play) Run Task…", command: "devloop.run" });
    rows.push({ label: "$(run-all) Run Phase…", command: "devloop.runPhase" });
  }
  if (!hasPlan && status !== undefined && acts(state)) {
    rows.push({ label: "$(new-file) New Plan…", command: "devloop.newPlan" });
  }
  return group("Work", ...rows);
}

function look({ status, state }: Situation): MenuGroup {
  if (state?.kind !== "running") {
    return group("");
  }
  const rows: MenuRow[] = [];
  if (typeof status?.plan.path === "string") {
    rows.push({
      label: "$(go-to-file) Open Plan",
      description: plainLabel(status.plan.path, 60),
      command: "devloop.openPlan",
    });
    rows.push({ label: "$(arrow-right) Go to Next Task", command: "devloop.nextTask" });
  }
  rows.push({ label: "$(history) Show Run…", command: "devloop.showRun" });
  rows.push({ label: "$(diff-multiple) Review Changes of Run…", command: "devloop.showDiff" });
  return group("Look", ...rows);
}

function care(state: SessionState | undefined): MenuGroup {
  const rows: MenuRow[] = [];
  if (state?.kind === "running") {
    rows.push({
      label: "$(shield) Trust…",
      description: "what this repository wants to execute",
      command: "devloop.trust",
    });
  }
  rows.push({ label: "$(pulse) Doctor", command: "devloop.doctor" });
  if (state?.kind !== "failed") {
    rows.push({ label: "$(output) Show Log", command: "devloop.showLog" });
  }
  rows.push({ label: "$(gear) Settings", command: "devloop.openSettings" });
  return group("devloop", ...rows);
}

function about({ id: run }: Pick<Run, "id">, uri: string | undefined): object {
  return uri === undefined ? { run } : { run, uri };
}

function acts(state: SessionState | undefined): boolean {
  return state?.kind === "running" && !state.restricted;
}

function group(title: string, ...rows: readonly MenuRow[]): MenuGroup {
  return { title, rows };
}
