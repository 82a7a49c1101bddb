/** Signing in with a real process in the place of `devloop login`: what it is given, and where the key does not stand. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { guarded } from "../src/commands";
import { signIn, signOut } from "../src/commands/signing-in";
import { signedIn, signedOut } from "../src/commands/signing-in-text";

const vs = vi.hoisted(() => ({
  typed: undefined as string | undefined,
  boxes: [] as { password?: boolean; validateInput?(typed: string): string | undefined }[],
  said: [] as unknown[][],
  press: undefined as string | undefined,
  trusted: true,
  folder: "",
  executed: [] as string[],
}));
vi.mock("vscode", () => {
  const say = async (...said: unknown[]) => {
    vs.said.push(said);
    return said.find((each) => each === vs.press);
  };
  return {
    commands: { executeCommand: async (name: string) => vs.executed.push(name) },
    window: {
      showInformationMessage: say,
      showWarningMessage: say,
      showInputBox: async (box: object) => {
        vs.boxes.push(box);
        return vs.typed;
      },
    },
    workspace: {
      get isTrusted() {
        return vs.trusted;
      },
      get workspaceFolders() {
        return [{ name: "one", uri: { scheme: "file", fsPath: vs.folder, path: vs.folder } }];
      },
    },
  };
});
vi.mock("../src/server/find", () => ({
  findServer: async () => ({ tried: [], found: { command: [process.execPath, join(vs.folder, "devloop.js"), "lsp"] } }),
}));
vi.mock("../src/server/demos", () => ({ environment: () => ({}) }));
vi.mock("../src/commands/table", () => ({ table: () => ({}) }));

const KEY = ["sk", "ant", "api03-Qz7vB2Qz7vB2"].join("-");
const WRITES = `
const fs = require("node:fs");
const given = fs.readFileSync(0, "utf8");
fs.writeFileSync("seen.json", JSON.stringify({ given, argv: process.argv.slice(2), env: process.env }));
`;
const logged: string[] = [];
const context = {
  sessions: { all: [], current: undefined },
  extension: {},
  log: { warn: (text: string) => logged.push(text) },
} as never;
const program = (script: string) => writeFileSync(join(vs.folder, "devloop.js"), script);
const answering = (answer: object, code = 0) =>
  program(`${WRITES} console.log(${JSON.stringify(JSON.stringify(answer))}); process.exitCode = ${code};`);
const seen = () => JSON.parse(readFileSync(join(vs.folder, "seen.json"), "utf8"));
const command = (work: typeof signIn) => guarded(context, "devloop.signIn", () => work(context));
const told = () => JSON.stringify([vs.said, logged]);

beforeEach(() => {
  rmSync(vs.folder || join(tmpdir(), "devloop-nothing"), { recursive: true, force: true });
  Object.assign(vs, { typed: KEY, boxes: [], said: [], press: undefined, trusted: true, executed: [] });
  vs.folder = mkdtempSync(join(tmpdir(), "devloop-sign-in-"));
  logged.length = 0;
});

describe("signing in", () => {
  it("hands the key to the program by its input, and shows it nowhere", async () => {
    answering({ base_url: "https://api.example", stored: "keyring", source: "keyring", place: "Ring", problem: null });
    await command(signIn);
    expect(vs.boxes[0]?.password).toBe(true);
    expect(seen().given).toBe(KEY);
    expect(seen().argv).toEqual(["login", "--json"]);
    expect(JSON.stringify([seen().argv, seen().env])).not.toContain(KEY);
    expect(vs.said[0]?.[0]).toBe("Signed in. The key is kept in the system's keyring for https://api.example.");
    expect(told()).not.toContain(KEY);
  });

  it("says what refused it, without the key", async () => {
    const error = { kind: "usage", message: "That is no key.", hint: "Pipe in the key alone." };
    answering({ error }, 2);
    await command(signIn);
    expect(vs.said[0]?.[0]).toBe("That is no key. Pipe in the key alone.");
    expect(told()).not.toContain(KEY);
  });

  it.each([
    ["prints the key and dies", `${WRITES} console.error(given); process.exit(70);`],
    ["reads nothing and dies", "process.exit(1);"],
  ])("tells nothing of a program that %s", async (_, script) => {
    program(script);
    vs.typed = KEY.repeat(50_000);
    await command(signIn);
    expect(vs.said[0]?.[0]).toContain("devloop login did not work");
    expect(told()).not.toContain(KEY);
  });

  it("does nothing without a key, or in restricted mode", async () => {
    program(WRITES);
    vs.typed = undefined;
    await command(signIn);
    expect(vs.said).toEqual([]);
    for (const nothing of ["", "  "]) {
      expect(vs.boxes[0]?.validateInput?.(nothing)).toContain("Paste the key");
    }
    vs.typed = KEY;
    vs.trusted = false;
    await command(signIn);
    expect(vs.said[0]?.[0]).toContain("restricted mode");
    expect(seen).toThrow();
  });

  it("is offered where there is no key", async () => {
    vs.press = "Sign In…";
    const cause = Object.assign(new Error("x"), { data: { kind: "no_model" } });
    await guarded(context, "devloop.run", () => {
      throw new Error("There is no key for the model.", { cause });
    });
    await vi.waitFor(() => expect(vs.executed).toEqual(["devloop.signIn"]));
  });
});

describe("signing out", () => {
  it("asks first, then removes", async () => {
    answering({ base_url: "https://api.example", removed: "file" });
    await command(signOut);
    expect(seen).toThrow();
    vs.press = "Sign Out";
    await command(signOut);
    expect(seen().argv).toEqual(["logout", "--json"]);
    expect(vs.said.at(-1)?.[0]).toBe("The key for https://api.example is removed.");
  });
});

describe("what is said", () => {
  it("names what counts before the stored key", () => {
    const answer = { base_url: "u", stored: "file", source: "environment", place: "ANTHROPIC_API_KEY" };
    expect(signedIn(answer)).toContain("It does not count now: a variable of the environment comes first");
  });

  it("survives an answer that is none", () => {
    for (const answer of [undefined, null, 7, [], { stored: 1, base_url: {} }]) {
      expect(signedIn(answer)).toBe("Signed in. The key is kept in devloop's care.");
      expect(signedOut(answer)).toBe("No key was stored.");
    }
  });
});
