/** Dragging tasks of the Plan view. */
import * as vscode from "vscode";
import type { Context } from "../context";
import type { Plan, PlanTask } from "../protocol";
import { words } from "../server/refusal";
import type { Session } from "../session";
import { key, sessionOf } from "./folder";
import { type Move, movesBack, movesFor, type Target } from "./plan-moves";
import { labelOf, type PlanNode } from "./plan-rows";
import { forNotice } from "./text";

const MIME = "application/vnd.code.tree.devloop.plan";

interface Dragged {
  readonly folder: string;
  /** Their lines, in the plan of this hash. */
  readonly lines: readonly number[];
}

export class PlanDrop implements vscode.TreeDragAndDropController<PlanNode> {
  readonly dragMimeTypes = [MIME];
  readonly dropMimeTypes = [MIME];

  constructor(private readonly context: Context) {}

  handleDrag(nodes: readonly PlanNode[], data: vscode.DataTransfer): void {
    const [first] = nodes;
    const lines = nodes.flatMap(({ row: { subject } }) => (subject.kind === "task" ? [subject.task.line] : []));
    if (first !== undefined && lines.length > 0) {
      const dragged: Dragged = { folder: first.row.subject.folder, lines };
      data.set(MIME, new vscode.DataTransferItem(dragged));
    }
  }

  async handleDrop(target: PlanNode | undefined, data: vscode.DataTransfer): Promise<void> {
    const dragged = draggedIn(data);
    const session = this.context.sessions.all.find((each) => key(each) === dragged?.folder);
    if (dragged === undefined || session?.plan === undefined) {
      return;
    }
    if (target !== undefined && sessionOf(this.context, target) !== session) {
      void vscode.window.showWarningMessage("A task can't be moved into another folder's plan.");
      return;
    }
    const lines = new Set(dragged.lines);
    const tasks = session.plan.tasks.filter((task) => lines.has(task.line));
    await move(session, movesFor(session.plan, tasks, targetOf(target)));
  }
}

function targetOf(node: PlanNode | undefined): Target {
  const subject = node?.row.subject;
  switch (subject?.kind) {
    case "task":
      return { task: subject.task };
    case "phase":
      return { phase: subject.phase };
    default:
      return null;
  }
}

/** In the same window the object itself; after a way through the browser its JSON. */
function draggedIn(data: vscode.DataTransfer): Dragged | undefined {
  const value: unknown = data.get(MIME)?.value;
  try {
    const found: unknown = typeof value === "string" ? JSON.parse(value) : value;
    return isDragged(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isDragged(value: unknown): value is Dragged {
  return (
    typeof value === "object" && value !== null && "folder" in value && "lines" in value && Array.isArray(value.lines)
  );
}

/** Make these moves one after the other. What is refused is said; a plan that is not open offers to undo. */
export async function move(session: Session, moves: readonly Move[]): Promise<void> {
  const before = session.plan;
  if (before === undefined || moves.length === 0) {
    return;
  }
  const made = await each(session, moves);
  if (made.length === 0 || isOpen(before)) {
    return;
  }
  const [first] = made as [Move];
  const what = made.length > 1 ? `${made.length} tasks were` : `${nameOf(before, first)} was`;
  const undo = "Undo";
  const asked = `${what} moved in ${before.path}, which is not open in an editor.`;
  if ((await vscode.window.showInformationMessage(forNotice(asked), undo)) === undo) {
    await each(session, movesBack(before, made));
  }
}

/** The moves that were made: all, or those before the one that was refused. */
async function each(session: Session, moves: readonly Move[]): Promise<readonly Move[]> {
  const made: Move[] = [];
  try {
    for (const one of moves) {
      await session.request("devloop/move", one);
      made.push(one);
    }
  } catch (problem) {
    void vscode.window.showWarningMessage(forNotice(words(problem)));
  }
  return made;
}

function nameOf(plan: Plan, one: Move): string {
  const task: PlanTask | undefined = plan.tasks.find((found) => found.line === one.task.line);
  return task === undefined ? "The task" : `“${labelOf(task)}”`;
}

function isOpen(plan: Plan): boolean {
  const uri = vscode.Uri.parse(plan.uri).toString();
  return vscode.workspace.textDocuments.some((document) => !document.isClosed && document.uri.toString() === uri);
}
