/** Words for a decision that are written below the task in the plan: as many lines as a person likes. */

import * as vscode from "vscode";
import type { Decision } from "../protocol";
import { forNotice, oneLine } from "../views/text";
import { titleOf } from "./content";
import type { Place } from "./places";

const HINT_MS = 15_000;

/** The server's own action writes the line; then the person goes on there. */
export async function writeInPlan({ session, run }: Place, decision: Decision): Promise<void> {
  const { plan } = session;
  const task = plan?.tasks.find((each) => each.key === run.key) ?? plan?.tasks.find((each) => each.id === run.task);
  if (plan === undefined || task === undefined) {
    void vscode.window.showInformationMessage(forNotice(`Task ${oneLine(run.task, 40)} is not in the plan any more.`));
    return;
  }
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(plan.uri));
  const line = document.lineAt(Math.min(task.line, document.lineCount) - 1);
  const editor = await vscode.window.showTextDocument(document);
  const found = await vscode.commands.executeCommand<readonly vscode.CodeAction[]>(
    "vscode.executeCodeActionProvider",
    document.uri,
    line.range,
    vscode.CodeActionKind.QuickFix.value,
    50,
  );
  const wanted = found.find((each) => each.title.includes(`\`> ${decision}: …\``));
  if (wanted?.edit !== undefined && (await vscode.workspace.applyEdit(wanted.edit))) {
    const written = document.getText().split(/\r?\n/);
    const at = written.findIndex((text, index) => index >= line.lineNumber && text.includes(`> ${decision}: `));
    const end = document.lineAt(at < 0 ? line.lineNumber : at).range.end;
    editor.selection = new vscode.Selection(end, end);
    editor.revealRange(new vscode.Range(end, end), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    const title = titleOf(decision);
    vscode.window.setStatusBarMessage(`Write it here, then choose ${title} above the task.`, HINT_MS);
  } else {
    editor.selection = new vscode.Selection(line.range.end, line.range.end);
    editor.revealRange(line.range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }
}
