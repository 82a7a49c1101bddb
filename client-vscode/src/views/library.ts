/** The Skills & agents view. */
import * as vscode from "vscode";
import type { Context } from "../context";
import type { Library, PlanTask } from "../protocol";
import { words } from "../server/refusal";
import type { Session } from "../session";
import { Throttle } from "../throttle";
import { on } from "./act";
import { key } from "./folder";
import { type LibrarySubject, libraryRows } from "./library-rows";
import { PACE_MS } from "./pace";
import type { PlanView } from "./plan";
import { taskAt } from "./plan-at";
import { RowProvider } from "./provider";
import type { Node } from "./rows";
import { oneLine } from "./text";

interface Wanted {
  readonly session: Session;
  readonly task: PlanTask | undefined;
}

class LibraryView implements vscode.Disposable {
  private readonly provider = new RowProvider<LibrarySubject>({ click: "devloop.library.open" });
  private readonly paced = new Throttle(() => this.read(), PACE_MS);
  private readonly view: vscode.TreeView<Node<LibrarySubject>>;
  private readonly listeners: vscode.Disposable;
  /** What is shown: folder, plan and task. */
  private shown = "";
  private task: { readonly session: Session; readonly task: PlanTask } | undefined;

  constructor(
    private readonly context: Context,
    plan: PlanView,
  ) {
    this.view = vscode.window.createTreeView("devloop.library", { treeDataProvider: this.provider });
    this.listeners = vscode.Disposable.from(
      this.view,
      this.view.onDidChangeVisibility(this.paced.ask),
      plan.onDidChoose(() => this.choose(plan.task)),
      vscode.window.onDidChangeTextEditorSelection((event) => this.moved(event.textEditor)),
      vscode.window.onDidChangeActiveTextEditor((editor) => this.moved(editor)),
      context.sessions.onDidChange(this.paced.ask),
      context.sessions.onDidChangeData(this.paced.ask),
    );
    this.moved(vscode.window.activeTextEditor);
    this.paced.ask();
  }

  refresh(): void {
    this.shown = "";
    this.paced.ask();
  }

  dispose(): void {
    this.paced.dispose();
    this.listeners.dispose();
    this.provider.dispose();
  }

  private choose(chosen: typeof this.task): void {
    if (chosen !== undefined) {
      this.task = chosen;
      this.paced.ask();
    }
  }

  private moved(editor: vscode.TextEditor | undefined): void {
    const session = editor === undefined ? undefined : this.context.sessions.of(editor.document.uri);
    const plan = session?.plan;
    if (editor === undefined || session === undefined || plan === undefined) {
      return;
    }
    if (vscode.Uri.parse(plan.uri).toString() === editor.document.uri.toString()) {
      const task = taskAt(plan, editor.selection.active.line + 1);
      this.choose(task === undefined ? undefined : { session, task });
    }
  }

  /** The chosen task as the plan has it now; a task that is gone is chosen no more. */
  private get wanted(): Wanted | undefined {
    const chosen = this.task;
    if (chosen !== undefined && this.context.sessions.all.includes(chosen.session)) {
      const same = (task: PlanTask): boolean =>
        chosen.task.explicit ? task.id === chosen.task.id : task.key === chosen.task.key;
      const task = chosen.session.plan?.tasks.find(same);
      if (task !== undefined) {
        return { session: chosen.session, task };
      }
    }
    const session = this.context.sessions.current;
    return session === undefined ? undefined : { session, task: undefined };
  }

  private async read(): Promise<void> {
    const { wanted } = this;
    if (!this.view.visible) {
      return;
    }
    if (wanted === undefined || wanted.session.state.kind !== "running") {
      this.show([], "", "");
      return;
    }
    const { session, task } = wanted;
    const about = task === undefined ? {} : { task: `${task.id}@${task.line}` };
    const now = JSON.stringify([key(session), session.plan?.sha256, about]);
    if (now === this.shown) {
      return;
    }
    this.shown = now;
    try {
      const library = await session.request<Library>("devloop/library", about);
      const name = task === undefined ? "" : oneLine(task.explicit ? task.id : task.title, 40);
      this.show(libraryRows(library, key(session)), name && `for ${name}`, "");
    } catch (problem) {
      this.context.log.debug(`The library could not be read: ${String(problem)}`);
      this.show([], "", words(problem));
    }
  }

  private show(rows: Parameters<typeof this.provider.show>[0], description: string, message: string): void {
    this.provider.show(rows);
    this.view.description = description;
    this.view.message = message;
  }
}

export function register(context: Context, plan: PlanView): void {
  const view = new LibraryView(context, plan);
  context.extension.subscriptions.push(view);
  on(context, "devloop.library.refresh", () => view.refresh());
  on(context, "devloop.library.open", async ({ row: { subject } }: Node<LibrarySubject>) => {
    if (subject.kind === "entry") {
      const at = new vscode.Position(Math.max(subject.line - 1, 0), 0);
      const selection = subject.line > 0 ? { selection: new vscode.Range(at, at) } : {};
      await vscode.window.showTextDocument(vscode.Uri.file(subject.path), { preserveFocus: true, ...selection });
    }
  });
}
