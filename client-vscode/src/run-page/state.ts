/** What a run's page shows. These checks are the shape, on both sides of the border between host and page. */

import { type Checked, flag, list, nullable, number, object, oneOf, text, whole } from "./check";

const tokens = object({ input: whole, output: whole, cache_read: whole, cache_write: whole });

const run = object({
  id: text,
  task: text,
  title: text,
  agent: text,
  mode: text,
  model: text,
  scripted: flag,
  state: text,
  outcome: text,
  reason: text,
  turn: whole,
  turnLimit: whole,
  waitingFor: text,
  cost: nullable(number),
  tokens,
  attempt: whole,
  started: nullable(number),
  ended: nullable(number),
  branch: text,
  commit: text,
});

const counts = object({ passed: whole, failed: whole, errors: whole, skipped: whole });

const gate = object({
  /** The commit it judged and its name. */
  key: text,
  name: text,
  kind: text,
  commit: text,
  /** `running`, or the verdict. */
  verdict: text,
  required: flag,
  reason: text,
  command: text,
  exitCode: nullable(number),
  signal: nullable(number),
  seconds: nullable(number),
  tree: text,
  counts: nullable(counts),
  coverage: text,
  fresh: list(text),
  removed: list(text),
  /** How many more than the names that are listed. */
  more: whole,
  existing: whole,
  fixed: whole,
  output: text,
});

const file = object({ path: text, old: text, status: text, added: whole, deleted: whole, binary: flag });

const checkpoint = object({
  number: whole,
  kind: text,
  summary: text,
  problem: text,
  question: text,
  choices: list(text),
  decisions: list(text),
  /** "" where nothing is. */
  recommended: text,
  /** Why that is recommended, or nothing is. */
  why: text,
  guards: list(text),
  /** What else the decision is about. */
  beside: list(text),
  report: text,
  proposal: nullable(object({ said: text, leftOut: list(text), notes: list(text), optional: flag })),
  /** What looks like a secret and may be none: what to press, and what that does. */
  noSecret: nullable(object({ title: text, detail: text })),
});

/** What stands between turns: what people decided, what gates said, what the agent was told. */
const said = object({
  key: text,
  /** The turn it follows. */
  after: whole,
  who: oneOf("gates", "person", "devloop"),
  title: text,
  text,
  /** Gates only: whether every verdict is `pass`. */
  good: flag,
});

const turn = object({
  number: whole,
  phase: oneOf("asking", "working", "done"),
  started: nullable(number),
  seconds: nullable(number),
  model: text,
  tokens: nullable(tokens),
  cost: nullable(number),
  stop: text,
  /** One line that says what it was. */
  summary: text,
  failed: whole,
  calls: whole,
});

const tool = object({ id: text, name: text, argument: text, result: text, ok: nullable(flag), ms: nullable(number) });

const body = object({ number: whole, text, thinking: text, tools: list(tool) });

/** Everything but turns and their bodies; each is sent whole when it changed. */
export const sections = {
  run,
  /** What goes on at this moment; "" when nothing does. */
  doing: text,
  checkpoint: nullable(checkpoint),
  gates: list(gate),
  files: list(file),
  notices: list(text),
  said: list(said),
  /** Why nothing can be decided from here; "" when it can. */
  locked: text,
  /** Why what is shown may be old; "" when it is not. */
  trouble: text,
} as const;

export const turns = list(turn);
export const bodies = list(body);

export type RunHead = Checked<typeof run>;
export type Tokens = Checked<typeof tokens>;
export type Gate = Checked<typeof gate>;
export type Counts = Checked<typeof counts>;
export type ChangedFile = Checked<typeof file>;
export type Checkpoint = Checked<typeof checkpoint>;
export type Said = Checked<typeof said>;
export type Turn = Checked<typeof turn>;
export type Tool = Checked<typeof tool>;
export type Body = Checked<typeof body>;
export type Sections = { readonly [K in keyof typeof sections]: Checked<(typeof sections)[K]> };

/** `turns` in order of their numbers; `bodies` only of turns that somebody looks at (in the page) or that are known (in the host). */
export interface PageState extends Sections {
  readonly turns: readonly Turn[];
  readonly bodies: ReadonlyMap<number, Body>;
}

/** What the host keeps beside it: `began` says when each running tool call began (Unix seconds). */
export interface Model extends PageState {
  /** The commits that the files were read from, on either side. */
  readonly base: string;
  readonly work: string;
  readonly began: ReadonlyMap<string, number>;
}

export const NO_TOKENS: Tokens = { input: 0, output: 0, cache_read: 0, cache_write: 0 };

export function blank(id: string): PageState {
  return {
    run: {
      id,
      task: "",
      title: "",
      agent: "",
      mode: "",
      model: "",
      scripted: false,
      state: "",
      outcome: "",
      reason: "",
      turn: 0,
      turnLimit: 0,
      waitingFor: "",
      cost: null,
      tokens: NO_TOKENS,
      attempt: 0,
      started: null,
      ended: null,
      branch: "",
      commit: "",
    },
    doing: "",
    checkpoint: null,
    gates: [],
    files: [],
    notices: [],
    said: [],
    locked: "",
    trouble: "",
    turns: [],
    bodies: new Map(),
  };
}
