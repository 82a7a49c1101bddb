/** What is said and offered where a run waits for a person. The words of the terminal (`cli/checkpoint_view.py`). */

import type { Checkpoint, Decision, Run } from "../protocol";
import { counted, forNotice, joined, money, oneLine } from "../views/text";

/** Who waits: as much of a run as is needed to speak of it. */
export type Waiting = Pick<Run, "id" | "task" | "title"> &
  Partial<Pick<Run, "scripted" | "loop" | "loop_limit" | "loop_done">>;

/** One thing that a person can do about a checkpoint. */
export interface Choice {
  readonly kind: "decide" | "review" | "answer" | "more";
  readonly title: string;
  /** What it does, in a sentence. */
  readonly detail: string;
  readonly decision?: Decision;
  /** The words that go with it, where a choice is made of them. */
  readonly message?: string;
}

const TITLES: Readonly<Record<Decision, string>> = {
  continue: "Continue",
  commit: "Commit",
  fresh: "Fresh Start",
  stop: "Stop",
  revise: "Revise…",
  discard: "Discard…",
  answer: "Answer…",
  recheck: "Check Again",
  block: "Mark Blocked…",
};

const DETAILS: Readonly<Record<Decision, string>> = {
  continue: "Accept the work onto the plan branch, tick the task and go on with the next one.",
  commit: "Accept the work, tick the task, land all that is accepted on your branch; then go on.",
  fresh: "Accept the work and end here; the next start begins with an empty conversation.",
  stop: "Accept the work, write the summary and end here.",
  revise: "Tell the agent what to change; the same run goes on.",
  discard: "Throw the work away: the task is open again. It stays reachable for 30 days.",
  answer: "Answer the agent's question; the same run goes on.",
  recheck: "Run the gates once more on the same work.",
  block: "Mark the task as blocked and say why; nothing is accepted.",
};

/** What accepts the work: files can be left out of it. */
const ACCEPTING: readonly Decision[] = ["continue", "commit", "fresh", "stop"];
const IN_WORDS: readonly Decision[] = ["revise", "answer", "block"];

export const REVIEW = "Review";
export const MORE = "More…";
const OTHER_ANSWER = "Other Answer…";
const SHORT = 28;

export function titleOf(decision: Decision): string {
  return TITLES[decision] ?? oneLine(decision, 40);
}

/** What a decision does at this checkpoint. */
export function detailOf(decision: Decision, checkpoint: Checkpoint): string {
  if (decision === "stop" && checkpoint.kind !== "decision") {
    return "End the run; its work stays on its branch.";
  }
  return DETAILS[decision] ?? "";
}

export function needsWords(decision: Decision): boolean {
  return IN_WORDS.includes(decision);
}

/** Whether files can be left out when this is decided here. */
export function accepts(decision: Decision, checkpoint: Checkpoint): boolean {
  return checkpoint.kind === "decision" && ACCEPTING.includes(decision);
}

/** The decisions that are offered here and known to us, in the checkpoint's order. */
export function offered(checkpoint: Checkpoint): readonly Decision[] {
  return (checkpoint.decisions ?? []).filter((each) => each in TITLES);
}

export function hasChanges(checkpoint: Checkpoint): boolean {
  return (checkpoint.diff?.files ?? 0) > 0;
}

/** `1.2 Show debts with a sign`. */
export function nameOf(run: Pick<Run, "task" | "title">, limit = 80): string {
  return oneLine(`${run.task} ${run.title}`, limit);
}

/** What the notification's text ends with: verdicts and what they are worth, size, spending. */
export function figures(run: Waiting, checkpoint: Checkpoint): string {
  const guards = guardsOf(checkpoint);
  const changed = guards > 0 && `! ${counted(guards, "change")} to the checks themselves`;
  return joined(gatesOf(checkpoint), changed, changesOf(checkpoint), spentOf(run, checkpoint));
}

/** How many things the work does to what judges it. */
function guardsOf(checkpoint: Checkpoint): number {
  return checkpoint.guards?.length ?? 0;
}

const SYMBOLS: Readonly<Record<string, string>> = { pass: "✓", fail: "✗", error: "!", skipped: "–" };
const MOST_GATES = 4;

function gatesOf(checkpoint: Checkpoint): string {
  const gates = checkpoint.gates ?? [];
  const worst = [...gates].sort((a, b) => rank(a.verdict) - rank(b.verdict));
  const shown = worst.slice(0, MOST_GATES).map((each) => `${SYMBOLS[each.verdict] ?? "?"} ${oneLine(each.gate, 30)}`);
  return (
    shown.join(", ") + (gates.length > MOST_GATES ? ` and ${counted(gates.length - MOST_GATES, "more gate")}` : "")
  );
}

function rank(verdict: string): number {
  const order = ["fail", "error", "unknown", "skipped", "pass"].indexOf(verdict);
  return order < 0 ? 2 : order;
}

function changesOf(checkpoint: Checkpoint): string {
  const diff = checkpoint.diff;
  if (!diff) {
    return checkpoint.kind === "decision" ? "no file was changed" : "";
  }
  return `${counted(diff.files, "file")}, +${diff.added} −${diff.deleted}`;
}

function spentOf(run: Waiting, checkpoint: Checkpoint): string {
  const spent = `${counted(checkpoint.turns ?? 0, "turn")}, ${money(checkpoint.cost_usd)}`;
  return run.scripted ? `${spent} scripted` : spent;
}

/** What a notification says, on one line. */
export function notice(run: Waiting, checkpoint: Checkpoint, folder: string | null = null): string {
  const name = `${folder === null ? "" : `${oneLine(folder, 40)}: `}${nameOf(run)}`;
  return forNotice(`${name} – ${saying(run, checkpoint)}`);
}

/** What it is about, without who it is. */
export function saying(run: Waiting, checkpoint: Checkpoint): string {
  const said = oneLine(checkpoint.question?.text || checkpoint.problem || checkpoint.summary || "", 240);
  const says = { decision: "ready for your decision", question: "the agent asks", problem: "needs you" };
  const again = checkpoint.kind === "decision" && Boolean(checkpoint.problem);
  const about = again ? "not accepted yet" : (says[checkpoint.kind] ?? "waits for you");
  return `${said ? `${about}: ${said}` : about} (${figures(run, checkpoint)})`;
}

/** Whether somebody has to look closer: a question, a problem, a decision that came back, work on the checks themselves. */
export function urgent(checkpoint: Checkpoint): boolean {
  return checkpoint.kind !== "decision" || Boolean(checkpoint.problem) || guardsOf(checkpoint) > 0;
}

/** Whether the loop that the run belongs to goes on with another task. */
function goesOn(run: Waiting): boolean {
  return Boolean(run.loop) && (run.loop_limit == null || run.loop_limit > (run.loop_done ?? 0) + 1);
}

/**
 * The buttons of a notification, four at most: what is most likely wanted, what shows the work, and a way to all the
 * rest. Nothing that throws work away is one click away.
 */
export function buttons(run: Waiting, checkpoint: Checkpoint): readonly Choice[] {
  const found = checkpoint.kind === "question" ? answers(checkpoint) : likely(run, checkpoint).map(decide(checkpoint));
  if (hasChanges(checkpoint)) {
    const review: Choice = { kind: "review", title: REVIEW, detail: "See what was changed, file by file." };
    found.splice(checkpoint.kind === "decision" ? 1 : found.length, 0, review);
  }
  const said = new Set(found.map((each) => each.decision));
  const room = found.slice(0, 4);
  if (offered(checkpoint).some((each) => !said.has(each)) || found.length > 4) {
    room.splice(3);
    room.push({ kind: "more", title: MORE, detail: "Everything that can be done, with what it does." });
  }
  return room;
}

function decide(checkpoint: Checkpoint): (decision: Decision) => Choice {
  return (decision) => ({
    kind: "decide",
    title: titleOf(decision),
    detail: detailOf(decision, checkpoint),
    decision,
  });
}

function likely(run: Waiting, checkpoint: Checkpoint): readonly Decision[] {
  const able = offered(checkpoint);
  const order: readonly Decision[] =
    checkpoint.kind === "decision"
      ? goesOn(run)
        ? ["continue", "commit", "revise"]
        : ["commit", "revise", "continue"]
      : ["revise", "recheck", "commit", "continue", "stop"];
  const wanted = order.filter((each) => able.includes(each));
  return wanted.slice(0, 2);
}

function answers(checkpoint: Checkpoint): Choice[] {
  const choices = choicesOf(checkpoint);
  if (!offered(checkpoint).includes("answer")) {
    return [];
  }
  if (choices.length > 0 && choices.length <= 2 && choices.every((each) => each.title.length <= SHORT)) {
    return [...choices, { kind: "answer", title: OTHER_ANSWER, detail: DETAILS.answer, decision: "answer" }];
  }
  return [{ kind: "answer", title: TITLES.answer, detail: DETAILS.answer, decision: "answer" }];
}

/** The answers that the agent offers. Their titles never pass for something else that can be clicked. */
export function choicesOf(checkpoint: Checkpoint): readonly Choice[] {
  const taken = new Set([...Object.values(TITLES), REVIEW, MORE, OTHER_ANSWER].map(plain));
  const found: Choice[] = [];
  for (const message of new Set(checkpoint.question?.choices ?? [])) {
    const said = oneLine(String(message), 60);
    const title = said === "" || taken.has(plain(said)) ? `Answer: ${said}` : said;
    taken.add(plain(title));
    found.push({ kind: "decide", title, detail: "", decision: "answer", message: String(message) });
  }
  return found;
}

function plain(title: string): string {
  return title.replaceAll("…", "").toLowerCase();
}

/** Everything that can be done, for a list: what is most likely wanted, then the checkpoint's order, then the changes. */
export function everything(run: Waiting, checkpoint: Checkpoint): readonly Choice[] {
  const found: Choice[] = [];
  const first = checkpoint.kind === "question" ? [] : likely(run, checkpoint).slice(0, 1);
  for (const decision of new Set([...first, ...offered(checkpoint)])) {
    if (decision === "answer") {
      found.push(...choicesOf(checkpoint));
      const title = choicesOf(checkpoint).length > 0 ? OTHER_ANSWER : TITLES.answer;
      found.push({ kind: "answer", title, detail: DETAILS.answer, decision });
    } else {
      found.push(decide(checkpoint)(decision));
    }
  }
  if (hasChanges(checkpoint)) {
    found.push({ kind: "review", title: REVIEW, detail: "See what was changed, file by file, and leave files out." });
  }
  return found;
}

const ENDS: Readonly<Record<string, string>> = {
  failed: "failed",
  exhausted: "used up its budget",
  stalled: "got stuck",
  refused: "was refused",
};

/** What is said of a run that ended without its work and without anybody having wanted that; undefined for all others. */
export function failed(run: Pick<Run, "task" | "title">, outcome: unknown, reason: unknown): string | undefined {
  const ends = typeof outcome === "string" && Object.hasOwn(ENDS, outcome) ? ENDS[outcome] : undefined;
  if (ends === undefined) {
    return undefined;
  }
  const why = typeof reason === "string" ? oneLine(reason, 300) : "";
  return forNotice(`${nameOf(run)} ${ends}${why ? `: ${why}` : "."}`);
}
