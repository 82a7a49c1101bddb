import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { keysOf, plansOf } from "../src/commands/keys";
import type { Plan, Status } from "../src/protocol";
import type { SessionState } from "../src/session";
import { vs } from "./commands-vscode";
import { type FakeSession, freshWindow, PLAN, RUNNING } from "./commands-world";

vi.mock("vscode", async () => (await import("./commands-vscode.js")).fakeVscode());

let one: FakeSession;

beforeEach(() => {
  ({ one } = freshWindow());
});

describe("the palette", () => {
  const text = readFileSync(join(__dirname, "../package.json"), "utf8");
  const { contributes } = JSON.parse(text) as {
    contributes: {
      commands: { command: string; enablement?: string }[];
      menus: { commandPalette: { command: string; when: string }[] };
    };
  };
  const contributed = contributes.commands.map((each) => each.command);

  it("knows every command that can be called, and calls none that is not there", () => {
    expect([...vs.commands.keys()].filter((name) => !contributed.includes(name))).toEqual([]);
    const elsewhere =
      /^devloop\.(plan|runs|review|library)\.|^devloop\.(decide|answer|noSecret|review|proposal|openRun|newPlan|demo)$/;
    expect(contributed.filter((name) => !elsewhere.test(name) && !vs.commands.has(name))).toEqual([]);
  });

  it("offers nothing that acts in restricted mode", () => {
    const acting =
      "start quick spike planNew planRevise ship onboard bootstrap reviewChanges analyze fixFinding planFinding " +
      "run continue runPhase fresh archive newIssue newBug issues bugs worklog stats hooks explainSetting proposal";
    const enabled = new Map(contributes.commands.map((each) => [each.command, each.enablement ?? ""]));
    const open = acting.split(" ").filter((name) => !enabled.get(`devloop.${name}`)?.includes("isWorkspaceTrusted"));
    expect(open).toEqual([]);
  });

  it("speaks of no command that there is not", () => {
    const { commandPalette } = contributes.menus;
    expect(commandPalette.map((each) => each.command).filter((name) => !contributed.includes(name))).toEqual([]);
  });
});

describe("context keys", () => {
  it("name the plans that are worked on, wherever they are", () => {
    const at = (path: string | null) => ({ folder: one.folder, plan: undefined, status: { plan: { path } } }) as never;
    expect(plansOf([at("docs/PLAN.md"), at(null), at("/two/PLAN.md")])).toEqual(["/one/docs/PLAN.md", "/two/PLAN.md"]);
    expect(vs.keys.get("devloop.plans")).toEqual([PLAN.uri]);
  });

  it("say what is possible", async () => {
    expect(Object.fromEntries(vs.keys)).toMatchObject({
      "devloop.active": true,
      "devloop.canAct": true,
      "devloop.running": false,
    });
    const waits = {
      plan: { path: "p", total: 1, done: 1 },
      runs: [{ state: "waiting" }, { state: "working" }],
    } as unknown as Status;
    expect(
      keysOf([{ state: { ...RUNNING, restricted: true } as SessionState, status: waits, plan: undefined }]),
    ).toMatchObject({
      "devloop.ready": true,
      "devloop.canAct": false,
      "devloop.waiting": true,
      "devloop.running": true,
      "devloop.hasPlan": true,
    });
    expect(keysOf([{ state: { kind: "missing", tried: [] }, status: undefined, plan: undefined }])).toMatchObject({
      "devloop.active": true,
      "devloop.ready": false,
    });
    const plan = { tasks: [{ run: null }, { run: { outcome: "accepted" } }] } as unknown as Plan;
    const accepted = { state: RUNNING as SessionState, status: undefined, plan };
    expect(keysOf([accepted])["devloop.accepted"]).toBe(true);
    expect(keysOf([{ ...accepted, plan: undefined }])["devloop.accepted"]).toBe(false);
    expect(keysOf([])["devloop.active"]).toBe(false);
  });
});
