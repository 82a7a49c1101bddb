/** Ticks the walkthrough's steps. Its page must be there first: VS Code drops what happened before it knew the steps. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { EachSession } from "../each-session";
import type { DevloopEvent } from "../protocol";

const ID = "devloop.devloop#start";
const KNOWN_MS = 1_500;

export type Step = "plan" | "ran" | "decided" | "looked";

/** What these events say was done. Pure. */
export function done(events: readonly Pick<DevloopEvent, "kind">[]): readonly Step[] {
  const kinds = new Set<string>(events.map((event) => event.kind));
  const steps: Step[] = [];
  if (kinds.has("run.queued") || kinds.has("turn.started")) {
    steps.push("ran");
  }
  if (kinds.has("checkpoint.closed")) {
    steps.push("decided");
  }
  return steps;
}

export class Walkthrough implements vscode.Disposable {
  private readonly steps = new Set<Step>();
  private readonly told = new Set<Step>();
  private open = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly listeners: vscode.Disposable;

  constructor({ sessions }: Pick<Context, "sessions">) {
    this.listeners = vscode.Disposable.from(
      new EachSession(sessions, (session) =>
        session.onDidReceiveEvents((events) => {
          for (const step of done(events)) {
            this.happened(step);
          }
        }),
      ),
      sessions.onDidChangeData((session) => {
        if (typeof session.status?.plan.path === "string") {
          this.happened("plan");
        }
      }),
      vscode.window.tabGroups.onDidChangeTabs(() => this.watch()),
    );
    this.watch();
  }

  /** Show it, at a step or where it was left. */
  async show(step?: "plan" | "run" | "decide" | "look", beside = false): Promise<void> {
    const where = step === undefined ? ID : { category: ID, step };
    await vscode.commands.executeCommand("workbench.action.openWalkthrough", where, beside);
  }

  happened(step: Step): void {
    if (!this.steps.has(step)) {
      this.steps.add(step);
      this.tell();
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listeners.dispose();
  }

  /** VS Code's own pages are tabs without an input that extensions know; the walkthrough is one of them. */
  private watch(): void {
    const shown = vscode.window.tabGroups.all.some((group) => group.activeTab && group.activeTab.input === undefined);
    if (shown && !this.open && this.timer === undefined) {
      this.timer = setTimeout(() => {
        this.open = true;
        this.tell();
      }, KNOWN_MS);
    }
  }

  private tell(): void {
    for (const step of this.open ? this.steps : []) {
      if (!this.told.has(step)) {
        this.told.add(step);
        void vscode.commands.executeCommand("setContext", `devloop.walkthrough.${step}`, true);
      }
    }
  }
}
