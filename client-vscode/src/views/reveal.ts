/** Showing a line of a plan in its editor. */
import * as vscode from "vscode";

/** `line` counts from 1. The editor that shows the document already is used, in whatever group it is. */
export async function revealLine(uri: vscode.Uri, line: number, focus: boolean): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  const at = document.lineAt(Math.min(Math.max(line - 1, 0), document.lineCount - 1));
  const column = columnOf(uri);
  const editor = await vscode.window.showTextDocument(document, {
    ...(column === undefined ? {} : { viewColumn: column }),
    preserveFocus: !focus,
    selection: new vscode.Range(at.range.start, at.range.start),
  });
  editor.revealRange(at.range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function columnOf(uri: vscode.Uri): vscode.ViewColumn | undefined {
  const wanted = uri.toString();
  const groups = vscode.window.tabGroups.all;
  const holds = (group: vscode.TabGroup): boolean =>
    group.tabs.some((tab) => tab.input instanceof vscode.TabInputText && tab.input.uri.toString() === wanted);
  return [...groups].sort((a, b) => Number(b.isActive) - Number(a.isActive)).find(holds)?.viewColumn;
}
