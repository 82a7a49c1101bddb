import { describe, expect, it } from "vitest";
import { buttons, choicesOf, everything, notice, urgent } from "../src/checkpoints/content";
import type { Decision } from "../src/protocol";
import { checkpoint, question, run } from "./checkpoints-fixtures";

const titles = (...given: Parameters<typeof buttons>): string[] => buttons(...given).map((each) => each.title);

describe("buttons", () => {
  it("offer to commit a single run's work, to see it, to send it back", () => {
    expect(titles(run(), checkpoint())).toEqual(["Commit", "Review", "Revise…", "More…"]);
  });

  it("offer a loop's next task first", () => {
    for (const loop of [{ loop_limit: null }, { loop_limit: 3, loop_done: 1 }]) {
      expect(titles(run(loop), checkpoint())).toEqual(["Continue", "Review", "Commit", "More…"]);
    }
    expect(titles(run({ loop_limit: 3, loop_done: 2 }), checkpoint())[0]).toBe("Commit");
    expect(titles(run({ loop: null }), checkpoint())[0]).toBe("Commit");
  });

  it("show nothing where nothing was changed", () => {
    expect(titles(run(), checkpoint({ diff: null }))).toEqual(["Commit", "Revise…", "More…"]);
    expect(titles(run(), checkpoint({ diff: { files: 0, added: 0, deleted: 0, list: [] } }))).not.toContain("Review");
  });

  it("are four at most, and never throw work away, whatever is offered", () => {
    const all: Decision[] = ["continue", "commit", "fresh", "stop", "revise", "discard", "recheck", "block"];
    for (const kind of ["decision", "problem"] as const) {
      for (let bits = 0; bits < 1 << all.length; bits++) {
        const decisions = all.filter((_, at) => bits & (1 << at));
        const found = buttons(run(), checkpoint({ kind, decisions }));
        expect(found.length).toBeLessThanOrEqual(4);
        expect(found.map((each) => each.decision)).not.toContain("discard");
        const reachable = found.some((each) => each.kind === "more") ? decisions : found.map((each) => each.decision);
        expect(decisions.every((each) => reachable.includes(each))).toBe(true);
      }
    }
  });

  it("offer what helps where the gates are red", () => {
    const red = checkpoint({ kind: "problem", decisions: ["revise", "recheck", "stop", "block", "discard"] });
    expect(titles(run(), red)).toEqual(["Revise…", "Check Again", "Review", "More…"]);
  });

  it("offer the answers themselves when they are two and short", () => {
    expect(titles(run(), question(["SQLite", "Postgres"]))).toEqual(["SQLite", "Postgres", "Other Answer…", "More…"]);
    expect(titles(run(), question(["a", "b", "c"]))).toEqual(["Answer…", "More…"]);
    expect(titles(run(), question([]))).toEqual(["Answer…", "More…"]);
    expect(titles(run(), question(["x".repeat(40), "y"]))).toEqual(["Answer…", "More…"]);
  });
});

describe("answers of an agent", () => {
  it("never pass for a button of ours", () => {
    const found = choicesOf(question(["Commit", "more…", "Review", "", "Discard"]));
    expect(found.map((each) => each.title)).toEqual([
      "Answer: Commit",
      "Answer: more…",
      "Answer: Review",
      "Answer: ",
      "Answer: Discard",
    ]);
    expect(found.every((each) => each.decision === "answer")).toBe(true);
  });

  it("are sent as they are, however they are shown", () => {
    const long = `line one\nline two ${"x".repeat(100)}`;
    const [found] = choicesOf(question([long]));
    expect(found?.message).toBe(long);
    expect(found?.title).not.toContain("\n");
    expect(found?.title.length).toBeLessThanOrEqual(60);
  });
});

describe("the list of everything", () => {
  it("has each decision with a sentence that fits, the likeliest first", () => {
    const found = everything(run(), checkpoint());
    expect(found.map((each) => each.title)).toEqual([
      "Commit",
      "Continue",
      "Fresh Start",
      "Stop",
      "Revise…",
      "Discard…",
      "Review",
    ]);
    expect(found.every((each) => each.detail.endsWith(".") && each.detail.length <= 90)).toBe(true);
  });

  it("says that stop accepts nothing where there is nothing to accept", () => {
    const stop = (kind: "decision" | "problem") =>
      everything(run(), checkpoint({ kind, decisions: ["stop"] })).find((each) => each.decision === "stop")?.detail;
    expect(stop("decision")).toContain("Accept");
    expect(stop("problem")).not.toContain("Accept");
  });

  it("leaves out what a newer server offers and we don't know", () => {
    const decisions = ["commit", "sing"] as unknown as Decision[];
    expect(everything(run(), checkpoint({ decisions, diff: null })).map((each) => each.title)).toEqual(["Commit"]);
  });
});

describe("a notification", () => {
  it("says who waits, why, with verdicts, size and spending, on one line", () => {
    expect(notice(run({ scripted: true }), checkpoint({ summary: "It\nworks." }))).toBe(
      "1.1 Add login – ready for your decision: It works. (✓ tests · 1 file, +3 −1 · 2 turns, $0.12 scripted)",
    );
  });

  it("shows gates that did not pass first", () => {
    const gates = ["a", "b", "c", "d"].map((gate) => ({ gate, verdict: "pass" as const }));
    const told = notice(run(), checkpoint({ gates: [...gates, { gate: "types", verdict: "fail" }] }));
    expect(told).toContain("✗ types, ✓ a, ✓ b, ✓ c and 1 more gate");
  });

  it("makes no link of foreign text", () => {
    const told = notice(
      run({ title: "[x](command:a)" }),
      checkpoint({ summary: "see [this](command:workbench.quit)" }),
    );
    expect(told).not.toMatch(/\]\(/);
  });

  it("carries no direction marks or control characters", () => {
    const told = notice(run({ title: "a\u202Eb\u0007" }), checkpoint({ summary: "\u001b[31mred" }));
    expect(told).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it("says that a decision came back, and why", () => {
    const problem = "Without a.py the work can't be accepted: tests fail.";
    const told = notice(run(), checkpoint({ problem }));
    expect(told).toMatch(/^1\.1 Add login – not accepted yet: Without a\.py/);
    expect(urgent(checkpoint({ problem }))).toBe(true);
    expect(urgent(checkpoint())).toBe(false);
  });

  it("names the folder where there are several", () => {
    expect(notice(run(), question(["a"]), "web")).toMatch(/^web: 1\.1 Add login – the agent asks: Which one\?/);
  });
});
