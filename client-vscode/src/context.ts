import type * as vscode from "vscode";
import type { Sessions } from "./sessions";

/** What every part of the extension is given. */
export interface Context {
  readonly extension: vscode.ExtensionContext;
  readonly sessions: Sessions;
  readonly log: vscode.LogOutputChannel;
}
