/** `Devloop: New Plan`: a template is chosen, the server writes it (as `devloop init` does), the editor opens it. */

import * as vscode from "vscode";
import { folderOf } from "../commands/ask";
import { uriOfPlan } from "../commands/plan-uri";
import type { Context } from "../context";
import type { Template } from "../protocol";
import type { Session } from "../session";
import { counted, oneLine } from "../views/text";

interface Row extends vscode.QuickPickItem {
  readonly name: string;
}

export async function newPlan(context: Context): Promise<void> {
  const folder = await folderOf(context);
  if (folder === undefined) {
    return;
  }
  const session = context.sessions.open(folder);
  const there = await existing(session);
  if (there !== undefined) {
    await show(there);
    vscode.window.setStatusBarMessage("There is a plan already.", 6_000);
    return;
  }
  const { templates } = await session.request<{ readonly templates: readonly Template[] }>("devloop/templates");
  const chosen = await vscode.window.showQuickPick(templates.map(rowOf), {
    title: "New Plan",
    placeHolder: "Begin with which template?",
    matchOnDetail: true,
  });
  if (chosen === undefined) {
    return;
  }
  const { plan } = await session.request<{ readonly plan: string }>("devloop/init", { template: chosen.name });
  await show(vscode.Uri.joinPath(folder.uri, plan));
}

/** The plan that the folder has: the server knows all names that a plan may have. */
async function existing(session: Session): Promise<vscode.Uri | undefined> {
  const { plan } = await session.request<{ readonly plan: { readonly path: string | null } }>("devloop/status");
  return plan.path === null ? undefined : uriOfPlan(session, plan.path);
}

/** With the first task selected, ready to be written over. */
async function show(uri: vscode.Uri): Promise<void> {
  const editor = await vscode.window.showTextDocument(uri, { preview: false });
  const { document } = editor;
  for (let at = 0; at < document.lineCount; at++) {
    const found = /^\s*[-*+] \[ \] (?:Task [\w.]+: )?(?<title>.+)$/d.exec(document.lineAt(at).text);
    const place = found?.indices?.groups?.["title"];
    if (place !== undefined) {
      editor.selection = new vscode.Selection(at, place[0], at, place[1]);
      editor.revealRange(editor.selection);
      return;
    }
  }
}

function rowOf({ name, title, text }: Template): Row {
  const tasks = text.match(/^\s*[-*+] \[ \] /gm)?.length ?? 0;
  const phases = [...text.matchAll(/^## (Phase .+)$/gm)].map((found) => oneLine(found[1] ?? "", 40));
  return { label: title, description: counted(tasks, "task"), detail: phases.join(" · "), name };
}
