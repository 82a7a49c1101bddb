/** One workspace folder: its server, and what the server tells. */

import * as vscode from "vscode";
import { State } from "vscode-languageclient/node";
import type { DevloopEvent, Plan, Status } from "./protocol";
import { Client } from "./server/client";
import { type End, type Failure, failure, keptEnding, sentence } from "./server/failure";
import { findServer } from "./server/find";
import type { Candidate, Source } from "./server/locate";
import { initializationOptions } from "./server/options";
import { ServerProcess } from "./server/process";
import { isUnknownMethod, words } from "./server/refusal";
import { Restarts } from "./server/restarts";
import { eventsIn, isPlan, isStatus } from "./server/shape";
import { mismatch } from "./server/version";
import { Throttle } from "./throttle";

export type SessionState =
  | { readonly kind: "starting" }
  | {
      readonly kind: "running";
      readonly server: string;
      readonly version: string;
      readonly restricted: boolean;
      /** For people: which source named the server. */
      readonly from: string;
    }
  | { readonly kind: "failed"; readonly reason: string; readonly hint: string }
  | { readonly kind: "missing"; readonly tried: readonly string[] }
  | { readonly kind: "stopped" };

export interface Session extends vscode.Disposable {
  readonly folder: vscode.WorkspaceFolder;
  readonly state: SessionState;
  readonly onDidChangeState: vscode.Event<SessionState>;
  /** What runs and how the plan stands; undefined until the server said it. */
  readonly status: Status | undefined;
  readonly onDidChangeStatus: vscode.Event<Status>;
  /** The whole plan with the state of each task; undefined until it was read, and where there is none. */
  readonly plan: Plan | undefined;
  readonly onDidChangePlan: vscode.Event<Plan | undefined>;
  readonly onDidReceiveEvents: vscode.Event<readonly DevloopEvent[]>;
  /** Any `devloop/…` method. Waits while the server starts; rejects with an Error whose message is for people. */
  request<T>(method: string, params?: object): Promise<T>;
  /** A command of the server (`workspace/executeCommand`) with its one object. */
  execute<T>(command: string, args?: object): Promise<T>;
  restart(): Promise<void>;
}

const ANSWER_MS = 30_000;
const STOP_MS = 2_000;
const LAST_WORDS_MS = 1_500;
const PLAN_MS = 200;

interface Live {
  readonly client: Client;
  readonly process: ServerProcess;
}

export class FolderSession implements Session {
  private now: SessionState = { kind: "stopped" };
  private live: Live | undefined;
  private from: Source | undefined;
  /** Each start and stop has a number, so that what comes late is known to be of yesterday. */
  private generation = 0;
  private starting: Promise<void> | undefined;
  private readonly restarts = new Restarts();
  private lastStatus: Status | undefined;
  private lastPlan: Plan | undefined;
  private hasPlanMethod = true;
  private readonly planReader = new Throttle(() => this.readPlan(), PLAN_MS);

  private readonly stateEmitter = new vscode.EventEmitter<SessionState>();
  private readonly statusEmitter = new vscode.EventEmitter<Status>();
  private readonly planEmitter = new vscode.EventEmitter<Plan | undefined>();
  private readonly eventsEmitter = new vscode.EventEmitter<readonly DevloopEvent[]>();
  readonly onDidChangeState = this.stateEmitter.event;
  readonly onDidChangeStatus = this.statusEmitter.event;
  readonly onDidChangePlan = this.planEmitter.event;
  readonly onDidReceiveEvents = this.eventsEmitter.event;

  constructor(
    readonly folder: vscode.WorkspaceFolder,
    private readonly log: vscode.LogOutputChannel,
    /** What the server's environment has beside ours. */
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  /** Where the server that was started last came from. */
  get source(): Source | undefined {
    return this.from;
  }

  get state(): SessionState {
    return this.now;
  }

  get status(): Status | undefined {
    return this.lastStatus;
  }

  get plan(): Plan | undefined {
    return this.lastPlan;
  }

  /** Start the server unless it runs or is about to. Never rejects: `state` says what came of it. */
  start(): Promise<void> {
    if (this.now.kind === "running") {
      return Promise.resolve();
    }
    if (this.starting === undefined) {
      const generation = ++this.generation;
      const attempt = this.attempt(generation).finally(() => {
        if (this.starting === attempt) {
          this.starting = undefined;
        }
      });
      this.starting = attempt;
    }
    return this.starting;
  }

  async restart(): Promise<void> {
    this.restarts.reset();
    await this.stop();
    await this.start();
  }

  /** Resolves when the process is gone. Runs go on: they are the daemon's. */
  async stop(): Promise<void> {
    this.generation++;
    this.starting = undefined;
    const live = this.live;
    this.live = undefined;
    this.forget();
    this.setState({ kind: "stopped" });
    if (live !== undefined) {
      await this.end(live);
    }
  }

  dispose(): void {
    void this.stop();
    this.planReader.dispose();
    for (const emitter of [this.stateEmitter, this.statusEmitter, this.planEmitter, this.eventsEmitter]) {
      emitter.dispose();
    }
  }

  async request<T>(method: string, params: object = {}): Promise<T> {
    const client = await this.ready();
    try {
      return await client.sendRequest<T>(method, params);
    } catch (problem) {
      throw new Error(words(problem), { cause: problem });
    }
  }

  execute<T>(command: string, args: object = {}): Promise<T> {
    return this.request("workspace/executeCommand", { command, arguments: [args] });
  }

  private async ready(): Promise<Client> {
    if (this.now.kind === "starting") {
      await this.starting;
    }
    if (this.live === undefined || this.now.kind !== "running") {
      throw new Error(notRunning(this.folder.name, this.now));
    }
    return this.live.client;
  }

  private async attempt(generation: number): Promise<void> {
    this.setState({ kind: "starting" });
    let found: Candidate | undefined;
    try {
      const located = await findServer(this.folder);
      if (generation !== this.generation) {
        return;
      }
      if (located.found === undefined) {
        this.from = undefined;
        this.log.warn(`${this.folder.name}: no server: ${located.tried.join("; ")}.`);
        this.setState({ kind: "missing", tried: located.tried });
        return;
      }
      found = located.found;
      this.from = found.source;
      this.log.info(`${this.folder.name}: ${found.label}: ${found.command.join(" ")}`);
      await this.startWith(found, generation);
    } catch (problem) {
      if (generation === this.generation) {
        const end = isEnd(problem) ? problem : { stderr: [words(problem)] };
        this.fail(failure(found?.command ?? [], found?.source ?? "path", end));
      }
    }
  }

  private async startWith(found: Candidate, generation: number): Promise<void> {
    const name = this.folder.name;
    const place = { cwd: this.folder.uri.fsPath, environment: this.environment };
    const process = await ServerProcess.start(found.command, place, (line) =>
      this.log.info(`${name}: server: ${line}`),
    );
    const settings = vscode.workspace.getConfiguration("devloop", this.folder.uri);
    const trusted = vscode.workspace.isTrusted;
    const options = initializationOptions((key) => settings.get(key), trusted);
    const client = new Client(this.folder, options, this.log, () => Promise.resolve(process));
    const live: Live = { client, process };
    this.listen(live);
    const began = await this.handshake(live, found);
    if (generation !== this.generation) {
      await this.end(live);
      return;
    }
    if ("reason" in began) {
      this.fail(began);
      await this.end(live);
      return;
    }
    this.live = live;
    this.hasPlanMethod = true;
    const server = found.command.join(" ");
    this.setState({ kind: "running", server, version: began.version, restricted: !trusted, from: found.label });
    this.planReader.ask();
    void process.ended.then((end) => this.died(live, failure(found.command, found.source, end)));
  }

  /** The server's version, or why it can't be used. */
  private async handshake(live: Live, found: Candidate): Promise<{ readonly version: string } | Failure> {
    const began = live.client.start().then(
      () => undefined,
      (problem: unknown) => words(problem),
    );
    const first = await Promise.race([
      began,
      live.process.ended.then(() => "ended"),
      after(ANSWER_MS, "late" as const),
    ]);
    if (first === undefined) {
      live.process.begun();
      const info = live.client.initializeResult?.serverInfo;
      const wrong = mismatch(info);
      return wrong ?? { version: info?.version ?? "" };
    }
    this.log.error(`${this.folder.name}: the server did not begin: ${first}`);
    const end = await Promise.race([live.process.ended, after(LAST_WORDS_MS, undefined)]);
    if (end !== undefined) {
      return failure(found.command, found.source, end);
    }
    const reason =
      first === "late"
        ? `The server did not answer in ${ANSWER_MS / 1000} s.`
        : sentence(`The server refused: ${first}`);
    return { reason, hint: "The log says more." };
  }

  private listen(live: Live): void {
    live.client.onNotification("devloop/status", (status: unknown) => {
      if (!isStatus(status)) {
        this.log.warn(`${this.folder.name}: the server sent a status that is none.`);
        return;
      }
      this.lastStatus = status;
      this.statusEmitter.fire(status);
      this.planReader.ask();
    });
    live.client.onNotification("devloop/event", (told: unknown) => {
      const events = eventsIn(told);
      this.eventsEmitter.fire(events);
      if (events.some((event) => event.kind === "plan.changed")) {
        this.planReader.ask();
      }
    });
  }

  private async readPlan(): Promise<void> {
    const { live } = this;
    if (live === undefined || !this.hasPlanMethod) {
      return;
    }
    try {
      const plan = await live.client.sendRequest<unknown>("devloop/plan", {});
      if (!isPlan(plan)) {
        throw new Error("the server sent a plan that is none.");
      }
      if (live === this.live) {
        this.lastPlan = plan;
        this.planEmitter.fire(plan);
      }
    } catch (problem) {
      this.hasPlanMethod = !isUnknownMethod(problem);
      this.log.debug(`${this.folder.name}: no plan: ${words(problem)}`);
      // What was read stays unless the plan is gone: a request can fail for other reasons.
      if (live === this.live && this.lastPlan !== undefined && this.lastStatus?.plan.path === null) {
        this.lastPlan = undefined;
        this.planEmitter.fire(undefined);
      }
    }
  }

  /** The server ended although nobody asked it to. */
  private async died(live: Live, why: Failure): Promise<void> {
    if (live !== this.live) {
      return;
    }
    const generation = ++this.generation;
    this.live = undefined;
    this.forget();
    this.log.error(`${this.folder.name}: ${why.reason}`);
    const delay = this.restarts.delay(Date.now());
    if (delay === undefined) {
      this.fail(keptEnding(why, this.restarts.count));
      return;
    }
    this.setState({ kind: "starting" });
    this.starting = after(delay, undefined).then(() => {
      if (generation === this.generation) {
        this.starting = undefined;
        return this.start();
      }
      return undefined;
    });
    await this.starting;
  }

  private async end({ client, process }: Live): Promise<void> {
    if (client.state === State.Running) {
      // A server that hangs must not hold up the window: its process is ended below in any case.
      await client.stop(STOP_MS).catch((problem: unknown) => this.log.debug(`stop: ${words(problem)}`));
    }
    await process.end();
  }

  private fail(why: Failure): void {
    this.log.error(`${this.folder.name}: ${why.reason} ${why.hint}`);
    this.setState({ kind: "failed", ...why });
  }

  private forget(): void {
    this.lastStatus = undefined;
    this.lastPlan = undefined;
  }

  private setState(state: SessionState): void {
    this.now = state;
    this.stateEmitter.fire(state);
  }
}

function notRunning(name: string, state: SessionState): string {
  switch (state.kind) {
    case "failed":
      return `devloop does not run in ${name}: ${state.reason} ${state.hint}`;
    case "missing":
      return `devloop does not run in ${name}: no server was found.`;
    default:
      return `devloop does not run in ${name}.`;
  }
}

function isEnd(problem: unknown): problem is End {
  return typeof problem === "object" && problem !== null && "stderr" in problem;
}

function after<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(value), ms).unref();
  });
}
