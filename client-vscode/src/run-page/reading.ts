/** The server's objects as parts of the page. Total: whatever is missing or wrong is shown as unknown. */

import { notSecret, problemOf, type Wrong } from "../checkpoints/content";
import { recommended } from "../decisions";
import { block, line, number, type Row, row, rows, texts, whole } from "./read";
import type { ChangedFile, Checkpoint, Counts, Gate, RunHead, Tokens } from "./state";

/** Characters of one text of the model; of one argument or result of a tool; of a gate's output. */
export const LONGEST_TEXT = 60_000;
export const LONGEST_RESULT = 12_000;
const LONGEST_OUTPUT = 8_000;
const NAMES_SHOWN = 50;

export function tokensOf(value: unknown): Tokens {
  const counted = row(value);
  return {
    input: whole(counted["input"]),
    output: whole(counted["output"]),
    cache_read: whole(counted["cache_read"]),
    cache_write: whole(counted["cache_write"]),
  };
}

/** `known` with what `told`, a run's record or a part of it, says. */
export function headWith(known: RunHead, told: Row): RunHead {
  const has = (name: string) => Object.hasOwn(told, name);
  const words = (name: string, otherwise: string, limit = 200) => (has(name) ? line(told[name], limit) : otherwise);
  return {
    id: known.id,
    task: words("task", known.task, 80),
    title: words("title", known.title, 300),
    agent: words("agent", known.agent, 80),
    mode: words("mode", known.mode, 80),
    model: words("model", known.model, 80),
    scripted: has("scripted") ? told["scripted"] === true : known.scripted,
    state: words("state", known.state, 40),
    outcome: words("outcome", known.outcome, 40),
    reason: has("reason") ? block(told["reason"], 2000) : known.reason,
    turn: whole(told["turn"], known.turn),
    turnLimit: whole(told["turn_limit"], known.turnLimit),
    waitingFor: words("waiting_for", known.waitingFor),
    cost: has("cost_usd") ? number(told["cost_usd"]) : known.cost,
    tokens: has("tokens") ? tokensOf(told["tokens"]) : known.tokens,
    attempt: whole(told["attempt"], known.attempt),
    started: has("started") ? number(told["started"]) : known.started,
    ended: has("ended") ? number(told["ended"]) : known.ended,
    branch: words("branch", known.branch),
    commit: words("commit", known.commit, 64),
  };
}

export function gateKey(commit: string, name: string): string {
  return `${commit} ${name}`;
}

export function gateOf(told: Row): Gate {
  const commit = line(told["commit"] ?? told["tree"], 64);
  const name = line(told["gate"], 120);
  const changes = row(told["changes"]);
  const fresh = texts(changes["new"], 400);
  const removed = [...texts(changes["removed"], 400), ...texts(changes["disabled"], 400)];
  const more = row(changes["more"]);
  const coverage = row(told["coverage"]);
  return {
    key: gateKey(commit, name),
    name,
    kind: line(told["kind"], 40),
    commit,
    verdict: line(told["verdict"], 40) || "unknown",
    required: told["required"] !== false,
    reason: block(told["reason"], 2000),
    command: commandOf(told["command"]),
    exitCode: number(told["exit_code"]),
    signal: number(told["signal"]),
    seconds: number(told["duration_s"]),
    tree: line(told["tree"], 64),
    counts: countsOf(told["counts"]),
    coverage: coverageOf(number(coverage["percent"]), number(coverage["before"])),
    fresh: fresh.slice(0, NAMES_SHOWN),
    removed: removed.slice(0, NAMES_SHOWN),
    more:
      Math.max(0, fresh.length - NAMES_SHOWN) +
      Math.max(0, removed.length - NAMES_SHOWN) +
      whole(more["new"]) +
      whole(more["removed"]) +
      whole(more["disabled"]),
    existing: texts(changes["existing"]).length + whole(more["existing"]),
    fixed: texts(changes["fixed"]).length + whole(more["fixed"]),
    output: block(told["output_tail"], LONGEST_OUTPUT),
  };
}

function commandOf(value: unknown): string {
  const words = texts(value, 400);
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}

function coverageOf(percent: number | null, before: number | null): string {
  if (percent === null) {
    return "";
  }
  return before === null ? `${percent.toFixed(1)} %` : `${percent.toFixed(1)} % (before: ${before.toFixed(1)} %)`;
}

export function countsOf(value: unknown): Counts | null {
  if (typeof value !== "object" || value === null) {
    return null;
  }
  const counted = row(value);
  return {
    passed: whole(counted["passed"]),
    failed: whole(counted["failed"]),
    errors: whole(counted["errors"]),
    skipped: whole(counted["skipped"]),
  };
}

export function filesOf(value: unknown): readonly ChangedFile[] {
  return rows(value).map((told) => ({
    path: typeof told["path"] === "string" ? told["path"] : "",
    old: typeof told["old_path"] === "string" && told["old_path"] !== told["path"] ? told["old_path"] : "",
    status: line(told["status"], 20),
    added: whole(told["added"]),
    deleted: whole(told["deleted"]),
    binary: told["binary"] === true,
  }));
}

/** null where none is told. */
export function checkpointOf(value: unknown): Checkpoint | null {
  const told = row(value);
  if (number(told["number"]) === null) {
    return null;
  }
  const question = row(told["question"]);
  const asked = askedOf(told);
  return {
    number: whole(told["number"]),
    kind: line(told["kind"], 40),
    summary: block(told["summary"], LONGEST_TEXT),
    problem: problemOf(asked),
    question: block(question["text"], LONGEST_TEXT),
    choices: texts(question["choices"], 400),
    decisions: texts(told["decisions"], 40),
    recommended: recommendedIn(told),
    why: line(told["why"], 200),
    guards: rows(told["guards"]).map(guardOf),
    beside: [...acceptedOf(row(told["accepted"])), ...chainOf(row(told["chain"]))],
    report: block(row(told["report"])["text"], LONGEST_TEXT),
    proposal: proposalOf(row(told["proposal"])),
    noSecret: noSecretOf(asked),
  };
}

/** What looks like a secret, as every place that offers to say that it is none is told of it. */
function askedOf(told: Row): Wrong {
  const secrets = rows(told["secrets"]).map((each) => ({
    id: line(each["id"]),
    file: line(each["file"]),
    line: whole(each["line"]),
    kind: line(each["kind"]),
  }));
  const gates = rows(told["gates"])
    .map(gateOf)
    .map(({ name: gate, verdict, required }) => ({ gate, verdict, required }));
  return { decisions: texts(told["decisions"], 40), secrets, gates, problem: block(told["problem"], LONGEST_TEXT) };
}

function noSecretOf(asked: Wrong): Checkpoint["noSecret"] {
  const [choice] = notSecret(asked);
  return choice === undefined ? null : { title: choice.title, detail: choice.detail };
}

/** "" where nothing is; a server that does not say it means the first one. */
function recommendedIn(told: Row): string {
  const [kind, decisions] = [line(told["kind"], 40), texts(told["decisions"], 40)];
  return Object.hasOwn(told, "recommended") ? line(told["recommended"], 40) : (recommended({ kind, decisions }) ?? "");
}

/** What a rule accepted since the last checkpoint, the work that is shown included. */
function acceptedOf(told: Row): readonly string[] {
  const tasks = rows(told["tasks"]).map((task) => line(`${task["task"]} ${task["title"]}`, 120));
  const size = `+${whole(told["added"])} −${whole(told["deleted"])}`;
  return tasks.length > 0 ? [`Accepted since the last checkpoint, ${size}: ${tasks.join("; ")}`] : [];
}

function chainOf(told: Row): readonly string[] {
  const next = line(told["next"], 40);
  const modes = texts(told["modes"], 40);
  return next ? [`Mode ${whole(told["at"]) + 1} of ${modes.length} (${modes.join(" → ")}): ${next} is next`] : [];
}

function proposalOf(told: Row): Checkpoint["proposal"] {
  return told["patch"]
    ? {
        said: line(told["said"], 300),
        leftOut: texts(told["left_out"], 300),
        notes: texts(told["notes"], 300),
        optional: told["optional"] === true,
      }
    : null;
}

/** Something the work does to the checks themselves. */
function guardOf(told: Row): string {
  const place = line(told["place"], 200) || line(told["file"], 200);
  const found = [line(told["kind"], 60).replaceAll("_", " "), place, line(told["text"], 200)]
    .filter(Boolean)
    .join(": ");
  return told["by_task"] === true ? `(the task says so) ${found}` : found;
}

export function noticesOf(value: unknown): readonly string[] {
  const all = Array.isArray(value) ? value : [];
  return all
    .map((each) => (typeof each === "string" ? block(each, 600) : block(row(each)["text"], 600)))
    .filter(Boolean);
}
