import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Located } from "../src/server/locate";
import { FolderSession, type Session, type SessionState } from "../src/session";

/** What stands in for the language client: the process is real, the conversation with it is played. */
const played = vi.hoisted(() => ({
  located: undefined as unknown,
  version: "0.1.0",
  start: "answers" as "answers" | "never" | "fails",
  requests: [] as string[],
  answer: (async () => ({})) as (method: string, params: unknown) => Promise<unknown>,
  clients: [] as { tell(method: string, params: unknown): void; options: Readonly<Record<string, unknown>> }[],
  trusted: true,
}));

vi.mock("vscode", async () => {
  const { Disposable, EventEmitter } =
    await vi.importActual<typeof import("./checkpoints-vscode")>("./checkpoints-vscode");
  return {
    Disposable,
    EventEmitter,
    workspace: {
      getConfiguration: () => ({ get: (name: string) => (name === "codeLens" ? true : undefined) }),
      get isTrusted() {
        return played.trusted;
      },
    },
  };
});
vi.mock("vscode-languageclient/node", () => ({ State: { Stopped: 1, Starting: 3, Running: 2 } }));
vi.mock("../src/server/find", () => ({ findServer: async () => played.located as Located }));
vi.mock("../src/server/client", () => ({
  Client: class {
    state = 1;
    initializeResult: unknown;
    private readonly handlers = new Map<string, (params: unknown) => void>();
    constructor(
      _folder: unknown,
      readonly options: Readonly<Record<string, unknown>>,
      _log: unknown,
      private readonly process: () => Promise<unknown>,
    ) {
      played.clients.push({ options, tell: (method, params) => this.handlers.get(method)?.(params) });
    }
    async start(): Promise<void> {
      await this.process();
      if (played.start === "never") {
        await new Promise(() => undefined);
      }
      if (played.start === "fails") {
        throw new Error("the pipe is closed");
      }
      this.state = 2;
      this.initializeResult = { serverInfo: { name: "devloop", version: played.version } };
    }
    async stop(): Promise<void> {
      this.state = 1;
    }
    onNotification(method: string, handler: (params: unknown) => void): void {
      this.handlers.set(method, handler);
    }
    async sendRequest(method: string, params: unknown): Promise<unknown> {
      played.requests.push(method);
      return await played.answer(method, params);
    }
  },
}));

const FOLDER = { name: "purse", index: 0, uri: { fsPath: process.cwd(), toString: () => "file:///purse" } };
const LOG = new Proxy({}, { get: () => () => undefined });
const STAYS = "process.stdin.resume(); process.stdin.on('end', () => process.exit(0))";

function serve(script: string, source = "serverCommand"): void {
  played.located = { found: { source, label: "test", command: [process.execPath, "-e", script] }, tried: [] };
}

function make(): FolderSession {
  return new FolderSession(FOLDER as never, LOG as never, {});
}

async function until(session: Session, kind: SessionState["kind"]): Promise<SessionState> {
  await vi.waitFor(() => expect(session.state.kind).toBe(kind), { timeout: 15_000, interval: 5 });
  return session.state;
}

let session: FolderSession;

beforeEach(() => {
  Object.assign(played, { version: "0.1.0", start: "answers", trusted: true, requests: [], clients: [] });
  played.answer = async () => ({});
  serve(STAYS);
  session = make();
});
afterEach(async () => {
  await session.stop();
});

describe("a folder's session", () => {
  it("runs, and says with what and whether it is restricted", async () => {
    await session.start();
    expect(session.state).toMatchObject({ kind: "running", version: "0.1.0", restricted: false });
    expect(played.clients[0]?.options).toEqual({ codeLens: true, trusted: true });
    played.trusted = false;
    await session.restart();
    expect(session.state).toMatchObject({ kind: "running", restricted: true });
    expect(played.clients[1]?.options).toEqual({ codeLens: true, trusted: false });
  });

  it("says that there is no server, with what was tried", async () => {
    played.located = { found: undefined, tried: ["there is no devloop on PATH"] };
    await session.start();
    expect(session.state).toEqual({ kind: "missing", tried: ["there is no devloop on PATH"] });
    await expect(session.request("devloop/status")).rejects.toThrow("no server was found");
  });

  it("is never left starting: a server that ends has its last words in the reason", async () => {
    serve("console.error('Traceback'); console.error('RuntimeError: no luck'); process.exit(1)");
    played.start = "never";
    await session.start();
    expect(session.state).toMatchObject({
      kind: "failed",
      reason: "The server ended with status 1: RuntimeError: no luck.",
    });
  });

  it("says it when the program does not exist, and when the server refuses", async () => {
    played.located = { found: { source: "interpreter", label: "", command: ["/no/such/python", "lsp"] }, tried: [] };
    await session.start();
    expect(session.state).toEqual({
      kind: "failed",
      reason: "/no/such/python does not exist.",
      hint: "Check the setting devloop.interpreter.",
    });
    serve(STAYS);
    played.start = "fails";
    await session.restart();
    expect(session.state).toMatchObject({ kind: "failed", reason: "The server refused: the pipe is closed." });
  });

  it("does not use a server of another age", async () => {
    played.version = "7.0.0";
    await session.start();
    expect(session.state).toMatchObject({ kind: "failed", hint: "Update the devloop extension." });
    await expect(session.execute("devloop.run")).rejects.toThrow("devloop 7.0.0");
  });

  it("starts a server again that ended by itself, and gives up when it keeps ending", async () => {
    const states: string[] = [];
    session.onDidChangeState((state) => states.push(state.kind));
    serve("setTimeout(() => process.exit(9), 60)");
    await session.start();
    await until(session, "failed");
    expect(states.filter((kind) => kind === "running")).toHaveLength(4);
    expect(session.state).toMatchObject({
      reason: "The server ended 4 times in a short while. The server ended with status 9.",
    });
    serve(STAYS);
    await session.restart();
    expect(session.state.kind).toBe("running");
  }, 20_000);

  it("lets a request wait for the start and passes it on with one object", async () => {
    played.answer = async (method, params) => ({ method, params });
    void session.start();
    expect(await session.execute("devloop.run", { task: { id: "1.1" } })).toEqual({
      method: "workspace/executeCommand",
      params: { command: "devloop.run", arguments: [{ task: { id: "1.1" } }] },
    });
  });

  it("rejects with the server's sentence", async () => {
    await session.start();
    played.answer = async () => {
      throw Object.assign(new Error("Task 9 is not there.\nLook."), { code: -32803, data: { kind: "refused" } });
    };
    const problem = await session.request("devloop/run").catch((each: unknown) => each);
    expect(problem).toBeInstanceOf(Error);
    expect((problem as Error).message).toBe("Task 9 is not there. Look.");
    expect((problem as Error).cause).toMatchObject({ data: { kind: "refused" } });
  });

  it("keeps status, plan and events, and forgets them with the server", async () => {
    let plans = 0;
    played.answer = async (method) =>
      method === "devloop/plan" ? { tasks: [], phases: [], problems: [], number: ++plans } : {};
    const events: unknown[] = [];
    session.onDidReceiveEvents((received) => events.push(...received));
    await session.start();
    await vi.waitFor(() => expect(session.plan).toMatchObject({ number: 1 }));
    const [client] = played.clients;
    for (let at = 0; at < 20; at++) {
      client?.tell("devloop/status", { runs: [], plan: {}, at });
    }
    client?.tell("devloop/event", { events: [{ kind: "plan.changed", data: {} }, 7, { kind: "notice", data: {} }] });
    expect(session.status).toMatchObject({ at: 19 });
    expect(events).toHaveLength(2);
    await vi.waitFor(() => expect(session.plan).toMatchObject({ number: 2 }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(plans).toBe(2); // twenty-two reasons to read it were one reading
    await session.stop();
    expect([session.status, session.plan, session.state.kind]).toEqual([undefined, undefined, "stopped"]);
  });

  it("says that the plan is gone, and keeps it when it only could not be read", async () => {
    let answer: unknown = { tasks: [], phases: [], problems: [] };
    played.answer = async (method) => {
      if (method === "devloop/plan" && answer instanceof Error) {
        throw answer;
      }
      return method === "devloop/plan" ? answer : {};
    };
    const told: unknown[] = [];
    session.onDidChangePlan((plan) => told.push(plan));
    await session.start();
    await vi.waitFor(() => expect(told).toHaveLength(1));
    const reads = () => played.requests.filter((each) => each === "devloop/plan").length;
    for (const [wrong, path] of [
      [new Error("The daemon is gone."), "p"],
      [{ tasks: "none" }, "p"],
      [new Error("There is no plan."), null],
    ] as const) {
      answer = wrong;
      const before = reads();
      played.clients[0]?.tell("devloop/status", { runs: [], plan: { path } });
      await vi.waitFor(() => expect(reads()).toBe(before + 1));
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(session.plan === undefined).toBe(path === null);
    }
    expect(told).toHaveLength(2);
    expect(told[1]).toBeUndefined();
  });

  it("passes over what is no message of the server", async () => {
    const told: unknown[] = [];
    session.onDidChangeStatus((status) => told.push(status));
    session.onDidReceiveEvents((events) => told.push(...events));
    await session.start();
    for (const wrong of [null, 7, {}, { runs: "x" }, { runs: [null], plan: {} }, { events: 3 }, { events: [null] }]) {
      played.clients[0]?.tell("devloop/status", wrong);
      played.clients[0]?.tell("devloop/event", wrong);
    }
    expect(told).toEqual([]);
    expect(session.state.kind).toBe("running");
  });

  it("asks no more for a plan that the server does not know", async () => {
    played.answer = async (method) => {
      if (method === "devloop/plan") {
        throw Object.assign(new Error("devloop does not know devloop/plan."), { code: -32601 });
      }
      return {};
    };
    await session.start();
    await vi.waitFor(() => expect(played.requests).toContain("devloop/plan"));
    for (let at = 0; at < 3; at++) {
      played.clients[0]?.tell("devloop/status", { runs: [], plan: {} });
      await new Promise((resolve) => setTimeout(resolve, 230));
    }
    expect(played.requests.filter((each) => each === "devloop/plan")).toHaveLength(1);
  });

  it("stops in the middle of a start, without a word later", async () => {
    const states: string[] = [];
    session.onDidChangeState((state) => states.push(state.kind));
    const starting = session.start();
    await session.stop();
    await starting;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(states).toEqual(["starting", "stopped"]);
  });
});
