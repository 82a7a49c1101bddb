import { beforeEach, describe, expect, it, vi } from "vitest";
import { checkpoint, question, run, status } from "./checkpoints-fixtures";
import { Screen, settled } from "./checkpoints-vscode";
import { FakeSession, World } from "./checkpoints-world";

let screen = new Screen();
vi.mock("vscode", async () => (await import("./checkpoints-vscode.js")).fakeVscode(() => screen));

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
    const problem = "secrets: fail (conf.py:2 github-pat)";
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
