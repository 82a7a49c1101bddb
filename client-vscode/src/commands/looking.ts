/** Commands that only look: a run's page, the plan, status, doctor, log, the quick menu. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Check, CommandArguments, Plan, PlanTask, Status, TaskReference } from "../protocol";
import { words } from "../server/refusal";
import { revealLine } from "../views/reveal";
import { askRun, folderOf, sessionOf } from "./ask";
import { doctorText, type Patient } from "./doctor-text";
import type { Documents } from "./documents";
import { menu as menuGroups } from "./menu-rows";
import { planUri } from "./plan-uri";
import { statusText } from "./status-text";

interface MenuItem extends vscode.QuickPickItem {
  readonly run?: () => Thenable<unknown>;
}

/** The run's page (`devloop.openRun`, run-page/panel.ts). */
export async function showRun(context: Context, given: CommandArguments): Promise<unknown> {
  const session = sessionOf(context, given);
  const run = given.run ?? (await runOfTask(context, given)) ?? (await askRun(session, "Show which run?"));
  if (run === undefined) {
    return undefined;
  }
  return await vscode.commands.executeCommand("devloop.openRun", { run, uri: session.folder.uri.toString() });
}

/** What a run changed (`devloop.review`, checkpoints/review.ts). */
export async function showDiff(context: Context, given: CommandArguments): Promise<unknown> {
  const session = sessionOf(context, given);
  const run = given.run ?? (await runOfTask(context, given)) ?? (await askRun(session, "Review which run?"));
  if (run === undefined) {
    return undefined;
  }
  return await vscode.commands.executeCommand("devloop.review", { run, uri: session.folder.uri.toString() });
}

export async function openTranscript(context: Context, documents: Documents, given: CommandArguments): Promise<void> {
  const session = sessionOf(context, given);
  const run = given.run ?? (await runOfTask(context, given)) ?? (await askRun(session, "Whose transcript?"));
  if (run !== undefined) {
    const { text } = await session.request<{ readonly text: string }>("devloop/transcript", { run });
    await documents.show(`${run}.transcript.md`, text);
  }
}

/** The run that the plan knows for the task that was named. */
async function runOfTask(context: Context, given: CommandArguments): Promise<string | undefined> {
  const { task } = given;
  const plan = task === undefined ? undefined : sessionOf(context, given).plan;
  return plan && task && taskIn(plan, task)?.run?.id;
}

function taskIn(plan: Plan, { id, key }: TaskReference): PlanTask | undefined {
  return plan.tasks.find((each) => each.id === id && (key === undefined || each.key === key));
}

export async function openPlan(context: Context, given: CommandArguments): Promise<void> {
  const session = sessionOf(context, given);
  const { plan } = session;
  const task = given.task && plan && taskIn(plan, given.task);
  if (plan !== undefined && task !== undefined) {
    await revealLine(vscode.Uri.parse(plan.uri), task.line, true);
    return;
  }
  const uri = planUri(session);
  if (uri === undefined) {
    await vscode.commands.executeCommand("devloop.newPlan");
    return;
  }
  await vscode.window.showTextDocument(uri, { preview: false });
}

export async function status(context: Context, documents: Documents, given: CommandArguments): Promise<Status> {
  const session = sessionOf(context, given);
  const answer = await session.request<Status>("devloop/status");
  await documents.show("Status", statusText(session.folder.name, answer));
  return answer;
}

/** Works without a server too: then it says why there is none. */
export async function doctor(context: Context, documents: Documents): Promise<void> {
  const patients = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: "devloop doctor" },
    () => Promise.all(context.sessions.all.map(examine)),
  );
  const around = {
    extension: String((context.extension.extension.packageJSON as { readonly version?: unknown }).version),
    vscode: vscode.version,
    remote: vscode.env.remoteName,
    trusted: vscode.workspace.isTrusted,
  };
  await documents.show("Doctor", doctorText(patients, around));
}

async function examine(session: Context["sessions"]["all"][number]): Promise<Patient> {
  const folder = session.folder.name;
  try {
    const { checks } = await session.request<{ readonly checks: readonly Check[] }>("devloop/doctor");
    return { folder, state: session.state, checks };
  } catch (problem) {
    const { state } = session;
    return { folder, state, checks: undefined, ...(state.kind === "running" ? { problem: words(problem) } : {}) };
  }
}

export async function menu(context: Context): Promise<void> {
  const session = context.sessions.current;
  const active = vscode.window.activeTextEditor?.document.uri.toString();
  const plan = session?.plan;
  const groups = menuGroups({
    state: session?.state,
    status: session?.status,
    ...(session === undefined ? {} : { uri: session.folder.uri.toString() }),
    planOpen: plan !== undefined && active === vscode.Uri.parse(plan.uri).toString(),
  });
  const items = groups.flatMap((group): MenuItem[] => [
    ...(group.title === "" ? [] : [{ label: group.title, kind: vscode.QuickPickItemKind.Separator }]),
    ...group.rows.map((row) => ({
      label: row.label,
      ...(row.description === undefined ? {} : { description: row.description }),
      run: () =>
        row.argument === undefined
          ? vscode.commands.executeCommand(row.command)
          : vscode.commands.executeCommand(row.command, row.argument),
    })),
  ]);
  const title = context.sessions.all.length > 1 && session ? `devloop · ${session.folder.name}` : "devloop";
  const chosen = await vscode.window.showQuickPick(items, { title, matchOnDescription: true });
  await chosen?.run?.();
}

export async function restart(context: Context, given: CommandArguments): Promise<void> {
  const { sessions } = context;
  if (sessions.all.length === 0) {
    const folder = await folderOf(context);
    if (folder !== undefined) {
      sessions.open(folder);
    }
    return;
  }
  const { uri } = given;
  await Promise.all(
    uri === undefined ? sessions.all.map((each) => each.restart()) : [sessionOf(context, given).restart()],
  );
}
