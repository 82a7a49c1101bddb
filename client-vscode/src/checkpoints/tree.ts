/** The files of the review in the side bar, with a check box each: without a check a file is left out. */

import * as vscode from "vscode";
import { escaped, fileName } from "../views/text";
import { type File, figuresOf } from "./files";
import type { Opened, Review } from "./review";

interface Row {
  readonly review: Opened;
  readonly file: File;
}

export const VIEW = "devloop.review";

export function registerTree(review: Review): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const rows = new Map<string, Row>();
  const view = vscode.window.createTreeView<Row>(VIEW, {
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getChildren: (parent) => (parent === undefined ? children(review, rows) : []),
      getTreeItem: (row) => item(review, row),
    },
    showCollapseAll: false,
  });
  const refresh = (): void => {
    const { shown } = review;
    const place = shown && review.placeOf(shown);
    const out = shown?.files.filter((file) => review.isLeftOut(shown, file)).length ?? 0;
    view.description = shown === undefined ? "" : shown.title.replace(/^Review /, "");
    view.message =
      out > 0 && shown !== undefined
        ? `${out} of ${shown.files.length} files left out. The gates check the rest again before it is accepted.`
        : place === undefined && shown !== undefined
          ? "Nothing is to be decided about these changes."
          : "";
    changed.fire();
  };
  refresh();
  return vscode.Disposable.from(
    changed,
    view,
    review.onDidChange(refresh),
    view.onDidChangeCheckboxState((event) => {
      for (const [row, state] of event.items) {
        review.leave(row.review, [row.file], state === vscode.TreeItemCheckboxState.Unchecked);
      }
      changed.fire(); // a change that was refused is drawn back
    }),
  );
}

function children(review: Review, rows: Map<string, Row>): Row[] {
  const { shown } = review;
  if (shown === undefined) {
    rows.clear();
    return [];
  }
  return shown.files.map((file) => {
    const key = `${shown.title}\n${shown.at}\n${file.path}`;
    const row = rows.get(key) ?? { review: shown, file };
    rows.set(key, row);
    return row;
  });
}

function item(review: Review, row: Row): vscode.TreeItem {
  const { file } = row;
  const out = review.isLeftOut(row.review, file);
  const { base, work } = review.sides(row.review, file);
  const slash = file.path.lastIndexOf("/");
  const found = new vscode.TreeItem(fileName(file.path.slice(slash + 1)));
  found.id = `${row.review.run} ${row.review.at} ${file.path}`;
  found.resourceUri = file.change === "deleted" ? base : work;
  found.description = `${slash < 0 ? "" : `${fileName(file.path.slice(0, slash))} · `}${figuresOf(file)}`;
  found.tooltip = new vscode.MarkdownString(
    `${escaped(fileName(file.path, 400), 400)}  \n${escaped(figuresOf(file))}${out ? ", left out" : ""}`,
  );
  found.command = { command: "devloop.review.openFile", title: "Open Changes", arguments: [row] };
  found.contextValue = review.canLeaveOut(row.review) ? (out ? ";file;out;" : ";file;in;") : ";file;";
  found.accessibilityInformation = {
    label: `${fileName(file.path)}, ${figuresOf(file)}${out ? ", left out" : ""}`,
  };
  if (review.canLeaveOut(row.review)) {
    const label = out ? "Left out. Check to take it in." : "Taken in. Uncheck to leave it out.";
    found.checkboxState = {
      state: out ? vscode.TreeItemCheckboxState.Unchecked : vscode.TreeItemCheckboxState.Checked,
      tooltip: label,
      accessibilityInformation: { label: `${fileName(file.path)}: ${label}` },
    };
  }
  return found;
}
