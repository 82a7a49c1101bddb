import { describe, expect, it } from "vitest";
import { failure, keptEnding, lastWords, plain } from "../src/server/failure";
import { isUnknownMethod, words } from "../src/server/refusal";
import { MOST, Restarts, WITHIN_MS } from "../src/server/restarts";
import { KNOWN_MAJOR, mismatch } from "../src/server/version";

const COMMAND = ["/opt/venv/bin/python", "-P", "-m", "devloop", "lsp"];

describe("what a person is told when the server does not start", () => {
  it("names a program that is not there and the setting that says so", () => {
    expect(failure(["/no/devloop", "lsp"], "serverCommand", { errno: "ENOENT", stderr: [] })).toEqual({
      reason: "/no/devloop does not exist.",
      hint: "Check the setting devloop.serverCommand.",
    });
    expect(failure(COMMAND, "interpreter", { errno: "EACCES", stderr: [] }).hint).toContain("devloop.interpreter");
  });

  it("knows an interpreter without devloop from one where something else is missing", () => {
    const without = failure(COMMAND, "python", { code: 1, stderr: ["/opt/python: No module named devloop"] });
    expect(without.reason).toBe("/opt/venv/bin/python has no devloop.");
    const half = failure(COMMAND, "python", { code: 1, stderr: ["ModuleNotFoundError: No module named 'lsprotocol'"] });
    expect(half.reason).toContain("not installed completely");
    expect(half.reason).toContain("lsprotocol");
  });

  it("gives the last line that says something, which in a traceback is the error", () => {
    const stderr = [
      "Traceback (most recent call last):",
      '  File "x.py", line 1',
      "    ^^^^",
      "ValueError: bad",
      "  ",
      "",
    ];
    expect(failure(COMMAND, "path", { code: 3, stderr }).reason).toBe(
      "The server ended with status 3: ValueError: bad.",
    );
    expect(lastWords(["  ^^^~~ "])).toBe("");
    expect(failure(COMMAND, "path", { signal: "SIGKILL", stderr: [] }).reason).toBe("The server was ended by SIGKILL.");
    expect(failure(COMMAND, "path", { stderr: [] }).reason).toBe("The server gave no answer.");
  });

  it("says that it was tried again and again", () => {
    const said = keptEnding({ reason: "The server ended.", hint: "The log says more." }, 4);
    expect(said.reason).toBe("The server ended 4 times in a short while. The server ended.");
  });

  it("takes colours, control characters and length out of foreign words", () => {
    expect(plain("\u001b[31mred\u001b[0m\u0007\n\tnext\u009f", 50)).toBe("red next");
    expect(plain("x".repeat(20), 10)).toBe(`${"x".repeat(9)}…`);
  });
});

describe("how often a server is started again", () => {
  it("is three times, slower each time, and again when it held for a while", () => {
    const restarts = new Restarts();
    const delays = [0, 1, 2, 3].map((at) => restarts.delay(at));
    expect(delays.slice(0, MOST)).toEqual([100, 1_000, 4_000]);
    expect(delays[MOST]).toBeUndefined();
    expect(restarts.delay(3 + WITHIN_MS)).toBe(100);
    restarts.reset();
    expect(restarts.count).toBe(0);
  });
});

describe("the handshake", () => {
  it("takes a known major version only, and says what to update", () => {
    expect(mismatch({ name: "devloop", version: `${KNOWN_MAJOR}.9.1` })).toBeUndefined();
    expect(mismatch({ name: "devloop", version: `${KNOWN_MAJOR + 1}.0.0` })?.hint).toContain("extension");
    expect(mismatch({ name: "devloop", version: "soon" })?.reason).toContain("version");
    expect(mismatch({ name: "devloop" })?.reason).toContain("version");
    expect(mismatch({ name: "pyright", version: "0.1" })?.reason).toContain("no devloop server");
    expect(mismatch(undefined)).toBeDefined();
  });
});

describe("a refused request", () => {
  it("keeps the server's sentence and knows a method that is missing", () => {
    expect(words(new Error("Task 9 is not there.\nLook at the plan."))).toBe("Task 9 is not there. Look at the plan.");
    expect(words("")).toBe("It failed without a word.");
    expect(isUnknownMethod(Object.assign(new Error("x"), { code: -32601 }))).toBe(true);
    expect(isUnknownMethod(Object.assign(new Error("x"), { code: -32803 }))).toBe(false);
    expect(isUnknownMethod(undefined)).toBe(false);
  });
});
