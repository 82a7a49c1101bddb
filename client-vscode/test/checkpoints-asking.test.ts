import { beforeEach, describe, expect, it, vi } from "vitest";
import { Deciding } from "../src/checkpoints/deciding";
import { registerFailures } from "../src/checkpoints/failures";
import { Notices } from "../src/checkpoints/notices";
import { Proposals } from "../src/checkpoints/proposal";
import { Review } from "../src/checkpoints/review";
import { Checkpoints } from "../src/checkpoints/store";
import type { Context } from "../src/context";
import type { Checkpoint, DevloopEvent, Run, Status } from "../src/protocol";
import type { Session, SessionState } from "../src/session";
import { checkpoint, question, run, status } from "./checkpoints-fixtures";
import { EventEmitter, Screen, settled, silentLog } from "./checkpoints-vscode";

let screen = new Screen();
vi.mock("vscode", async () => (await import("./checkpoints-vscode.js")).fakeVscode(() => screen));
type Answer = object;

/** A server that says what the test lets it say. */
class FakeSession {
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
class World {
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

let session = new FakeSession();
let world = new World(session);

beforeEach(() => {
  screen = new Screen();
  session = new FakeSession();
  world = new World(session);
});

describe("a notification", () => {
  it("comes once for a checkpoint, whoever tells of it and how often", async () => {
    await session.waits(checkpoint());
    await session.says(session.status ?? {});
    expect(screen.toast).toMatchObject({ kind: "information", buttons: ["Continue", "Review", "Commit", "More…"] });
  });

  it("comes from a status alone, with what the server shows of the run", async () => {
    const waiting = run({ state: "waiting", checkpoint: 1 });
    session.answers["devloop/show"] = { run: waiting, checkpoint: checkpoint({ summary: "Shown." }) };
    await session.says({ runs: [waiting] });
    expect(screen.toast.message).toContain("Shown.");
  });

  it("comes again for the next checkpoint of the run", async () => {
    await session.waits(checkpoint());
    await screen.toast.close();
    await session.decided(1, "revise");
    await session.waits(checkpoint({ number: 2, summary: "Better." }));
    expect(screen.toast.message).toContain("Better.");
  });

  it("comes with the event when the server could not show it before", async () => {
    const waiting = run({ state: "waiting", checkpoint: 1 });
    session.answers["devloop/show"] = new Error("The engine is starting.");
    await session.says({ runs: [waiting] });
    expect(screen.toasts).toEqual([]);
    await session.waits(checkpoint());
    expect(screen.toast.buttons).toContain("Commit");
  });

  it("is not asked for without end", async () => {
    session.answers["devloop/show"] = new Error("no");
    for (let times = 0; times < 20; times++) {
      await session.says({ runs: [run({ state: "waiting", checkpoint: 1 })] });
    }
    expect(session.asked.length).toBeLessThan(10);
  });

  it("is not shown where the checkpoint was answered before it could be read", async () => {
    const waiting = run({ state: "waiting", checkpoint: 1 });
    session.answers["devloop/show"] = () => ({ run: run({ state: "landing" }), checkpoint: null });
    await session.says({ runs: [waiting] });
    expect(screen.toasts).toEqual([]);
  });

  it("is a warning where something is asked or wrong", async () => {
    await session.waits(question(["As 0.00", "As a dash"]));
    expect(screen.toast).toMatchObject({
      kind: "warning",
      buttons: ["As 0.00", "As a dash", "Other Answer…", "More…"],
    });
  });

  it("warns of work that changes the checks themselves", async () => {
    await session.waits(checkpoint({ guards: [{ kind: "config", file: "pyproject.toml" }] }));
    expect(screen.toast.kind).toBe("warning");
    expect(screen.toast.message).toContain("✓ tests · ! 1 change to the checks themselves · 1 file");
  });

  it("that was closed does not come back with the window", async () => {
    await session.waits(checkpoint());
    await screen.toast.close();
    screen.toasts = [];
    world.load();
    await session.waits(checkpoint());
    expect(screen.toasts).toEqual([]);
  });

  it("that nobody touched comes back with the window, once", async () => {
    await session.waits(checkpoint());
    screen.toasts = [];
    world.load();
    await session.waits(checkpoint());
    expect(screen.toasts.length).toBe(1);
  });

  it("does not come again because the server was restarted", async () => {
    await session.waits(checkpoint());
    await session.becomes({ kind: "starting" });
    await session.becomes({
      kind: "running",
      server: "s",
      version: "0.1.0",
      restricted: false,
      from: "the setting devloop.serverCommand",
    });
    await session.waits(checkpoint());
    expect(screen.toasts.length).toBe(1);
  });

  it("is left out where the setting says so, and made up for when it changes", async () => {
    screen.configure({ checkpointMessages: false });
    await session.waits(checkpoint());
    expect(screen.toasts).toEqual([]);
    screen.configure({ checkpointMessages: true });
    await settled();
    expect(screen.toasts.length).toBe(1);
    screen.configure({ checkpointMessages: true });
    await settled();
    expect(screen.toasts.length).toBe(1);
  });

  it("is left out in restricted mode", async () => {
    session.state = {
      kind: "running",
      server: "s",
      version: "0.1.0",
      restricted: true,
      from: "the setting devloop.serverCommand",
    };
    await session.waits(checkpoint());
    expect(screen.toasts).toEqual([]);
  });
});

describe("a click", () => {
  it("decides, naming the checkpoint that was shown", async () => {
    await session.waits(checkpoint());
    await screen.toast.press("Commit");
    expect(session.decisions()).toEqual([{ run: "run-1.1-1", checkpoint: 1, decision: "commit" }]);
    expect(screen.toasts).toEqual([]);
  });

  it("that it is no secret names exactly what was shown", async () => {
    const secrets = [{ id: "0123456789ab", file: "conf.py", line: 2, kind: "github-pat" }];
    const problem = "secrets: fail (conf.py:2 github-pat [0123456789ab])";
    await session.waits(checkpoint({ kind: "problem", decisions: ["revise", "recheck"], secrets, problem }));
    expect(screen.toast.message).toContain("needs you: This looks like a secret: conf.py:2 github-pat (");
    await screen.toast.press("This Is No Secret");
    const asked = { run: "run-1.1-1", checkpoint: 1, decision: "recheck", not_secret: ["0123456789ab"] };
    expect(session.decisions()).toEqual([asked]);
  });

  it("that comes too late says so calmly and sends nothing", async () => {
    await session.waits(checkpoint());
    const { toast } = screen;
    await session.decided(1, "discard");
    await toast.press("Commit");
    expect(session.decisions()).toEqual([]);
    expect(screen.toast).toMatchObject({
      kind: "information",
      message: "It was decided already (discard): 1.1 Add login.",
    });
  });

  it("of the first checkpoint does not answer the second", async () => {
    await session.waits(checkpoint());
    const { toast } = screen;
    await session.decided(1, "revise");
    await session.waits(checkpoint({ number: 2 }));
    await toast.press("Commit");
    expect(session.decisions()).toEqual([]);
  });

  it("that is overtaken on its way is no error either", async () => {
    await session.waits(checkpoint());
    session.answers["devloop.decide"] = () => {
      void session.decided(1, "stop");
      return new Error("Checkpoint 1 of run-1.1-1 is answered already.");
    };
    await screen.toast.press("Commit");
    expect(screen.toast).toMatchObject({
      kind: "information",
      message: "It was decided already (stop): 1.1 Add login.",
    });
  });

  it("that is overtaken by the server's death does not say that it was decided", async () => {
    await session.waits(checkpoint());
    session.answers["devloop.decide"] = () => {
      void session.becomes({ kind: "starting" });
      return new Error("Connection got disposed.");
    };
    await screen.toast.press("Commit");
    expect(screen.toast).toMatchObject({ kind: "warning", message: "Connection got disposed." });
    await screen.toast.close();
    await world.deciding.choose({ run: "run-1.1-1", checkpoint: 1 });
    expect(screen.toast.message).toBe(
      "devloop does not answer in purse, so nothing was decided. Try again in a moment.",
    );
  });

  it("that is refused says why", async () => {
    await session.waits(checkpoint());
    session.answers["devloop.decide"] = new Error("Your checkout has changes in a.py.");
    await screen.toast.press("Commit");
    expect(screen.toast).toMatchObject({ kind: "warning", message: "Your checkout has changes in a.py." });
  });

  it("on an answer sends just that", async () => {
    await session.waits(question(["As 0.00", "As a dash"]));
    await screen.toast.press("As a dash");
    expect(session.decisions()).toMatchObject([{ decision: "answer", message: "As a dash" }]);
  });
});

describe("a yes to a command", () => {
  const command = (text: string): Checkpoint =>
    question(["allow", "deny"], `Run this command without a sandbox?\n$ ${text}`);
  const LONG = `echo ${"harmless ".repeat(20)}; rm -rf ~`;

  it("is one click where all of it was seen", async () => {
    await session.waits(command("make test"));
    await screen.toast.press("allow");
    expect(session.decisions()).toMatchObject([{ decision: "answer", message: "allow" }]);
  });

  it.each([LONG, "make test\nrm -rf ~", "make\u2063 test\n:"])("needs the rest to be seen: %s", async (text) => {
    for (const sure of [false, true]) {
      await session.waits(command(text));
      void world.deciding.choose({ run: "run-1.1-1" });
      await settled();
      await screen.box.enter("allow");
      const modal = screen.toasts.find((each) => each.modal);
      expect(modal?.message).toBe("Run this command without a sandbox?");
      expect(modal?.detail).toBe(`$ ${text.replace("\u2063", "\ufffd")}`);
      await (sure ? modal?.press("Allow") : modal?.close());
      expect(session.decisions()).toHaveLength(sure ? 1 : 0);
    }
  });

  it("is not needed for a no", async () => {
    await session.waits(command(LONG));
    await screen.toast.press("deny");
    expect(session.decisions()).toMatchObject([{ decision: "answer", message: "deny" }]);
  });
});

describe("words", () => {
  beforeEach(() => {
    session.answers["devloop.decide"] = ({ message }) => (message === undefined ? new Error("Say what.") : {});
  });

  it("are asked for, with the way to write more of them", async () => {
    await session.waits(checkpoint({ recommended: "commit" }));
    await screen.toast.press("Revise…");
    expect(screen.box.title).toBe("Revise: 1.1 Add login");
    expect(screen.box.prompt).toContain("One line");
    expect(screen.box.prompt).toContain("“> revise:”");
    await screen.box.enter();
    expect(screen.box.validationMessage).toBeTruthy();
    await screen.box.type(" Use the sign. ");
    expect(screen.box.validationMessage).toBeUndefined();
    await screen.box.enter();
    expect(session.decisions().at(-1)).toMatchObject({ decision: "revise", message: "Use the sign." });
  });

  it("that stand in the plan already are passed on without asking", async () => {
    session.answers["devloop.decide"] = {};
    await session.waits(checkpoint({ recommended: "commit" }));
    await screen.toast.press("Revise…");
    expect(screen.boxes).toEqual([]);
    expect(session.decisions()).toEqual([{ run: "run-1.1-1", checkpoint: 1, decision: "revise" }]);
  });

  it("that somebody escapes from decide nothing", async () => {
    await session.waits(checkpoint({ recommended: "commit" }));
    await screen.toast.press("Revise…");
    await screen.box.escape();
    expect(session.decisions().filter((each) => each["message"] !== undefined)).toEqual([]);
    expect(screen.toasts).toEqual([]);
  });

  it("come too late where the status was first: the server says how it was decided", async () => {
    session.answers["devloop/show"] = { decisions: [{ number: 1, decision: "commit" }] };
    await session.waits(checkpoint({ recommended: "commit" }));
    await screen.toast.press("Revise…");
    await session.says({ runs: [] });
    expect(screen.toast).toMatchObject({ message: "It was decided already (commit): 1.1 Add login." });
  });

  it("that come too late are given back: the box goes when it was decided elsewhere", async () => {
    await session.waits(checkpoint({ recommended: "commit" }));
    await screen.toast.press("Revise…");
    const { box } = screen;
    await box.type("Use the sign.");
    await session.decided(1, "commit");
    expect(box.shown).toBe(false);
    expect(screen.toast).toMatchObject({
      kind: "information",
      message: "It was decided already (commit): 1.1 Add login.",
    });
    await screen.toast.press("Copy What I Wrote");
    expect(screen.clipboard).toBe("Use the sign.");
    expect(session.decisions().filter((each) => each["message"] !== undefined)).toEqual([]);
  });
});

describe("the list of everything", () => {
  it("has every decision with its sentence", async () => {
    await session.waits(checkpoint());
    await screen.toast.press("More…");
    expect(screen.box.items.map((each) => each.label)).toEqual([
      "$(debug-continue) Continue",
      "$(check) Commit",
      "$(debug-restart) Fresh Start",
      "$(debug-stop) Stop",
      "$(edit) Revise…",
      "$(trash) Discard…",
      "$(diff-multiple) Review",
    ]);
    expect(screen.box.items.every((each) => each.detail)).toBe(true);
    await screen.box.enter("Fresh Start");
    expect(session.decisions()).toMatchObject([{ decision: "fresh" }]);
  });

  it("goes when it was decided elsewhere, and only then", async () => {
    await session.waits(checkpoint());
    await screen.toast.press("More…");
    const { box } = screen;
    await session.says({ runs: session.status?.runs ?? [] });
    await session.becomes({ kind: "starting" });
    expect(box.shown).toBe(true);
    await session.becomes({
      kind: "running",
      server: "s",
      version: "0.1.0",
      restricted: false,
      from: "the setting devloop.serverCommand",
    });
    await session.waits(checkpoint());
    expect(box.shown).toBe(true);
    await session.decided(1, "continue");
    expect(box.shown).toBe(false);
    expect(screen.toast).toMatchObject({ message: "It was decided already (continue): 1.1 Add login.", buttons: [] });
  });

  it("asks once more before work is thrown away", async () => {
    for (const sure of [false, true]) {
      await session.waits(checkpoint());
      void world.deciding.choose({ run: "run-1.1-1" });
      await settled();
      await screen.box.enter("Discard");
      const modal = screen.toasts.find((each) => each.modal);
      expect(modal?.message).toBe("Throw away the work of 1.1 Add login?");
      await (sure ? modal?.press("Discard") : modal?.close());
      expect(session.decisions()).toHaveLength(sure ? 1 : 0);
    }
  });

  it("takes an answer that was typed, as it was typed", async () => {
    await session.waits(question(["a", "b", "c"]));
    await screen.toast.press("Answer…");
    expect(screen.box.items.map((each) => each.label)).toEqual(["$(reply) a", "$(reply) b", "$(reply) c"]);
    await screen.box.type("none of $(zap) these");
    const typed = screen.box.items.at(-1)?.label ?? "";
    expect(typed).not.toContain("$(zap)");
    await screen.box.enter("none of");
    expect(session.decisions()).toMatchObject([{ decision: "answer", message: "none of $(zap) these" }]);
  });

  it("says when nothing waits", async () => {
    await world.deciding.choose({});
    expect(screen.toast.message).toBe("Nothing waits for you.");
  });

  it("asks which run is meant when several wait", async () => {
    const two = [
      run({ state: "waiting", checkpoint: 1 }),
      run({ id: "b", task: "1.2", title: "Log out", state: "waiting", checkpoint: 4 }),
    ];
    session.answers["devloop/show"] = ({ run: name }) => {
      const found = two.find((each) => each.id === name);
      return { run: found, checkpoint: checkpoint({ number: name === "b" ? 4 : 1 }) };
    };
    await session.says({ runs: two });
    void world.deciding.choose({});
    await settled();
    await screen.picks[0]?.choose("1.2");
    expect(screen.box.title).toContain("1.2 Log out");
  });

  it("decides in the folder that is meant where two have a run of the same name", async () => {
    const other = new FakeSession("bank");
    world = new World(session, other);
    await session.waits(checkpoint());
    await other.waits(checkpoint());
    void world.deciding.choose({});
    await settled();
    expect(screen.picks[0]?.rows).toMatchObject([{ description: "purse" }, { description: "bank" }]);
    await screen.picks[0]?.choose("Add login", 1);
    await screen.box.enter("Commit");
    expect([session.decisions(), other.decisions()]).toEqual([
      [],
      [{ run: "run-1.1-1", checkpoint: 1, decision: "commit" }],
    ]);
  });
});

describe("a review", () => {
  const files = [
    { path: "a.py", status: "M", added: 1, deleted: 0, binary: false, old_path: null },
    { path: "new.py", status: "A", added: 1, deleted: 0, binary: false, old_path: null },
    { path: "gone.py", status: "D", added: 0, deleted: 3, binary: false, old_path: null },
  ];

  beforeEach(async () => {
    session.answers["devloop/diff"] = { run: "run-1.1-1", commit: "abc", files };
    await session.waits(checkpoint());
    await screen.toast.press("Review");
    const tab = { label: "Review 1.1: Add login (3 files)", input: undefined }; // as VS Code shows it
    screen.tabs.push(tab, { label: "plan.md", input: undefined });
    screen.front(tab);
  });

  const shown = () => {
    const { active } = world.review;
    if (active === undefined) {
      throw new Error("no review is in front");
    }
    return active;
  };
  const file = (path: string) => shown().files.filter((each) => each.path === path);

  it("opens all files with their sides", () => {
    const [name, title, resources] = screen.executed[0] as [string, string, (object | undefined)[][]];
    expect([name, title]).toEqual(["vscode.changes", "Review 1.1: Add login"]);
    expect(resources.map((each) => each.slice(1).map((side) => side !== undefined))).toEqual([
      [true, true],
      [true, false],
      [false, true],
    ]);
  });

  it("offers the decisions while it is in front and its checkpoint is open", async () => {
    expect(screen.contexts).toMatchObject({
      "devloop.reviewing.active": true,
      "devloop.reviewing.commit": true,
      "devloop.reviewing.recheck": false,
      "devloop.reviewing.leaves": true,
    });
    screen.front(screen.tabs[1]);
    expect(screen.contexts["devloop.reviewing.active"]).toBe(false);
    expect(screen.contexts["devloop.reviewing.shown"]).toBe(true);
    await session.decided(1, "commit");
    expect(screen.contexts).toMatchObject({ "devloop.reviewing.commit": false, "devloop.reviewing.shown": false });
  });

  it("carries the files that are left out, and says that the gates run again", async () => {
    world.review.leave(shown(), file("new.py"), true);
    expect(screen.contexts["devloop.reviewing.out"]).toEqual(["/new.py"]);
    const place = world.review.placeOf(shown());
    await world.deciding.decide(place ?? expect.fail(), "commit");
    expect(session.decisions()).toEqual([
      { run: "run-1.1-1", checkpoint: 1, decision: "commit", message: null, leave_out: ["new.py"] },
    ]);
    expect(screen.progress).toEqual([{ title: "1.1: checking again without 1 file, then commit", over: false }]);
    await session.tells({ at: 0, run: "run-1.1-1", kind: "run.ended", data: { outcome: "landed" } });
    expect(screen.progress[0]?.over).toBe(true);
  });

  it("leaves nothing out of what accepts nothing", async () => {
    world.review.leave(shown(), file("new.py"), true);
    const place = world.review.placeOf(shown()) ?? expect.fail();
    await world.deciding.decide(place, "revise", "Smaller.");
    expect(session.decisions()[0]).not.toHaveProperty("leave_out");
  });

  it("keeps one file at least", () => {
    world.review.leave(shown(), shown().files, true);
    expect(world.review.leftOut(world.review.placeOf(shown()) ?? expect.fail())).toEqual([]);
    expect(screen.toast.message).toContain("has to stay in");
  });

  it("is closed with the decision, and nothing else is", async () => {
    await world.deciding.decide(world.review.placeOf(shown()) ?? expect.fail(), "commit");
    expect(screen.tabs.map((each) => each.label)).toEqual(["plan.md"]);
  });

  it("decides nothing about work of the next checkpoint, which it does not show", async () => {
    await session.waits(checkpoint({ number: 2 }));
    expect(shown().files).toHaveLength(3);
    expect(world.review.placeOf(shown())).toBeUndefined();
    expect(screen.contexts).toMatchObject({ "devloop.reviewing.commit": false, "devloop.reviewing.leaves": false });
    await world.review.open({ run: "run-1.1-1" });
    expect(world.review.placeOf(shown())?.content.number).toBe(2);
  });

  it("takes the place of one that has the same title, since they could not be told apart", async () => {
    await session.waits(checkpoint(), { id: "run-1.1-2" });
    await world.review.open({ run: "run-1.1-2" });
    expect(screen.tabs.map((each) => each.label)).toEqual(["plan.md"]);
  });

  it("leaves nothing out in another folder whose run has the same name", async () => {
    const other = new FakeSession("bank");
    other.answers["devloop/diff"] = { run: "run-1.1-1", commit: "def", files };
    world = new World(session, other);
    await other.waits(checkpoint(), { title: "Count the coins" });
    await session.waits(checkpoint());
    for (const folder of ["bank", "purse"]) {
      await world.review.open({ run: "run-1.1-1", uri: `file:///${folder}` });
      screen.front({ label: "Review 1.1: Add login (3 files)", input: undefined });
    }
    world.review.leave(shown(), file("new.py"), true);
    const place = world.review.placeOf(shown()) ?? expect.fail();
    expect(world.review.leftOut(place)).toEqual(["new.py"]);
    expect(world.review.leftOut({ ...place, session: other as unknown as Session })).toEqual([]);
  });

  it("stays when the decision is refused", async () => {
    session.answers["devloop.decide"] = new Error("no");
    await world.deciding.decide(world.review.placeOf(shown()) ?? expect.fail(), "commit");
    expect(screen.tabs).toHaveLength(2);
  });

  it("is known again after a reload", async () => {
    world.load();
    await settled();
    screen.front(screen.tabs[0]);
    await session.waits(checkpoint());
    await settled();
    expect(shown().files).toHaveLength(3);
    expect(screen.contexts["devloop.reviewing.commit"]).toBe(true);
  });

  it("of nothing says so", async () => {
    session.answers["devloop/diff"] = { run: "run-1.1-1", commit: null, files: [] };
    await world.review.open({ run: "run-1.1-1" });
    expect(screen.toast.message).toBe("1.1 Add login changed no file.");
  });
});

describe("a run that ends", () => {
  const ends = (outcome: string, reason: string | null = null) =>
    session.tells({ at: 0, run: "run-1.1-1", kind: "run.ended", data: { outcome, reason } });

  it("badly is told once, with the way to it", async () => {
    await session.says({ runs: [run()] });
    await ends("failed", "The [engine](command:x) broke.");
    expect(screen.toast).toMatchObject({
      kind: "warning",
      message: "1.1 Add login failed: The [engine] (command:x) broke.",
      buttons: ["Show Run"],
    });
    await screen.toast.press("Show Run");
    expect(screen.executed).toEqual([["devloop.showRun", { run: "run-1.1-1", uri: "file:///purse" }]]);
  });

  it("that no status told of is asked for", async () => {
    session.answers["devloop/show"] = { run: run({ title: "Log out" }), checkpoint: null };
    await ends("exhausted");
    expect(screen.toast.message).toBe("1.1 Log out used up its budget.");
  });

  it("as somebody wanted is told by nothing", async () => {
    for (const outcome of ["landed", "accepted", "partial", "discarded", "cancelled", "constructor"]) {
      await ends(outcome);
    }
    expect(screen.toasts).toEqual([]);
  });
});

describe("a change of the plan that is proposed", () => {
  const proposal = {
    path: ".devloop/plan.md",
    exists: true,
    patch: "--- a\n+++ b\n",
    text: "# Plan: Login\n",
    said: "2 tasks added",
    notes: [],
    left_out: [],
    optional: true,
  };
  const report = checkpoint({
    decisions: ["continue", "revise", "discard"],
    diff: null,
    gates: [],
    report: { text: "Planned." },
    proposal,
  });

  it("is said and shown from the notification, and goes when it is decided", async () => {
    await session.waits(report, { task: "@plan-revise", title: "Split it" });
    expect(screen.toast.buttons).toEqual(["Continue", "Show Plan Changes", "Revise…", "More…"]);
    expect(screen.toast.message).toMatch(/^plan-revise: Split it – .*plan: 2 tasks added/);
    expect(screen.toast.message).not.toContain("no file was changed");
    await screen.toast.press("Show Plan Changes");
    const [command, now, then, title] = screen.executed.at(-1) ?? [];
    expect([command, title]).toEqual(["vscode.diff", "Plan Changes of plan-revise: Split it"]);
    expect([screen.proposal(now), screen.proposal(then)]).toEqual(["", "# Plan: Login\n"]);
  });

  it("can be left out where the report stands without it", async () => {
    await session.waits(report);
    await screen.toast.press("More…");
    expect(screen.box.items.map((each) => each.label)).toEqual([
      "$(debug-continue) Continue",
      "$(debug-continue) Continue without Plan Changes",
      "$(edit) Revise…",
      "$(trash) Discard…",
      "$(diff-multiple) Show Plan Changes",
    ]);
    expect(screen.box.items[0]?.detail).toBe("Accept it, and change the plan as shown.");
    await screen.box.enter("without");
    expect(session.decisions()).toEqual([
      { run: "run-1.1-1", checkpoint: 1, decision: "continue", message: null, leave_out: ["plan"] },
    ]);
    screen.toasts = [];
    await session.decided(1, "continue");
    await session.waits(checkpoint({ ...report, number: 2, proposal: { ...proposal, optional: false } }));
    await screen.toast.press("More…");
    expect(screen.box.items.filter((each) => each.label.includes("without"))).toEqual([]);
  });
});

describe("what a decision says", () => {
  it("gives the reason for what is recommended", async () => {
    await session.waits(checkpoint({ recommended: "fresh", why: "60 % of the context is used" }));
    await screen.toast.press("More…");
    expect(screen.box.items[0]).toMatchObject({
      label: "$(debug-restart) Fresh Start",
      description: "recommended: 60 % of the context is used",
    });
  });

  it("recommends nothing where something wants a person's eye, and says what", async () => {
    await session.waits(checkpoint({ recommended: null, why: "the report wants your judgement" }));
    expect(screen.toast.message).toContain("the report wants your judgement");
    await screen.toast.press("More…");
    expect(screen.box.items[0]).not.toHaveProperty("description");
    expect(screen.box.placeholder).toBe("What should be done? Look closer: the report wants your judgement");
  });

  it("does not take its own answer for somebody else's while the box goes away", async () => {
    await session.waits(checkpoint());
    await screen.toast.press("More…");
    const { box } = screen;
    box.hide = () => undefined; // VS Code tells later
    await box.enter("Commit");
    await session.decided(1, "commit");
    expect(screen.toasts).toEqual([]);
  });

  it("speaks of no task where there is none, and of gates only where gates are meant", async () => {
    await session.waits(checkpoint({ decisions: ["commit", "continue", "revise", "discard"] }), { task: "@quick" });
    await screen.toast.press("More…");
    expect(screen.box.items.map((each) => each.detail ?? "").join(" ")).not.toMatch(/task|tick/);
    await screen.box.escape();
    await session.decided(1, "commit");
    const problem = { kind: "problem", number: 2, problem: "The plan changed meanwhile." } as const;
    await session.waits(checkpoint({ ...problem, decisions: ["recheck", "stop"] }));
    expect(screen.toast.buttons).toContain("Try Again");
  });

  it("names what else is accepted with it", async () => {
    const task = { run: "r0", task: "1.0", title: "First", files: 1, added: 2, deleted: 0 };
    const accepted = { tasks: [task, { ...task, task: "1.1" }], files: 2, added: 5, deleted: 1 };
    await session.waits(checkpoint({ accepted, chain: { modes: ["explorer", "default"], at: 0, next: "default" } }));
    expect(screen.toast.message).toContain("2 tasks since the last checkpoint, +5 −1 · mode default is next");
  });
});

describe("a group", () => {
  const together = { id: "g1", size: 2, label: "Amounts" };
  const members = [
    run({ state: "waiting", checkpoint: 1 }),
    run({ id: "run-1.2-1", task: "1.2", state: "waiting", checkpoint: 3 }),
  ];
  const wait = async (): Promise<void> => {
    vi.useFakeTimers();
    session.status = status({ runs: members });
    for (const { id, checkpoint: number } of members) {
      const content = checkpoint({ number: number as number, group: together });
      await session.tells({ at: 0, run: id, kind: "checkpoint.opened", data: { ...content } });
    }
    await vi.advanceTimersByTimeAsync(1_000);
    vi.useRealTimers();
  };

  it("is asked about once, and answered at once as it was shown", async () => {
    await wait();
    expect(screen.toast.buttons).toEqual(["Continue All", "Commit All", "One by One…"]);
    expect(screen.toast.message).toMatch(
      /^Group Amounts – ready for one decision: 1\.1 .*; 1\.2 .*\(✓ every gate · 2 files/,
    );
    await screen.toast.press("Commit All");
    expect(session.decisions()).toEqual([
      { group: "g1", decision: "commit", checkpoints: { "run-1.1-1": 1, "run-1.2-1": 3 } },
    ]);
  });

  it("is asked about one by one where that is wanted, and says who was not decided", async () => {
    await wait();
    await screen.toast.press("One by One…");
    expect(screen.toasts.map((each) => each.buttons[0])).toEqual(["Continue", "Continue"]);
    screen.toasts = [];
    session = new FakeSession();
    world = new World(session);
    session.answers["devloop/decide"] = { skipped: [{ run: "run-1.2-1", why: "it works again" }] };
    await wait();
    await screen.toast.press("Continue All");
    expect(screen.toast.message).toBe("Not decided: run-1.2-1: it works again");
  });
});
