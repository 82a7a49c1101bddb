import * as vscode from "vscode";
import type { Decision } from "../protocol";
import { counted, oneLine } from "../views/text";
import type { Place } from "./places";
import type { Checkpoints } from "./store";

/** Say that the gates run again on what is left, until it is known what came of it. */
export function showChecking(checkpoints: Checkpoints, place: Place, decision: Decision, out: readonly string[]): void {
  const { session, run } = place;
  const title = `${oneLine(run.task, 30)}: checking again without ${counted(out.length, "file")}, then ${decision}`;
  void vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () => {
    return new Promise<void>((resolve) => {
      const over = (): void => {
        listeners.dispose();
        resolve();
      };
      const listeners = vscode.Disposable.from(
        checkpoints.onDidOpen((opened) => opened.session === session && opened.run.id === run.id && over()),
        session.onDidReceiveEvents((events) => {
          if (events.some((event) => event.run === run.id && event.kind === "run.ended")) {
            over();
          }
        }),
        session.onDidChangeState(over),
      );
    });
  });
}
