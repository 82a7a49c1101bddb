/**
 * The words of each decision and which one is recommended, for notifications, lists, menus and the run's page. The
 * sentences are the terminal's (`cli/checkpoint_view.py`). Pure.
 */

import type { Checkpoint, Decision } from "./protocol";

export interface DecisionWords {
  readonly title: string;
  /** What it does, in a sentence. */
  readonly detail: string;
  /** A codicon. */
  readonly icon: string;
  /** What its words are asked for with, where it carries some. */
  readonly asks?: string;
}

export const DECISIONS: Readonly<Record<Decision, DecisionWords>> = {
  continue: {
    title: "Continue",
    detail: "Accept the work onto the plan branch and tick the task; a loop of several goes on.",
    icon: "debug-continue",
  },
  commit: {
    title: "Commit",
    detail: "Tick the task and land all that is accepted on your branch; a loop of several goes on.",
    icon: "check",
  },
  fresh: {
    title: "Fresh Start",
    detail: "Accept the work, write the hand-off and end here; the next conversation begins empty.",
    icon: "debug-restart",
  },
  stop: { title: "Stop", detail: "Accept the work, tick the task and end the loop.", icon: "debug-stop" },
  revise: {
    title: "Revise…",
    detail: "Tell the agent what to change; the same run goes on.",
    icon: "edit",
    asks: "What should change?",
  },
  discard: {
    title: "Discard…",
    detail: "Throw the work away: the task is open again. It stays reachable for 30 days.",
    icon: "trash",
  },
  answer: {
    title: "Answer…",
    detail: "Answer the agent's question; the same run goes on.",
    icon: "reply",
    asks: "Your answer",
  },
  recheck: { title: "Check Again", detail: "Run the gates once more on the same work.", icon: "beaker" },
  block: {
    title: "Mark Blocked…",
    detail: "Mark the task as blocked and say why; nothing is accepted.",
    icon: "circle-slash",
    asks: "Why is it blocked?",
  },
};

const WAITS: Readonly<Record<string, string>> = { question: "asks you", problem: "needs you" };

/** What is said of a run that waits, in a few words; `kind` is its checkpoint's, where that is known. */
export function waits(kind: string | null | undefined): string {
  return WAITS[kind ?? ""] ?? "waits for you";
}

const ENDS = "End the run; its work stays on its branch.";
const AGAIN = "Try once more what did not work, as things are now.";
/** Of work that is accepted and could not land. */
const UNLANDED: Readonly<Record<string, string>> = {
  commit: "Try once more to land it.",
  continue: "Leave it on the plan branch.",
  stop: "Leave it on the plan branch, and end here.",
};
const PROPOSED = "Accept it, and change the plan as shown.";

/** An errand stands in no plan: there is no task to tick and none that follows. */
const ALONE: Partial<Readonly<Record<Decision, string>>> = {
  continue: "Accept the work onto the plan branch; it lands with what lands next.",
  commit: "Accept the work and land it on your branch.",
  discard: "Throw it away. It stays reachable for 30 days.",
};
const REPORT = "Accept the report.";

/** Of a checkpoint as much as the words depend on; the page knows its own shape of it. */
export interface Asked {
  readonly kind: string;
  readonly decisions: readonly string[];
  readonly recommended?: string | null;
  /** What accepting makes of the plan; only whether there is something is looked at. */
  readonly proposal?: object | null;
}

export function isDecision(name: string): name is Decision {
  return Object.hasOwn(DECISIONS, name);
}

/** Undefined for a decision of a newer server. */
export function wordsOf(name: string): DecisionWords | undefined {
  return isDecision(name) ? DECISIONS[name] : undefined;
}

/** What a button says; `recheck` is about gates, or about the plan or a branch that could not be changed. */
export function titleAt(name: Decision, asked: Asked): string {
  return name === "recheck" && refused(asked) ? "Try Again" : DECISIONS[name].title;
}

/** What a decision does at this checkpoint. */
export function detailOf(name: string, asked: Asked): string {
  const { kind, decisions, proposal } = asked;
  const told = wordsOf(name)?.detail ?? "";
  if (name === "recheck") {
    return refused(asked) ? AGAIN : told;
  }
  if (kind !== "decision") {
    const ends = name === "stop" ? ENDS : told;
    return (kind === "problem" && decisions.includes("commit") && UNLANDED[name]) || ends;
  }
  if (name === "continue" && proposal) {
    return PROPOSED;
  }
  if (!isAlone(asked) || !isDecision(name)) {
    return told;
  }
  return name === "continue" && !decisions.includes("commit") ? REPORT : (ALONE[name] ?? told);
}

/** Whether it is an errand's: a task of the plan can always be the loop's last one. */
export function isAlone({ kind, decisions }: Asked): boolean {
  return kind === "decision" && !decisions.includes("stop");
}

/** A problem that is none of the work's: the server would not say that the work can be marked as blocked. */
function refused({ kind, decisions }: Asked): boolean {
  return kind === "problem" && decisions.includes("recheck") && !decisions.includes("block");
}

/** Whether it goes with words of the person's. */
export function needsWords(name: string): boolean {
  return wordsOf(name)?.asks !== undefined;
}

/** The decisions that are offered here and known to us: the recommended one, then the checkpoint's order. */
export function offered(checkpoint: Asked): readonly Decision[] {
  const able = checkpoint.decisions.filter(isDecision);
  const first = recommended(checkpoint);
  return first === undefined ? able : [first, ...able.filter((each) => each !== first)];
}

/** What accepts the work: files can be left out of it. */
const ACCEPTING: readonly Decision[] = ["continue", "commit", "fresh", "stop"];

/**
 * What is put first and emphasised, never what throws work away or asks for words. The server says it
 * (`runs/checkpoint.py`); with one that doesn't it is the first of the checkpoint's decisions.
 */
export function recommended({ kind, decisions, recommended: told }: Asked): Decision | undefined {
  const able = kind === "decision" ? ACCEPTING.filter((each) => decisions.includes(each)) : [];
  if (told === null || told === "") {
    return undefined; // something wants a person's eye first
  }
  return able.find((each) => each === told) ?? able.find((each) => each === decisions.find(isDecision)) ?? able[0];
}

/** Whether files can be left out when this is decided here. */
export function accepts(decision: Decision, { kind }: Pick<Checkpoint, "kind">): boolean {
  return kind === "decision" && ACCEPTING.includes(decision);
}
