import { describe, expect, it } from "vitest";
import { WaitingRuns } from "../src/checkpoints/waiting";
import type { DevloopEvent } from "../src/protocol";
import { checkpoint, run, status } from "./checkpoints-fixtures";

const opened = (number = 1, name = "run-1.1-1"): DevloopEvent => ({
  at: 0,
  run: name,
  kind: "checkpoint.opened",
  data: { ...checkpoint({ number }) },
});
const closed = (number = 1, decision = "commit", name = "run-1.1-1"): DevloopEvent => ({
  at: 0,
  run: name,
  kind: "checkpoint.closed",
  data: { number, decision, message: "" },
});
const waits = (number = 1) => status({ runs: [run({ state: "waiting", checkpoint: number })] });
const works = status({ runs: [run()] });

describe("runs that wait", () => {
  it("are opened once, by whichever comes first", () => {
    const one = new WaitingRuns();
    expect(one.takeEvents([opened()]).opened).toHaveLength(1);
    expect(one.takeStatus(waits()).opened).toEqual([]);
    const other = new WaitingRuns();
    expect(other.takeStatus(waits()).opened).toMatchObject([{ number: 1, content: undefined }]);
    expect(other.takeEvents([opened()]).opened).toEqual([]);
    expect(other.of("run-1.1-1")?.content?.summary).toBe("The login works.");
  });

  it("stay when an older status comes after the event", () => {
    const waiting = new WaitingRuns();
    waiting.takeEvents([opened()]);
    expect(waiting.takeStatus(works)).toEqual({ opened: [], closed: [] });
    expect(waiting.takeStatus(waits())).toEqual({ opened: [], closed: [] });
    expect(waiting.takeStatus(works).closed).toMatchObject([{ run: "run-1.1-1", number: 1 }]);
  });

  it("are closed by a second status that knows nothing of them, even without an event", () => {
    const waiting = new WaitingRuns();
    waiting.takeEvents([opened()]);
    waiting.takeStatus(status());
    expect(waiting.takeStatus(status()).closed).toHaveLength(1);
    expect(waiting.all).toEqual([]);
  });

  it("are not opened again by an older status after they were decided", () => {
    const waiting = new WaitingRuns();
    waiting.takeEvents([opened()]);
    expect(waiting.takeEvents([closed()]).closed).toMatchObject([{ number: 1, decision: "commit" }]);
    expect(waiting.takeStatus(waits())).toEqual({ opened: [], closed: [] });
    expect(waiting.decision("run-1.1-1", 1)).toBe("commit");
  });

  it("say nothing of what opens and closes between two looks", () => {
    expect(new WaitingRuns().takeEvents([opened(), closed()])).toEqual({ opened: [], closed: [] });
  });

  it("tell the next checkpoint of a run from the one before", () => {
    const waiting = new WaitingRuns();
    waiting.takeEvents([opened(1)]);
    const change = waiting.takeEvents([closed(1, "revise"), opened(2)]);
    expect(change.closed).toMatchObject([{ number: 1, decision: "revise" }]);
    expect(change.opened).toMatchObject([{ number: 2 }]);
    expect(waiting.takeStatus(waits(1))).toEqual({ opened: [], closed: [] });
    expect(waiting.of("run-1.1-1")?.number).toBe(2);
  });

  it("pass over a late word about an earlier checkpoint", () => {
    const waiting = new WaitingRuns();
    waiting.takeEvents([opened(2)]);
    waiting.takeEvents([closed(1)]);
    expect(waiting.of("run-1.1-1")?.number).toBe(2);
  });

  it("take what was asked for as long as it is still the open one", () => {
    const waiting = new WaitingRuns();
    waiting.takeStatus(waits(2));
    expect(waiting.tell("run-1.1-1", checkpoint({ number: 1 }))).toBe(false);
    expect(waiting.tell("run-1.1-1", checkpoint({ number: 2 }))).toBe(true);
    expect(waiting.tell("other", checkpoint({ number: 2 }))).toBe(false);
  });

  it("are gone with their run", () => {
    const waiting = new WaitingRuns();
    waiting.takeEvents([opened()]);
    waiting.takeEvents([{ at: 0, run: "run-1.1-1", kind: "run.ended", data: { outcome: "cancelled" } }]);
    expect(waiting.all).toEqual([]);
  });

  it("ask for the content when an event carries only a number", () => {
    const waiting = new WaitingRuns();
    const change = waiting.takeEvents([{ at: 0, run: "r", kind: "checkpoint.opened", data: { number: 3 } }]);
    expect(change.opened).toEqual([{ run: "r", number: 3, content: undefined }]);
  });
});
