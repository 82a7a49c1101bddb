/** Keeps one page up to date: asks the server, folds events, sends what differs. Knows no VS Code. */

import { Throttle } from "../throttle";
import type { ToPage } from "./messages";
import {
  newModel,
  wantedAfter,
  withConversation,
  withDiff,
  withEvents,
  withLock,
  withShow,
  withTrouble,
} from "./model";
import { difference } from "./patch";
import { type Row, row, rows, whole } from "./read";
import type { Model } from "./state";

/** Newest turns that are sent in full without being asked for. */
const NEWEST = 20;
/** Least milliseconds from one question to the next of the same kind. */
const GAPS = { show: 150, conversation: 150, diff: 1500 } as const;

export type Ask = (method: string, params: object) => Promise<unknown>;

export class Feed {
  private model: Model;
  private sent: Model | null = null;
  private over = false;
  private readonly looked = new Set<number>();
  private readonly asking: Readonly<Record<keyof typeof GAPS, Throttle>>;

  constructor(
    readonly run: string,
    private readonly ask: Ask,
    private readonly send: (message: ToPage) => void,
    /** Told whenever the run's head may differ, for the panel's title. */
    private readonly changed: (model: Model) => void = () => undefined,
  ) {
    this.model = newModel(run);
    this.asking = {
      show: new Throttle(() => this.answer("devloop/show", { run }, withShow), GAPS.show),
      conversation: new Throttle(() => this.converse(), GAPS.conversation),
      diff: new Throttle(() => this.answer("devloop/diff", { run }, withDiff), GAPS.diff),
    };
  }

  get current(): Model {
    return this.model;
  }

  /** Ask for everything. */
  load(): void {
    for (const each of Object.values(this.asking)) {
      each.now();
    }
  }

  /** The page is new: what it was sent before is gone. */
  ready(): void {
    this.sent = null;
    this.looked.clear();
    this.push();
  }

  look(turns: readonly number[]): void {
    for (const turn of turns) {
      this.looked.add(turn);
    }
    const known = turns.flatMap((turn) => this.model.bodies.get(turn) ?? []);
    if (known.length > 0 && this.sent !== null) {
      this.send({ type: "show", whole: false, patch: { bodies: known } });
    }
  }

  events(events: readonly unknown[]): void {
    this.set(withEvents(this.model, events));
    const wanted = wantedAfter(this.run, events);
    for (const name of ["show", "conversation", "diff"] as const) {
      if (wanted[name]) {
        this.asking[name].ask();
      }
    }
  }

  lock(why: string): void {
    this.set(withLock(this.model, why));
  }

  trouble(why: string): void {
    this.set(withTrouble(this.model, why));
  }

  dispose(): void {
    this.over = true;
    for (const each of Object.values(this.asking)) {
      each.dispose();
    }
  }

  /** Only what may have changed: from the first turn that has not ended on. */
  private async converse(): Promise<void> {
    const open = this.model.turns.find((turn) => turn.phase !== "done" || !this.model.bodies.has(turn.number));
    const last = this.model.turns.at(-1)?.number ?? 0;
    // One turn back: the words that follow a turn belong to it and come after its end.
    const after = Math.max(0, Math.min(open?.number ?? last, last) - 2);
    let from = after;
    while (from >= 0) {
      const answer = await this.answer("devloop/conversation", { run: this.run, after: from }, withConversation);
      const last = rows(answer["turns"]).at(-1);
      const next = last === undefined ? 0 : whole(last["number"]);
      from = answer["more"] === true && next > from && !this.over ? next : -1;
    }
  }

  private async answer(method: string, params: object, fold: (model: Model, answer: unknown) => Model): Promise<Row> {
    try {
      const answer = row(await this.ask(method, params));
      const next = fold(this.model, answer);
      this.set(method === "devloop/show" ? withTrouble(next, "") : next);
      return answer;
    } catch (problem) {
      // Without its record there is nothing to show; the rest can be missing.
      if (method === "devloop/show") {
        this.trouble(problem instanceof Error ? problem.message : String(problem));
      }
      return {};
    }
  }

  private set(model: Model): void {
    if (model !== this.model) {
      this.model = model;
      this.changed(model);
      if (this.sent !== null) {
        this.push();
      }
    }
  }

  private push(): void {
    const last = this.model.turns.at(-NEWEST)?.number ?? 0;
    for (const turn of this.model.turns) {
      if (turn.number >= last) {
        this.looked.add(turn.number);
      }
    }
    const patch = difference(this.sent, this.model, (turn) => this.looked.has(turn));
    const whole = this.sent === null;
    this.sent = this.model;
    if (patch !== null || whole) {
      this.send({ type: "show", whole, patch: patch ?? {} });
    }
  }
}
