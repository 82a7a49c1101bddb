import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { candidates, locate, type Machine, type Wishes } from "../src/server/locate";

const NOTHING: Wishes = {
  serverCommand: [],
  interpreter: "",
  selected: undefined,
  path: [],
  windows: false,
  folder: "/home/me/project",
  trusted: true,
};

function machine(executables: readonly string[], pythons: readonly string[] = []): Machine {
  return {
    isExecutable: async (path) => executables.includes(path),
    canImport: async (interpreter) => pythons.includes(interpreter),
  };
}

describe("where the server is looked for", () => {
  it("takes the set command by its word, and nothing after it", async () => {
    const wishes = { ...NOTHING, serverCommand: ["/opt/devloop", "lsp"], interpreter: "/py", path: ["/bin"] };
    const { found, tried } = await locate(wishes, machine([]));
    expect(found).toMatchObject({ source: "serverCommand", command: ["/opt/devloop", "lsp"] });
    expect(tried).toEqual([]);
  });

  it("takes the set interpreter before the selected one, and keeps the folder out of its search path", async () => {
    const wishes = { ...NOTHING, interpreter: " /py ", selected: "/venv/bin/python" };
    expect((await locate(wishes, machine([], ["/venv/bin/python"]))).found?.command).toEqual([
      "/py",
      "-P",
      "-m",
      "devloop",
      "lsp",
    ]);
  });

  it("takes the selected interpreter only if it has devloop, else PATH in its order", async () => {
    const wishes = { ...NOTHING, selected: "/venv/bin/python", path: ["/a", "/b/", "/c"] };
    const there = machine(["/b/devloop", "/c/devloop"]);
    const { found, tried } = await locate(wishes, there);
    expect(found).toMatchObject({ source: "path", command: ["/b/devloop", "lsp"] });
    expect(tried).toEqual(["the selected Python interpreter /venv/bin/python has no devloop"]);
    expect((await locate(wishes, machine(["/b/devloop"], ["/venv/bin/python"]))).found?.source).toBe("python");
  });

  it("says what was tried when there is nothing", async () => {
    const { found, tried } = await locate({ ...NOTHING, path: ["/a"] }, machine([]));
    expect(found).toBeUndefined();
    expect(tried).toEqual(["there is no devloop on PATH"]);
  });

  it("starts nothing that lies in a folder without trust", async () => {
    const inside = {
      ...NOTHING,
      trusted: false,
      selected: "/home/me/project/.venv/bin/python",
      path: ["/usr/../home/me/project/bin", "/usr/bin"],
    };
    const there = machine(["/usr/../home/me/project/bin/devloop"], ["/home/me/project/.venv/bin/python"]);
    const { found, tried } = await locate(inside, there);
    expect(found).toBeUndefined();
    expect(tried.join()).toContain("not trusted");
    expect((await locate({ ...inside, trusted: true }, there)).found?.source).toBe("python");
    expect(candidates({ ...inside, selected: "/home/me/project-two/bin/python" })[0]?.source).toBe("python");
  });

  it("never looks relative to the current folder", () => {
    expect(candidates({ ...NOTHING, path: ["", ".", "bin", "/usr/bin"] }).map((each) => each.command[0])).toEqual([
      "/usr/bin/devloop",
    ]);
  });

  it("knows Windows' names", () => {
    const wishes = { ...NOTHING, windows: true, path: ["C:\\Python\\Scripts"] };
    expect(candidates(wishes).map((each) => each.command[0])).toEqual(["C:\\Python\\Scripts\\devloop.exe"]);
  });

  it("takes a relative command in the folder and a bare name on PATH, on every system", async () => {
    const commandOf = async (wishes: Partial<Wishes>, ...there: string[]) =>
      (await locate({ ...NOTHING, ...wishes }, machine(there))).found?.command[0];
    const windows = { windows: true, folder: "C:\\me\\p", path: ["C:\\bin", "D:\\tools"] };
    expect(await commandOf({ ...windows, serverCommand: [".venv\\Scripts\\devloop.exe", "lsp"] })).toBe(
      "C:\\me\\p\\.venv\\Scripts\\devloop.exe",
    );
    expect(await commandOf({ ...windows, interpreter: "./.venv/Scripts/python.exe" })).toBe(
      "C:\\me\\p\\.venv/Scripts/python.exe",
    );
    expect(await commandOf({ ...windows, serverCommand: ["devloop", "lsp"] }, "D:\\tools\\devloop.exe")).toBe(
      "D:\\tools\\devloop.exe",
    );
    expect(await commandOf({ serverCommand: ["./.venv/bin/devloop", "lsp"] })).toBe(
      "/home/me/project/.venv/bin/devloop",
    );
    expect(await commandOf({ interpreter: "python3", path: ["/a", "/b"] }, "/b/python3")).toBe("/b/python3");
    expect(await commandOf({ serverCommand: ["C:\\x.exe"], windows: true })).toBe("C:\\x.exe");
  });

  it("says so when a bare name is nowhere, and does not look into the folder for it", async () => {
    const wishes = { ...NOTHING, serverCommand: ["devloop", "lsp"], path: ["/a", "."] };
    const { found, tried } = await locate(wishes, machine(["/home/me/project/devloop", "devloop", "./devloop"]));
    expect(found).toBeUndefined();
    expect(tried).toEqual(["the setting devloop.serverCommand names devloop, which is not on PATH"]);
  });

  it("starts nothing that lies in a folder without trust, even if a setting of the person's names it so", async () => {
    for (const wish of [{ serverCommand: ["./devloop", "lsp"] }, { interpreter: ".venv/bin/python" }]) {
      expect((await locate({ ...NOTHING, ...wish }, machine([]))).found).toBeDefined();
      const { found, tried } = await locate({ ...NOTHING, ...wish, trusted: false }, machine([]));
      expect(found).toBeUndefined();
      expect(tried.join()).toContain("not trusted");
    }
  });
});

describe("settings that a folder could bring", () => {
  const text = readFileSync(join(__dirname, "../package.json"), "utf8");
  const { contributes } = JSON.parse(text) as {
    contributes: { configuration: { properties: Record<string, { scope: string; type: string }> } };
  };
  const { properties } = contributes.configuration;

  it("a folder names no program, no path, no environment", () => {
    const names = /command|interpreter|program|path|env|args|file|url|key|server(?!$)/i;
    const named = Object.entries(properties).filter(([key]) => names.test(key.replace("devloop.", "")));
    expect(named.map(([key]) => key)).toEqual(["devloop.serverCommand", "devloop.interpreter"]);
    expect(named.map(([, { scope }]) => scope)).toEqual(["machine", "machine"]);
  });

  it("what a folder may set is a switch, a number or one of several words", () => {
    const own = ["machine", "application"];
    const free = Object.entries(properties).filter(([, { scope }]) => !own.includes(scope));
    expect(free.filter(([, { type }]) => !["boolean", "integer"].includes(type)).map(([key]) => key)).toEqual([
      "devloop.trace.server",
    ]);
  });
});
