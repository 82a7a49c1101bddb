/** The commands of the Plan view's menus. Running and deciding is done by the commands of the palette. */
import * as vscode from "vscode";
import type { Context } from "../context";
import type { PlanPhase, PlanTask } from "../protocol";
import type { Session } from "../session";
import { on } from "./act";
import { sessionOf } from "./folder";
import { passOnRun } from "./on-run";
import type { PlanView } from "./plan";
import { dependable } from "./plan-at";
import { move } from "./plan-drop";
import { movesBeside, referenceOf } from "./plan-moves";
import { labelOf, type PlanNode } from "./plan-rows";
import { revealLine } from "./reveal";
import { meant } from "./rows";
import { joined, oneLine, plainLabel } from "./text";

interface Chosen {
  readonly session: Session;
  readonly uri: string;
  readonly task: PlanTask;
}
type Given = [node: PlanNode | undefined, selected: readonly PlanNode[] | undefined];

const AGAIN_MS = 500;

/** The first run of a day wakes the engine: the view's progress bar says at once that the click was heard. */
function shown<T>(work: () => PromiseLike<T>): Thenable<T> {
  return vscode.window.withProgress({ location: { viewId: "devloop.plan" } }, work);
}

export function registerPlanCommands(context: Context, plan: PlanView): void {
  const tasks = (...[node, selected]: Given): Chosen[] =>
    meant(node, selected, plan.view.selection).flatMap((each) => {
      const session = sessionOf(context, each);
      const { subject } = each.row;
      return subject.kind === "task" && session?.plan !== undefined
        ? [{ session, uri: session.plan.uri, task: subject.task }]
        : [];
    });
  /** For each task that is meant, the command of the palette that does it. */
  const pass = (name: string, command: string, more: object = {}): void =>
    on(context, name, async (...given: Given) => {
      for (const { uri, task } of tasks(...given)) {
        const run = task.run === null ? {} : { run: task.run.id };
        await vscode.commands.executeCommand(command, { uri, task: referenceOf(task), ...run, ...more });
      }
    });
  const alone = (name: string, act: (chosen: Chosen) => Promise<void>): void =>
    on(context, name, async (...given: Given) => {
      const [first] = tasks(...given);
      if (first !== undefined) {
        await act(first);
      }
    });

  on(context, "devloop.plan.open", opener(context));
  on(context, "devloop.plan.run", async (...given: Given) => {
    for (const { uri, task } of tasks(...given)) {
      await shown(() => vscode.commands.executeCommand("devloop.run", { uri, task: referenceOf(task) }));
    }
  });
  alone("devloop.plan.continueFrom", async ({ uri, task }) => {
    await shown(() => vscode.commands.executeCommand("devloop.continue", { uri, task: referenceOf(task) }));
  });
  on(context, "devloop.plan.runPhase", async (node: PlanNode | undefined) => {
    const chosen = phaseOf(context, node ?? plan.view.selection[0]);
    if (chosen !== undefined) {
      const { uri, phase } = chosen;
      await shown(() => vscode.commands.executeCommand("devloop.runPhase", { uri, phase: phase.id }));
    }
  });
  pass("devloop.plan.showRun", "devloop.openRun");
  passOnRun("plan", pass);

  on(context, "devloop.plan.skip", (...given: Given) => mark(tasks(...given), "skip"));
  on(context, "devloop.plan.block", (...given: Given) => mark(tasks(...given), "block"));
  on(context, "devloop.plan.todo", (...given: Given) => mark(tasks(...given), "todo"));
  on(context, "devloop.plan.unblock", (...given: Given) => mark(tasks(...given), "todo"));
  on(context, "devloop.plan.done", (...given: Given) => mark(tasks(...given), "done"));
  alone("devloop.plan.depends", editDependencies);
  on(context, "devloop.plan.moveUp", (...given: Given) => moveBeside(tasks(...given), -1));
  on(context, "devloop.plan.moveDown", (...given: Given) => moveBeside(tasks(...given), 1));
  on(context, "devloop.plan.copyId", async (...given: Given) => {
    const ids = tasks(...given).map(({ task }) => task.id);
    if (ids.length > 0) {
      await vscode.env.clipboard.writeText(ids.join("\n"));
    }
  });
}

/** A click shows the line and leaves the keyboard in the tree; a second one right after it goes to the editor. */
function opener(context: Context): (node: PlanNode) => Promise<void> {
  let last: { readonly id: string; readonly at: number } | undefined;
  return async (node) => {
    const plan = sessionOf(context, node)?.plan;
    const { subject } = node.row;
    if (plan === undefined || subject.kind === "folder") {
      return;
    }
    const again = last?.id === node.row.id && Date.now() - last.at < AGAIN_MS;
    last = { id: node.row.id, at: Date.now() };
    const { line } = subject.kind === "task" ? subject.task : subject.phase;
    await revealLine(vscode.Uri.parse(plan.uri), line, again);
  };
}

function phaseOf(context: Context, node: PlanNode | undefined): { uri: string; phase: PlanPhase } | undefined {
  const plan = node === undefined ? undefined : sessionOf(context, node)?.plan;
  const subject = node?.row.subject;
  return plan !== undefined && subject?.kind === "phase" ? { uri: plan.uri, phase: subject.phase } : undefined;
}

interface Asked {
  readonly verb: string;
  readonly prompt: string;
  /** Said of an empty answer that will not do. */
  readonly needed?: string;
}

const ASKED: Readonly<Record<string, Asked>> = {
  skip: { verb: "Skip", prompt: "Why is it skipped? The plan notes it.", needed: "Say why it is skipped" },
  block: { verb: "Block", prompt: "What is in the way? The plan notes it.", needed: "Say what is in the way" },
  done: { verb: "Tick", prompt: "No gate runs. The plan notes that it was done by hand, and why, if you say it." },
};

/** Change how tasks stand. What has to be said of it is asked for, once for all of them. */
async function mark(chosen: readonly Chosen[], to: string): Promise<void> {
  const [first] = chosen;
  const asked = ASKED[to];
  if (first === undefined) {
    return;
  }
  let reason: string | undefined;
  if (asked !== undefined) {
    const { verb, prompt, needed } = asked;
    const what = chosen.length > 1 ? `${chosen.length} tasks` : labelOf(first.task);
    const validateInput = (text: string): string | undefined => (text.trim() === "" ? needed : undefined);
    reason = await vscode.window.showInputBox({
      title: `${verb} ${what}`,
      prompt,
      validateInput,
      ignoreFocusOut: true,
    });
    if (reason === undefined) {
      return;
    }
  }
  for (const { session, task } of chosen) {
    const said = reason?.trim() ? { reason: reason.trim() } : {};
    await session.request("devloop/mark", { task: referenceOf(task), to, ...said });
  }
}

interface Pick extends vscode.QuickPickItem {
  readonly id: string;
}

async function editDependencies({ session, task }: Chosen): Promise<void> {
  const { plan } = session;
  if (plan === undefined) {
    return;
  }
  const present = new Set(task.depends_on);
  const items = dependable(plan, task).map((each): Pick => {
    const phase = plan.phases.findLast((found) => found.line < each.line && found.end_line >= each.line);
    const description = joined(phase && oneLine(phase.name, 60), each.state === "done" && "done");
    return { id: each.id, label: plainLabel(labelOf(each)), description, picked: present.has(each.id) };
  });
  const strange = task.depends_on.filter((id) => !items.some((item) => item.id === id));
  items.unshift(
    ...strange.map((id) => ({ id, label: plainLabel(id, 80), description: "not in the plan", picked: true })),
  );
  const picked = await vscode.window.showQuickPick(items, {
    title: `${labelOf(task)} waits for`,
    placeHolder: items.length > 0 ? "Tasks that have to be done first" : "There is no other task it could wait for",
    canPickMany: true,
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  if (picked === undefined) {
    return;
  }
  const chosen = picked.map((item) => item.id);
  const wanted = [...task.depends_on.filter((id) => chosen.includes(id)), ...chosen.filter((id) => !present.has(id))];
  if (wanted.join("\n") !== task.depends_on.join("\n")) {
    await session.request("devloop/depends", { task: referenceOf(task), on: wanted });
  }
}

async function moveBeside(chosen: readonly Chosen[], by: -1 | 1): Promise<void> {
  const [first] = chosen;
  if (first?.session.plan !== undefined) {
    const mine = chosen.filter((each) => each.session === first.session).map((each) => each.task);
    await move(first.session, movesBeside(first.session.plan, mine, by));
  }
}
