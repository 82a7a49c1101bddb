/** Having a change or the code looked at, and what a person does about what was found. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { CommandArguments } from "../protocol";
import { sessionOf } from "./ask";
import { start } from "./starting";

interface Scope extends vscode.QuickPickItem {
  readonly given: object;
}

const SCOPES: readonly Scope[] = [
  { label: "What is not committed", description: "new files too", given: { scope: "uncommitted" } },
  { label: "What is staged", given: { scope: "staged" } },
  { label: "The last commit", given: { scope: "commits", commits: "1" } },
  { label: "This branch", description: "since it left its upstream, or main", given: { scope: "branch" } },
];

export async function reviewChanges(context: Context, given: CommandArguments): Promise<unknown> {
  const session = sessionOf(context, given);
  const picked = await vscode.window.showQuickPick(SCOPES, { placeHolder: "Review what?" });
  return picked && (await start(session, "devloop.review", picked.given, "a review"));
}

export async function analyze(context: Context, given: CommandArguments): Promise<unknown> {
  const session = sessionOf(context, given);
  const area = await vscode.window.showInputBox({
    prompt: "Look for what makes the code hard to change. Where?",
    placeHolder: "A folder, a file or words; nothing for all of it",
  });
  return area === undefined
    ? undefined
    : await start(session, "devloop.analyze", area.trim() === "" ? {} : { message: area.trim() }, "an analysis");
}

/** A code action at a finding names it, and the file whose folder it is of. */
export async function dismiss(context: Context, given: CommandArguments): Promise<unknown> {
  return await sessionOf(context, given).execute("devloop.dismissFinding", named(given));
}

export async function plan(context: Context, given: CommandArguments): Promise<unknown> {
  return await sessionOf(context, given).execute("devloop.planFinding", named(given));
}

export async function fix(context: Context, given: CommandArguments): Promise<unknown> {
  return await start(sessionOf(context, given), "devloop.fixFinding", named(given), "to fix a finding");
}

function named(given: CommandArguments): object {
  const { finding, review } = given;
  if (finding === undefined && review === undefined) {
    throw new Error("Open the file of a finding and choose from its light bulb.");
  }
  return finding === undefined ? { review } : { finding };
}
