/** One notification for each run that waits. Whoever closes it is not asked again; the status item goes on saying so. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { buttons, type Choice, notice, urgent } from "./content";
import type { Checkpoints, Opened } from "./store";
import { keyOf } from "./waiting";

/** What a click does; the buttons are the same everywhere. */
export type Act = (choice: Choice, opened: Opened) => Promise<void>;

const CLOSED = "devloop.closedNotices";
const MOST_KEPT = 100;

interface Button extends vscode.MessageItem {
  readonly choice: Choice;
}

export class Notices implements vscode.Disposable {
  /** Those of this window since it was loaded. */
  private readonly asked = new Set<string>();
  private readonly listener: vscode.Disposable;

  constructor(
    private readonly context: Context,
    private readonly checkpoints: Checkpoints,
    private readonly act: Act,
  ) {
    this.listener = vscode.Disposable.from(
      checkpoints.onDidOpen((opened) => void this.offer(opened)),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("devloop.checkpointMessages")) {
          this.offerAll();
        }
      }),
    );
    this.offerAll();
  }

  dispose(): void {
    this.listener.dispose();
  }

  private offerAll(): void {
    for (const { session, open } of this.checkpoints.all) {
      const run = this.checkpoints.runOf(session, open.run);
      if (run !== undefined && open.content !== undefined) {
        void this.offer({ session, run, open: { ...open, content: open.content } });
      }
    }
  }

  private async offer(opened: Opened): Promise<void> {
    const { session, run, open } = opened;
    const key = `${session.folder.uri.toString()} ${keyOf(open.run, open.number)} ${run.started ?? ""}`;
    if (this.asked.has(key) || !this.wanted(opened) || this.closed.includes(key)) {
      return;
    }
    this.asked.add(key);
    const items = buttons(open.content).map((choice): Button => ({ title: choice.title, choice }));
    const folder = this.context.sessions.all.length > 1 ? session.folder.name : null;
    const { showInformationMessage, showWarningMessage } = vscode.window;
    const show = urgent(open.content) ? showWarningMessage : showInformationMessage;
    const chosen = await show<Button>(notice(run, open.content, folder), ...items);
    if (chosen === undefined) {
      await this.remember(key);
    } else {
      await this.act(chosen.choice, opened);
    }
  }

  private wanted({ session }: Opened): boolean {
    const { state } = session;
    const settings = vscode.workspace.getConfiguration("devloop", session.folder.uri);
    return state.kind === "running" && !state.restricted && settings.get("checkpointMessages", true);
  }

  private get closed(): readonly string[] {
    return this.context.extension.workspaceState.get<readonly string[]>(CLOSED, []);
  }

  private async remember(key: string): Promise<void> {
    await this.context.extension.workspaceState.update(CLOSED, [...this.closed, key].slice(-MOST_KEPT));
  }
}
