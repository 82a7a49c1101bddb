/** Commands that make the server do something: run, continue, run a phase, cancel, fresh start, archive, land. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { CommandArguments, PlanTask, TaskReference } from "../protocol";
import { counted, forNotice, oneLine } from "../views/text";
import { askPhase, askRun, askTask, planOf, sessionOf, taskAtCursor } from "./ask";
import { start } from "./starting";

const SHORTLY_MS = 6_000;

export async function run(context: Context, given: CommandArguments): Promise<unknown> {
  const session = sessionOf(context, given);
  const task = given.task ?? referenceTo(await askTask(session));
  return task && (await start(session, "devloop.run", { ...given, task }, `task ${task.id}`));
}

export async function runHere(context: Context): Promise<unknown> {
  const session = sessionOf(context, {});
  const found = taskAtCursor(await planOf(session));
  if (found === undefined) {
    throw new Error("There is no task at the cursor. Put it into a task of the plan.");
  }
  return await start(session, "devloop.run", { task: referenceTo(found) }, `task ${found.id}`);
}

export async function proceed(context: Context, given: CommandArguments): Promise<unknown> {
  return await start(sessionOf(context, given), "devloop.continue", given, "the next task");
}

export async function runPhase(context: Context, given: CommandArguments): Promise<unknown> {
  const session = sessionOf(context, given);
  const phase = given.phase ?? (await askPhase(session));
  return phase && (await start(session, "devloop.runPhase", { ...given, phase }, `phase ${phase}`));
}

export async function cancel(context: Context, given: CommandArguments): Promise<unknown> {
  const session = sessionOf(context, given);
  if (given.run !== undefined || given.task !== undefined) {
    return await session.execute("devloop.cancel", given);
  }
  const picked = await askRun(session, "Cancel which run?", (each) => each.state !== "ended");
  return picked === undefined ? undefined : await session.execute("devloop.cancel", { run: picked });
}

/** As any decision: files that a review leaves out are left out here too. */
export async function fresh(given: CommandArguments): Promise<unknown> {
  return await vscode.commands.executeCommand("devloop.decide", { ...given, decision: "fresh" });
}

export async function archive(context: Context, given: CommandArguments): Promise<unknown> {
  const answer = await sessionOf(context, given).execute<{ readonly phases: readonly unknown[] }>(
    "devloop.archive",
    given,
  );
  const many = answer.phases.length;
  vscode.window.setStatusBarMessage(
    many === 0 ? "No phase is finished, so nothing was archived." : `${counted(many, "phase")} archived.`,
    SHORTLY_MS,
  );
  return answer;
}

/** What was accepted and is not on the person's branch yet. */
export async function land(context: Context, given: CommandArguments): Promise<unknown> {
  const answer = await sessionOf(context, given).request<{
    readonly commits: number;
    readonly branch: string | null;
    readonly run?: string | null;
  }>("devloop/land");
  let said = `${counted(answer.commits, "commit")} landed on ${answer.branch}.`;
  if (answer.run) {
    said = `${answer.branch} went on since the work was accepted: ${answer.run} runs the gates on both, then lands it.`;
  } else if (answer.commits === 0) {
    said = "All that was accepted is on your branch already.";
  }
  void vscode.window.showInformationMessage(forNotice(said, 200));
  return answer;
}

export async function nextTask(context: Context, given: CommandArguments): Promise<unknown> {
  const answer = await sessionOf(context, given).execute<{
    readonly task: unknown;
    readonly state: string;
    readonly blocked: readonly { readonly id: string; readonly by: readonly string[] }[];
  }>("devloop.nextTask", given);
  if (answer.task === null) {
    const waits = answer.blocked.slice(0, 5).map((each) => `${oneLine(each.id, 40)} waits for ${each.by.join(", ")}`);
    const none = ["No task can run now", waits.join("; ")].filter(Boolean).join(": ");
    const said = answer.state === "all_complete" ? "Every task is done." : `${none}.`;
    void vscode.window.showInformationMessage(forNotice(said, 400));
  }
  return answer;
}

function referenceTo(task: PlanTask): TaskReference;
function referenceTo(task: PlanTask | undefined): TaskReference | undefined;
function referenceTo(task: PlanTask | undefined): TaskReference | undefined {
  return task && { id: task.id, key: task.key, title: task.title, line: task.line };
}
