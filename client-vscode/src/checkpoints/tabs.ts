/** Which editors show a review of ours. */

import * as vscode from "vscode";
import { addressOf } from "./files";

/** What is reviewed. Kept over reloads, since VS Code opens the same editors again. */
export interface Reviewed {
  readonly title: string;
  readonly folder: string;
  readonly run: string;
}

/** What a tab of ours shows, when it shows one of our documents. */
export function addressIn(tab: vscode.Tab): ReturnType<typeof addressOf> {
  const { input } = tab;
  if (input instanceof vscode.TabInputTextDiff) {
    return addressOf(input.modified);
  }
  return input instanceof vscode.TabInputText ? addressOf(input.uri) : undefined;
}

/** A multi-file diff has no input that extensions may see: only its title tells it, to which VS Code adds a number. */
export function isTabOf(review: Pick<Reviewed, "title">, { input, label }: vscode.Tab): boolean {
  const other =
    input instanceof vscode.TabInputText ||
    input instanceof vscode.TabInputTextDiff ||
    input instanceof vscode.TabInputCustom ||
    input instanceof vscode.TabInputWebview ||
    input instanceof vscode.TabInputNotebook ||
    input instanceof vscode.TabInputNotebookDiff ||
    input instanceof vscode.TabInputTerminal;
  const more = label.startsWith(review.title) ? label.slice(review.title.length) : undefined;
  return !other && more !== undefined && /^(?:\s*[(（][^()（）]*[)）])?$/.test(more);
}
