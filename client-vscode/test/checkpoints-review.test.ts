import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "../src/session";
import { checkpoint } from "./checkpoints-fixtures";
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

  it("shows some of very many files, and short titles for very long names", async () => {
    const long = `${"d".repeat(5000)}/\u202e.py`;
    const many = Array.from({ length: 5000 }, (_, at) => ({ ...files[0], path: at === 0 ? long : `z${at}.py` }));
    session.answers["devloop/diff"] = { run: "run-1.1-1", commit: "abc", files: many };
    screen.executed = [];
    await world.review.open({ run: "run-1.1-1" });
    const [, title, resources] = screen.executed[0] as [string, string, unknown[]];
    expect([title, resources.length]).toEqual(["Review 1.1: Add login (200 of 5000 files)", 200]);
    await world.review.open({ run: "run-1.1-1" }, long);
    const [command, , , name] = screen.executed.at(-1) as [string, unknown, unknown, string];
    expect(command).toBe("vscode.diff");
    expect(name).toMatch(/^d+… \(Review 1\.1: Add login/);
    expect(name.length).toBeLessThan(200);
  });

  it("leaves nothing out in restricted mode", async () => {
    session.state = { ...session.state, restricted: true } as typeof session.state;
    const review = shown();
    world.review.leave(review, file("a.py"), true);
    expect([world.review.canLeaveOut(review), world.review.isLeftOut(review, review.files[0] as never)]).toEqual([
      false,
      false,
    ]);
  });

  it("of nothing says so", async () => {
    session.answers["devloop/diff"] = { run: "run-1.1-1", commit: null, files: [] };
    await world.review.open({ run: "run-1.1-1" });
    expect(screen.toast.message).toBe("1.1 Add login changed no file.");
  });
});
