/** Reading what the server sent without trusting its shape: every reader is total, and texts come out harmless. */

import { isRecord } from "./check";

export type Row = Readonly<Record<string, unknown>>;

const EMPTY: Row = {};

// Escape sequences of terminals; C0 without \n and \t, DEL, C1; bidi controls; zero-width and tag characters.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  /\x1b\][\s\S]*?(?:\x07|\x1b\\|$)|\x1b[P^_X][\s\S]*?(?:\x1b\\|$)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]?|\x9b[0-?]*[ -/]*[@-~]/g;
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

/** Text without escape sequences, control, bidi and invisible characters; `\r\n` becomes `\n`. */
export function printable(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(ESCAPES, "").replace(CONTROLS, "");
}

export function clipped(text: string, limit: number): string {
  if (text.length <= limit) {
    return text;
  }
  const half = /[\ud800-\udbff]$/.test(text.slice(0, limit)) ? limit - 1 : limit;
  return `${text.slice(0, half)}… (${(text.length - half).toLocaleString("en")} characters more)`;
}

export function oneLine(text: string, limit = 200): string {
  const flat = printable(text).split(/\s+/).filter(Boolean).join(" ");
  return flat.length <= limit ? flat : `${flat.slice(0, limit - 1)}…`;
}

export function row(value: unknown): Row {
  return isRecord(value) ? value : EMPTY;
}

export function rows(value: unknown): readonly Row[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function texts(value: unknown, limit = 200): readonly string[] {
  return Array.isArray(value)
    ? value.filter((each) => typeof each === "string").map((each) => oneLine(each, limit))
    : [];
}

/** A text of one line; numbers are told as they are. */
export function line(value: unknown, limit = 200): string {
  return typeof value === "string" ? oneLine(value, limit) : typeof value === "number" ? String(value) : "";
}

/** A text of many lines. */
export function block(value: unknown, limit: number): string {
  return typeof value === "string" ? clipped(printable(value), limit) : "";
}

export function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function whole(value: unknown, otherwise = 0): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
}
