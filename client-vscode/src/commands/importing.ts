/** `Devloop: Import Tasks`: another tool's list of tasks as the plan; looked at first, written when the person says so. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Imported } from "../protocol";
import type { Session } from "../session";
import { forNotice } from "../views/text";
import { folderOf } from "./ask";
import type { Documents } from "./documents";
import { hasNotes, importNotes, importQuestion } from "./import-text";
import { planUri } from "./plan-uri";

const PREVIEW = "Imported plan.md";
const NOTES = "Notes of the import";
const MOST_BYTES = 8 * 1024 * 1024;
const SHORTLY_MS = 10_000;

export async function importTasks(context: Context, documents: Documents): Promise<void> {
  const folder = await folderOf(context);
  if (folder === undefined) {
    return;
  }
  const session = context.sessions.open(folder);
  const plan = planUri(session)?.toString();
  const file = await choose(folder, plan);
  if (file === undefined) {
    return;
  }
  if (file.toString() === plan) {
    throw new Error("That is the plan itself. Choose another tool's list of tasks.");
  }
  const source = vscode.workspace.asRelativePath(file, false);
  const params = { text: await textOf(file), source };
  const found = await session.request<Imported>("devloop/import", params);
  if (found.tasks === 0) {
    await documents.show(NOTES, importNotes(found), false);
    throw new Error(`There is no task in ${source}; nothing was written.`);
  }
  await preview(documents, session, found);
  if (!(await agreed(documents, found))) {
    return;
  }
  const made = await session.request<Imported>("devloop/import", {
    ...params,
    as: found.kind,
    write: true,
    replace: found.exists,
  });
  await close(documents);
  await vscode.window.showTextDocument(vscode.Uri.joinPath(folder.uri, made.path), { preview: false });
  const kept = made.archived ? ` The plan before it is in ${made.archived}.` : "";
  vscode.window.setStatusBarMessage(`The plan was ${made.written ? "written" : "there already"}.${kept}`, SHORTLY_MS);
}

/** The file in front is offered first, unless it is the plan. */
async function choose(folder: vscode.WorkspaceFolder, plan: string | undefined): Promise<vscode.Uri | undefined> {
  const active = vscode.window.activeTextEditor?.document.uri;
  const here = active?.scheme === "file" && vscode.workspace.getWorkspaceFolder(active) === folder;
  const near = here && active.toString() !== plan ? active : folder.uri;
  const found = await vscode.window.showOpenDialog({
    title: "Import tasks from",
    openLabel: "Look at It",
    defaultUri: near,
    filters: { "Lists of tasks": ["md", "markdown", "json", "txt"], "All files": ["*"] },
  });
  return found?.[0];
}

async function textOf(file: vscode.Uri): Promise<string> {
  const { size } = await vscode.workspace.fs.stat(file);
  if (size > MOST_BYTES) {
    throw new Error(`${vscode.workspace.asRelativePath(file)} is too large for a list of tasks.`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await vscode.workspace.fs.readFile(file));
  } catch (problem) {
    if (problem instanceof TypeError) {
      throw new Error(`${vscode.workspace.asRelativePath(file)} is no text in UTF-8.`);
    }
    throw problem;
  }
}

/** Against the plan that is there, else by itself. */
async function preview(documents: Documents, { folder }: Session, found: Imported): Promise<void> {
  if (found.exists) {
    const now = vscode.Uri.joinPath(folder.uri, found.path);
    const then = documents.put(PREVIEW, found.text);
    await vscode.commands.executeCommand("vscode.diff", now, then, `${found.path} ↔ ${found.source}`, {
      preview: false,
    });
  } else {
    await documents.show(PREVIEW, found.text, false);
  }
}

/** A message that leaves the preview in reach; the notes can be read before it is answered. */
async function agreed(documents: Documents, found: Imported): Promise<boolean> {
  const yes = found.exists ? "Replace the Plan" : "Write the Plan";
  const read = "Notes";
  for (;;) {
    const question = forNotice(importQuestion(found));
    const chosen = await vscode.window.showInformationMessage(question, yes, ...(hasNotes(found) ? [read] : []));
    if (chosen !== read) {
      return chosen === yes;
    }
    await documents.show(NOTES, importNotes(found), false);
  }
}

async function close(documents: Documents): Promise<void> {
  const mine = [PREVIEW, NOTES].map((name) => documents.uri(name).toString());
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  await vscode.window.tabGroups.close(
    tabs.filter(({ input }) => {
      const shown =
        input instanceof vscode.TabInputTextDiff
          ? input.modified
          : input instanceof vscode.TabInputText
            ? input.uri
            : undefined;
      return shown !== undefined && mine.includes(shown.toString());
    }),
    true,
  );
}
