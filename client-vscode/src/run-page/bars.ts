/** The figures behind the chart. Pure. */

import type { Tokens, Turn } from "./state";

export const SERIES = [
  { key: "cache_read", name: "from cache" },
  { key: "cache_write", name: "to cache" },
  { key: "input", name: "new input" },
  { key: "output", name: "output" },
] as const satisfies readonly { readonly key: keyof Tokens; readonly name: string }[];

/** One turn, or several in a row where there are many. */
export interface Bar {
  readonly first: number;
  readonly last: number;
  readonly tokens: Tokens;
  readonly total: number;
  readonly cost: number;
}

/** More bars than this could not be told apart. */
export const MOST_BARS = 75;

export function bars(turns: readonly Turn[]): readonly Bar[] {
  const counted = turns.filter((turn) => turn.tokens !== null);
  const each = Math.ceil(counted.length / MOST_BARS) || 1;
  const found: Bar[] = [];
  for (let at = 0; at < counted.length; at += each) {
    const group = counted.slice(at, at + each);
    const [first, last] = [group.at(0), group.at(-1)];
    if (first !== undefined && last !== undefined) {
      const sum = (key: keyof Tokens) => group.reduce((all, turn) => all + (turn.tokens?.[key] ?? 0), 0);
      const tokens = {
        input: sum("input"),
        output: sum("output"),
        cache_read: sum("cache_read"),
        cache_write: sum("cache_write"),
      };
      found.push({
        first: first.number,
        last: last.number,
        tokens,
        total: tokens.input + tokens.output + tokens.cache_read + tokens.cache_write,
        cost: group.reduce((all, turn) => all + (turn.cost ?? 0), 0),
      });
    }
  }
  return found;
}
