import { beforeEach, describe, expect, it, vi } from "vitest";
import { vs } from "./commands-vscode";
import { call, freshWindow } from "./commands-world";

vi.mock("vscode", async () => (await import("./commands-vscode.js")).fakeVscode());
vi.mock("../src/server/find", () => ({
  findServer: async () => ({ tried: [], found: vs.program && { command: vs.program } }),
  canImport: async () => false,
}));

beforeEach(() => {
  freshWindow();
});

describe("what the terminal has", () => {
  beforeEach(() => {
    Object.assign(vs, { program: ["/venv/devloop", "lsp"], tasks: [], shown: [] });
  });

  it("runs there with the server's own program, and no shell reads the words", async () => {
    await call("devloop.stats");
    vs.words = "$(rm -rf .)";
    await call("devloop.explainSetting");
    expect(vs.tasks).toMatchObject([
      { name: "devloop stats", execution: { program: "/venv/devloop", args: ["stats"] } },
      { execution: { program: "/venv/devloop", args: ["config", "explain", "--", "$(rm -rf .)"] } },
    ]);
  });

  it("starts nothing in restricted mode, and says where there is no program", async () => {
    vs.trusted = false;
    await call("devloop.stats");
    vs.trusted = true;
    vs.program = undefined;
    await call("devloop.worklog");
    expect(vs.tasks).toEqual([]);
    expect(vs.said.map(([text]) => text)).toEqual([
      "In restricted mode devloop runs no command. Trust the folder first.",
      "devloop's program was not found. `Devloop: Doctor` says where it was looked for.",
    ]);
  });

  it("opens the file of a new issue, and says why there is none", async () => {
    const script = 'const a = process.argv.slice(1); console.log(JSON.stringify({ path: a.join(" ") }))';
    vs.program = [process.execPath, "-e", script, "--", "lsp"];
    vs.words = "-- It crashes";
    await call("devloop.newBug");
    expect(vs.shown).toEqual(["/one/new --json --type bug -- -- It crashes"]);
    const told = JSON.stringify({ error: { message: "There is no room.", hint: "Make some." } });
    for (const refusing of [`console.log('${told}')`, 'console.error("There is no room.")']) {
      vs.program = [process.execPath, "-e", `${refusing}; process.exitCode = 1`, "--", "lsp"];
      await call("devloop.newBug");
    }
    expect(vs.said).toEqual([["There is no room. Make some."], ["There is no room."]]);
  });
});
