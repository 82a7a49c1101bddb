/** One notification for each run that waits. Whoever closes it is not asked again; the status item goes on saying so. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Decision } from "../protocol";
import { buttons, type Choice, groupButtons, groupNotice, notice, urgent } from "./content";
import type { Place } from "./places";
import type { Checkpoints, Opened } from "./store";
import { keyOf } from "./waiting";

/** What a click does; the buttons are the same everywhere. */
export interface Acts {
  act(choice: Choice, place: Place): Promise<void>;
  decideTogether(places: readonly Place[], decision: Decision): Promise<void>;
}

const CLOSED = "devloop.closedNotices";
const MOST_KEPT = 100;
/** Tasks of a group are told one after the other, at once: so long after the last one they are asked about together. */
const TOGETHER_MS = 300;

interface Button extends vscode.MessageItem {
  readonly choice: Choice;
}

export class Notices implements vscode.Disposable {
  /** Those of this window since it was loaded. */
  private readonly asked = new Set<string>();
  private readonly listener: vscode.Disposable;
  /** Of each group that is being told: its members so far, and when it is asked about. */
  private readonly groups = new Map<string, { members: Opened[]; timer: NodeJS.Timeout }>();

  constructor(
    private readonly context: Context,
    private readonly checkpoints: Checkpoints,
    private readonly acts: Acts,
  ) {
    this.listener = vscode.Disposable.from(
      checkpoints.onDidOpen((opened) => this.hear(opened)),
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
    for (const { timer } of this.groups.values()) {
      clearTimeout(timer);
    }
    this.groups.clear();
  }

  private offerAll(): void {
    for (const { session, open } of this.checkpoints.all) {
      const run = this.checkpoints.runOf(session, open.run);
      if (run !== undefined && open.content !== undefined) {
        this.hear({ session, run, open: { ...open, content: open.content } });
      }
    }
  }

  private hear(opened: Opened): void {
    const group = opened.open.content.group?.id;
    if (group === undefined) {
      void this.offer(opened);
      return;
    }
    const name = `${opened.session.folder.uri.toString()} ${group}`;
    const known = this.groups.get(name);
    clearTimeout(known?.timer);
    const members = [...(known?.members ?? []), opened];
    const timer = setTimeout(() => {
      this.groups.delete(name);
      void this.offerTogether(members);
    }, TOGETHER_MS);
    this.groups.set(name, { members, timer });
  }

  /** Those that still wait and were not asked about: several at once, one by itself as any other. */
  private async offerTogether(members: readonly Opened[]): Promise<void> {
    const left = members.filter((each) => this.waits(each) && this.isNew(each));
    const [first] = left;
    if (first === undefined || left.length === 1) {
      return first && this.offer(first);
    }
    const keys = left.map(nameOf);
    for (const key of keys) {
      this.asked.add(key);
    }
    const contents = left.map((each) => each.open.content);
    const items = groupButtons(contents).map((choice): Button => ({ title: choice.title, choice }));
    const said = groupNotice(
      left.map((each) => each.run),
      contents,
    );
    const { showInformationMessage, showWarningMessage } = vscode.window;
    const show = contents.some(urgent) ? showWarningMessage : showInformationMessage;
    const chosen = await show<Button>(said, ...items);
    if (chosen === undefined) {
      await this.remember(...keys);
    } else if (chosen.choice.decision === undefined) {
      await Promise.all(left.filter((each) => this.waits(each)).map((each) => this.ask(each, nameOf(each))));
    } else {
      await this.acts.decideTogether(left.map(placeOf), chosen.choice.decision);
    }
  }

  private waits({ session, open }: Opened): boolean {
    return this.checkpoints.of(session).of(open.run)?.number === open.number;
  }

  private isNew(opened: Opened): boolean {
    const key = nameOf(opened);
    return !this.asked.has(key) && this.wanted(opened) && !this.closed.includes(key);
  }

  private async offer(opened: Opened): Promise<void> {
    if (this.isNew(opened)) {
      const key = nameOf(opened);
      this.asked.add(key);
      await this.ask(opened, key);
    }
  }

  private async ask(opened: Opened, key: string): Promise<void> {
    const { session, run, open } = opened;
    const items = buttons(open.content).map((choice): Button => ({ title: choice.title, choice }));
    const folder = this.context.sessions.all.length > 1 ? session.folder.name : null;
    const { showInformationMessage, showWarningMessage } = vscode.window;
    const show = urgent(open.content) ? showWarningMessage : showInformationMessage;
    const chosen = await show<Button>(notice(run, open.content, folder), ...items);
    if (chosen === undefined) {
      await this.remember(key);
    } else {
      await this.acts.act(chosen.choice, placeOf(opened));
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

  private async remember(...keys: readonly string[]): Promise<void> {
    await this.context.extension.workspaceState.update(CLOSED, [...this.closed, ...keys].slice(-MOST_KEPT));
  }
}

function nameOf({ session, run, open }: Opened): string {
  return `${session.folder.uri.toString()} ${keyOf(open.run, open.number)} ${run.started ?? ""}`;
}

function placeOf({ session, run, open }: Opened): Place {
  return { session, run, content: open.content };
}
