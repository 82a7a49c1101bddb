/** The commands of the Runs view's menus. What they do is done by the commands of the palette. */
import * as vscode from "vscode";
import { linkTo } from "../commands/run-link";
import type { Context } from "../context";
import type { Run } from "../protocol";
import { on } from "./act";
import { sessionOf } from "./folder";
import { passOnRun } from "./on-run";
import type { RunNode, RunsView } from "./runs";

export function registerRunCommands(context: Context, runs: RunsView): void {
  const runOf = (node: RunNode | undefined): Run | undefined => {
    const subject = (node ?? runs.view.selection[0])?.row.subject;
    return subject?.kind === "run" || subject?.kind === "part" ? subject.run : undefined;
  };
  /** Runs of two folders may have the same id. */
  const folderOf = (node: RunNode | undefined): { readonly uri?: string } => {
    const chosen = node ?? runs.view.selection[0];
    const session = chosen && sessionOf(context, chosen);
    return session === undefined ? {} : { uri: session.folder.uri.toString() };
  };
  const pass = (name: string, command: string, more: object = {}): void =>
    on(context, name, async (node: RunNode | undefined) => {
      const run = runOf(node);
      if (run !== undefined) {
        await vscode.commands.executeCommand(command, { run: run.id, ...folderOf(node), ...more });
      }
    });

  on(context, "devloop.runs.open", async (node: RunNode) => {
    if (node.row.subject.kind === "more") {
      runs.more(node);
      return;
    }
    const run = runOf(node);
    if (run !== undefined) {
      await vscode.commands.executeCommand("devloop.openRun", { run: run.id, ...folderOf(node) });
    }
  });
  pass("devloop.runs.transcript", "devloop.openTranscript");
  passOnRun("runs", pass);
  on(context, "devloop.runs.copyId", async (node: RunNode | undefined) => {
    const run = runOf(node);
    if (run !== undefined) {
      await vscode.env.clipboard.writeText(run.id);
    }
  });
  on(context, "devloop.runs.copyLink", async (node: RunNode | undefined) => {
    const [run, chosen] = [runOf(node), node ?? runs.view.selection[0]];
    const session = chosen && sessionOf(context, chosen);
    if (run !== undefined && session !== undefined) {
      await vscode.env.clipboard.writeText(linkTo(vscode.env.uriScheme, run.id, session.folder.uri.path));
    }
  });
  on(context, "devloop.runs.openOnly", () => {
    runs.openOnly = true;
  });
  on(context, "devloop.runs.all", () => {
    runs.openOnly = false;
  });
}
