/** What a person is asked when a command was called without saying what it is about. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { CommandArguments, Plan, PlanTask, Run } from "../protocol";
import type { Session } from "../session";
import { taskAt } from "../views/plan-at";
import { phaseRows, type Row, runRows, taskRows, whole } from "./rows";

const MOST_RUNS = 100;

/** The session that a call means: by the plan's URI, by the run, else the one in use. Says so and throws when there is none. */
export function sessionOf(context: Context, given: CommandArguments): Session {
  const { sessions } = context;
  const byUri = given.uri === undefined ? undefined : sessions.of(vscode.Uri.parse(given.uri));
  const byRun = given.run === undefined ? undefined : sessions.withRun(given.run);
  const found = byUri ?? byRun ?? sessions.current;
  if (found === undefined) {
    throw new Error(
      (vscode.workspace.workspaceFolders?.length ?? 0) === 0
        ? "Open a folder first: devloop works on a project."
        : "No folder of this window uses devloop yet. `Devloop: New Plan` begins one.",
    );
  }
  return found;
}

/** The folder to begin something in: the one in use, the only one, or the one that the person picks. */
export async function folderOf(context: Context): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders?.filter((each) => each.uri.scheme === "file") ?? [];
  if (folders.length === 0) {
    throw new Error("Open a folder first: devloop works on a project.");
  }
  if (folders.length === 1) {
    return folders[0];
  }
  const current = context.sessions.current?.folder;
  const rows = folders.map((folder) => ({
    label: folder.name,
    description: folder === current ? "in use" : "",
    folder,
  }));
  return (await vscode.window.showQuickPick(rows, { placeHolder: "In which folder?" }))?.folder;
}

export async function planOf(session: Session): Promise<Plan> {
  return session.plan ?? (await session.request<Plan>("devloop/plan"));
}

/** The task at the cursor of the active editor, if that shows the session's plan. */
export function taskAtCursor(plan: Plan): PlanTask | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || editor.document.uri.toString() !== vscode.Uri.parse(plan.uri).toString()) {
    return undefined;
  }
  const found = taskAt(plan, editor.selection.active.line + 1);
  return found === undefined ? undefined : whole(plan, found);
}

export async function askTask(session: Session): Promise<PlanTask | undefined> {
  const plan = await planOf(session);
  const rows = taskRows(plan, taskAtCursor(plan));
  if (rows.length === 0) {
    throw new Error("No task can be started now. `Devloop: Go to Next Task` says what waits for what.");
  }
  return await pick(rows, "Run which task?");
}

export async function askPhase(session: Session): Promise<string | undefined> {
  const rows = phaseRows(await planOf(session));
  if (rows.length === 0) {
    throw new Error("No phase has anything left to do.");
  }
  return (await pick(rows, "Run which phase?"))?.id;
}

/** One of the runs; the only one that fits is taken without asking. */
export async function askRun(
  session: Session,
  placeHolder: string,
  fits: (run: Run) => boolean = () => true,
): Promise<string | undefined> {
  const { runs } = await session.request<{ readonly runs: readonly Run[] }>("devloop/runs", { limit: MOST_RUNS });
  const rows = runRows(runs.filter(fits), new Date());
  const [only] = rows;
  if (only === undefined) {
    throw new Error(runs.length === 0 ? "There is no run yet." : "No run is open.");
  }
  return rows.length === 1 ? only.value.id : (await pick(rows, placeHolder))?.id;
}

async function pick<T>(rows: readonly Row<T>[], placeHolder: string): Promise<T | undefined> {
  const chosen = await vscode.window.showQuickPick([...rows], { placeHolder, matchOnDescription: true });
  return chosen?.value;
}
