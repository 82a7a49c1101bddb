/** What changed between two states of a page, small enough to be sent at every event. */

import { type Checked, partial } from "./check";
import { type Body, bodies, type PageState, type Sections, sections, type Turn, turns } from "./state";

/** Sections and turns that are there replace what was shown; turns and bodies by their numbers. */
export const patch = partial({ ...sections, turns, bodies });
export type Patch = Checked<typeof patch>;

const NAMES = Object.keys(sections) as readonly (keyof Sections)[];

/**
 * The patch that makes `before` into `after`; null when nothing changed. Parts are compared by identity: states share
 * what did not change. `looked` says which turns' bodies the page wants.
 */
export function difference(
  before: PageState | null,
  after: PageState,
  looked: (turn: number) => boolean,
): Patch | null {
  const found: Record<string, unknown> = {};
  for (const name of NAMES) {
    if (before?.[name] !== after[name]) {
      found[name] = after[name];
    }
  }
  const known = new Map(before?.turns.map((turn) => [turn.number, turn]));
  const changed = after.turns.filter((turn) => known.get(turn.number) !== turn);
  if (changed.length > 0) {
    found["turns"] = changed;
  }
  const bodies: Body[] = [];
  for (const [turn, body] of after.bodies) {
    if (looked(turn) && before?.bodies.get(turn) !== body) {
      bodies.push(body);
    }
  }
  if (bodies.length > 0) {
    found["bodies"] = bodies;
  }
  return Object.keys(found).length > 0 ? found : null;
}

export function patched(state: PageState, change: Patch): PageState {
  const { turns: newer, bodies: read, ...rest } = change;
  const defined = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...state,
    ...defined,
    turns: newer === undefined ? state.turns : upserted(state.turns, newer),
    bodies:
      read === undefined
        ? state.bodies
        : new Map([...state.bodies, ...read.map((each) => [each.number, each] as const)]),
  };
}

/** `turns` with `newer` ones in place of those with the same number, in order. */
export function upserted(turns: readonly Turn[], newer: readonly Turn[]): readonly Turn[] {
  const all = new Map(turns.map((turn) => [turn.number, turn]));
  for (const turn of newer) {
    all.set(turn.number, turn);
  }
  return [...all.values()].sort((a, b) => a.number - b.number);
}
