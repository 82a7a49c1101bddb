/** Asking a person what to do about a checkpoint, and telling the server. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { accepts, DECISIONS, detailOf, isAlone, needsWords } from "../decisions";
import type { Checkpoint, CommandArguments, Decision, Run, Shown } from "../protocol";
import type { Session } from "../session";
import { forNotice, oneLine, plainLabel } from "../views/text";
import { type Choice, doubtOf, everything, nameOf, problemOf, secretName, secretsOf, titleOf, unseen } from "./content";
import type { Proposals } from "./proposal";
import type { Review } from "./review";
import type { Checkpoints } from "./store";

/** A checkpoint that is open, as far as we know. */
export interface Place {
  readonly session: Session;
  readonly run: Run;
  readonly content: Checkpoint;
}

/** As commands name it. */
export type About = Pick<CommandArguments, "run" | "checkpoint" | "task" | "uri">;

const HINT_MS = 15_000;
const COPY = "Copy What I Wrote";

export class Deciding {
  constructor(
    private readonly context: Context,
    private readonly checkpoints: Checkpoints,
    private readonly review: () => Review,
    private readonly proposals: Proposals,
  ) {}

  /** The open checkpoint that is meant; when there are several, the person says which. Undefined and said so if none. */
  async place(about: About): Promise<Place | undefined> {
    const run = about.run ?? this.runOf(about);
    if (run !== undefined) {
      return this.open(run, about.checkpoint, about.uri);
    }
    const waiting = this.checkpoints.all;
    if (waiting.length === 0) {
      void vscode.window.showInformationMessage("Nothing waits for you.");
      return undefined;
    }
    const first = waiting[0];
    if (waiting.length === 1 && first !== undefined) {
      return this.open(first.open.run, first.open.number, folderOf(first.session));
    }
    const rows = waiting.map(({ session, open }) => {
      const run = this.checkpoints.runOf(session, open.run);
      const label = run === undefined ? open.run : nameOf(run);
      const several = this.context.sessions.all.length > 1;
      return { label, ...(several ? { description: session.folder.name } : {}), open, uri: folderOf(session) };
    });
    const chosen = await vscode.window.showQuickPick(rows, { placeHolder: "Several runs wait. Which one?" });
    return chosen && this.open(chosen.open.run, chosen.open.number, chosen.uri);
  }

  /** Every decision with what it does. */
  async choose(about: About): Promise<void> {
    const place = await this.place(about);
    if (place !== undefined) {
      const choice = await this.pick(place);
      if (choice !== undefined) {
        await this.act(choice, place);
      }
    }
  }

  async act(choice: Choice, place: Place): Promise<void> {
    switch (choice.kind) {
      case "review":
        return this.review().open(aboutOf(place));
      case "proposal":
        return this.proposals.open(place);
      case "notSecret":
        return this.noSecret(aboutOf(place));
      case "more":
        return this.choose(aboutOf(place));
      default:
        return this.decide(place, choice.decision ?? "answer", choice.message, choice.leaveOut);
    }
  }

  /** One answer for all tasks of a group that wait, as they were shown: what came since is asked by itself. */
  async decideTogether(places: readonly Place[], decision: Decision): Promise<void> {
    const [first] = places;
    const group = first?.content.group?.id;
    if (first === undefined || group === undefined) {
      return;
    }
    const checkpoints = Object.fromEntries(places.map(({ run, content }) => [run.id, content.number]));
    try {
      const { skipped = [] } = await first.session.request<{
        readonly skipped?: readonly { readonly run: string; readonly why: string }[];
      }>("devloop/decide", { group, decision, checkpoints });
      for (const place of places) {
        this.review().decided(place);
      }
      if (skipped.length > 0) {
        const why = skipped.map(({ run, why }) => `${oneLine(run, 60)}: ${oneLine(why, 200)}`).join("; ");
        void vscode.window.showInformationMessage(forNotice(`Not decided: ${why}`));
      }
    } catch (problem) {
      if (places.every((place) => this.isOver(place))) {
        this.over(first.session, first.run.id, first.content.number);
        return;
      }
      void vscode.window.showWarningMessage(forNotice(problem instanceof Error ? problem.message : String(problem)));
    }
  }

  /** Accept exactly what was found, of several what the person chooses. Then the gates look again. */
  async noSecret(about: About): Promise<void> {
    const place = await this.place(about);
    if (place === undefined) {
      return;
    }
    const rows = secretsOf(place.content).map((each) => ({ label: plainLabel(secretName(each), 160), id: each.id }));
    const placeHolder = "Which of these are no secrets? Only those are let through.";
    const chosen =
      rows.length === 1
        ? rows
        : await vscode.window.showQuickPick(rows, { canPickMany: true, placeHolder, ignoreFocusOut: true });
    const [first] = chosen ?? [];
    if (first !== undefined && (await this.place(aboutOf(place))) !== undefined) {
      await this.send(
        place,
        "recheck",
        undefined,
        false,
        [],
        chosen?.map(({ id }) => id),
      );
    }
  }

  async showProposal(about: About): Promise<void> {
    const place = await this.place(about);
    if (place !== undefined) {
      await this.proposals.open(place);
    }
  }

  /** Ask for what the decision needs and send it. */
  async decide(place: Place, decision: Decision, message?: string, leaveOut: readonly string[] = []): Promise<void> {
    if ((await this.place(aboutOf(place))) === undefined) {
      return;
    }
    if (decision === "answer" && message === undefined && (place.content.question?.choices.length ?? 0) > 0) {
      const choice = await this.pick(place, (each) => each.decision === "answer" && each.message !== undefined);
      return choice === undefined ? undefined : this.decide(place, "answer", choice.message);
    }
    if (decision === "discard" && !(await this.sure(place))) {
      return;
    }
    if (decision === "answer" && message !== undefined && !(await this.seen(place, message))) {
      return;
    }
    let said = message;
    if (needsWords(decision) && said === undefined) {
      if (await this.send(place, decision, undefined, true)) {
        return; // the plan says it below the task already, and that was passed on
      }
      said = await this.words(place, decision);
      if (said === undefined) {
        return;
      }
    }
    await this.send(place, decision, said, false, leaveOut);
  }

  /** The run of the task that was named. */
  private runOf({ task, uri }: About): string | undefined {
    const { sessions } = this.context;
    const session = (uri === undefined ? undefined : sessions.of(vscode.Uri.parse(uri))) ?? sessions.current;
    const fits = (run: Run): boolean => run.task === task?.id && (task.key === undefined || run.key === task.key);
    return task === undefined ? undefined : session?.status?.runs.find(fits)?.id;
  }

  private open(run: string, number: number | undefined, uri?: string): Place | undefined {
    const named = uri === undefined ? undefined : this.context.sessions.of(vscode.Uri.parse(uri));
    const session = named ?? this.checkpoints.sessionOf(run) ?? this.context.sessions.withRun(run);
    const waiting = session && this.checkpoints.of(session).of(run);
    const known = session && this.checkpoints.runOf(session, run);
    if (session === undefined || waiting?.content === undefined || known === undefined) {
      this.over(session, run, number);
      return undefined;
    }
    if (number !== undefined && waiting.number !== number) {
      this.over(session, run, number);
      return undefined;
    }
    return { session, run: known, content: waiting.content };
  }

  /** A button of yesterday: nothing is wrong, and nothing is to be done. `written`: words that nobody will read now. */
  private over(session: Session | undefined, run: string, number: number | undefined, written = ""): void {
    if (session !== undefined && !isHeard(session)) {
      const gone = `devloop does not answer in ${session.folder.name}, so nothing was decided. Try again in a moment.`;
      void vscode.window.showWarningMessage(forNotice(gone));
      return;
    }
    void this.tellOver(session, run, number, written);
  }

  private async tellOver(session: Session | undefined, run: string, number: number | undefined, written: string) {
    const known = session && this.checkpoints.runOf(session, run);
    const name = known === undefined ? oneLine(run, 60) : nameOf(known);
    const decision = session && number !== undefined ? await this.decisionOf(session, run, number) : undefined;
    const how = decision === undefined || decision === "" ? "" : ` (${oneLine(decision, 20)})`;
    const said = forNotice(`It was decided already${how}: ${name}.`);
    void vscode.window.showInformationMessage(said, ...(written === "" ? [] : [COPY])).then((chosen) => {
      if (chosen === COPY) {
        void vscode.env.clipboard.writeText(written);
      }
    });
  }

  /** The status may say that a checkpoint is over before the event that says how: then the server is asked. */
  private async decisionOf(session: Session, run: string, number: number): Promise<string | undefined> {
    const heard = this.checkpoints.of(session).decision(run, number);
    if (heard !== undefined) {
      return heard;
    }
    try {
      const { decisions = [] } = await session.request<Shown>("devloop/show", { run });
      return decisions.find((each) => each.number === number)?.decision;
    } catch {
      return undefined; // it is over all the same
    }
  }

  private async sure({ run, content }: Place): Promise<boolean> {
    const yes = "Discard";
    const open = isAlone(content) ? "" : "The task is open again. ";
    const detail = `${open}The work stays reachable for 30 days.`;
    const question = `Throw away the work of ${nameOf(run)}?`;
    return (await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) === yes;
  }

  /** Whether the person saw all of the command that `answer` allows. */
  private async seen({ content }: Place, answer: string): Promise<boolean> {
    const found = unseen(content, answer);
    if (found === undefined) {
      return true;
    }
    const yes = "Allow";
    return (await vscode.window.showWarningMessage(found.asks, { modal: true, detail: found.command }, yes)) === yes;
  }

  /** True when the server took it. `probing`: only what the plan says already; without it nothing is said. */
  private async send(
    place: Place,
    decision: Decision,
    message: string | undefined,
    probing = false,
    leaveOut: readonly string[] = [],
    noSecrets: readonly string[] = [],
  ): Promise<boolean> {
    const { session, run, content } = place;
    const about = { run: run.id, checkpoint: content.number, decision };
    const out = accepts(decision, content) ? this.review().leftOut(place) : [];
    const without = [...out, ...leaveOut];
    try {
      if (noSecrets.length > 0) {
        await session.request("devloop/decide", { ...about, not_secret: noSecrets });
      } else if (without.length > 0) {
        await session.request("devloop/decide", { ...about, message: message ?? null, leave_out: without });
        if (out.length > 0) {
          this.review().checksAgain(place, decision, out);
        }
      } else {
        await session.execute("devloop.decide", message === undefined ? about : { ...about, message });
      }
      this.review().decided(place);
      void this.proposals.close(place);
      return true;
    } catch (problem) {
      const said = problem instanceof Error ? problem.message : String(problem);
      if (this.isOver(place)) {
        this.over(session, run.id, content.number);
        return true;
      }
      if (!probing) {
        void vscode.window.showWarningMessage(forNotice(said));
      }
      return false;
    }
  }

  // Boxes

  /** A box whose question was answered elsewhere goes away, and says so; words that were written can be had back. */
  private closeWhenOver(
    place: Place,
    box: vscode.QuickPick<vscode.QuickPickItem> | vscode.InputBox,
  ): vscode.Disposable {
    const { session, run, content } = place;
    return this.checkpoints.onDidChange((changed) => {
      if (changed === session && this.isOver(place)) {
        const written = box.value.trim();
        box.hide();
        this.over(session, run.id, content.number, written);
      }
    });
  }

  private isOver({ session, run, content }: Place): boolean {
    return isHeard(session) && this.checkpoints.of(session).of(run.id)?.number !== content.number;
  }

  private async words(place: Place, decision: Decision): Promise<string | undefined> {
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
        void this.writeInPlan(place, decision);
      });
      box.onDidHide(() => {
        watch.dispose();
        resolve(undefined);
        box.dispose();
      });
      box.show();
    });
  }

  /** The server's own action writes the line; then the person goes on there. */
  private async writeInPlan({ session, run }: Place, decision: Decision): Promise<void> {
    const { plan } = session;
    const task = plan?.tasks.find((each) => each.key === run.key) ?? plan?.tasks.find((each) => each.id === run.task);
    if (plan === undefined || task === undefined) {
      void vscode.window.showInformationMessage(
        forNotice(`Task ${oneLine(run.task, 40)} is not in the plan any more.`),
      );
      return;
    }
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(plan.uri));
    const line = document.lineAt(Math.min(task.line, document.lineCount) - 1);
    const editor = await vscode.window.showTextDocument(document);
    const found = await vscode.commands.executeCommand<readonly vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      document.uri,
      line.range,
      vscode.CodeActionKind.QuickFix.value,
      50,
    );
    const wanted = found.find((each) => each.title.includes(`\`> ${decision}: …\``));
    if (wanted?.edit !== undefined && (await vscode.workspace.applyEdit(wanted.edit))) {
      const written = document.getText().split(/\r?\n/);
      const at = written.findIndex((text, index) => index >= line.lineNumber && text.includes(`> ${decision}: `));
      const end = document.lineAt(at < 0 ? line.lineNumber : at).range.end;
      editor.selection = new vscode.Selection(end, end);
      editor.revealRange(new vscode.Range(end, end), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
      const title = titleOf(decision);
      vscode.window.setStatusBarMessage(`Write it here, then choose ${title} above the task.`, HINT_MS);
    } else {
      editor.selection = new vscode.Selection(line.range.end, line.range.end);
      editor.revealRange(line.range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }

  private pick(place: Place, among: (choice: Choice) => boolean = () => true): Promise<Choice | undefined> {
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
    const out = this.review().leftOut(place);
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

function aboutOf({ session, run, content }: Place): Required<Pick<About, "run" | "checkpoint" | "uri">> {
  return { run: run.id, checkpoint: content.number, uri: folderOf(session) };
}

/** Whether the session's server tells what waits; else nobody knows. */
function isHeard({ state, status }: Session): boolean {
  return state.kind === "running" && status !== undefined;
}

function folderOf(session: Session): string {
  return session.folder.uri.toString();
}
