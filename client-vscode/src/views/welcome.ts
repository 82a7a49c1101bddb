/** What an empty view says: a word for the menus' `when` clauses. */
import * as vscode from "vscode";
import type { Context } from "../context";
import { type Stands, standsOf } from "./stands";

export function register(context: Context): void {
  let last: Stands | undefined;
  const reading = new Reading();
  const look = (): void => {
    const now = standsOf(context.sessions.all);
    if (now !== last) {
      last = now;
      reading.show(now === "busy");
      void vscode.commands.executeCommand("setContext", "devloop.stands", now);
    }
  };
  context.extension.subscriptions.push(
    reading,
    context.sessions.onDidChange(look),
    context.sessions.onDidChangeData(look),
  );
  look();
}

/** The view's progress bar while nothing is known yet. */
class Reading implements vscode.Disposable {
  private end: (() => void) | undefined;

  show(busy: boolean): void {
    if (busy && this.end === undefined) {
      const ended = new Promise<void>((resolve) => {
        this.end = resolve;
      });
      void vscode.window.withProgress({ location: { viewId: "devloop.plan" } }, () => ended);
    } else if (!busy) {
      this.dispose();
    }
  }

  dispose(): void {
    this.end?.();
    this.end = undefined;
  }
}
