/** The words and figures of the page; the same as the terminal's (`daemon/wording.py`). */

import { duration, joined, money, tokens } from "../views/text";
import type { RunHead, Turn } from "./state";

export function milliseconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : duration(ms / 1000);
}

/** A state's colour: `busy`, `wait`, `good`, `bad` or `calm`. */
export type Tone = "busy" | "wait" | "good" | "bad" | "calm";

const OUTCOMES: Readonly<Record<string, Tone>> = {
  accepted: "good",
  landed: "good",
  partial: "wait",
  discarded: "calm",
  cancelled: "calm",
};

export function toneOf(run: RunHead): Tone {
  if (run.state === "ended") {
    return OUTCOMES[run.outcome] ?? "bad";
  }
  return run.state === "waiting" ? "wait" : run.state === "" || run.state === "queued" ? "calm" : "busy";
}

const HEADINGS: Readonly<Record<string, string>> = { question: "The agent asks", problem: "This needs you" };

/** What stands over a checkpoint of this kind. */
export function headingOf(kind: string): string {
  return HEADINGS[kind] ?? "Ready for your decision";
}

export function stateOf(run: RunHead): string {
  const word = run.state === "ended" ? run.outcome || "ended" : run.state || "loading";
  return word.charAt(0).toUpperCase() + word.slice(1);
}

const VERDICTS: Readonly<Record<string, Tone>> = { pass: "good", fail: "bad", running: "busy", unknown: "wait" };

export function verdictTone(verdict: string): Tone {
  return VERDICTS[verdict] ?? "calm";
}

const STATUS: Readonly<Record<string, string>> = {
  A: "added",
  M: "changed",
  D: "deleted",
  R: "renamed",
  C: "copied",
  T: "type changed",
};

/** git's letter, or a word already. */
export function changeOf(status: string): string {
  return STATUS[status.charAt(0)] ?? (status || "changed");
}

export function turnFigures(turn: Turn): string {
  return joined(
    turn.seconds === null ? "" : duration(turn.seconds),
    turn.tokens === null ? "" : `${tokens(turn.tokens)} tokens`,
    turn.cost === null ? "" : money(turn.cost),
  );
}
