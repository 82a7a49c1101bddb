import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Checkpoint } from "../src/protocol";
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

describe("words that nobody reads", () => {
  const GONE = "devloop does not answer in purse, so nothing was decided. Try again in a moment.";
  const hadBack = async (words: string, message: string): Promise<void> => {
    expect(screen.toast.message).toBe(message);
    await screen.toast.press("Copy What I Wrote");
    expect(screen.clipboard).toBe(words);
  };

  it("can be had back when the server went while they were written", async () => {
    await session.waits(question(["a", "b", "c"]));
    await screen.toast.press("Answer…");
    await session.becomes({ kind: "starting" });
    await screen.box.type("none of these");
    await screen.box.enter("none of");
    expect(session.decisions()).toEqual([]);
    await hadBack("none of these", GONE);
  });

  it("can be had back when the server refuses them", async () => {
    await session.waits(checkpoint({ recommended: "commit" }));
    session.answers["devloop.decide"] = new Error("The server ended.");
    await screen.toast.press("Revise…");
    await screen.box.type("Use the sign.");
    await screen.box.enter();
    await hadBack("Use the sign.", "The server ended.");
  });

  it("can be had back when another window was faster by a moment", async () => {
    await session.waits(checkpoint({ recommended: "commit" }));
    session.answers["devloop.decide"] = ({ message }) => {
      if (message !== undefined) {
        void session.decided(1, "commit");
      }
      return new Error("Checkpoint 1 of run-1.1-1 is answered already.");
    };
    await screen.toast.press("Revise…");
    await screen.box.type("Use the sign.");
    await screen.box.enter();
    await hadBack("Use the sign.", "It was decided already (commit): 1.1 Add login.");
  });

  it("can be had back when they came with the command, from the page of a run", async () => {
    await session.waits(checkpoint());
    screen.toasts = [];
    await session.decided(1, "stop");
    await world.deciding.take({ run: "run-1.1-1", checkpoint: 1, decision: "revise", message: "Use the sign." });
    await hadBack("Use the sign.", "It was decided already (stop): 1.1 Add login.");
  });

  it("are not offered where the answer is one of the agent's", async () => {
    await session.waits(question(["a", "b", "c"]));
    await screen.toast.press("Answer…");
    await session.becomes({ kind: "starting" });
    await screen.box.enter("$(reply) a");
    expect(screen.toast).toMatchObject({ message: GONE, buttons: [] });
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

  it("says of a run that does not wait only that, whatever its id is", async () => {
    session.status = status({ runs: [run({ state: "working", checkpoint: null })] });
    await world.deciding.choose({ run: "run-1.1-1" });
    expect(screen.toast.message).toBe("1.1 Add login does not wait for you now.");
    await screen.toast.close();
    await world.deciding.choose({ run: `../[a](command:b)\u202e\n${"x".repeat(9000)}` });
    expect(screen.toast.message).toMatch(/^\.\.\/\[a\] \(command:b\) x+… does not wait for you now\.$/);
    expect(screen.toast.message.length).toBeLessThan(100);
  });

  it("does not call a checkpoint over that could not be read yet", async () => {
    session.answers["devloop/show"] = new Error("busy");
    await session.says({ runs: [run({ state: "waiting", checkpoint: 1 })] });
    await world.deciding.choose({ run: "run-1.1-1", checkpoint: 1 });
    expect(screen.toast.message).toBe("What run-1.1-1 waits for is still being read. Try again.");
  });

  it("asks which run is meant when several wait", async () => {
    const two = [
      run({ title: "Add $(zap)", state: "waiting", checkpoint: 1 }),
      run({ id: "b", task: "1.2", title: "Log out", state: "waiting", checkpoint: 4 }),
    ];
    session.answers["devloop/show"] = ({ run: name }) => {
      const found = two.find((each) => each.id === name);
      return { run: found, checkpoint: checkpoint({ number: name === "b" ? 4 : 1 }) };
    };
    await session.says({ runs: two });
    void world.deciding.choose({});
    await settled();
    expect(screen.picks[0]?.rows[0]?.label).not.toContain("$(zap)");
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
