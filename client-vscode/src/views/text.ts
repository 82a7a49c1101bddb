/** Texts of rows. What comes from a plan, a model or a repository is foreign: one line, no control characters, escaped. */

import type { Tokens } from "../protocol";

const SPACE = /\s+/gu;
/** Control and format characters: among them those that turn the direction of text around. */
const UNSEEN = /[\p{Cc}\p{Cf}]/gu;
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** What is one line already: most texts are, and a plan has thousands of them. */
const PLAIN = /^(?:[!-~]+(?: [!-~]+)*)?$/;
const PUNCTUATION = /[!-/:-@[-`{-~]/g;

/** Any text on one line of at most `limit` characters. */
export function oneLine(text: string, limit = 200): string {
  if (text.length <= limit && PLAIN.test(text)) {
    return text;
  }
  const flat = text
    .slice(0, limit * 4)
    .replace(SPACE, " ")
    .replace(UNSEEN, "")
    .trim();
  const characters = Array.from(flat);
  return characters.length > limit ? `${characters.slice(0, limit - 1).join("")}…` : flat;
}

/** A file's name in a list: what is not drawn is shown as `\u{…}`, so that no name looks like another. */
export function fileName(path: string, limit = 200): string {
  const shown = path.replace(HIDDEN, (each) => `\\u{${each.codePointAt(0)?.toString(16)}}`);
  return shown.length > limit ? `${shown.slice(0, limit - 1)}…` : shown;
}

/** Any text as Markdown that shows just this text, on one line (CommonMark 0.31, "Backslash escapes"). */
export function escaped(text: string, limit = 200): string {
  return oneLine(text, limit).replace(PUNCTUATION, "\\$&");
}

/**
 * Any text for a notification, on one line. VS Code makes links of `[text](command:…)` in there and does what they say,
 * so that no foreign text may come to look like one.
 */
export function forNotice(text: string, limit = 600): string {
  return oneLine(text, limit).replaceAll("](", "] (");
}

/** One line of any text, whole: what is not drawn becomes a sign for that. */
export function visible(line: string): string {
  return line.replaceAll("\t", "    ").replace(HIDDEN, "\u{fffd}");
}

/** Any text in a label, where `$(name)` would become an icon. */
export function plainLabel(text: string, limit = 200): string {
  return oneLine(text, limit).replaceAll("$(", "$\u2060(");
}

/** US dollars, with the digits that every front-end of devloop uses. */
export function money(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return "$?";
  }
  return value >= 0.1 || value === 0 ? `$${value.toFixed(2)}` : `$${value.toFixed(4)}`;
}

/** All tokens of a run: `950`, `12.3k`, `1.2M`. */
export function tokens(counted: Partial<Tokens> | null | undefined): string {
  const total =
    (counted?.input ?? 0) + (counted?.output ?? 0) + (counted?.cache_read ?? 0) + (counted?.cache_write ?? 0);
  if (total < 1000) {
    return `${total}`;
  }
  return total < 1_000_000 ? `${(total / 1000).toFixed(1)}k` : `${(total / 1_000_000).toFixed(1)}M`;
}

export function duration(seconds: number): string {
  if (seconds < 60) {
    return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
  }
  const minutes = Math.floor(seconds / 60);
  const two = (value: number): string => `${value}`.padStart(2, "0");
  return minutes < 60
    ? `${minutes} min ${two(Math.floor(seconds) % 60)} s`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** A moment (Unix seconds) for a list: the time of day when it is today, else with the date. */
export function moment(seconds: number, now: Date): string {
  const when = new Date(seconds * 1000);
  if (Number.isNaN(when.getTime())) {
    return "";
  }
  const two = (value: number): string => `${value}`.padStart(2, "0");
  const time = `${two(when.getHours())}:${two(when.getMinutes())}`;
  if (when.toDateString() === now.toDateString()) {
    return time;
  }
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())} ${time}`;
}

/** `a, b and 3 more`. */
export function some(parts: readonly string[], most: number): string {
  const shown = parts.slice(0, most).join(", ");
  return parts.length > most ? `${shown} and ${parts.length - most} more` : shown;
}

/** `1 run`, `2 runs`. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** The parts that say something, between dots. */
export function joined(...parts: readonly (string | null | undefined | false)[]): string {
  return parts.filter(Boolean).join(" · ");
}

/** `1.2 Show debts with a sign`; of an errand, which stands in no plan, `quick: Fix the typo`. */
export function runName({ task, title }: { readonly task: string; readonly title: string }, limit = 200): string {
  const command = task.startsWith("@") ? task.slice(1) : undefined;
  return oneLine(command === undefined ? `${task} ${title}` : `${command.replace("/", " ")}: ${title}`, limit);
}
