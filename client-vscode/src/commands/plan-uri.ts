/** Where a session's plan is: the server names it relative to the folder, or by its whole path. */

import { isAbsolute } from "node:path";
import * as vscode from "vscode";
import type { Session } from "../session";

/** `path` as `devloop/status` says it. */
export function uriOfPlan({ folder }: Pick<Session, "folder">, path: string): vscode.Uri {
  return isAbsolute(path) ? vscode.Uri.file(path) : vscode.Uri.joinPath(folder.uri, path);
}

/** Undefined where there is none, or none is known yet. */
export function planUri(session: Pick<Session, "folder" | "plan" | "status">): vscode.Uri | undefined {
  if (session.plan !== undefined) {
    return vscode.Uri.parse(session.plan.uri);
  }
  const path = session.status?.plan.path;
  return typeof path === "string" ? uriOfPlan(session, path) : undefined;
}
