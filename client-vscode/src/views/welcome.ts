/** What an empty view says: a word for the menus' `when` clauses. */
import * as vscode from "vscode";
import type { Context } from "../context";
import { type Stands, standsOf } from "./stands";

export function register(context: Context): void {
  let last: Stands | undefined;
  const look = (): void => {
    const now = standsOf(context.sessions.all);
    if (now !== last) {
      last = now;
      void vscode.commands.executeCommand("setContext", "devloop.stands", now);
    }
  };
  context.extension.subscriptions.push(context.sessions.onDidChange(look), context.sessions.onDidChangeData(look));
  look();
}
