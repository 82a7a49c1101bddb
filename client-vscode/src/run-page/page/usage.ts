/** Tokens and cost of each turn: bars that the keyboard can walk along, and the same as a table. */

import { joined, money, tokens } from "../../views/text";
import { type Bar, bars, SERIES } from "../bars";
import type { Turn } from "../state";
import { el, fill, section, setText, svg, uniqueId } from "./dom";

const WIDTH = 300;
const HEIGHT = 72;
const COSTS = 28;
const GAP = 8;

export class Usage {
  readonly root: HTMLElement;
  private readonly chart = el("div", "chart");
  private readonly readout = el("p", { class: "readout", attributes: { id: uniqueId("readout") } });
  private readonly table = el("table");
  private readonly asTable = el("details", "earlier", el("summary", {}, "As a table"));
  private current = -1;
  /** Somebody looks at a bar; otherwise the newest is told. */
  private chosen = false;
  private all: readonly Bar[] = [];
  private marks: readonly SVGElement[] = [];
  private turns: readonly Turn[] = [];

  constructor(private readonly goTo: (turn: number) => void) {
    const { root, title } = section("panel", "Tokens and cost");
    this.root = root;
    const legend = el(
      "ul",
      "legend",
      ...SERIES.map(({ name, key }) => el("li", {}, swatch(key), name)),
      el("li", {}, swatch("cost"), "cost"),
    );
    this.asTable.append(
      el(
        "div",
        {
          class: "scroll",
          attributes: { tabindex: "0", role: "region", "aria-label": "Tokens and cost of each turn" },
        },
        this.table,
      ),
    );
    this.asTable.addEventListener("toggle", () => this.fillTable());
    const leave = () => {
      this.chosen = this.chart.contains(document.activeElement);
    };
    this.chart.addEventListener("mouseleave", leave);
    this.chart.addEventListener("focusout", () => {
      this.chosen = false;
    });
    root.append(title, this.chart, this.readout, legend, this.asTable);
    root.hidden = true;
  }

  update(turns: readonly Turn[]): void {
    const counted = turns.filter((turn) => turn.tokens !== null);
    if (sameFigures(counted, this.turns)) {
      return;
    }
    this.turns = counted;
    this.all = bars(counted);
    this.root.hidden = !this.all.some((bar) => bar.total > 0 || bar.cost > 0);
    const focused = this.chart.contains(document.activeElement);
    this.current = this.chosen ? Math.min(this.current, this.all.length - 1) : this.all.length - 1;
    this.draw();
    if (focused) {
      this.marks[this.current]?.focus();
    }
    this.fillTable();
  }

  private draw(): void {
    const step = WIDTH / Math.max(this.all.length, 12);
    const width = Math.max(1, Math.min(18, step * 0.78));
    const highest = Math.max(1, ...this.all.map((bar) => bar.total));
    const dearest = Math.max(1e-9, ...this.all.map((bar) => bar.cost));
    this.marks = this.all.map((bar, index) =>
      this.mark(bar, index, index * step, width, step, HEIGHT / highest, COSTS / dearest),
    );
    const picture = svg(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT + GAP + COSTS}`,
        role: "group",
        "aria-label": "Tokens and cost of each turn. Arrow keys walk along the turns, Enter goes to the turn.",
      },
      svg("path", { class: "axis", d: `M0 ${HEIGHT + 0.5}H${WIDTH}M0 ${HEIGHT + GAP + COSTS - 0.5}H${WIDTH}` }),
      ...this.marks,
    );
    picture.addEventListener("keydown", (event) => this.key(event));
    fill(this.chart, picture);
    this.say();
  }

  private mark(
    bar: Bar,
    index: number,
    x: number,
    width: number,
    step: number,
    perToken: number,
    perDollar: number,
  ): SVGElement {
    const attributes = { x: fixed(x), width: fixed(width) };
    let y = HEIGHT;
    const parts = SERIES.map(({ key }) => {
      const height = bar.tokens[key] * perToken;
      y -= height;
      return svg("rect", { ...attributes, class: `bar ${key}`, y: fixed(y), height: fixed(height) });
    });
    const cost = bar.cost * perDollar;
    const made = svg(
      "g",
      {
        class: "turn-bar",
        role: "button",
        tabindex: index === this.current ? "0" : "-1",
        "aria-label": textOf(bar),
      },
      svg("rect", {
        class: "hit",
        x: fixed(x - (step - width) / 2),
        y: "0",
        width: fixed(step),
        height: String(HEIGHT + GAP + COSTS),
      }),
      ...parts,
      svg("rect", { ...attributes, class: "bar cost", y: fixed(HEIGHT + GAP + COSTS - cost), height: fixed(cost) }),
    );
    made.addEventListener("click", () => this.goTo(bar.first));
    made.addEventListener("focus", () => this.select(index));
    made.addEventListener("mouseenter", () => this.select(index));
    return made;
  }

  private key(event: KeyboardEvent): void {
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: this.current - 1,
      ArrowRight: this.current + 1,
      Home: 0,
      End: this.marks.length - 1,
    };
    const next = moves[event.key];
    if (next !== undefined) {
      event.preventDefault();
      this.marks[Math.max(0, Math.min(this.marks.length - 1, next))]?.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      const bar = this.all[this.current];
      if (bar) {
        this.goTo(bar.first);
      }
    }
  }

  private select(index: number): void {
    this.chosen = true;
    if (index !== this.current) {
      this.marks[this.current]?.setAttribute("tabindex", "-1");
      this.marks[index]?.setAttribute("tabindex", "0");
      this.current = index;
      this.say();
    }
  }

  private say(): void {
    const bar = this.all[this.current];
    setText(this.readout, bar === undefined ? "" : textOf(bar));
  }

  private fillTable(): void {
    if (!this.asTable.open) {
      return;
    }
    const head = ["Turn", ...SERIES.map(({ name }) => name), "cost"].map((name) =>
      el("th", { attributes: { scope: "col" } }, name),
    );
    const rows = this.turns.flatMap((turn) => {
      const { tokens: used } = turn;
      return used === null
        ? []
        : [
            el(
              "tr",
              {},
              el("th", { attributes: { scope: "row" } }, String(turn.number)),
              ...SERIES.map(({ key }) => el("td", {}, used[key].toLocaleString("en"))),
              el("td", {}, money(turn.cost)),
            ),
          ];
    });
    fill(this.table, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
  }
}

/** Most of what happens in a turn changes no figure. */
function sameFigures(a: readonly Turn[], b: readonly Turn[]): boolean {
  const same = (one: Turn, other: Turn | undefined) =>
    one.number === other?.number &&
    one.cost === other.cost &&
    JSON.stringify(one.tokens) === JSON.stringify(other.tokens);
  return a.length === b.length && a.every((turn, index) => turn === b[index] || same(turn, b[index]));
}

function fixed(value: number): string {
  return value.toFixed(2);
}

function textOf(bar: Bar): string {
  const name = bar.first === bar.last ? `Turn ${bar.first}` : `Turns ${bar.first} to ${bar.last}`;
  return `${name}: ${joined(`${tokens(bar.tokens)} tokens`, money(bar.cost))}`;
}

function swatch(key: string): SVGElement {
  return svg(
    "svg",
    { class: "swatch", viewBox: "0 0 10 10", width: "10", height: "10", "aria-hidden": "true", focusable: "false" },
    svg("rect", { class: `bar ${key}`, x: "0.5", y: "0.5", width: "9", height: "9" }),
  );
}
