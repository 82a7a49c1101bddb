/** What a person is asked, and their answer. */

import { detailOf, isDecision, needsWords, offered, recommended, titleAt, wordsOf } from "../../decisions";
import type { Checkpoint } from "../state";
import { headingOf } from "../words";
import { button, el, fill, section, uniqueId } from "./dom";
import { markdown } from "./markdown";

export interface CheckpointActions {
  readonly decide: (checkpoint: number, decision: string, message: string | null) => void;
  readonly without: (checkpoint: number, decision: string) => void;
  readonly noSecret: (checkpoint: number) => void;
  readonly proposal: () => void;
  readonly review: () => void;
  /** Words that are being written, so that they outlive the page. */
  readonly draft: (text: string) => void;
}

function labelOf(decision: string, checkpoint: Checkpoint): string {
  return isDecision(decision) ? titleAt(decision, checkpoint) : decision;
}

export class CheckpointArea {
  readonly root: HTMLElement;
  private readonly title: HTMLElement;
  private readonly body = el("div");
  private readonly problem = el("p", { class: "problem", attributes: { role: "alert" } });
  private shown: Checkpoint | null = null;
  private locked = "";
  private sent = false;

  constructor(
    private readonly actions: CheckpointActions,
    private draft: string,
  ) {
    const { root, title } = section("checkpoint", "");
    this.root = root;
    this.title = title;
    title.tabIndex = -1;
    root.append(title, this.body, this.problem);
    root.hidden = true;
    this.problem.hidden = true;
  }

  /** Bring it into sight and let the keyboard go on from there. */
  focus(): void {
    this.root.scrollIntoView({ block: "start" });
    const first = this.body.querySelector<HTMLElement>("button:enabled, textarea:enabled");
    (first ?? this.title).focus({ preventScroll: true });
  }

  update(checkpoint: Checkpoint | null, locked: string): void {
    if (checkpoint !== this.shown || locked !== this.locked) {
      const other = checkpoint?.number !== this.shown?.number;
      this.shown = checkpoint;
      this.locked = locked;
      if (other) {
        this.sent = false;
        this.say("");
      }
      this.root.hidden = checkpoint === null;
      fill(this.body);
      if (checkpoint !== null) {
        this.title.textContent = headingOf(checkpoint.kind);
        this.build(checkpoint);
      }
    }
  }

  answered(taken: boolean, problem: string): void {
    this.sent = taken;
    if (this.sent) {
      this.draft = "";
      this.actions.draft("");
    }
    this.enable();
    this.say(problem);
  }

  private say(problem: string): void {
    this.problem.textContent = problem;
    this.problem.hidden = problem === "";
  }

  private build(checkpoint: Checkpoint): void {
    if (checkpoint.problem) {
      this.body.append(el("div", "quote bad", markdown(checkpoint.problem)));
    }
    if (checkpoint.question) {
      this.body.append(el("div", "quote", markdown(checkpoint.question)));
    }
    if (checkpoint.summary) {
      this.body.append(el("div", "quote", markdown(checkpoint.summary)));
    }
    if (checkpoint.report && !checkpoint.summary.includes(checkpoint.report) && checkpoint.proposal === null) {
      this.body.append(el("div", "quote", markdown(checkpoint.report)));
    }
    const doubt = checkpoint.kind === "decision" && recommended(checkpoint) === undefined ? checkpoint.why : "";
    if (doubt) {
      this.body.append(el("p", "heading", `Look closer: ${doubt}`));
    }
    for (const text of checkpoint.beside) {
      this.body.append(el("p", "heading", text));
    }
    if (checkpoint.proposal !== null) {
      const { said, leftOut, notes } = checkpoint.proposal;
      const items = [...leftOut.map((each) => `Left out: ${each}`), ...notes].map((each) => el("li", {}, each));
      this.body.append(el("p", "heading", `Accepting changes the plan: ${said || "see the difference"}`));
      this.body.append(el("ul", "guards", ...items));
    }
    if (checkpoint.guards.length > 0) {
      const items = checkpoint.guards.map((guard) => el("li", {}, guard));
      this.body.append(el("p", "heading", "This work changes the checks themselves:"), el("ul", "guards", ...items));
    }
    this.body.append(this.decisions(checkpoint));
    if (this.locked) {
      this.body.append(el("p", "hint", this.locked));
    }
    this.enable();
  }

  private decisions(checkpoint: Checkpoint): HTMLElement {
    const choices = checkpoint.decisions.includes("answer") ? this.answers(checkpoint) : null;
    const form = el("div", "form");
    const made: HTMLButtonElement[] = [];
    const first = recommended(checkpoint) ?? (choices === null ? offered(checkpoint)[0] : undefined);
    for (const decision of offered(checkpoint).filter((each) => each !== "answer")) {
      const asks = needsWords(decision);
      const detail = detailOf(decision, checkpoint);
      const why = checkpoint.why ? `Recommended: ${checkpoint.why}.` : "Recommended.";
      const title = decision === recommended(checkpoint) ? `${why} ${detail}` : detail;
      made.push(
        button(labelOf(decision, checkpoint), {
          class: decision === first ? "primary" : "secondary",
          attributes: { title, ...(asks ? { "aria-expanded": "false" } : {}) },
          onClick: () => (asks ? this.ask(form, decision, made) : this.send(decision, null)),
        }),
      );
    }
    const review = button("Review changes", { class: "secondary review", onClick: this.actions.review });
    const [main, ...rest] = made;
    const all = [main, ...this.aboutSecrets(checkpoint), ...rest].filter((each) => each !== undefined);
    const shown = checkpoint.kind === "question" ? made : [...all, ...this.aboutPlan(checkpoint), review];
    const row = el("div", { class: "decisions", attributes: { role: "group", "aria-label": "Decisions" } }, ...shown);
    if (this.draft !== "" && checkpoint.decisions.includes("revise")) {
      this.ask(form, "revise", made, false);
    }
    return el("div", {}, choices, row, form);
  }

  /** Saying that what holds the work back is no secret. */
  private aboutSecrets({ noSecret, number }: Checkpoint): HTMLButtonElement[] {
    if (noSecret === null) {
      return [];
    }
    const onClick = () => this.once(() => this.actions.noSecret(number));
    return [button(noSecret.title, { class: "secondary", attributes: { title: noSecret.detail }, onClick })];
  }

  /** Seeing what accepting makes of the plan, and accepting without it. */
  private aboutPlan(checkpoint: Checkpoint): HTMLButtonElement[] {
    const { proposal, number } = checkpoint;
    const able = offered(checkpoint).find((each) => each === "continue" || each === "commit");
    if (proposal === null) {
      return [];
    }
    const show = button("Show plan changes", { class: "secondary review", onClick: this.actions.proposal });
    if (!proposal.optional || able === undefined) {
      return [show];
    }
    const without = button(`${labelOf(able, checkpoint)} without plan changes`, {
      class: "secondary",
      attributes: { title: "The plan stays as it is." },
      onClick: () => this.once(() => this.actions.without(number, able)),
    });
    return [show, without];
  }

  /** What may be answered with one click, and a field for everything else. */
  private answers({ choices }: Checkpoint): HTMLElement {
    const buttons = choices.map((choice) =>
      button(choice, { class: "primary", onClick: () => this.send("answer", choice) }),
    );
    const row = el("div", { class: "decisions", attributes: { role: "group", "aria-label": "Answers" } }, ...buttons);
    const words = this.words("answer", buttons.length > 0 ? "Or in your own words" : "Your answer", null);
    return el("div", {}, buttons.length > 0 && row, words);
  }

  /** Open the field for a decision that carries words, or close it again. */
  private ask(form: HTMLElement, decision: string, buttons: readonly HTMLButtonElement[], focus = true): void {
    const label = this.shown === null ? decision : labelOf(decision, this.shown);
    const opener = buttons.find((each) => each.textContent === label);
    const open = opener?.getAttribute("aria-expanded") === "true";
    for (const each of buttons.filter((one) => one.hasAttribute("aria-expanded"))) {
      each.setAttribute("aria-expanded", String(each === opener && !open));
    }
    const close = () => {
      fill(form);
      opener?.setAttribute("aria-expanded", "false");
      opener?.focus();
    };
    if (open) {
      close();
    } else {
      fill(form, this.words(decision, wordsOf(decision)?.asks ?? "What should it be told?", close));
      if (focus) {
        form.querySelector("textarea")?.focus();
      }
    }
  }

  private words(decision: string, label: string, close: (() => void) | null): HTMLElement {
    const id = uniqueId("words");
    const field = el("textarea", { attributes: { id, rows: "3" } });
    field.value = this.draft;
    const submit = () => {
      if (field.value.trim() === "") {
        field.focus();
      } else {
        this.send(decision, field.value);
      }
    };
    field.addEventListener("input", () => {
      this.draft = field.value;
      this.actions.draft(field.value);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        submit();
      } else if (event.key === "Escape" && close !== null) {
        event.preventDefault();
        close();
      }
    });
    const send = button(
      decision === "answer" ? "Send answer" : decision === "block" ? "Mark blocked" : "Send to agent",
      {
        class: "primary",
        attributes: { title: "Ctrl+Enter" },
        onClick: submit,
      },
    );
    const cancel = close === null ? null : button("Close", { class: "secondary", onClick: close });
    return el(
      "div",
      "words",
      el("label", { attributes: { for: id } }, label),
      field,
      el("div", "decisions", send, cancel),
    );
  }

  private send(decision: string, message: string | null): void {
    const number = this.shown?.number;
    if (number !== undefined) {
      this.once(() => this.actions.decide(number, decision, message));
    }
  }

  private once(act: () => void): void {
    if (this.shown !== null && !this.sent && !this.locked) {
      this.sent = true;
      this.say("");
      this.enable();
      act();
    }
  }

  private enable(): void {
    for (const each of this.body.querySelectorAll<HTMLButtonElement | HTMLTextAreaElement>("button, textarea")) {
      each.disabled = this.sent || (this.locked !== "" && !each.classList.contains("review"));
    }
  }
}
