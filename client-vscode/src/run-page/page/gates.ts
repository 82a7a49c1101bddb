/** Gates with their verdicts and the evidence. The newest commit's first; what earlier commits got is folded away. */

import { counted, duration, joined } from "../../views/text";
import type { Counts, Gate } from "../state";
import { verdictTone } from "../words";
import { verbatim } from "./blocks";
import { type Child, el, fill, section } from "./dom";
import { icon } from "./icons";

interface Shown {
  readonly gate: Gate;
  readonly root: HTMLDetailsElement;
}

export class Gates {
  readonly root: HTMLElement;
  private readonly now = el("div", "gates");
  private readonly before = el("details", "earlier");
  private readonly older = el("div", "gates");
  private readonly olderTitle = el("summary");
  private shown = new Map<string, Shown>();

  constructor() {
    const { root, title } = section("panel", "Gates");
    this.root = root;
    this.before.append(this.olderTitle, this.older);
    root.append(title, this.now, this.before);
    root.hidden = true;
  }

  update(gates: readonly Gate[]): void {
    const newest = gates.at(-1)?.commit;
    const shown = new Map<string, Shown>();
    for (const gate of gates) {
      const known = this.shown.get(gate.key);
      shown.set(gate.key, known?.gate === gate ? known : { gate, root: card(gate, known?.root) });
    }
    this.shown = shown;
    const roots = (wanted: boolean) =>
      gates.filter((gate) => (gate.commit === newest) === wanted).flatMap((gate) => shown.get(gate.key)?.root ?? []);
    place(this.now, roots(true));
    const earlier = roots(false).reverse();
    place(this.older, earlier);
    this.olderTitle.textContent = `${counted(earlier.length, "verdict")} on earlier commits`;
    this.before.hidden = earlier.length === 0;
    this.root.hidden = gates.length === 0;
  }
}

/** Put children in order without touching those that stand right: what is open or focused stays so. */
function place(parent: Element, wanted: readonly Element[]): void {
  for (const [index, child] of wanted.entries()) {
    if (parent.children[index] !== child) {
      parent.insertBefore(child, parent.children[index] ?? null);
    }
  }
  while (parent.children.length > wanted.length) {
    parent.lastElementChild?.remove();
  }
}

/** `old`: the element that showed this gate before; it keeps its place, its focus and whether it is open. */
function card(gate: Gate, old: HTMLDetailsElement | undefined): HTMLDetailsElement {
  const root = old ?? el("details", "gate", el("summary"), el("div", "evidence"));
  const [summary, evidence] = root.children;
  if (summary && evidence) {
    fill(
      summary,
      icon(verdictTone(gate.verdict)),
      el("span", "grow", gate.name, gate.required ? "" : el("span", "tag", "optional")),
      el("span", "verdict", gate.verdict),
      el("span", "figures", joined(shortCounts(gate.counts), gate.seconds === null ? "" : duration(gate.seconds))),
    );
    fill(evidence, ...evidenceOf(gate));
  }
  return root;
}

function shortCounts(counts: Counts | null): string {
  return counts === null ? "" : `${counts.passed}/${counts.passed + counts.failed + counts.errors}`;
}

function evidenceOf(gate: Gate): readonly Child[] {
  const facts: (readonly [string, Child])[] = [
    ["Exit code", gate.exitCode === null ? "" : String(gate.exitCode)],
    ["Signal", gate.signal === null ? "" : String(gate.signal)],
    ["Counts", longCounts(gate.counts)],
    ["Coverage", gate.coverage],
    ["Compared", compared(gate)],
    ["Tree", gate.tree && el("code", {}, gate.tree)],
  ];
  return [
    gate.reason && el("p", "reason", gate.reason),
    gate.command && verbatim(gate.command, "Command"),
    el(
      "dl",
      "pairs",
      ...facts.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
    ),
    ...names("New failures", gate.fresh),
    ...names("Gone or switched off", gate.removed),
    gate.more > 0 && el("p", "hint", `and ${gate.more} more`),
    gate.output && verbatim(gate.output, "End of its output"),
  ];
}

function longCounts(counts: Counts | null): string {
  return counts === null
    ? ""
    : joined(
        `${counts.passed} passed`,
        `${counts.failed} failed`,
        counts.errors > 0 && counted(counts.errors, "error"),
        counts.skipped > 0 && `${counts.skipped} skipped`,
      );
}

function compared(gate: Gate): string {
  return joined(gate.existing > 0 && `${gate.existing} failed before, too`, gate.fixed > 0 && `${gate.fixed} fixed`);
}

function names(heading: string, all: readonly string[]): readonly Child[] {
  return all.length === 0
    ? []
    : [el("p", "heading", heading), el("ul", "names", ...all.map((each) => el("li", {}, each)))];
}
