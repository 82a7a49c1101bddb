/** Which lines of a plan are dimmed or marked. Pure; lines count from 0 as the editor's do, those of the plan from 1. */

import type { Plan } from "../protocol";

export interface Span {
  readonly first: number;
  readonly last: number;
}

export interface Marks {
  /** Finished and skipped tasks with what belongs to them. */
  readonly dimmed: readonly Span[];
  readonly running: readonly number[];
  readonly waiting: readonly number[];
}

/** A line that can be a task's: the plan that we know may be a moment older than the text. */
const TASK = /^\s*(?:[-*+]|\d+[.)]|#{1,6})\s+\S/;
const HEADING = /^ {0,3}#{1,6}\s/;

export function marks(plan: Pick<Plan, "tasks">, line: (at: number) => string, count: number): Marks {
  const dimmed: Span[] = [];
  const running: number[] = [];
  const waiting: number[] = [];
  const begins = new Set(plan.tasks.map((task) => task.line - 1));
  for (const task of plan.tasks) {
    const at = task.line - 1;
    if (at < 0 || at >= count || !TASK.test(line(at))) {
      continue;
    }
    switch (task.state) {
      case "done":
      case "skipped":
        dimmed.push({ first: at, last: lastLine(at, begins, line, count) });
        break;
      case "working":
        running.push(at);
        break;
      case "checkpoint":
        waiting.push(at);
        break;
    }
  }
  return { dimmed: united(dimmed), running, waiting };
}

/** Down to the last line that is indented below the task, or that a paragraph of it goes on in. */
function lastLine(at: number, begins: ReadonlySet<number>, line: (at: number) => string, count: number): number {
  if (HEADING.test(line(at))) {
    return at; // what stands below a heading may be anything
  }
  const indent = indentOf(line(at));
  let last = at;
  for (let next = at + 1; next < count; next++) {
    const text = line(next);
    if (text.trim() === "") {
      continue;
    }
    if (begins.has(next) || HEADING.test(text) || indentOf(text) <= indent) {
      break;
    }
    last = next;
  }
  return last;
}

function indentOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (character === "\t") {
      columns += 4 - (columns % 4);
    } else if (character === " ") {
      columns += 1;
    } else {
      break;
    }
  }
  return columns;
}

/** Spans that touch become one: fewer decorations for long finished plans. */
function united(spans: readonly Span[]): readonly Span[] {
  const found: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.first - b.first)) {
    const before = found.at(-1);
    if (before !== undefined && span.first <= before.last + 1) {
      found[found.length - 1] = { first: before.first, last: Math.max(before.last, span.last) };
    } else {
      found.push(span);
    }
  }
  return found;
}
