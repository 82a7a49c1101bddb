/** How files of a review look: a letter in lists and tabs, and what is left out is dimmed in the diff itself. */

import * as vscode from "vscode";
import { SCHEME } from "./files";
import type { Review } from "./review";

const LETTERS = {
  added: ["A", "gitDecoration.addedResourceForeground", "Added"],
  deleted: ["D", "gitDecoration.deletedResourceForeground", "Deleted"],
  changed: ["M", "gitDecoration.modifiedResourceForeground", "Changed"],
} as const;

export function registerMarks(review: Review): vscode.Disposable {
  const changed = new vscode.EventEmitter<undefined>();
  const dimmed = vscode.window.createTextEditorDecorationType({ opacity: "0.6", isWholeLine: true });
  const banner = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    after: {
      contentText: "left out",
      margin: "0 0 0 2em",
      color: new vscode.ThemeColor("editorCodeLens.foreground"),
      fontStyle: "italic",
    },
  });
  const draw = (): void => {
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document.uri.scheme !== SCHEME) {
        continue;
      }
      const found = review.fileOf(editor.document.uri);
      const out = found !== undefined && review.isLeftOut(found.review, found.file);
      const all = new vscode.Range(0, 0, editor.document.lineCount, 0);
      editor.setDecorations(dimmed, out ? [all] : []);
      editor.setDecorations(banner, out ? [new vscode.Range(0, 0, 0, 0)] : []);
    }
  };
  return vscode.Disposable.from(
    changed,
    dimmed,
    banner,
    review.onDidChange(() => {
      changed.fire(undefined);
      draw();
    }),
    vscode.window.onDidChangeVisibleTextEditors(draw),
    vscode.window.registerFileDecorationProvider({
      onDidChangeFileDecorations: changed.event,
      provideFileDecoration(uri) {
        const found = uri.scheme === SCHEME ? review.fileOf(uri) : undefined;
        if (found === undefined) {
          return undefined;
        }
        if (review.isLeftOut(found.review, found.file)) {
          return new vscode.FileDecoration("–", "Left out", new vscode.ThemeColor("descriptionForeground"));
        }
        const [letter, colour, word] = LETTERS[found.file.change];
        return new vscode.FileDecoration(letter, word, new vscode.ThemeColor(colour));
      },
    }),
  );
}
