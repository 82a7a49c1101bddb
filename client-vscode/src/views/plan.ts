/** The Plan view. */
import * as vscode from "vscode";
import { checkpointsOf } from "../checkpoints/store";
import type { Context } from "../context";
import type { PlanTask, TaskRun } from "../protocol";
import type { Session } from "../session";
import { Throttle } from "../throttle";
import { key, sessionOf, standing } from "./folder";
import { PACE_MS } from "./pace";
import { PlanDrop } from "./plan-drop";
import { type PlanNode, type PlanSubject, planRows, progress } from "./plan-rows";
import { RowProvider } from "./provider";
import { contextOf, type Row, row } from "./rows";
import { counted } from "./text";

export class PlanView implements vscode.Disposable {
  private readonly provider = new RowProvider<PlanSubject>({ click: "devloop.plan.open" });
  private readonly paced = new Throttle(() => this.draw(), PACE_MS);
  private readonly chosen = new vscode.EventEmitter<void>();
  private readonly listeners: vscode.Disposable;
  readonly view: vscode.TreeView<PlanNode>;
  /** Another task was selected by the person. */
  readonly onDidChoose = this.chosen.event;

  constructor(private readonly context: Context) {
    this.view = vscode.window.createTreeView("devloop.plan", {
      treeDataProvider: this.provider,
      dragAndDropController: new PlanDrop(context),
      canSelectMany: true,
      showCollapseAll: true,
    });
    this.listeners = vscode.Disposable.from(
      this.view,
      this.view.onDidChangeSelection(() => this.chosen.fire()),
      context.sessions.onDidChangeData(this.paced.ask),
      context.sessions.onDidChange(this.paced.ask),
      checkpointsOf(context).onDidChange(this.paced.ask),
    );
    this.paced.ask();
  }

  /** The task that is selected, when it is a single one. */
  get task(): { readonly session: Session; readonly task: PlanTask } | undefined {
    const [node, ...more] = this.view.selection;
    if (node === undefined || more.length > 0 || node.row.subject.kind !== "task") {
      return undefined;
    }
    const session = sessionOf(this.context, node);
    return session === undefined ? undefined : { session, task: node.row.subject.task };
  }

  dispose(): void {
    this.paced.dispose();
    this.listeners.dispose();
    this.chosen.dispose();
    this.provider.dispose();
  }

  private draw(): void {
    const { all } = this.context.sessions;
    const [first, ...more] = all;
    if (first === undefined || more.length === 0) {
      this.provider.show(first === undefined ? [] : this.rowsOf(first));
      this.view.description = first?.plan === undefined ? "" : progress(first.plan);
    } else {
      this.provider.show(all.map((session) => this.folderRow(session)));
      this.view.description = "";
    }
    this.view.message = this.message(all);
  }

  private rowsOf(session: Session): Row<PlanSubject>[] {
    return session.plan === undefined ? [] : planRows(session.plan, key(session), this.offered(session));
  }

  private offered(session: Session): (run: TaskRun) => readonly string[] | undefined {
    const waiting = checkpointsOf(this.context).of(session);
    return (run) => waiting.of(run.id)?.content?.decisions;
  }

  private folderRow(session: Session): Row<PlanSubject> {
    const folder = key(session);
    const children = this.rowsOf(session);
    const stands = session.plan === undefined ? standing(session) : progress(session.plan);
    return row<PlanSubject>({
      id: `folder ${folder}`,
      label: session.folder.name,
      description: stands,
      icon: session.state.kind === "failed" || session.state.kind === "missing" ? FAILED : { id: "root-folder" },
      tooltip: "",
      context: contextOf("folder"),
      expand: children.length > 0 ? "open" : "none",
      children,
      subject: { kind: "folder", folder },
    });
  }

  /** Said above the rows; where there are none, the welcome says it. */
  private message(all: readonly Session[]): string {
    if (this.provider.empty) {
      return "";
    }
    const restricted = all.some((each) => each.state.kind === "running" && each.state.restricted);
    const problems = all.reduce((sum, each) => sum + errors(each), 0);
    const parts = [
      restricted && "Restricted mode: nothing is run or decided from here.",
      problems > 0 && `${counted(problems, "error")} in the plan: see Problems.`,
    ];
    return parts.filter(Boolean).join(" ");
  }
}

const FAILED = { id: "error", color: "charts.red" };

function errors(session: Session): number {
  return session.plan?.problems.filter((each) => each.severity === "error").length ?? 0;
}
