/** What is in a turn: the model's words and its tool calls. Built when it is opened, then patched. */

import type { Body, Tool } from "../state";
import { milliseconds, type Tone } from "../words";
import { verbatim } from "./blocks";
import { el, fill } from "./dom";
import { icon } from "./icons";
import { markdown } from "./markdown";

export class TurnBody {
  readonly root = el("div", "turn-body");
  private readonly thinking = el("details", "thinking", el("summary", {}, "Thinking"));
  private readonly words = el("div", "answer");
  private readonly tools = el("div", "tools");
  private body: Body | undefined;
  private readonly calls = new Map<string, { tool: Tool; readonly root: HTMLDetailsElement }>();

  constructor() {
    this.root.append(this.thinking, this.words, this.tools);
    this.thinking.hidden = true;
  }

  update(body: Body | undefined): void {
    if (body === undefined || body === this.body) {
      return;
    }
    if (body.text !== this.body?.text) {
      fill(this.words, body.text.trim() && markdown(body.text));
    }
    if (body.thinking !== this.body?.thinking) {
      this.thinking.hidden = body.thinking.trim() === "";
      this.thinking.lastElementChild?.matches(".markdown") && this.thinking.lastElementChild.remove();
      this.thinking.append(markdown(body.thinking));
    }
    body.tools.forEach((tool, index) => {
      this.call(tool, index);
    });
    const wanted = new Set(body.tools.map((tool) => tool.id));
    for (const [id, known] of this.calls) {
      if (!wanted.has(id)) {
        known.root.remove();
        this.calls.delete(id);
      }
    }
    this.body = body;
  }

  private call(tool: Tool, index: number): void {
    const known = this.calls.get(tool.id);
    const root = known?.root ?? el("details", "tool", el("summary"), el("div", "tool-body"));
    if (this.tools.children[index] !== root) {
      this.tools.insertBefore(root, this.tools.children[index] ?? null);
    }
    if (known === undefined || !same(known.tool, tool)) {
      showCall(root, tool);
      this.calls.set(tool.id, { tool, root });
    }
    if (known === undefined) {
      root.addEventListener("toggle", () => {
        const now = this.calls.get(tool.id);
        if (now) {
          showDetails(root, now.tool);
        }
      });
    }
  }
}

function same(a: Tool, b: Tool): boolean {
  return a.name === b.name && a.argument === b.argument && a.result === b.result && a.ok === b.ok && a.ms === b.ms;
}

function showCall(root: HTMLDetailsElement, tool: Tool): void {
  const [summary] = root.children;
  if (summary) {
    const [word, tone] = stateOf(tool);
    fill(
      summary,
      icon(tone),
      el("span", "tool-name", tool.name),
      el("span", "argument", firstLine(tool.argument)),
      el("span", word === "ok" ? "hidden-word" : "verdict", word),
      el("span", "figures", tool.ms === null ? "" : milliseconds(tool.ms)),
    );
  }
  showDetails(root, tool);
}

/** A call that has ended without a result waits for a person's answer. */
function stateOf(tool: Tool): readonly [string, Tone] {
  if (tool.ok === null) {
    return tool.ms === null ? ["running", "busy"] : ["waits", "wait"];
  }
  return tool.ok ? ["ok", "good"] : ["failed", "bad"];
}

/** Built only while somebody looks. */
function showDetails(root: HTMLDetailsElement, tool: Tool): void {
  const inside = root.children[1];
  if (inside) {
    fill(
      inside,
      root.open && tool.argument.trim() && verbatim(tool.argument, "Argument"),
      root.open && tool.result.trim() && verbatim(tool.result, tool.ok === false ? "Error" : "Result"),
      root.open && !tool.result.trim() && el("p", "hint", tool.ok === null ? "There is no result yet." : "No result."),
    );
  }
}

function firstLine(text: string): string {
  return text.trim().slice(0, 300).split("\n", 1)[0] ?? "";
}
