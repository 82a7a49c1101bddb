/** What a person decides about a checkpoint: asked for what it needs, and told to the server. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { accepts, needsWords } from "../decisions";
import type { CommandArguments, Decision } from "../protocol";
import { forNotice, oneLine } from "../views/text";
import { Boxes } from "./boxes";
import { type Choice, secretsOf } from "./content";
import { type About, aboutOf, giveBack, type Place, Places } from "./places";
import type { Proposals } from "./proposal";
import type { Review } from "./review";
import type { Checkpoints } from "./store";

/** What goes with a decision. */
interface With {
  readonly message?: string | undefined;
  /** Only what the plan says already; without it nothing is said. */
  readonly probing?: boolean;
  readonly leaveOut?: readonly string[];
  /** Findings that are none. */
  readonly noSecrets?: readonly string[];
}

export class Deciding {
  readonly places: Places;
  private readonly boxes: Boxes;

  constructor(
    context: Context,
    checkpoints: Checkpoints,
    private readonly review: () => Review,
    private readonly proposals: Proposals,
  ) {
    this.places = new Places(context, checkpoints);
    this.boxes = new Boxes(this.places, (place) => this.review().leftOut(place));
  }

  /** What a command, a link or a run's page says; without a decision the person is asked for one. */
  async take(given: CommandArguments): Promise<void> {
    const { decision, message, leave_out } = given;
    if (decision === undefined) {
      return this.choose(given);
    }
    const place = await this.places.find(given, message);
    await (place && this.decide(place, decision, message, leave_out));
  }

  /** Every decision with what it does. */
  async choose(about: About): Promise<void> {
    const place = await this.places.find(about);
    if (place !== undefined) {
      const choice = await this.boxes.pick(place);
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
      if (places.every((place) => this.places.isOver(place))) {
        this.places.over(first.session, first.run.id, first.content.number);
        return;
      }
      void vscode.window.showWarningMessage(forNotice(problem instanceof Error ? problem.message : String(problem)));
    }
  }

  /** Accept exactly what was found, of several what the person chooses. Then the gates look again. */
  async noSecret(about: About): Promise<void> {
    const place = await this.places.find(about);
    if (place === undefined) {
      return;
    }
    const noSecrets = await this.boxes.which(secretsOf(place.content));
    if (noSecrets.length > 0 && (await this.places.find(aboutOf(place))) !== undefined) {
      await this.send(place, "recheck", { noSecrets });
    }
  }

  async showProposal(about: About): Promise<void> {
    const place = await this.places.find(about);
    if (place !== undefined) {
      await this.proposals.open(place);
    }
  }

  /** Ask for what the decision needs and send it. */
  async decide(place: Place, decision: Decision, message?: string, leaveOut: readonly string[] = []): Promise<void> {
    if ((await this.places.find(aboutOf(place), written(place, message))) === undefined) {
      return;
    }
    if (decision === "answer" && message === undefined && (place.content.question?.choices.length ?? 0) > 0) {
      const choice = await this.boxes.pick(place, (each) => each.decision === "answer" && each.message !== undefined);
      return choice === undefined ? undefined : this.decide(place, "answer", choice.message);
    }
    if (decision === "discard" && !(await this.boxes.sure(place))) {
      return;
    }
    if (decision === "answer" && message !== undefined && !(await this.boxes.seen(place, message))) {
      return;
    }
    let said = message;
    if (needsWords(decision) && said === undefined) {
      if (await this.send(place, decision, { probing: true })) {
        return; // the plan says it below the task already, and that was passed on
      }
      said = await this.boxes.words(place, decision);
      if (said === undefined) {
        return;
      }
    }
    await this.send(place, decision, { message: said, leaveOut });
  }

  /** True when the server took it. */
  private async send(
    place: Place,
    decision: Decision,
    { message, probing = false, leaveOut = [], noSecrets = [] }: With,
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
      if (this.places.isOver(place)) {
        this.places.over(session, run.id, content.number, written(place, message));
        return true;
      }
      if (!probing) {
        void giveBack("warning", said, written(place, message));
      }
      return false;
    }
  }
}

/** Words of the person's own: what the agent offers as an answer can be chosen again. */
function written({ content }: Place, message = ""): string {
  return content.question?.choices.includes(message) ? "" : message;
}
