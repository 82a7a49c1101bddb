/** The checkpoint that is meant, while it is open; and what a person is told when it is not any more. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Checkpoint, CommandArguments, Run, Shown } from "../protocol";
import type { Session } from "../session";
import { forNotice, oneLine, plainLabel } from "../views/text";
import { nameOf } from "./content";
import type { Checkpoints } from "./store";

/** A checkpoint that is open, as far as we know. */
export interface Place {
  readonly session: Session;
  readonly run: Run;
  readonly content: Checkpoint;
}

/** As commands name it. */
export type About = Pick<CommandArguments, "run" | "checkpoint" | "task" | "uri">;

const COPY = "Copy What I Wrote";

export class Places {
  constructor(
    private readonly context: Context,
    private readonly checkpoints: Checkpoints,
  ) {}

  /**
   * The open checkpoint that is meant; when there are several, the person says which. Undefined and said so if none:
   * then words that were `written` for it can be had back.
   */
  async find(about: About, written = ""): Promise<Place | undefined> {
    const run = about.run ?? this.runOf(about);
    if (run !== undefined) {
      return this.open(run, about.checkpoint, about.uri, written);
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
      const label = plainLabel(run === undefined ? open.run : nameOf(run), 80);
      const several = this.context.sessions.all.length > 1;
      return { label, ...(several ? { description: session.folder.name } : {}), open, uri: folderOf(session) };
    });
    const chosen = await vscode.window.showQuickPick(rows, { placeHolder: "Several runs wait. Which one?" });
    return chosen && this.open(chosen.open.run, chosen.open.number, chosen.uri);
  }

  isOver({ session, run, content }: Place): boolean {
    return isHeard(session) && this.checkpoints.of(session).of(run.id)?.number !== content.number;
  }

  /** `act` once it is over, unless nobody listens any more. */
  whenOver(place: Place, act: () => void): vscode.Disposable {
    return this.checkpoints.onDidChange((changed) => {
      if (changed === place.session && this.isOver(place)) {
        act();
      }
    });
  }

  /** The run of the task that was named. */
  private runOf({ task, uri }: About): string | undefined {
    const { sessions } = this.context;
    const session = (uri === undefined ? undefined : sessions.of(vscode.Uri.parse(uri))) ?? sessions.current;
    const fits = (run: Run): boolean => run.task === task?.id && (task.key === undefined || run.key === task.key);
    return task === undefined ? undefined : session?.status?.runs.find(fits)?.id;
  }

  private open(run: string, number: number | undefined, uri?: string, written = ""): Place | undefined {
    const named = uri === undefined ? undefined : this.context.sessions.of(vscode.Uri.parse(uri));
    const session = named ?? this.checkpoints.sessionOf(run) ?? this.context.sessions.withRun(run);
    const waiting = session && this.checkpoints.of(session).of(run);
    const known = session && this.checkpoints.runOf(session, run);
    if (session === undefined || waiting === undefined || waiting.number !== (number ?? waiting.number)) {
      this.over(session, run, number, written);
      return undefined;
    }
    if (waiting.content === undefined || known === undefined) {
      void giveBack("information", `What ${oneLine(run, 60)} waits for is still being read. Try again.`, written);
      return undefined;
    }
    return { session, run: known, content: waiting.content };
  }

  /** A button of yesterday: nothing is wrong, and nothing is to be done. `written`: words that nobody will read now. */
  over(session: Session | undefined, run: string, number: number | undefined, written = ""): void {
    if (session !== undefined && !isHeard(session)) {
      const gone = `devloop does not answer in ${session.folder.name}, so nothing was decided. Try again in a moment.`;
      void giveBack("warning", gone, written);
      return;
    }
    void this.tellOver(session, run, number, written);
  }

  private async tellOver(session: Session | undefined, run: string, number: number | undefined, written: string) {
    const known = session && this.checkpoints.runOf(session, run);
    const name = known === undefined ? oneLine(run, 60) : nameOf(known);
    if (number === undefined) {
      await giveBack("information", `${name} does not wait for you now.`, written);
      return;
    }
    const decision = session && (await this.decisionOf(session, run, number));
    const how = decision === undefined || decision === "" ? "" : ` (${oneLine(decision, 20)})`;
    await giveBack("information", `It was decided already${how}: ${name}.`, written);
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
}

/** Say why nothing was decided; words that nobody will read now can be had back. */
export async function giveBack(kind: "information" | "warning", said: string, written: string): Promise<void> {
  const { showInformationMessage, showWarningMessage } = vscode.window;
  const show = kind === "warning" ? showWarningMessage : showInformationMessage;
  if ((await show(forNotice(said), ...(written === "" ? [] : [COPY]))) === COPY) {
    await vscode.env.clipboard.writeText(written);
  }
}

export function aboutOf({ session, run, content }: Place): Required<Pick<About, "run" | "checkpoint" | "uri">> {
  return { run: run.id, checkpoint: content.number, uri: folderOf(session) };
}

/** Whether the session's server tells what waits; else nobody knows. */
function isHeard({ state, status }: Session): boolean {
  return state.kind === "running" && status !== undefined;
}

function folderOf(session: Session): string {
  return session.folder.uri.toString();
}
