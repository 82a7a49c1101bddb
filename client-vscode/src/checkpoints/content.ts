/** What is said and offered where a run waits for a person. The words of the terminal (`cli/checkpoint_view.py`). */

import { accepts, DECISIONS, detailOf, offered, recommended, titleAt, wordsOf } from "../decisions";
import type { Checkpoint, Decision, Run, Secret } from "../protocol";
import { counted, forNotice, joined, money, oneLine, runName, some, visible } from "../views/text";

/** Who waits: as much of a run as is needed to speak of it. */
export type Waiting = Pick<Run, "id" | "task" | "title"> & Partial<Pick<Run, "scripted">>;

/** One thing that a person can do about a checkpoint. */
export interface Choice {
  readonly kind: "decide" | "review" | "proposal" | "answer" | "more" | "notSecret";
  readonly title: string;
  /** What it does, in a sentence. */
  readonly detail: string;
  readonly decision?: Decision;
  /** The words that go with it, where a choice is made of them. */
  readonly message?: string;
  readonly recommended?: boolean;
  /** Why, where somebody said so. */
  readonly why?: string;
  /** What is accepted without it, as the wire names it. */
  readonly leaveOut?: readonly string[];
}

export const REVIEW = "Review";
export const MORE = "More…";
export const PROPOSAL = "Show Plan Changes";
const WITHOUT = "without Plan Changes";
/** As `leave_out` names the proposal. */
const PLAN = ["plan"] as const;
const OTHER_ANSWER = "Other Answer…";
const SHORT = 28;

export const NO_SECRET = "This Is No Secret";
export const NO_SECRETS = "No Secret…";

/** As much of a checkpoint as is needed to speak of them. */
export interface Secrets {
  readonly decisions: readonly string[];
  readonly secrets?: readonly Secret[];
}

/** And of what is wrong. */
export interface Wrong extends Secrets {
  readonly problem: string | null;
  readonly gates?: readonly { readonly gate: string; readonly verdict: string; readonly required?: unknown }[];
}

/** What can be said to be no secret here. */
export function secretsOf({ decisions, secrets = [] }: Secrets): readonly Secret[] {
  return decisions.includes("recheck") ? secrets : [];
}

/** `conf.py:2 github-pat`, `the name keys/… github-pat`: where and what it looks like, never what it is. */
export function secretName({ file, line, kind }: Secret): string {
  const place = line > 0 ? `${oneLine(file, 80)}:${line}` : `the name ${oneLine(file, 80)}`;
  return `${place} ${oneLine(kind, 40)}`;
}

/** One click for the only finding; of several the person says which. */
export function notSecret(checkpoint: Secrets): Choice[] {
  const found = secretsOf(checkpoint);
  const [only] = found;
  if (only === undefined) {
    return [];
  }
  const title = found.length === 1 ? NO_SECRET : NO_SECRETS;
  const detail =
    found.length === 1 ? `${secretName(only)}: accept exactly that, and check again.` : "Say which of them are none.";
  return [{ kind: "notSecret", title, detail }];
}

const MOST_SECRETS = 3;
const GOOD: ReadonlySet<string> = new Set(["pass", "skipped"]);

/** The problem; where nothing else is wrong than what looks like a secret, in words of its own. */
export function problemOf(checkpoint: Wrong): string {
  const found = secretsOf(checkpoint);
  const others = (checkpoint.gates ?? []).filter(({ gate, required }) => gate !== "secrets" && required !== false);
  if (found.length === 0 || others.some(({ verdict }) => !GOOD.has(verdict))) {
    return checkpoint.problem ?? "";
  }
  const named = some(found.map(secretName), MOST_SECRETS);
  return found.length === 1 ? `This looks like a secret: ${named}` : `These look like secrets: ${named}`;
}

const YES: ReadonlySet<string> = new Set(["allow", "yes", "1"]);
/** As much of a question as every place shows on its one line. */
const ONE_LINE = 100;

/** The question, where `answer` says yes to a command that was not seen whole: notifications and lists show one line. */
export function unseen({ question }: Checkpoint, answer: string): { asks: string; command: string } | undefined {
  if (question === null || !question.choices.includes("allow") || !YES.has(answer.trim().toLowerCase())) {
    return undefined;
  }
  const [asks = "", ...command] = question.text.split("\n");
  const isShort = command.length === 1 && question.text.length <= ONE_LINE;
  return isShort ? undefined : { asks: oneLine(asks), command: command.map(visible).join("\n") };
}

export function hasChanges(checkpoint: Checkpoint): boolean {
  return (checkpoint.diff?.files ?? 0) > 0;
}

/** Whether accepting would change the plan. */
export function hasProposal(checkpoint: Checkpoint): boolean {
  return Boolean(checkpoint.proposal?.patch);
}

/** `1.2 Show debts with a sign`, `quick: Fix the typo`. */
export function nameOf(run: Pick<Run, "task" | "title">, limit = 80): string {
  return runName(run, limit);
}

/** What the notification's text ends with: verdicts and what they are worth, size, spending. */
export function figures(run: Waiting, checkpoint: Checkpoint): string {
  const guards = guardsOf(checkpoint);
  const changed = guards > 0 && `! ${counted(guards, "change")} to the checks themselves`;
  return joined(
    gatesOf(checkpoint),
    changed,
    changesOf(checkpoint),
    proposalOf(checkpoint),
    ...besideOf(checkpoint),
    doubtOf(checkpoint),
    spentOf(run, checkpoint),
  );
}

/** What a person should look at, where that is why nothing is recommended. */
export function doubtOf(checkpoint: Checkpoint): string {
  const none = checkpoint.kind === "decision" && recommended(checkpoint) === undefined;
  return none && checkpoint.why ? oneLine(checkpoint.why, 120) : "";
}

function proposalOf({ proposal }: Checkpoint): string {
  return proposal?.said ? `plan: ${oneLine(proposal.said, 120)}` : "";
}

/** What else the decision is about: work that a rule accepted, and the mode that follows. */
export function besideOf({ accepted, chain }: Checkpoint): readonly string[] {
  const before = accepted?.tasks.length ?? 0;
  return [
    ...(accepted && before > 0
      ? [`${counted(before, "task")} since the last checkpoint, +${accepted.added} −${accepted.deleted}`]
      : []),
    ...(chain?.next ? [`mode ${oneLine(chain.next, 40)} is next`] : []),
  ];
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
    return checkpoint.kind === "decision" && !checkpoint.report ? "no file was changed" : "";
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
  const said = oneLine(checkpoint.question?.text || problemOf(checkpoint) || checkpoint.summary || "", 240);
  const says = { decision: "ready for your decision", question: "the agent asks", problem: "needs you" };
  const again = checkpoint.kind === "decision" && Boolean(checkpoint.problem);
  const about = again ? "not accepted yet" : (says[checkpoint.kind] ?? "waits for you");
  return `${said ? `${about}: ${said}` : about} (${figures(run, checkpoint)})`;
}

/** Whether somebody has to look closer: a question, a problem, a decision that came back, work on the checks themselves. */
export function urgent(checkpoint: Checkpoint): boolean {
  return checkpoint.kind !== "decision" || Boolean(checkpoint.problem) || guardsOf(checkpoint) > 0;
}

/**
 * The buttons of a notification, four at most: what is most likely wanted, what shows the work, and a way to all the
 * rest. Nothing that throws work away is one click away.
 */
export function buttons(checkpoint: Checkpoint): readonly Choice[] {
  const found =
    checkpoint.kind === "question"
      ? answers(checkpoint)
      : [...notSecret(checkpoint), ...likely(checkpoint).map(decide(checkpoint))].slice(0, 2);
  if (hasChanges(checkpoint)) {
    const review: Choice = { kind: "review", title: REVIEW, detail: "See what was changed, file by file." };
    found.splice(checkpoint.kind === "decision" ? 1 : found.length, 0, review);
  }
  if (hasProposal(checkpoint)) {
    found.splice(1, 0, { kind: "proposal", title: PROPOSAL, detail: "See what accepting makes of the plan." });
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
    title: titleAt(decision, checkpoint),
    detail: detailOf(decision, checkpoint),
    decision,
    ...(decision === recommended(checkpoint)
      ? { recommended: true, ...(checkpoint.why ? { why: oneLine(checkpoint.why, 120) } : {}) }
      : {}),
  });
}

/** The report without what it asks of the plan. */
function withoutProposal(checkpoint: Checkpoint): Choice[] {
  const able = offered(checkpoint).find((each) => each === "continue" || each === "commit");
  if (!hasProposal(checkpoint) || !checkpoint.proposal?.optional || able === undefined) {
    return [];
  }
  const title = `${titleOf(able)} ${WITHOUT}`;
  return [{ kind: "decide", title, detail: "The plan stays as it is.", decision: able, leaveOut: PLAN }];
}

export function titleOf(decision: Decision): string {
  return wordsOf(decision)?.title ?? oneLine(decision, 40);
}

/** The two that are most likely wanted: on work that passed the recommended one first. */
function likely(checkpoint: Checkpoint): readonly Decision[] {
  const able = offered(checkpoint);
  const first = recommended(checkpoint) ?? able.find((each) => accepts(each, checkpoint));
  const order: readonly Decision[] =
    first === undefined ? ["revise", "recheck", "commit", "continue", "stop"] : [first, "commit", "revise", "continue"];
  return [...new Set(order)].filter((each) => able.includes(each)).slice(0, 2);
}

function answers(checkpoint: Checkpoint): Choice[] {
  const choices = choicesOf(checkpoint);
  if (!offered(checkpoint).includes("answer")) {
    return [];
  }
  if (choices.length > 0 && choices.length <= 2 && choices.every((each) => each.title.length <= SHORT)) {
    return [...choices, { kind: "answer", title: OTHER_ANSWER, detail: DECISIONS.answer.detail, decision: "answer" }];
  }
  return [{ kind: "answer", title: DECISIONS.answer.title, detail: DECISIONS.answer.detail, decision: "answer" }];
}

/** The answers that the agent offers. Their titles never pass for something else that can be clicked. */
export function choicesOf(checkpoint: Checkpoint): readonly Choice[] {
  const taken = new Set(
    [...Object.values(DECISIONS).map((each) => each.title), REVIEW, MORE, OTHER_ANSWER, PROPOSAL, NO_SECRET].map(plain),
  );
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
export function everything(checkpoint: Checkpoint): readonly Choice[] {
  const found: Choice[] = [];
  const first = checkpoint.kind === "question" ? [] : likely(checkpoint).slice(0, 1);
  for (const decision of new Set([...first, ...offered(checkpoint)])) {
    if (decision === "answer") {
      found.push(...choicesOf(checkpoint));
      const title = choicesOf(checkpoint).length > 0 ? OTHER_ANSWER : DECISIONS.answer.title;
      found.push({ kind: "answer", title, detail: DECISIONS.answer.detail, decision });
    } else {
      found.push(decide(checkpoint)(decision));
    }
  }
  found.splice(1, 0, ...withoutProposal(checkpoint), ...notSecret(checkpoint));
  if (hasProposal(checkpoint)) {
    found.push({ kind: "proposal", title: PROPOSAL, detail: "See what accepting makes of the plan, side by side." });
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

/** What is asked once for all tasks of a group that wait. */
export function groupNotice(runs: readonly Waiting[], contents: readonly Checkpoint[]): string {
  const label = contents[0]?.group?.label;
  const named = runs.slice(0, 4).map((each) => nameOf(each, 50));
  const more = runs.length > 4 ? ` and ${runs.length - 4} more` : "";
  const sum = (of: (content: Checkpoint) => number) => contents.reduce((all, each) => all + of(each), 0);
  const changes = `${counted(
    sum((each) => each.diff?.files ?? 0),
    "file",
  )}, +${sum((each) => each.diff?.added ?? 0)} −${sum((each) => each.diff?.deleted ?? 0)}`;
  const gates = contents.flatMap((each) => each.gates ?? []);
  const red = gates.filter((each) => each.verdict !== "pass" && each.verdict !== "skipped").length;
  const passed = red > 0 ? `${counted(red, "gate")} not passed` : gates.length > 0 && "✓ every gate";
  const who = label ? `Group ${oneLine(label, 40)}` : `${runs.length} tasks`;
  return forNotice(`${who} – ready for one decision: ${named.join("; ")}${more} (${joined(passed, changes)})`);
}

export const ONE_BY_ONE = "One by One…";

/** One answer for all of a group: what accepts every one of them, and a way to each. */
export function groupButtons(contents: readonly Checkpoint[]): readonly Choice[] {
  const [first] = contents;
  const common = first === undefined ? [] : likely(first).filter((each) => contents.every((one) => takes(one, each)));
  const all =
    first === undefined ? [] : common.map(decide(first)).map((each) => ({ ...each, title: `${each.title} All` }));
  return [...all, { kind: "more", title: ONE_BY_ONE, detail: "Decide about each of them by itself." }];
}

function takes(checkpoint: Checkpoint, decision: Decision): boolean {
  return offered(checkpoint).includes(decision) && accepts(decision, checkpoint);
}
