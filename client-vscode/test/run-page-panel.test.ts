import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Context } from "../src/context";
import type { ToPage } from "../src/run-page/messages";
import { register } from "../src/run-page/panel";
import { checkpoint, conversation, DIFF, event, RUN, shown } from "./run-page-fixtures";
import { fake } from "./run-page-vscode";

vi.mock("vscode", async () => (await import("./run-page-vscode.js")).vscode);

class Session {
  readonly folder;
  state = { kind: "running" };
  readonly events = new fake.Emitter();
  readonly states = new fake.Emitter();
  readonly onDidReceiveEvents = this.events.event;
  readonly onDidChangeState = this.states.event;
  constructor(folder: string) {
    this.folder = { uri: new fake.Uri(folder) };
  }
  async request(method: string): Promise<unknown> {
    const answers: Readonly<Record<string, unknown>> = {
      "devloop/show": shown({ checkpoint: checkpoint() }),
      "devloop/conversation": conversation(2),
      "devloop/diff": DIFF,
      "devloop/runs": { runs: [{ id: RUN }] },
    };
    return answers[method];
  }
}

let session: Session;

function begin(): void {
  fake.panels.length = 0;
  fake.called.length = 0;
  fake.trusted = true;
  fake.decide = () => undefined;
  session = new Session("file:///p");
  const changes = new fake.Emitter();
  const sessions = {
    all: [session],
    current: session,
    of: () => session,
    withRun: () => session,
    onDidChange: changes.event,
    onDidChangeData: changes.event,
  };
  const context = {
    extension: { subscriptions: [], extensionUri: new fake.Uri("ext:") },
    sessions,
    log: { warn: () => undefined },
  };
  register(context as unknown as Context);
}

async function open(given: unknown = { run: RUN, uri: "file:///p" }): Promise<InstanceType<typeof fake.Panel>> {
  await fake.commands.get("devloop.openRun")?.(given);
  await vi.advanceTimersByTimeAsync(2000);
  const panel = fake.panels.at(-1);
  if (panel === undefined) {
    throw new Error("nothing was opened");
  }
  panel.messages.fire({ type: "ready" });
  return panel;
}

const answered = (panel: InstanceType<typeof fake.Panel>) =>
  panel.sent.filter((each) => (each as ToPage).type === "answered");

beforeEach(() => {
  vi.useFakeTimers();
  begin();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("the panel", () => {
  it("runs one script, shows our own folders and knows no command addresses", async () => {
    const panel = await open();
    expect(panel.webview.options).toMatchObject({ enableScripts: true, enableCommandUris: false, enableForms: false });
    const { localResourceRoots } = panel.webview.options as { localResourceRoots: unknown[] };
    expect(localResourceRoots.map(String)).toEqual(["ext:/dist", "ext:/media"]);
    expect(panel.webview.html).toContain('src="https://csp.test/ext:/dist/run-page.js"');
    expect(panel.sent[0]).toMatchObject({ type: "show", whole: true, patch: { run: { id: RUN } } });
  });

  it("is one for each run, whoever opens it", async () => {
    const panel = await open();
    await open({ run: RUN, uri: "file:///p/.devloop/plan.md" });
    await open(RUN);
    await open();
    expect(fake.panels).toHaveLength(1);
    expect(panel.revealed).toBe(3);
    await open({ run: "r-2" });
    expect(fake.panels).toHaveLength(2);
    panel.dispose();
    await open();
    expect(fake.panels).toHaveLength(3);
  });

  it("shows the newest run when none is named", async () => {
    const panel = await open({});
    expect(panel.webview.html).toContain('data-run="r-1"');
  });

  it("is there again after a reload, with what it remembers; nonsense is closed", async () => {
    const again = new fake.Panel({});
    await fake.restore?.(again, { run: RUN, folder: "file:///p" });
    expect(again.webview.html).toContain('data-run="r-1" data-folder="file:///p"');
    expect(again.webview.options).toMatchObject({ enableCommandUris: false });
    const closed = vi.fn();
    const nonsense = new fake.Panel({});
    nonsense.disposed.event(closed);
    await fake.restore?.(nonsense, { scroll: 4 });
    expect(closed).toHaveBeenCalled();
  });

  it("has the task in its title, with a dot while it waits", async () => {
    const panel = await open();
    expect(panel.title).toBe("1.1 Read amounts of money");
    session.events.fire([event("checkpoint.opened", checkpoint())]);
    expect(panel.title).toBe("● 1.1 Read amounts of money");
  });

  it("says when devloop is gone, and asks for everything when it is back", async () => {
    const panel = await open();
    session.state = { kind: "failed" };
    session.states.fire();
    expect(panel.sent.at(-1)).toMatchObject({
      patch: { trouble: "devloop does not answer; what is shown may be old." },
    });
    session.state = { kind: "running" };
    session.states.fire();
    await vi.advanceTimersByTimeAsync(2000);
    expect(panel.sent.at(-1)).toMatchObject({ patch: { trouble: "" } });
  });
});

describe("a decision", () => {
  const commit = { type: "decide", decision: "commit", checkpoint: 1, message: null };

  it("is our command's, and is taken when the checkpoint closes", async () => {
    const panel = await open();
    fake.decide = () => session.events.fire([event("checkpoint.closed", { number: 1, decision: "commit" })]);
    panel.messages.fire(commit);
    await vi.advanceTimersByTimeAsync(50);
    const uri = "file:///p"; // another folder may have a run of the same name
    expect(fake.called).toEqual([["devloop.decide", { run: RUN, decision: "commit", checkpoint: 1, uri }]]);
    expect(answered(panel)).toEqual([{ type: "answered", taken: true, problem: "" }]);
  });

  it("that was called off leaves the page as it was", async () => {
    const panel = await open();
    panel.messages.fire({ ...commit, decision: "revise", message: "Use Decimal." });
    await vi.advanceTimersByTimeAsync(5000);
    expect(fake.called[0]?.[1]).toMatchObject({ decision: "revise", message: "Use Decimal." });
    expect(answered(panel)).toEqual([{ type: "answered", taken: false, problem: "" }]);
  });

  it("that fails is told on the page", async () => {
    const panel = await open();
    fake.decide = () => {
      throw new Error("It is decided already.");
    };
    panel.messages.fire(commit);
    await vi.advanceTimersByTimeAsync(50);
    expect(answered(panel)).toEqual([{ type: "answered", taken: false, problem: "It is decided already." }]);
  });

  it("is not taken of another checkpoint, of what is not offered, or without trust", async () => {
    const panel = await open();
    panel.messages.fire({ ...commit, checkpoint: 2 });
    panel.messages.fire({ ...commit, decision: "block" });
    fake.trusted = false;
    panel.messages.fire(commit);
    panel.messages.fire({ type: "decide", decision: "commit" });
    panel.messages.fire("commit");
    await vi.advanceTimersByTimeAsync(5000);
    expect(fake.called).toEqual([]);
    expect(answered(panel)).toHaveLength(3);
  });
});

describe("what is no secret", () => {
  const finding = { id: "0123456789ab", file: "conf.py", line: 2, kind: "github-pat" };
  const held = checkpoint({ kind: "problem", decisions: ["revise", "recheck"], secrets: [finding] });

  it("is said by the command of every other place, for what holds this run", async () => {
    const panel = await open();
    session.events.fire([event("checkpoint.opened", held)]);
    fake.decide = () => session.events.fire([event("checkpoint.closed", { number: 1, decision: "recheck" })]);
    panel.messages.fire({ type: "noSecret", checkpoint: 1 });
    await vi.advanceTimersByTimeAsync(50);
    expect(fake.called).toEqual([["devloop.noSecret", { run: RUN, checkpoint: 1, uri: "file:///p" }]]);
    expect(answered(panel)).toEqual([{ type: "answered", taken: true, problem: "" }]);
  });

  it("is not said where nothing looks like one, of another checkpoint, or without trust", async () => {
    const panel = await open();
    panel.messages.fire({ type: "noSecret", checkpoint: 1 });
    session.events.fire([event("checkpoint.opened", held)]);
    panel.messages.fire({ type: "noSecret", checkpoint: 2 });
    fake.trusted = false;
    panel.messages.fire({ type: "noSecret", checkpoint: 1 });
    await vi.advanceTimersByTimeAsync(5000);
    expect(fake.called).toEqual([]);
    expect(answered(panel)).toHaveLength(3);
  });
});

describe("a click", () => {
  it("on a file opens it side by side, on the rest calls our commands", async () => {
    const panel = await open();
    panel.messages.fire({ type: "file", path: "docs/new.md" });
    panel.messages.fire({ type: "file", path: "../../etc/passwd" });
    panel.messages.fire({ type: "review" });
    panel.messages.fire({ type: "cancel" });
    panel.messages.fire({ type: "open", what: "transcript" });
    await vi.advanceTimersByTimeAsync(10);
    expect(fake.called.map(([name]) => name)).toEqual([
      "vscode.diff",
      "devloop.review",
      "devloop.cancel",
      "devloop.openTranscript",
    ]);
    const [, base, work] = fake.called[0] as unknown[];
    expect(String(base)).toMatch(/^devloop-review:\/docs\/old\.md\?run=r-1&at=4b825dc.*side=base/);
    expect(String(work)).toMatch(/^devloop-review:\/docs\/new\.md\?.*side=work/);
  });
});
