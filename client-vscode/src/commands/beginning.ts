/** What begins with a person's words: a workflow, a small change, a spike, a plan, a project's guide. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { CommandArguments } from "../protocol";
import { kindOf, words } from "../server/refusal";
import type { Session } from "../session";
import { forNotice } from "../views/text";
import { folderOf, sessionOf } from "./ask";
import { phasesToLeaveOut, sourceIn } from "./beginning-rows";
import { start as begin, type Started } from "./starting";

/** A request through all phases; which of them are left out is asked, and a plan in hand is replaced only on a yes. */
export async function start(context: Context, given: CommandArguments): Promise<unknown> {
  const session = await sessionOrNew(context, given);
  const message = given.message ?? (await ask("What is wanted?", "Let people reset their password"));
  if (session === undefined || message === undefined) {
    return undefined;
  }
  const shown = await session.request<{ readonly text: string; readonly skipped: readonly string[] }>("devloop/start", {
    text: message,
    write: false,
  });
  const chosen = await vscode.window.showQuickPick(phasesToLeaveOut(shown.text, shown.skipped), {
    canPickMany: true,
    title: "Start a Workflow",
    placeHolder: "Check phases to leave out, or press Enter for all of them",
    ignoreFocusOut: true,
  });
  if (chosen === undefined) {
    return undefined;
  }
  const skip = chosen.map((each) => each.name);
  const run = (replace: boolean): Promise<Started> =>
    begin(session, "devloop.start", { message, skip, replace }, "a workflow");
  try {
    return await run(false);
  } catch (problem) {
    const open = "Open Plan";
    const replace = "Replace It";
    if (kindOf(problem) !== "refused" || session.state.kind !== "running" || session.state.restricted) {
      throw problem;
    }
    const answer = await vscode.window.showWarningMessage(forNotice(words(problem)), replace, open);
    if (answer === open) {
      await vscode.commands.executeCommand("devloop.openPlan", { uri: session.folder.uri.toString() });
    }
    return answer === replace ? await run(true) : undefined;
  }
}

export async function quick(context: Context, given: CommandArguments): Promise<unknown> {
  const session = sessionOf(context, given);
  const message = given.message ?? (await ask("Which small change?", "Fix the typo in the greeting"));
  return message && (await begin(session, "devloop.quick", { message }, "a quick change"));
}

export async function spike(context: Context, given: CommandArguments): Promise<unknown> {
  const session = sessionOf(context, given);
  const prompt = "What is to be found out? Prototypes are thrown away; a report stays.";
  const said = given.message ?? (await ask(prompt, "Can the parser read its input as a stream? Or an issue: FEAT-001"));
  return said && (await begin(session, "devloop.spike", sourceIn(said), "a spike"));
}

export async function planNew(context: Context, given: CommandArguments): Promise<unknown> {
  const session = await sessionOrNew(context, given);
  const prompt = "What is to be planned? You see the plan before it is written.";
  const said = given.message ?? (await ask(prompt, "People log in with a link. Or an issue: FEAT-001"));
  const how = session && said ? await addOrReplace(session) : undefined;
  return session && said && how && (await begin(session, "devloop.planNew", { ...sourceIn(said), ...how }, "a plan"));
}

export async function planRevise(context: Context, given: CommandArguments): Promise<unknown> {
  const session = sessionOf(context, given);
  const prompt = "How should the plan change? You see the change before it is made.";
  const said = given.message ?? (await ask(prompt, "Split task 2.1, and put the tests first"));
  return said && (await begin(session, "devloop.planRevise", sourceIn(said), "a change of the plan"));
}

export async function onboard(context: Context, given: CommandArguments): Promise<unknown> {
  const session = await sessionOrNew(context, given);
  const { message } = given;
  return session && (await begin(session, "devloop.onboard", message === undefined ? {} : { message }, "a guide"));
}

export async function bootstrap(context: Context, given: CommandArguments): Promise<unknown> {
  const session = await sessionOrNew(context, given);
  if (session === undefined) {
    return undefined;
  }
  const found = await vscode.window.showOpenDialog({
    title: "Requirements",
    openLabel: "Begin with These",
    defaultUri: session.folder.uri,
    canSelectMany: true,
    filters: { Documents: ["md", "markdown", "txt"], "All files": ["*"] },
  });
  const files = (found ?? []).map((each) => {
    if (vscode.workspace.getWorkspaceFolder(each)?.uri.toString() !== session.folder.uri.toString()) {
      throw new Error("Put the requirements into the project first: what an agent reads has to be part of it.");
    }
    return vscode.workspace.asRelativePath(each, false);
  });
  return files.length === 0 ? undefined : await begin(session, "devloop.bootstrap", { files }, "a project");
}

/** Where devloop is not used yet, these begin it. */
async function sessionOrNew(context: Context, given: CommandArguments): Promise<Session | undefined> {
  if (given.uri !== undefined || context.sessions.current !== undefined) {
    return sessionOf(context, given);
  }
  const folder = await folderOf(context);
  return folder && context.sessions.open(folder);
}

/** Without a plan there is nothing to ask. */
async function addOrReplace(session: Session): Promise<object | undefined> {
  const { plan } = await session.request<{ readonly plan: { readonly path: string | null } }>("devloop/status");
  if (plan.path === null) {
    return {};
  }
  const rows = [
    { label: "$(add) Add phases to the plan", description: "behind its own", how: { add: true } },
    {
      label: "$(replace) Replace the plan",
      description: "it is kept in .devloop/archive/replaced",
      how: { replace: true },
    },
  ];
  return (await vscode.window.showQuickPick(rows, { placeHolder: "There is a plan. What should become of it?" }))?.how;
}

/** Some words; undefined for none. */
export async function ask(prompt: string, example: string): Promise<string | undefined> {
  const said = await vscode.window.showInputBox({ prompt, placeHolder: example, ignoreFocusOut: true });
  return said?.trim() || undefined;
}
