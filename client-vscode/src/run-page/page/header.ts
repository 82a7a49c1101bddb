/** Which run this is and how it stands. The bar stays in sight; facts below it scroll away. */

import { duration, joined, money, runName, tokens } from "../../views/text";
import { clock, iso } from "../clock";
import { oneLine } from "../read";
import type { PageState, RunHead } from "../state";
import { stateOf, type Tone, toneOf } from "../words";
import { button, type Child, el, fill, setText } from "./dom";
import { icon } from "./icons";

export interface HeaderActions {
  readonly goToDecision: () => void;
  readonly cancel: () => void;
  readonly openTranscript: () => void;
  readonly openPlan: () => void;
}

export class Header {
  readonly root: HTMLElement;
  private readonly mark = el("span", "mark");
  private readonly state = el("span", "state");
  private readonly badge = el("span", "badge");
  private readonly title = el("h1");
  private readonly doing = el("span", "doing");
  private readonly facts = el("dl", "facts");
  private readonly reason = el("p", "reason");
  private readonly trouble = el("p", { class: "banner", attributes: { role: "alert" } });
  private readonly decide: HTMLButtonElement;
  private readonly stop: HTMLButtonElement;
  private tone: Tone | undefined;
  private asks = false;
  private checkpointShown = false;

  constructor(actions: HeaderActions) {
    this.decide = button("Decide", { class: "primary", onClick: actions.goToDecision });
    this.stop = button("Cancel run", { class: "secondary", onClick: actions.cancel });
    const plan = button("Show in plan", { class: "secondary", onClick: actions.openPlan });
    const transcript = button("Open as text", {
      class: "secondary",
      attributes: { title: "Open the whole transcript as a document" },
      onClick: actions.openTranscript,
    });
    fill(this.badge, this.mark, this.state);
    const bar = el(
      "div",
      "bar",
      el("div", "name", this.badge, this.title, this.doing),
      el("div", "actions", this.decide, this.stop, plan, transcript),
    );
    this.root = el("header", "top", bar);
    this.below = el("div", "about", this.trouble, this.reason, this.facts);
  }

  /** What stands under the bar and does not stay in sight. */
  readonly below: HTMLElement;

  update(state: PageState): void {
    const { run } = state;
    const tone = toneOf(run);
    if (tone !== this.tone) {
      this.tone = tone;
      this.badge.className = `badge ${tone}`;
      fill(this.mark, icon(tone));
    }
    setText(this.state, stateOf(run));
    setText(this.title, joinedTitle(run));
    setText(this.doing, whatGoesOn(state));
    this.asks = state.checkpoint !== null;
    this.offer();
    this.stop.hidden = run.state === "ended" || run.state === "";
    this.stop.disabled = run.state === "landing";
    setText(this.trouble, state.trouble);
    this.trouble.hidden = state.trouble === "";
    setText(this.reason, run.reason);
    // The bar says a short one.
    this.reason.hidden = run.reason === "" || (run.state === "ended" && run.reason === oneLine(run.reason, 120));
  }

  /** Whether the checkpoint itself is in sight: then nothing has to lead there. */
  inSight(shown: boolean): void {
    this.checkpointShown = shown;
    this.offer();
  }

  private offer(): void {
    this.decide.hidden = !this.asks || this.checkpointShown;
  }

  updateFacts(run: RunHead): void {
    fill(
      this.facts,
      ...factsOf(run).flatMap(([name, value]) => [el("div", {}, el("dt", {}, name), el("dd", {}, ...value))]),
    );
  }
}

function joinedTitle(run: RunHead): string {
  return runName(run).trim() || `Run ${run.id}`;
}

function whatGoesOn({ run, doing }: PageState): string {
  if (run.state === "ended" || run.state === "") {
    return oneLine(run.reason, 300);
  }
  const turn = run.turn > 0 ? `turn ${run.turn}${run.turnLimit > 0 ? ` of ${run.turnLimit}` : ""}` : "";
  const waits = run.waitingFor ? `waits for ${run.waitingFor}` : "";
  return joined(doing || waits, turn);
}

function factsOf(run: RunHead): readonly (readonly [string, readonly Child[]])[] {
  const facts: (readonly [string, readonly Child[]])[] = [
    ["Agent", [joined(run.agent, run.mode) || "–"]],
    [
      "Model",
      [
        run.model || "–",
        run.scripted &&
          el(
            "span",
            { class: "tag", attributes: { title: "Answers come from a script, not from a model" } },
            "scripted",
          ),
      ],
    ],
    ["Cost", [joined(money(run.cost), `${tokens(run.tokens)} tokens`)]],
    ["Started", [moment(run.started)]],
  ];
  if (run.ended !== null) {
    const took = run.started === null ? "" : duration(Math.max(0, run.ended - run.started));
    facts.push(["Ended", [moment(run.ended), took ? ` · after ${took}` : ""]]);
  }
  if (run.attempt > 1) {
    facts.push(["Attempt", [String(run.attempt)]]);
  }
  if (run.branch) {
    facts.push(["Branch", [el("code", {}, run.branch)]]);
  }
  if (run.commit) {
    facts.push(["Commit", [el("code", { attributes: { title: run.commit } }, run.commit.slice(0, 10))]]);
  }
  facts.push(["Run", [el("code", {}, run.id)]]);
  return facts;
}

function moment(seconds: number | null): Child {
  if (seconds === null) {
    return "not yet";
  }
  const today = new Date().toDateString() === new Date(seconds * 1000).toDateString();
  const date = today ? "" : `${iso(seconds).slice(0, 10)} `;
  return el("time", { attributes: { datetime: iso(seconds) } }, `${date}${clock(seconds)}`);
}
