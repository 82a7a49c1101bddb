/** Turns and what is in them. What was heard live is kept until the server tells the whole. */

import { block, line, number, oneLine, type Row, rows, whole } from "./read";
import { LONGEST_RESULT, LONGEST_TEXT, tokensOf } from "./reading";
import type { Body, Tool, Turn } from "./state";

export function newTurn(number: number): Turn {
  return {
    number,
    phase: "asking",
    started: null,
    seconds: null,
    model: "",
    tokens: null,
    cost: null,
    stop: "",
    summary: "",
    failed: 0,
    calls: 0,
  };
}

export function emptyBody(number: number): Body {
  return { number, text: "", thinking: "", tools: [] };
}

/** A turn as `devloop/show` records it: figures, and the names of its tools. */
export function recordedTurn(known: Turn | undefined, told: Row): Turn {
  const turn = known ?? newTurn(whole(told["number"]));
  const tools = rows(told["tools"]);
  const seconds = number(told["duration_s"]);
  const at = number(told["at"]);
  const started = turn.started ?? (at === null ? null : at - (seconds ?? 0));
  const names = tools.map((each) => line(each["name"], 60));
  return {
    ...turn,
    phase: known?.phase ?? "done",
    started,
    seconds: turn.seconds ?? seconds,
    model: line(told["model"], 80),
    tokens: tokensOf(told["tokens"]),
    cost: number(told["cost_usd"]),
    stop: line(told["stop_reason"], 40),
    summary: turn.summary || namesInShort(names),
    failed: tools.length > 0 ? tools.filter((each) => each["is_error"] === true).length : turn.failed,
    calls: Math.max(tools.length, turn.calls),
  };
}

/** A turn as `devloop/conversation` tells it. */
export function toldTurn(known: Turn | undefined, body: Body, told: Row): Turn {
  const turn = known ?? newTurn(whole(told["number"]));
  const started = number(told["started"]) ?? turn.started;
  const ended = number(told["ended"]);
  const usage = tokensOf(told["usage"]);
  const used = usage.input + usage.output + usage.cache_read + usage.cache_write > 0;
  return {
    ...turn,
    phase: turn.phase === "done" || ended !== null ? "done" : body.tools.length > 0 ? "working" : turn.phase,
    started,
    seconds: started !== null && ended !== null ? Math.max(0, ended - started) : turn.seconds,
    model: line(told["model"], 80) || turn.model,
    tokens: used ? usage : turn.tokens,
    cost: number(told["cost_usd"]) ?? turn.cost,
    stop: line(told["stop_reason"], 40) || turn.stop,
    summary: inShort(body) || turn.summary,
    ...figuresOf(body),
  };
}

export function toldBody(known: Body | undefined, told: Row): Body {
  const before = new Map(known?.tools.map((tool) => [tool.id, tool]));
  return {
    number: whole(told["number"]),
    text: block(told["text"], LONGEST_TEXT),
    thinking: block(told["thinking"], LONGEST_TEXT),
    tools: rows(told["tools"]).map((each) => toolOf(each, before.get(line(each["id"], 120)))),
  };
}

function toolOf(told: Row, known: Tool | undefined): Tool {
  return {
    id: line(told["id"], 120),
    name: line(told["name"], 60),
    argument: shown(told["argument"]) || (known?.argument ?? ""),
    result: shown(told["result"]) || (known?.result ?? ""),
    ok: typeof told["ok"] === "boolean" ? told["ok"] : (known?.ok ?? null),
    ms: number(told["ms"]) ?? known?.ms ?? null,
  };
}

/** A text as it is; anything else as JSON. */
function shown(value: unknown): string {
  if (value === null || value === undefined) {
    return "";
  }
  return block(typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? ""), LONGEST_RESULT);
}

export function figuresOf(body: Body): { readonly failed: number; readonly calls: number } {
  return { failed: body.tools.filter((tool) => tool.ok === false).length, calls: body.tools.length };
}

/** The first words of its text, else the names of its tools. */
export function inShort(body: Body): string {
  const first = body.text
    .split("\n")
    .map((each) => each.replace(/^[\s#>*+-]+|^\s*\d+[.)]\s+/, "").replace(/[`*]/g, ""))
    .find((each) => /[\p{L}\p{N}]/u.test(each));
  return first === undefined ? namesInShort(body.tools.map((tool) => tool.name)) : oneLine(first, 160);
}

function namesInShort(names: readonly string[]): string {
  const counted = new Map<string, number>();
  for (const name of names) {
    counted.set(name, (counted.get(name) ?? 0) + 1);
  }
  const told = [...counted].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`));
  return oneLine(told.join(", "), 160);
}
