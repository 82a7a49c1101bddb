/** The Runs view. */
import * as vscode from "vscode";
import { checkpointsOf } from "../checkpoints/store";
import type { Context } from "../context";
import { liveOf } from "../live/store";
import type { DevloopEvent, Run, Shown } from "../protocol";
import type { Session } from "../session";
import { Throttle } from "../throttle";
import { key, sessionOf, standing } from "./folder";
import { PACE_MS } from "./pace";
import { RowProvider } from "./provider";
import { contextOf, type Node, type Row, row } from "./rows";
import { type RunSubject, runRows } from "./run-rows";
import { counted } from "./text";

export type RunNode = Node<RunSubject>;

const PAGE = 25;
const OPEN_ONLY = "devloop.runs.openOnly";
/** Events after which the list of runs that have ended is another one. */
const ENDS = new Set(["run.ended", "landing.done"]);

export class RunsView implements vscode.Disposable {
  private readonly provider = new RowProvider<RunSubject>({
    click: "devloop.runs.open",
    load: (node) => this.load(node),
  });
  private readonly paced = new Throttle(() => this.draw(), PACE_MS);
  private readonly folders = new Map<Session, FolderRuns>();
  private readonly listeners: vscode.Disposable;
  readonly view: vscode.TreeView<RunNode>;

  constructor(private readonly context: Context) {
    this.view = vscode.window.createTreeView("devloop.runs", {
      treeDataProvider: this.provider,
      showCollapseAll: true,
    });
    this.listeners = vscode.Disposable.from(
      this.view,
      this.view.onDidChangeVisibility(() => this.look()),
      context.sessions.onDidChange(() => this.look()),
      checkpointsOf(context).onDidChange(this.paced.ask),
      liveOf(context).onDidChange(this.paced.ask),
    );
    this.openOnly = this.openOnly; // the menus' key is of this window
    this.look();
  }

  get openOnly(): boolean {
    return this.context.extension.workspaceState.get(OPEN_ONLY, false);
  }

  set openOnly(only: boolean) {
    void this.context.extension.workspaceState.update(OPEN_ONLY, only);
    void vscode.commands.executeCommand("setContext", OPEN_ONLY, only);
    this.paced.ask();
  }

  more(node: RunNode): void {
    this.folderOf(node)?.more();
  }

  dispose(): void {
    this.paced.dispose();
    this.listeners.dispose();
    for (const folder of this.folders.values()) {
      folder.dispose();
    }
    this.folders.clear();
    this.provider.dispose();
  }

  private folderOf(node: RunNode): FolderRuns | undefined {
    const session = sessionOf(this.context, node);
    return session === undefined ? undefined : this.folders.get(session);
  }

  private async load(node: RunNode): Promise<void> {
    const { subject } = node.row;
    if (subject.kind === "run") {
      await this.folderOf(node)?.show(subject.run.id);
      this.draw();
    }
  }

  private look(): void {
    const { all } = this.context.sessions;
    for (const [session, folder] of this.folders) {
      if (!all.includes(session)) {
        folder.dispose();
        this.folders.delete(session);
      }
    }
    for (const session of all) {
      if (!this.folders.has(session)) {
        this.folders.set(session, new FolderRuns(this.context, session, this.paced.ask));
      }
    }
    if (this.view.visible) {
      for (const folder of this.folders.values()) {
        folder.wanted();
      }
    }
    this.paced.ask();
  }

  private draw(): void {
    const now = new Date();
    const folders = [...this.folders.values()];
    const [first, ...more] = folders;
    this.provider.show(
      first !== undefined && more.length === 0
        ? first.rows(this.openOnly, now)
        : folders.map((each) => this.folderRow(each, now)),
    );
    const waiting = folders.reduce((sum, each) => sum + each.waiting, 0);
    const tooltip = `${counted(waiting, "checkpoint")} ${waiting === 1 ? "waits" : "wait"} for you`;
    this.view.badge = waiting > 0 ? { value: waiting, tooltip } : undefined;
    this.view.description = this.openOnly ? "open only" : "";
  }

  private folderRow(folder: FolderRuns, now: Date): Row<RunSubject> {
    const { session } = folder;
    const children = folder.rows(this.openOnly, now);
    return row<RunSubject>({
      id: `folder ${key(session)}`,
      label: session.folder.name,
      description: children.length > 0 ? "" : standing(session) || "no run",
      icon: { id: "root-folder" },
      context: contextOf("folder"),
      expand: children.length > 0 ? "open" : "none",
      children,
      subject: { kind: "folder", folder: key(session) },
    });
  }
}

/** What is known of one session's runs. */
class FolderRuns implements vscode.Disposable {
  private readonly shown = new Map<string, Shown>();
  private ended: readonly Run[] | undefined;
  private limit = PAGE;
  private full = false;
  private readonly reader = new Throttle(() => this.readEnded(), 0);
  private readonly listeners: vscode.Disposable;

  constructor(
    private readonly context: Context,
    readonly session: Session,
    private readonly changed: () => void,
  ) {
    this.listeners = vscode.Disposable.from(
      session.onDidReceiveEvents((events) => this.heard(events)),
      session.onDidChangeStatus(() => this.changed()),
      session.onDidChangeState((state) => {
        if (state.kind === "running") {
          this.shown.clear();
          this.reader.now();
        }
        this.changed();
      }),
    );
  }

  get waiting(): number {
    return this.session.status?.runs.filter((run) => run.state === "waiting").length ?? 0;
  }

  rows(openOnly: boolean, now: Date): Row<RunSubject>[] {
    const waiting = checkpointsOf(this.context).of(this.session);
    const open = (this.session.status?.runs ?? []).map((run) => ({
      ...run,
      checkpoint: waiting.of(run.id)?.content ?? run.checkpoint,
    }));
    const history = { runs: this.ended ?? [], more: this.full, shown: this.shown };
    const live = liveOf(this.context).of(this.session);
    return runRows(open, (run) => live.of(run), openOnly ? null : history, key(this.session), now);
  }

  /** Somebody looks: read what has ended, once. */
  wanted(): void {
    if (this.ended === undefined) {
      this.reader.now();
    }
  }

  more(): void {
    this.limit += PAGE * 2;
    this.reader.now();
  }

  async show(run: string): Promise<void> {
    if (!this.shown.has(run)) {
      this.shown.set(run, await this.session.request<Shown>("devloop/show", { run }));
    }
  }

  dispose(): void {
    this.reader.dispose();
    this.listeners.dispose();
  }

  private heard(events: readonly DevloopEvent[]): void {
    for (const event of events) {
      if (event.run !== null && ENDS.has(event.kind)) {
        this.shown.delete(event.run);
      }
    }
    if (this.ended !== undefined && events.some((event) => ENDS.has(event.kind))) {
      this.reader.now();
    }
  }

  private async readEnded(): Promise<void> {
    try {
      const open = this.session.status?.runs.length ?? 0;
      const limit = this.limit + open;
      const { runs } = await this.session.request<{ runs: Run[] }>("devloop/runs", { limit });
      this.ended = runs.filter((run) => run.state === "ended");
      this.full = runs.length >= limit;
      this.changed();
    } catch (problem) {
      this.context.log.debug(`Runs could not be read: ${String(problem)}`);
    }
  }
}
