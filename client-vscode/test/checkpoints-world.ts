/** A window with servers that say what a test lets them say. Whoever uses it has `vscode` faked (checkpoints-vscode.ts). */

import { Deciding } from "../src/checkpoints/deciding";
import { registerFailures } from "../src/checkpoints/failures";
import { Notices } from "../src/checkpoints/notices";
import { Proposals } from "../src/checkpoints/proposal";
import { Review } from "../src/checkpoints/review";
import { Checkpoints } from "../src/checkpoints/store";
import type { Context } from "../src/context";
import type { Checkpoint, DevloopEvent, Run, Status } from "../src/protocol";
import type { Session, SessionState } from "../src/session";
import { run, status } from "./checkpoints-fixtures";
import { EventEmitter, settled, silentLog } from "./checkpoints-vscode";

type Answer = object;

/** A server that says what the test lets it say. */
export class FakeSession {
  state: SessionState = {
    kind: "running",
    server: "s",
    version: "0.1.0",
    restricted: false,
    from: "the setting devloop.serverCommand",
  };
  status: Status | undefined;
  readonly plan = undefined;
  readonly asked: { method: string; params: Record<string, unknown> }[] = [];
  readonly answers: Record<string, Answer | ((params: Record<string, unknown>) => Answer)> = {};
  private readonly states = new EventEmitter<SessionState>();
  private readonly statuses = new EventEmitter<Status>();
  private readonly events = new EventEmitter<readonly DevloopEvent[]>();
  readonly onDidChangeState = this.states.event;
  readonly onDidChangeStatus = this.statuses.event;
  readonly onDidReceiveEvents = this.events.event;
  readonly folder: { name: string; uri: { toString(): string } };

  constructor(name = "purse") {
    this.folder = { name, uri: { toString: () => `file:///${name}` } };
  }

  async request(method: string, params: Record<string, unknown> = {}): Promise<unknown> {
    this.asked.push({ method, params });
    const found = this.answers[method];
    const answer = typeof found === "function" ? found(params) : found;
    if (answer instanceof Error) {
      throw answer;
    }
    return answer ?? {};
  }
  execute(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return this.request(command, args);
  }
  decisions(): Record<string, unknown>[] {
    return this.asked
      .filter((each) => each.method.endsWith("/decide") || each.method.endsWith(".decide"))
      .map((each) => each.params);
  }

  async says(given: Partial<Status>): Promise<void> {
    this.status = status(given);
    this.statuses.fire(this.status);
    await settled();
  }
  async waits(content: Checkpoint, about: Partial<Run> = {}): Promise<void> {
    const waiting = run({ ...about, state: "waiting", checkpoint: content.number });
    this.status = status({ runs: [waiting] });
    await this.tells({ at: 0, run: waiting.id, kind: "checkpoint.opened", data: { ...content } });
    await this.says({ runs: [waiting] });
  }
  async decided(number: number, decision: string): Promise<void> {
    await this.tells({ at: 0, run: "run-1.1-1", kind: "checkpoint.closed", data: { number, decision } });
  }
  async tells(...events: DevloopEvent[]): Promise<void> {
    this.events.fire(events);
    await settled();
  }
  async becomes(state: SessionState): Promise<void> {
    this.state = state;
    this.states.fire(state);
    await settled();
  }
}

/** One window: its memory lasts over a reload. */
export class World {
  readonly memory = new Map<string, unknown>();
  readonly sessions: FakeSession[];
  review!: Review;
  deciding!: Deciding;

  constructor(...sessions: FakeSession[]) {
    this.sessions = sessions;
    this.load();
  }

  load(): void {
    const change = new EventEmitter<void>();
    const all = this.sessions as unknown as Session[];
    const context = {
      extension: {
        subscriptions: [],
        workspaceState: {
          get: (name: string, otherwise: unknown) => this.memory.get(name) ?? otherwise,
          update: async (name: string, value: unknown) => void this.memory.set(name, value),
        },
      },
      sessions: {
        all,
        onDidChange: change.event,
        onDidChangeData: change.event,
        current: all[0],
        of: (uri: { toString(): string }) => all.find((each) => each.folder.uri.toString() === uri.toString()),
        withRun: () => all[0],
      },
      log: silentLog,
    } as unknown as Context;
    const checkpoints = new Checkpoints(context);
    this.review = new Review(context, checkpoints);
    this.deciding = new Deciding(context, checkpoints, () => this.review, new Proposals(context));
    registerFailures(context);
    new Notices(context, checkpoints, this.deciding);
  }
}
