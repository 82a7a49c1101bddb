/** How each kind of event changes what is shown. */

import { clock } from "./clock";
import { upserted } from "./patch";
import { block, line, number, oneLine, type Row, whole } from "./read";
import { checkpointOf, countsOf, gateKey, gateOf, headWith, LONGEST_RESULT, LONGEST_TEXT } from "./reading";
import { withHook } from "./said";
import type { Body, Gate, Model, Tool, Turn } from "./state";
import { emptyBody, figuresOf, inShort, newTurn } from "./turns";

/** `at` is when it happened, in Unix seconds. */
export type Fold = (model: Model, data: Row, at: number | null) => Model;

const WRITING: Readonly<Record<string, string>> = { text: "Answering", thinking: "Thinking", tool_input: "Calling" };

export const folds: Readonly<Record<string, Fold>> = {
  "run.queued": (model, data) => ({ ...model, run: headWith(model.run, data) }),
  "run.state": state,
  "run.ended": (model, data, at) =>
    over({ ...model, run: headWith(model.run, { state: "ended", ended: at, ...data }) }),
  "turn.started": turnStarted,
  "turn.progress": turnProgress,
  "turn.ended": turnEnded,
  "tool.started": toolStarted,
  "tool.ended": toolEnded,
  "hook.started": (model, data) => ({ ...model, doing: hooksOf(data) }),
  "hook.ended": (model, data, at) => ({ ...model, doing: "", said: withHook(model.said, data, at) }),
  "model.waiting": modelWaiting,
  "gate.started": gateStarted,
  "gate.ended": gateEnded,
  "checkpoint.opened": (model, data) => ({
    ...model,
    run: headWith(model.run, { state: "waiting", ...figures(data) }),
    checkpoint: checkpointOf(data),
    doing: "",
  }),
  "checkpoint.closed": (model) => ({ ...model, checkpoint: null }),
  "landing.done": (model, data) => ({ ...model, run: headWith(model.run, { commit: data["new"] }) }),
  notice: (model, data) => {
    const text = block(data["text"], 600);
    return text === "" || model.notices.includes(text) ? model : { ...model, notices: [...model.notices, text] };
  },
};

function hooksOf(data: Row): string {
  const names = Array.isArray(data["hooks"]) ? data["hooks"].map(String).join(", ") : "";
  return `Hook ${line(names, 80) || line(data["event"], 40)}`.trim();
}

function state(model: Model, data: Row): Model {
  if (model.run.state === "ended") {
    return model; // an older event that came after the answer which knows how it ended
  }
  const run = headWith(model.run, data);
  const next = { ...model, run, checkpoint: run.state === "waiting" ? model.checkpoint : null };
  return run.state === "ended" ? over(next) : { ...next, doing: "" };
}

/** Nothing goes on any more. */
function over(model: Model): Model {
  return {
    ...model,
    checkpoint: null,
    doing: "",
    turns: model.turns.map((turn) => (turn.phase === "done" ? turn : { ...turn, phase: "done" })),
    gates: model.gates.filter((gate) => gate.verdict !== "running"),
  };
}

function figures(data: Row): Row {
  return "cost_usd" in data && "tokens" in data ? { cost_usd: data["cost_usd"], tokens: data["tokens"] } : {};
}

function turnStarted(model: Model, data: Row, at: number | null): Model {
  const number = whole(data["turn"]);
  if (number === 0 || turnOf(model, number)?.phase === "done") {
    return model;
  }
  const before: readonly Turn[] = model.turns
    .filter((turn) => turn.number < number && turn.phase !== "done")
    .map((turn) => ({ ...turn, phase: "done" }));
  const turn: Turn = { ...(turnOf(model, number) ?? newTurn(number)), phase: "asking", started: at };
  return {
    ...model,
    run: headWith(model.run, { turn: Math.max(number, model.run.turn) }),
    turns: upserted(model.turns, [...before, turn]),
    doing: "Asking the model",
  };
}

function turnProgress(model: Model, data: Row): Model {
  const tool = line(data["tool"], 60);
  const count = whole(data["tokens"]);
  const word = WRITING[String(data["doing"])] ?? "Working";
  const doing = `${word}${tool ? ` ${tool}` : ""}${count > 0 ? `, ${count} tokens` : ""}`;
  return { ...withWords(model, data), doing };
}

/** The words so far. The last ones only of a long answer; the whole comes with the conversation. */
function withWords(model: Model, data: Row): Model {
  const turn = turnOf(model, whole(data["turn"]));
  const from = data["cut"] === true ? "… " : "";
  const said = (name: string) => (data[name] ? from + block(data[name], LONGEST_TEXT) : "");
  const [text, thinking] = [said("text"), said("thinking")];
  if (turn === undefined || turn.phase !== "asking" || (text === "" && thinking === "")) {
    return model;
  }
  const body: Body = { ...bodyOf(model, turn.number), text, thinking };
  const summary = inShort(body);
  const turns = turn.summary === summary ? model.turns : upserted(model.turns, [{ ...turn, summary }]);
  return { ...model, turns, bodies: new Map(model.bodies).set(turn.number, body) };
}

function turnEnded(model: Model, data: Row, at: number | null): Model {
  const turn = turnOf(model, whole(data["turn"]));
  const run = headWith(model.run, figures(data));
  if (turn === undefined) {
    return { ...model, run, doing: "" };
  }
  const seconds = turn.started !== null && at !== null ? Math.max(0, at - turn.started) : turn.seconds;
  return { ...model, run, doing: "", turns: upserted(model.turns, [{ ...turn, phase: "done", seconds }]) };
}

function toolStarted(model: Model, data: Row, at: number | null): Model {
  const id = line(data["id"], 120);
  const tool: Tool = {
    id,
    name: line(data["tool"], 60) || "tool",
    argument: block(data["argument"], LONGEST_RESULT),
    result: "",
    ok: null,
    ms: null,
  };
  const known = bodyOf(model, whole(data["turn"])).tools.find((each) => each.id === id);
  const begun = { ...tool, argument: known?.argument || tool.argument };
  const next = withTool(model, whole(data["turn"]), begun);
  const began = at === null ? model.began : new Map([...model.began, [id, at]]);
  return { ...next, began, doing: oneLine(`${tool.name} ${tool.argument}`, 120) };
}

function toolEnded(model: Model, data: Row, at: number | null): Model {
  const number = whole(data["turn"]);
  const id = line(data["id"], 120);
  const known = bodyOf(model, number).tools.find((each) => each.id === id);
  if (known === undefined) {
    return model;
  }
  const from = model.began.get(id);
  const ended: Tool = {
    ...known,
    ok: data["is_error"] !== true,
    result: known.result || block(data["summary"], LONGEST_RESULT),
    ms: known.ms ?? (from === undefined || at === null ? null : Math.max(0, (at - from) * 1000)),
  };
  const began = new Map(model.began);
  began.delete(id);
  return { ...withTool(model, number, ended), began, doing: "" };
}

function withTool(model: Model, number: number, tool: Tool): Model {
  if (number === 0) {
    return model;
  }
  const before = bodyOf(model, number);
  const known = before.tools.some((each) => each.id === tool.id);
  const tools = known ? before.tools.map((each) => (each.id === tool.id ? tool : each)) : [...before.tools, tool];
  const body: Body = { ...before, tools };
  const turn = turnOf(model, number) ?? newTurn(number);
  const phase = turn.phase === "done" ? "done" : "working";
  return {
    ...model,
    bodies: new Map(model.bodies).set(number, body),
    turns: upserted(model.turns, [{ ...turn, phase, ...figuresOf(body), summary: inShort(body) || turn.summary }]),
  };
}

function modelWaiting(model: Model, data: Row): Model {
  const until = number(data["until"]);
  const reason = line(data["reason"], 160);
  const when = until === null ? "" : `, again at ${clock(until)}`;
  return { ...model, doing: `Waits for the model${when}${reason ? `: ${reason}` : ""}` };
}

function gateStarted(model: Model, data: Row): Model {
  const gate: Gate = { ...gateOf({ ...data, tree: data["commit"] }), verdict: "running" };
  return { ...model, gates: withGate(model.gates, gate), doing: `Gate ${gate.name}` };
}

/** The event names no commit: it is the gate that was running, else the newest of that name. */
function gateEnded(model: Model, data: Row): Model {
  const name = line(data["gate"], 120);
  const same = model.gates.filter((gate) => gate.name === name);
  const known = same.find((gate) => gate.verdict === "running") ?? same.at(-1);
  const told = gateOf(data);
  const commit = known?.commit ?? "";
  const ended: Gate = {
    ...(known ?? told),
    key: gateKey(commit, name),
    commit,
    verdict: told.verdict,
    reason: told.reason,
    required: told.required,
    counts: countsOf(data["counts"]),
    seconds: told.seconds,
  };
  return { ...model, gates: withGate(model.gates, ended), doing: "" };
}

function withGate(gates: readonly Gate[], gate: Gate): readonly Gate[] {
  return gates.some((each) => each.key === gate.key)
    ? gates.map((each) => (each.key === gate.key ? gate : each))
    : [...gates, gate];
}

function turnOf(model: Model, number: number): Turn | undefined {
  return model.turns.find((turn) => turn.number === number);
}

function bodyOf(model: Model, number: number): Body {
  return model.bodies.get(number) ?? emptyBody(number);
}
