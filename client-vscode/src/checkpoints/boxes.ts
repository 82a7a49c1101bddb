/** What a person is asked at a checkpoint: lists, lines to write, dialogs. */

import * as vscode from "vscode";
import { accepts, DECISIONS, detailOf, isAlone } from "../decisions";
import type { Checkpoint, Decision, Secret } from "../protocol";
import { oneLine, plainLabel } from "../views/text";
import { type Choice, doubtOf, everything, nameOf, problemOf, secretName, titleOf, unseen } from "./content";
import { writeInPlan } from "./in-plan";
import type { Place, Places } from "./places";

export class Boxes {
  constructor(
    private readonly places: Places,
    private readonly leftOut: (place: Place) => readonly string[],
  ) {}

  async sure({ run, content }: Place): Promise<boolean> {
    const yes = "Discard";
    const open = isAlone(content) ? "" : "The task is open again. ";
    const detail = `${open}The work stays reachable for 30 days.`;
    const question = `Throw away the work of ${nameOf(run)}?`;
    return (await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) === yes;
  }

  /** Whether the person saw all of the command that `answer` allows. */
  async seen({ content }: Place, answer: string): Promise<boolean> {
    const found = unseen(content, answer);
    if (found === undefined) {
      return true;
    }
    const yes = "Allow";
    return (await vscode.window.showWarningMessage(found.asks, { modal: true, detail: found.command }, yes)) === yes;
  }

  /** Of several findings those that are no secrets; the only one without asking. */
  async which(found: readonly Secret[]): Promise<readonly string[]> {
    const rows = found.map((each) => ({ label: plainLabel(secretName(each), 160), id: each.id }));
    const placeHolder = "Which of these are no secrets? Only those are let through.";
    const chosen =
      rows.length === 1
        ? rows
        : await vscode.window.showQuickPick(rows, { canPickMany: true, placeHolder, ignoreFocusOut: true });
    return (chosen ?? []).map(({ id }) => id);
  }

  /** A line of words for a decision; undefined when the person goes away, or to the plan. */
  async words(place: Place, decision: Decision): Promise<string | undefined> {
    const inPlan: vscode.QuickInputButton = {
      iconPath: new vscode.ThemeIcon("go-to-file"),
      tooltip: "Write below the task in the plan instead, as many lines as you like",
    };
    const box = vscode.window.createInputBox();
    box.title = `${titleOf(decision).replace("…", "")}: ${nameOf(place.run)}`;
    box.prompt = `${DECISIONS[decision].asks ?? ""} One line. For more, use the button above: it writes “> ${decision}:” below the task.`;
    box.ignoreFocusOut = true;
    box.buttons = [inPlan];
    const watch = this.closeWhenOver(place, box);
    return new Promise((resolve) => {
      box.onDidAccept(() => {
        const text = box.value.trim();
        if (text === "") {
          box.validationMessage = "Say it in a few words, or press Escape.";
          return;
        }
        watch.dispose(); // VS Code tells late that a box is hidden; what is decided by then is this answer
        resolve(text);
        box.hide();
      });
      box.onDidChangeValue(() => {
        box.validationMessage = undefined;
      });
      box.onDidTriggerButton(() => {
        resolve(undefined);
        box.hide();
        void writeInPlan(place, decision);
      });
      box.onDidHide(() => {
        watch.dispose();
        resolve(undefined);
        box.dispose();
      });
      box.show();
    });
  }

  /** One of all that can be done here, or of those `among` them. */
  pick(place: Place, among: (choice: Choice) => boolean = () => true): Promise<Choice | undefined> {
    const { run, content } = place;
    const box = vscode.window.createQuickPick<vscode.QuickPickItem & { choice: Choice }>();
    const answers = content.question !== null && content.decisions.includes("answer");
    const asks = content.question?.text || problemOf(content) || content.summary;
    box.title = oneLine(`${nameOf(run, 60)}: ${asks}`, 160);
    const doubt = doubtOf(content);
    const what = doubt === "" ? "What should be done?" : `What should be done? Look closer: ${doubt}`;
    box.placeholder = answers ? "Choose, or type an answer of your own" : what;
    box.ignoreFocusOut = true;
    box.matchOnDetail = true;
    const out = this.leftOut(place);
    const rows = everything(content)
      .filter(among)
      .filter((each) => each.kind !== "answer" || !answers)
      .map((choice) => this.row(choice, content, out.length));
    const fill = (): void => {
      const typed = box.value.trim();
      const own: Choice = { kind: "decide", title: "", detail: "", decision: "answer", message: typed };
      const item = { label: `$(reply) Answer: ${plainLabel(typed, 80)}`, alwaysShow: true, choice: own };
      box.items = answers && typed !== "" ? [...rows, item] : rows;
    };
    fill();
    const watch = this.closeWhenOver(place, box);
    return new Promise((resolve) => {
      box.onDidChangeValue(fill);
      box.onDidAccept(() => {
        const [chosen] = box.selectedItems;
        if (chosen !== undefined) {
          watch.dispose(); // as above
          resolve(chosen.choice);
          box.hide();
        }
      });
      box.onDidHide(() => {
        watch.dispose();
        resolve(undefined);
        box.dispose();
      });
      box.show();
    });
  }

  /** A box whose question was answered elsewhere goes away, and says so; words that were written can be had back. */
  private closeWhenOver(
    place: Place,
    box: vscode.QuickPick<vscode.QuickPickItem> | vscode.InputBox,
  ): vscode.Disposable {
    const { session, run, content } = place;
    return this.places.whenOver(place, () => {
      const written = box.value.trim();
      box.hide();
      this.places.over(session, run.id, content.number, written);
    });
  }

  private row(choice: Choice, content: Checkpoint, out: number): vscode.QuickPickItem & { choice: Choice } {
    const icon =
      choice.kind === "review" || choice.kind === "proposal"
        ? "diff-multiple"
        : choice.kind === "notSecret"
          ? "unlock"
          : choice.message === undefined
            ? DECISIONS[choice.decision ?? "answer"].icon
            : "reply";
    const less = choice.decision !== undefined && out > 0 && accepts(choice.decision, content);
    const detail = less
      ? `${detailOf(choice.decision, content)} Without ${out} left-out file${out === 1 ? "" : "s"}: the gates check the rest again.`
      : choice.detail;
    const why = choice.why ? `recommended: ${choice.why}` : "recommended";
    const description = choice.recommended ? { description: plainLabel(why, 160) } : {};
    return {
      label: `$(${icon}) ${plainLabel(choice.title, 80)}`,
      ...description,
      ...(detail ? { detail } : {}),
      choice,
    };
  }
}
