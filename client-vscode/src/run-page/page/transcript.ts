/** The conversation, turn by turn. Only what is looked at is built: rows for the newest turns, bodies for open ones. */

import type { Body, PageState, Said, Turn } from "../state";
import { turnFigures } from "../words";
import { button, el, fill, section, setText, uniqueId } from "./dom";
import { icon } from "./icons";
import { markdown } from "./markdown";
import { TurnBody } from "./turn-body";

/** Turns that open by themselves, and rows that are there at all before somebody asks for more. */
export const OPEN = 20;
export const ROWS = 150;
const UNUSUAL = new Set(["max_tokens", "refusal", "pause_turn", "model_context_window_exceeded", "stop_sequence"]);

export interface TranscriptActions {
  /** These turns are open and their bodies are not known. */
  readonly look: (turns: readonly number[]) => void;
  /** What the person opened (true) and closed (false). */
  readonly remember: (chosen: ReadonlyMap<number, boolean>) => void;
}

class TurnRow {
  readonly root = el("li", "turn");
  turn: Turn | undefined;
  private readonly id = uniqueId("turn");
  private readonly mark = el("span", "mark");
  private readonly name = el("span", "turn-name");
  private readonly summary = el("span", "summary");
  private readonly stop = el("span", "tag");
  private readonly figures = el("span", "figures");
  readonly toggle: HTMLButtonElement;
  private readonly slot: HTMLElement;
  private body: TurnBody | undefined;

  constructor(onToggle: () => void) {
    this.toggle = button(null, {
      class: "turn-head",
      attributes: { "aria-expanded": "false", "aria-controls": this.id },
      onClick: onToggle,
    });
    this.toggle.append(this.mark, this.name, this.summary, this.stop, this.figures);
    this.slot = el("div", { attributes: { id: this.id } });
    this.slot.hidden = true;
    this.root.append(el("h3", {}, this.toggle), this.slot);
  }

  get open(): boolean {
    return this.body !== undefined;
  }

  show(turn: Turn): void {
    if (turn === this.turn) {
      return;
    }
    const tone = turn.phase !== "done" ? "busy" : turn.failed > 0 ? "bad" : "good";
    if (turn.phase !== this.turn?.phase || turn.failed !== this.turn?.failed) {
      fill(this.mark, icon(tone));
      this.root.classList.toggle("live", turn.phase !== "done");
    }
    this.turn = turn;
    setText(this.name, `Turn ${turn.number}`);
    setText(this.summary, turn.summary || (turn.phase === "done" ? "" : "Asking the model"));
    const failed = turn.failed > 0 ? `${turn.failed} failed` : "";
    setText(this.stop, UNUSUAL.has(turn.stop) ? turn.stop.replaceAll("_", " ") : failed);
    this.stop.hidden = this.stop.textContent === "";
    setText(this.figures, turnFigures(turn));
  }

  setOpen(open: boolean): void {
    if (open !== this.open) {
      this.body = open ? new TurnBody() : undefined;
      fill(this.slot, this.body?.root);
      this.slot.hidden = !open;
      this.toggle.setAttribute("aria-expanded", String(open));
      this.root.classList.toggle("open", open);
    }
  }

  fill(body: Body | undefined): void {
    this.body?.update(body);
  }
}

export class Transcript {
  readonly root: HTMLElement;
  private readonly list = el("ol", "turns");
  private readonly earlier: HTMLButtonElement;
  private readonly empty = el("p", "hint", "Nothing has been said yet.");
  private readonly rows = new Map<number, TurnRow>();
  private readonly said = new Map<string, { said: Said; root: HTMLElement }>();
  private readonly asked = new Set<number>();
  private limit = ROWS;
  private state: PageState | undefined;

  constructor(
    private readonly actions: TranscriptActions,
    private readonly chosen: Map<number, boolean>,
  ) {
    const { root, title } = section("transcript", "Transcript");
    this.root = root;
    const all = button("Collapse all", { class: "link", onClick: () => this.all(all) });
    this.earlier = button("Show earlier turns", { class: "link", onClick: () => this.more() });
    root.append(el("div", "panel-title", title, all), this.earlier, this.empty, this.list);
  }

  /** What was asked for is not on its way any more. */
  forget(): void {
    this.asked.clear();
  }

  update(state: PageState): void {
    this.state = state;
    const from = Math.max(0, state.turns.length - this.limit);
    const visible = state.turns.slice(from);
    const first = visible[0]?.number ?? 0;
    this.earlier.hidden = from === 0;
    setText(this.earlier, `Show earlier turns (${from})`);
    this.empty.hidden = state.turns.length > 0 || state.said.length > 0;
    const newest = state.turns.at(-OPEN)?.number ?? 0;
    const wanted: HTMLElement[] = [];
    const said = state.said.filter((each) => from === 0 || each.after >= first);
    let next = 0;
    const tell = (upto: number) => {
      for (let each = said[next]; each !== undefined && each.after < upto; each = said[++next]) {
        wanted.push(this.saidRow(each));
      }
    };
    for (const turn of visible) {
      tell(turn.number);
      const row = this.row(turn);
      row.setOpen(
        this.chosen.get(turn.number) ??
          (turn.number >= newest || (row.open && row.root.contains(document.activeElement))),
      );
      row.fill(state.bodies.get(turn.number));
      wanted.push(row.root);
    }
    tell(Number.POSITIVE_INFINITY);
    this.place(wanted);
    this.look();
  }

  /** Open a turn and bring it into sight. */
  goTo(number: number): void {
    const state = this.state;
    const index = state?.turns.findIndex((turn) => turn.number === number) ?? -1;
    if (state === undefined || index < 0) {
      return;
    }
    this.limit = Math.max(this.limit, state.turns.length - index);
    this.chosen.set(number, true);
    this.actions.remember(this.chosen);
    this.update(state);
    const row = this.rows.get(number);
    row?.root.scrollIntoView({ block: "start" });
    row?.toggle.focus({ preventScroll: true });
  }

  private row(turn: Turn): TurnRow {
    const known = this.rows.get(turn.number);
    const row = known ?? new TurnRow(() => this.flip(turn.number));
    if (known === undefined) {
      this.rows.set(turn.number, row);
    }
    row.show(turn);
    return row;
  }

  private flip(number: number): void {
    const row = this.rows.get(number);
    if (row) {
      this.choose([row], !row.open);
    }
  }

  private choose(rows: Iterable<TurnRow>, open: boolean): void {
    for (const row of rows) {
      if (row.turn) {
        this.chosen.set(row.turn.number, open);
        row.setOpen(open);
        row.fill(this.state?.bodies.get(row.turn.number));
      }
    }
    this.actions.remember(this.chosen);
    this.look();
  }

  private all(toggle: HTMLElement): void {
    const open = toggle.textContent === "Expand all";
    this.choose(this.rows.values(), open);
    toggle.textContent = open ? "Collapse all" : "Expand all";
  }

  private more(): void {
    const before = this.list.firstElementChild;
    this.limit += ROWS;
    if (this.state) {
      this.update(this.state);
    }
    const first = this.list.querySelector("button");
    if (this.earlier.hidden) {
      first?.focus({ preventScroll: true });
    }
    before?.scrollIntoView({ block: "nearest" });
  }

  /** Ask for bodies of open turns that were never sent. */
  private look(): void {
    const missing = [...this.rows]
      .filter(([number, row]) => row.open && !this.asked.has(number) && !this.state?.bodies.has(number))
      .map(([number]) => number);
    for (const number of missing) {
      this.asked.add(number);
    }
    if (missing.length > 0) {
      this.actions.look(missing);
    }
  }

  private saidRow(said: Said): HTMLElement {
    const known = this.said.get(said.key);
    if (known?.said === said) {
      return known.root;
    }
    const root = known?.root ?? el("li", "said");
    const open = root.querySelector(":scope > details")?.hasAttribute("open") ?? false;
    fill(root, saidContent(said));
    root.querySelector(":scope > details")?.toggleAttribute("open", open);
    this.said.set(said.key, { said, root });
    return root;
  }

  private place(wanted: readonly HTMLElement[]): void {
    const keep = new Set<Element>(wanted);
    for (const child of [...this.list.children]) {
      if (!keep.has(child)) {
        child.remove();
      }
    }
    wanted.forEach((child, index) => {
      if (this.list.children[index] !== child) {
        this.list.insertBefore(child, this.list.children[index] ?? null);
      }
    });
  }
}

function saidContent({ who, title, text, good }: Said): HTMLElement {
  const heading = el("h3", {}, title);
  if (who === "person") {
    return el("div", "words-of person", el("h3", {}, `You: ${title}`), text.trim() && markdown(text));
  }
  const details = el("details", `words-of ${who}`);
  if (who === "gates") {
    details.append(
      el("summary", {}, icon(good ? "good" : "bad"), heading),
      ...text.split("\n").map((line) => el("p", {}, line)),
    );
  } else {
    details.append(el("summary", {}, heading), markdown(text));
  }
  return details;
}
