import { describe, expect, it } from "vitest";
import { buttons, choicesOf, everything, notice, problemOf, secretName, urgent } from "../src/checkpoints/content";
import type { Decision } from "../src/protocol";
import { checkpoint, question, run } from "./checkpoints-fixtures";

const titles = (...given: Parameters<typeof buttons>): string[] => buttons(...given).map((each) => each.title);

describe("buttons", () => {
  it("offer first what the server recommends, then to see it and to commit it", () => {
    expect(titles(checkpoint())).toEqual(["Continue", "Review", "Commit", "More…"]);
    expect(titles(checkpoint({ recommended: "continue" }))).toEqual(["Continue", "Review", "Commit", "More…"]);
    expect(titles(checkpoint({ recommended: "fresh" }))).toEqual(["Fresh Start", "Review", "Commit", "More…"]);
    expect(titles(checkpoint({ recommended: "commit" }))).toEqual(["Commit", "Review", "Revise…", "More…"]);
  });

  it("recommend nothing that is not offered or not known", () => {
    const decisions: Decision[] = ["commit", "revise", "discard"];
    expect(titles(checkpoint({ decisions, recommended: "fresh" }))).toEqual(["Commit", "Review", "Revise…", "More…"]);
    const strange = ["sing", "continue"] as unknown as Decision[];
    expect(titles(checkpoint({ decisions: strange, recommended: strange[0] ?? null, diff: null }))).toEqual([
      "Continue",
    ]);
  });

  it("show nothing where nothing was changed", () => {
    expect(titles(checkpoint({ diff: null }))).toEqual(["Continue", "Commit", "More…"]);
    expect(titles(checkpoint({ diff: { files: 0, added: 0, deleted: 0, list: [] } }))).not.toContain("Review");
  });

  it("are four at most, and never throw work away, whatever is offered", () => {
    const all: Decision[] = ["continue", "commit", "fresh", "stop", "revise", "discard", "recheck", "block"];
    for (const kind of ["decision", "problem"] as const) {
      for (let bits = 0; bits < 1 << all.length; bits++) {
        const decisions = all.filter((_, at) => bits & (1 << at));
        const found = buttons(checkpoint({ kind, decisions }));
        expect(found.length).toBeLessThanOrEqual(4);
        expect(found.map((each) => each.decision)).not.toContain("discard");
        const reachable = found.some((each) => each.kind === "more") ? decisions : found.map((each) => each.decision);
        expect(decisions.every((each) => reachable.includes(each))).toBe(true);
      }
    }
  });

  it("offer what helps where the gates are red", () => {
    const red = checkpoint({ kind: "problem", decisions: ["revise", "recheck", "stop", "block", "discard"] });
    expect(titles(red)).toEqual(["Revise…", "Check Again", "Review", "More…"]);
  });

  it("let a finding that is no secret be said to be none, by its place and kind", () => {
    const decisions: Decision[] = ["revise", "recheck", "stop", "block", "discard"];
    const secrets = [{ id: "0123456789ab", file: "conf.py", line: 2, kind: "github-pat" }];
    const held = checkpoint({ kind: "problem", decisions, secrets });
    expect(titles(held)).toEqual(["This Is No Secret", "Revise…", "Review", "More…"]);
    expect(buttons(held)[0]?.detail).toBe("conf.py:2 github-pat: accept exactly that, and check again.");
    expect(everything(held).map((each) => each.title)).toContain("This Is No Secret");
    const name = { id: "ab", file: "keys/x", line: 0, kind: "jwt" };
    expect(titles(checkpoint({ kind: "problem", decisions, secrets: [...secrets, name] }))[0]).toBe("No Secret…");
    expect(secretName(name)).toBe("the name keys/x jwt");
    expect(titles(checkpoint({ kind: "problem", decisions: ["stop", "discard"], secrets }))).toEqual([
      "Stop",
      "Review",
      "More…",
    ]);
  });

  it("says what looks like a secret in words, unless something else is wrong, too", () => {
    const finding = { id: "0123456789ab", file: "conf.py", line: 2, kind: "github-pat" };
    const gates = [
      { gate: "bandit", verdict: "fail" as const, required: false },
      { gate: "secrets", verdict: "fail" as const, required: true },
    ];
    const problem = "secrets: fail (conf.py:2 github-pat)";
    const held = checkpoint({ kind: "problem", decisions: ["recheck"], secrets: [finding], gates, problem });
    expect(problemOf(held)).toBe("This looks like a secret: conf.py:2 github-pat");
    const secrets = [1, 2, 3, 4, 5].map((line) => ({ ...finding, line }));
    expect(problemOf({ ...held, secrets })).toBe(
      "These look like secrets: conf.py:1 github-pat, conf.py:2 github-pat, conf.py:3 github-pat and 2 more",
    );
    expect(problemOf({ ...held, gates: [...gates, { gate: "tests", verdict: "fail" }] })).toBe(problem);
    expect(problemOf({ ...held, decisions: ["stop"] })).toBe(problem);
  });

  it("offer the answers themselves when they are two and short", () => {
    expect(titles(question(["SQLite", "Postgres"]))).toEqual(["SQLite", "Postgres", "Other Answer…", "More…"]);
    expect(titles(question(["a", "b", "c"]))).toEqual(["Answer…", "More…"]);
    expect(titles(question([]))).toEqual(["Answer…", "More…"]);
    expect(titles(question(["x".repeat(40), "y"]))).toEqual(["Answer…", "More…"]);
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
    const found = everything(checkpoint());
    expect(found.map((each) => each.title)).toEqual([
      "Continue",
      "Commit",
      "Fresh Start",
      "Stop",
      "Revise…",
      "Discard…",
      "Review",
    ]);
    expect(found.every((each) => each.detail.endsWith(".") && each.detail.length <= 90)).toBe(true);
  });

  it("has the recommended one first and says that it is", () => {
    const found = everything(checkpoint({ recommended: "fresh" }));
    expect(found.slice(0, 2).map((each) => [each.title, each.recommended])).toEqual([
      ["Fresh Start", true],
      ["Continue", undefined],
    ]);
    expect(everything(question(["a"])).some((each) => each.recommended)).toBe(false);
  });

  it("says that stop accepts nothing where there is nothing to accept", () => {
    const stop = (kind: "decision" | "problem") =>
      everything(checkpoint({ kind, decisions: ["stop"] })).find((each) => each.decision === "stop")?.detail;
    expect(stop("decision")).toContain("Accept");
    expect(stop("problem")).not.toContain("Accept");
  });

  it("leaves out what a newer server offers and we don't know", () => {
    const decisions = ["commit", "sing"] as unknown as Decision[];
    expect(everything(checkpoint({ decisions, diff: null })).map((each) => each.title)).toEqual(["Commit"]);
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
