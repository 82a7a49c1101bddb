import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { register } from "../src/commands";
import { keysOf, plansOf } from "../src/commands/keys";
import type { Plan, Status } from "../src/protocol";
import type { SessionState } from "../src/session";

const vs = vi.hoisted(() => ({
  commands: new Map<string, (given?: unknown) => Promise<unknown>>(),
  executed: [] as unknown[][],
  keys: new Map<string, unknown>(),
  said: [] as unknown[][],
  press: undefined as string | undefined,
  pick: ((items: readonly unknown[]) => items[0]) as (items: readonly { label: string }[]) => unknown,
  picks: [] as unknown[][],
  words: "" as string | undefined,
  program: undefined as readonly string[] | undefined,
  tasks: [] as unknown[],
  shown: [] as string[],
  pages: [] as string[],
  bar: [] as string[],
  revealed: [] as unknown[][],
  file: "" as string | Error,
  chosen: undefined as unknown,
  uri: undefined as { handleUri(uri: unknown): Promise<void> } | undefined,
  editor: undefined as unknown,
  trusted: true,
}));

vi.mock("vscode", async () => {
  const { Disposable, EventEmitter } =
    await vi.importActual<typeof import("./checkpoints-vscode")>("./checkpoints-vscode");
  const say = async (...said: unknown[]) => {
    vs.said.push(said);
    const buttons = said.slice(1) as (string | { title: string })[];
    return buttons.find((each) => (typeof each === "string" ? each : each.title) === vs.press);
  };
  const uri = (text: string) => ({ scheme: text.split(":")[0], path: text, fsPath: text, toString: () => text });
  return {
    Disposable,
    EventEmitter,
    Uri: {
      parse: uri,
      file: uri,
      joinPath: (base: { path: string }, name: string) => uri(`${base.path}/${name}`),
      from: ({ path }: { path: string }) => uri(`page:${path}`),
    },
    Range: class {},
    TaskRevealKind: { Always: 1 },
    TaskPanelKind: { Shared: 1 },
    ProcessExecution: class {
      constructor(
        readonly program: string,
        readonly args: readonly string[],
      ) {}
    },
    Task: class {
      constructor(
        readonly definition: unknown,
        readonly scope: unknown,
        readonly name: string,
        readonly source: string,
        readonly execution: unknown,
      ) {}
    },
    tasks: { executeTask: async (task: unknown) => vs.tasks.push(task) },
    ProgressLocation: { Window: 10 },
    QuickPickItemKind: { Separator: -1 },
    version: "1.139.1",
    env: { remoteName: undefined },
    commands: {
      registerCommand: (name: string, act: (given?: unknown) => Promise<unknown>) => {
        vs.commands.set(name, act);
        return new Disposable(() => vs.commands.delete(name));
      },
      executeCommand: async (name: string, ...rest: unknown[]) => {
        if (name === "setContext") {
          vs.keys.set(rest[0] as string, rest[1]);
        } else {
          vs.executed.push([name, ...rest]);
        }
      },
    },
    window: {
      get activeTextEditor() {
        return vs.editor;
      },
      tabGroups: { all: [], close: async () => true, onDidChangeTabs: () => new Disposable(() => undefined) },
      showWarningMessage: say,
      showInformationMessage: say,
      showErrorMessage: say,
      setStatusBarMessage: (text: string) => vs.bar.push(text),
      showInputBox: async () => vs.words,
      showQuickPick: async (items: unknown[]) => {
        vs.picks.push(items);
        return vs.pick(items as { label: string }[]);
      },
      withProgress: (_: unknown, work: () => unknown) => work(),
      registerUriHandler: (handler: { handleUri(uri: unknown): Promise<void> }) => {
        vs.uri = handler;
        return new Disposable(() => undefined);
      },
      showTextDocument: async (uri: unknown) => {
        vs.shown.push(String(uri));
        return {};
      },
      showOpenDialog: async () => vs.chosen,
    },
    workspace: {
      get isTrusted() {
        return vs.trusted;
      },
      workspaceFolders: [
        { name: "one", uri: { scheme: "file", path: "/one", fsPath: "/one", toString: () => "file:///one" } },
      ],
      asRelativePath: () => "tasks.json",
      getWorkspaceFolder: () => undefined,
      fs: {
        stat: async () => ({ size: 10 }),
        readFile: async () =>
          vs.file === "\0" ? new Uint8Array([0xff, 0xfe, 0xff]) : new TextEncoder().encode(`${vs.file}`),
      },
      openTextDocument: async (document: unknown) => document,
      registerTextDocumentContentProvider: (
        _: string,
        provider: {
          provideTextDocumentContent(uri: unknown): string;
          onDidChange(listener: (uri: unknown) => void): unknown;
        },
      ) => {
        provider.onDidChange((changed) => vs.pages.push(provider.provideTextDocumentContent(changed)));
        return new Disposable(() => undefined);
      },
      onDidCloseTextDocument: () => new Disposable(() => undefined),
      getConfiguration: () => ({ get: () => "" }),
    },
  };
});
vi.mock("../src/views/reveal", () => ({
  revealLine: (uri: object, ...more: unknown[]) => vs.revealed.push([String(uri), ...more]),
}));
vi.mock("../src/server/find", () => ({
  findServer: async () => ({ tried: [], found: vs.program && { command: vs.program } }),
  canImport: async () => false,
}));

const RUNNING: SessionState = {
  kind: "running",
  server: "s",
  version: "0.1.0",
  restricted: false,
  from: "the setting devloop.serverCommand",
};
const PLAN = {
  uri: "file:///one/.devloop/plan.md",
  phases: [{ id: "2", name: "Phase 2", line: 1 }],
  tasks: [{ id: "2.1", key: "k", title: "t", line: 3, parent: null, state: "ready", run: { id: "r-2.1" } }],
  stats: { phases: [{ total: 1, done: 0 }] },
} as unknown as Plan;

class FakeSession {
  readonly folder: { name: string; uri: { path: string; toString(): string } };
  readonly calls: unknown[][] = [];
  state: SessionState = RUNNING;
  status: Status | undefined;
  plan: Plan | undefined = PLAN;
  answers: Record<string, unknown> = {};
  restarted = 0;
  constructor(name: string) {
    this.folder = { name, uri: { path: `/${name}`, toString: () => `file:///${name}` } };
  }
  onDidReceiveEvents = () => ({ dispose: () => undefined });
  async request(method: string, params?: object): Promise<unknown> {
    this.calls.push(params === undefined ? [method] : [method, params]);
    const answer = this.answers[method];
    if (answer instanceof Error) {
      throw answer;
    }
    return answer ?? {};
  }
  execute(command: string, args: object = {}): Promise<unknown> {
    return this.request(command, args);
  }
  async restart(): Promise<void> {
    this.restarted++;
  }
}

let one: FakeSession;
let two: FakeSession;
const call = (name: string, given?: unknown) => vs.commands.get(name)?.(given);

beforeEach(() => {
  vs.commands.clear();
  vs.keys.clear();
  Object.assign(vs, {
    executed: [],
    said: [],
    picks: [],
    pages: [],
    bar: [],
    revealed: [],
    press: undefined,
    editor: undefined,
    trusted: true,
  });
  vs.pick = (items) => items[0];
  one = new FakeSession("one");
  two = new FakeSession("two");
  const all = [one, two];
  const none = () => ({ dispose: () => undefined });
  const sessions = {
    all,
    current: one,
    onDidChange: none,
    onDidChangeData: none,
    of: (uri: { toString(): string }) => all.find((each) => uri.toString().startsWith(each.folder.uri.toString())),
    open: () => one,
    withRun: (run: string) => (run === "r-two" ? two : undefined),
  };
  const log = { warn: () => undefined, show: () => undefined };
  const extension = {
    subscriptions: [],
    extension: { packageJSON: { version: "0.1.0" } },
    globalState: { get: (_: string, otherwise: unknown) => otherwise },
  };
  register({ extension, sessions: sessions as never, log } as never);
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

describe("a command", () => {
  it("goes to the folder that its plan is in, else to the one with the run, else to the one in use", async () => {
    const task = { id: "1.1", key: "k", title: "t", line: 3 };
    await call("devloop.run", { uri: "file:///two/.devloop/plan.md", task });
    expect(two.calls).toEqual([["devloop.run", { uri: "file:///two/.devloop/plan.md", task }]]);
    await call("devloop.cancel", { run: "r-two" });
    expect(two.calls[1]).toEqual(["devloop.cancel", { run: "r-two" }]);
    await call("devloop.continue");
    expect(one.calls).toEqual([["devloop.continue", {}]]);
  });

  it("asks which task or phase when nobody said it, and does nothing when nothing is picked", async () => {
    await call("devloop.run");
    expect(one.calls).toEqual([["devloop.run", { task: { id: "2.1", key: "k", title: "t", line: 3 } }]]);
    await call("devloop.runPhase");
    expect(one.calls[1]).toEqual(["devloop.runPhase", { phase: "2" }]);
    vs.pick = () => undefined;
    await call("devloop.run");
    expect(one.calls).toHaveLength(2);
  });

  it("does with a finding what its code action says, in the folder that it is of", async () => {
    const uri = "file:///two/src/a.py";
    await call("devloop.dismissFinding", { uri, finding: "review-1.2" });
    await call("devloop.dismissFinding", { uri, review: "review-1" });
    await call("devloop.planFinding", { uri, finding: "review-1.2" });
    await call("devloop.fixFinding", { uri, finding: "review-1.2" });
    expect(two.calls).toEqual([
      ["devloop.dismissFinding", { finding: "review-1.2" }],
      ["devloop.dismissFinding", { review: "review-1" }],
      ["devloop.planFinding", { finding: "review-1.2" }],
      ["devloop.fixFinding", { finding: "review-1.2" }],
    ]);
  });

  it("runs the task under the cursor", async () => {
    const document = { uri: { toString: () => PLAN.uri } };
    vs.editor = { document, selection: { active: { line: 4 } } };
    await call("devloop.runHere");
    expect(one.calls).toEqual([["devloop.run", { task: { id: "2.1", key: "k", title: "t", line: 3 } }]]);
    vs.editor = { document, selection: { active: { line: 0 } } };
    await call("devloop.runHere");
    expect(vs.said[0]?.[0]).toContain("no task at the cursor");
  });

  it("says why a click started nothing", async () => {
    one.answers["devloop.continue"] = { run: null, message: "Every task of the plan is done." };
    await call("devloop.continue");
    expect(vs.said).toEqual([["Every task of the plan is done."]]);
  });

  it("says what failed once, with what helps", async () => {
    const cause = Object.assign(new Error("x"), { data: { kind: "untrusted" } });
    one.answers["devloop.continue"] = new Error("gate:test is not trusted.", { cause });
    vs.press = "Trust…";
    await call("devloop.continue");
    await vi.waitFor(() => expect(vs.executed).toEqual([["devloop.trust"]]));
    expect(vs.said).toEqual([["gate:test is not trusted.", "Trust…"]]);
  });

  it("makes no link of what failed", async () => {
    one.answers["devloop.continue"] = new Error("Task [Look](command:workbench.action.terminal.new) is blocked.");
    await call("devloop.continue");
    expect(vs.said).toEqual([["Task [Look] (command:workbench.action.terminal.new) is blocked."]]);
  });

  it("shows the task that is meant when it opens the plan", async () => {
    await call("devloop.openPlan", { uri: "file:///one", task: { id: "2.1" } });
    expect(vs.revealed).toEqual([[PLAN.uri, 3, true]]);
  });

  it("opens the page of the only run without asking, of several after asking", async () => {
    one.answers["devloop/runs"] = { runs: [{ id: "r1", task: "1", title: "", state: "ended", started: 1 }] };
    await call("devloop.showRun");
    expect(vs.picks).toHaveLength(0);
    expect(vs.executed).toEqual([["devloop.openRun", { run: "r1", uri: "file:///one" }]]);
    await call("devloop.showDiff", { run: "r-two" });
    expect(vs.executed[1]).toEqual(["devloop.review", { run: "r-two", uri: "file:///two" }]);
    await call("devloop.showRun", { task: { id: "2.1", key: "k" } });
    expect(vs.executed[2]).toEqual(["devloop.openRun", { run: "r-2.1", uri: "file:///one" }]);
  });

  it("counts what was archived in the status bar", async () => {
    one.answers["devloop.archive"] = { phases: ["1"] };
    await call("devloop.archive");
    expect(vs.bar).toEqual(["1 phase archived."]);
  });

  it("lands what was accepted, and says how much of it where", async () => {
    one.answers["devloop/land"] = { commits: 2, branch: "main", old: "a", new: "b" };
    await call("devloop.land");
    one.answers["devloop/land"] = { commits: 0, branch: "main", old: "b", new: "b", run: null };
    await call("devloop.land");
    one.answers["devloop/land"] = { commits: 0, branch: "main", old: "b", new: "b", run: "run-land-1" };
    await call("devloop.land");
    expect(vs.said.map(([text]) => text)).toEqual([
      "2 commits landed on main.",
      "All that was accepted is on your branch already.",
      "main went on since the work was accepted: run-land-1 runs the gates on both, then lands it.",
    ]);
    expect(one.calls).toEqual([["devloop/land"], ["devloop/land"], ["devloop/land"]]);
  });

  it("restarts the folder that is named, else all", async () => {
    await call("devloop.restart", { uri: "file:///two" });
    expect([one.restarted, two.restarted]).toEqual([0, 1]);
    await call("devloop.restart");
    expect([one.restarted, two.restarted]).toEqual([1, 2]);
  });
});

describe("what begins with words", () => {
  const text = "# Plan: x\n\n## Phase 0: Triage\n\n## Phase 5: Planning\n\n## Phase 9: Security\n";
  const refused = (message: string) =>
    new Error(message, { cause: Object.assign(new Error("x"), { data: { kind: "refused" } }) });

  it("starts a workflow without the phases that are left out, never offering those that always stay", async () => {
    vs.words = " Reset passwords ";
    vs.pick = (items) => items.slice(1);
    one.answers["devloop/start"] = { text, skipped: ["security"] };
    await call("devloop.start");
    expect(vs.picks[0]).toMatchObject([
      { label: "Triage", picked: false },
      { label: "Security", picked: true },
    ]);
    expect(one.calls).toEqual([
      ["devloop/start", { text: "Reset passwords", write: false }],
      ["devloop.start", { message: "Reset passwords", skip: ["Security"], replace: false }],
    ]);
  });

  it("replaces a plan in hand only on a yes", async () => {
    vs.words = "Reset passwords";
    vs.pick = () => [];
    one.answers["devloop/start"] = { text, skipped: [] };
    one.answers["devloop.start"] = refused("There is a plan in hand: plan.md with 2 open tasks.");
    await call("devloop.start");
    expect(one.calls.filter(([name]) => name === "devloop.start")).toHaveLength(1);
    expect(vs.said[0]).toEqual(["There is a plan in hand: plan.md with 2 open tasks.", "Replace It", "Open Plan"]);
    vs.press = "Replace It";
    await call("devloop.start");
    expect(one.calls.at(-1)).toEqual(["devloop.start", { message: "Reset passwords", skip: [], replace: true }]);
  });

  it("passes words on, an issue by its id, and begins nothing without them", async () => {
    vs.words = "Fix the typo";
    await call("devloop.quick");
    vs.words = "FEAT-001";
    await call("devloop.spike");
    await call("devloop.planRevise");
    vs.words = "  ";
    await call("devloop.quick");
    expect(one.calls).toEqual([
      ["devloop.quick", { message: "Fix the typo" }],
      ["devloop.spike", { source: "FEAT-001" }],
      ["devloop.planRevise", { source: "FEAT-001" }],
    ]);
  });

  it("asks what becomes of a plan that is there", async () => {
    vs.words = "Log in";
    one.answers["devloop/status"] = { plan: { path: null } };
    await call("devloop.planNew");
    expect(vs.picks).toEqual([]);
    one.answers["devloop/status"] = { plan: { path: ".devloop/plan.md" } };
    vs.pick = (items) => items[1];
    await call("devloop.planNew");
    vs.pick = () => undefined;
    await call("devloop.planNew");
    expect(one.calls.filter(([name]) => name === "devloop.planNew")).toEqual([
      ["devloop.planNew", { message: "Log in" }],
      ["devloop.planNew", { message: "Log in", replace: true }],
    ]);
  });

  const release = {
    since: "v1.2.0",
    version: "1.3.0",
    tag: "v1.3.0",
    commits: 3,
    changelog: "## 1.3.0\n\n- Adds login\n",
    files: ["CHANGELOG.md"],
    found: [{ severity: "blocker", kind: "secret", path: "a.py", line: 3, text: "a token" }],
    open_tasks: ["1.2 Log out"],
    notes: [],
  };

  it("shows the next version before it ships, and wants words for what should not go out", async () => {
    one.answers["devloop.ship"] = release;
    vs.words = undefined;
    vs.pick = (items) => items[1];
    await call("devloop.ship");
    expect(one.calls).toEqual([["devloop.ship", { preview: true }]]);
    expect(vs.pages[0]).toContain("- a.py:3 secret: a token");
    expect(vs.pages[0]).toContain("    - Adds login");
    vs.words = "It is a test's";
    await call("devloop.ship");
    expect(one.calls.at(-1)).toEqual(["devloop.ship", { reason: "It is a test's", tag: true }]);
  });

  it("ships another version after showing that one", async () => {
    one.answers["devloop.ship"] = { ...release, found: [] };
    vs.words = "2.0.0";
    let asked = 0;
    vs.pick = (items) => items[asked++ === 0 ? 2 : 0];
    await call("devloop.ship");
    expect(one.calls).toEqual([
      ["devloop.ship", { preview: true }],
      ["devloop.ship", { version: "2.0.0", preview: true }],
      ["devloop.ship", { version: "2.0.0", tag: false }],
    ]);
  });
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
      "In restricted mode devloop starts no program. Trust the folder first.",
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

describe("trust", () => {
  const item = { key: "gate:test", kind: "gate", path: "c", sha256: "abc", status: "new", text: "pytest", diff: "" };

  it("accepts by hash what the page shows, after one click", async () => {
    one.answers["devloop/trust"] = { items: [item] };
    one.answers["devloop/trust/accept"] = { items: [{ ...item, status: "trusted" }] };
    vs.press = "Trust It";
    await call("devloop.trust");
    expect(vs.pages[0]).toContain("    pytest");
    expect(one.calls).toContainEqual(["devloop/trust/accept", { items: [{ key: "gate:test", sha256: "abc" }] }]);
    expect(vs.pages.at(-1)).toContain("Nothing waits");
  });

  it("accepts nothing when the question is closed, and asks none in restricted mode", async () => {
    one.answers["devloop/trust"] = { items: [item] };
    await call("devloop.trust");
    one.state = { ...RUNNING, restricted: true } as SessionState;
    vs.press = "Trust It";
    await call("devloop.trust");
    expect(one.calls.map(([method]) => method)).toEqual(["devloop/trust", "devloop/trust"]);
  });
});

describe("the doctor", () => {
  it("speaks of each folder, also where the server can't", async () => {
    one.answers["devloop/doctor"] = { checks: [{ name: "plan", state: "ok", message: "fine", fix: "" }] };
    two.state = { kind: "failed", reason: "It ended.", hint: "Look." };
    two.answers["devloop/doctor"] = new Error("devloop does not run in two");
    await call("devloop.doctor");
    expect(vs.pages[0]).toContain("✓ plan        fine");
    expect(vs.pages[0]).toContain("✗ server      It ended.");
  });
});

describe("an import", () => {
  const found = {
    kind: "task-master",
    source: "tasks.json",
    text: "# Plan: theirs",
    tasks: 2,
    notes: [{ kind: "lost", text: "a colour", line: 3, path: "" }],
    problems: [],
    path: ".devloop/plan.md",
    exists: true,
  };
  beforeEach(() => {
    vs.file = "{}";
    vs.chosen = [{ path: "/one/tasks.json", toString: () => "file:///one/tasks.json" }];
    one.answers["devloop/import"] = found;
  });
  const asked = () => one.calls.filter(([method]) => method === "devloop/import").map(([, params]) => params);

  it("shows what it would do beside the plan that is there, and writes it when that is wanted", async () => {
    vs.press = "Replace the Plan";
    await call("devloop.importTasks");
    expect(vs.executed[0]?.slice(0, 1)).toEqual(["vscode.diff"]);
    expect(vs.pages).toContain("# Plan: theirs");
    expect(asked()).toEqual([
      { text: "{}", source: "tasks.json" },
      { text: "{}", source: "tasks.json", as: "task-master", write: true, replace: true },
    ]);
    expect(vs.said[0]?.slice(1)).toEqual(["Replace the Plan", "Notes"]);
  });

  it("takes no plan for a list of tasks of another tool's", async () => {
    vs.chosen = [{ toString: () => PLAN.uri }];
    await call("devloop.importTasks");
    expect(vs.said[0]?.[0]).toContain("That is the plan itself");
    expect(asked()).toEqual([]);
  });

  it("writes nothing when the question is closed, or no file is chosen", async () => {
    await call("devloop.importTasks");
    expect(asked()).toEqual([{ text: "{}", source: "tasks.json" }]);
    vs.chosen = undefined;
    await call("devloop.importTasks");
    expect(asked()).toHaveLength(1);
  });

  it("replaces nothing where nothing is, and shows the plan alone", async () => {
    one.answers["devloop/import"] = { ...found, exists: false, notes: [] };
    vs.press = "Write the Plan";
    await call("devloop.importTasks");
    expect(vs.executed).toEqual([]);
    expect(asked()[1]).toMatchObject({ write: true, replace: false });
    expect(vs.said[0]?.slice(1)).toEqual(["Write the Plan"]);
  });

  it("says why where there is no task, or no text", async () => {
    one.answers["devloop/import"] = { ...found, tasks: 0 };
    await call("devloop.importTasks");
    expect(vs.said[0]?.[0]).toContain("There is no task in tasks.json");
    expect(vs.pages[0]).toContain("line 3: a colour");
    vs.file = "\0";
    await call("devloop.importTasks");
    expect(vs.said[1]?.[0]).toContain("no text in UTF-8");
    expect(asked()).toHaveLength(1);
  });
});

describe("a link", () => {
  it("opens the page in the folder that knows the run", async () => {
    one.answers["devloop/show"] = new Error("There is no run.");
    await vs.uri?.handleUri({ path: "/run/run-1.1-1", query: "" });
    expect(vs.executed).toEqual([["devloop.openRun", { run: "run-1.1-1", uri: "file:///two" }]]);
  });

  it("opens the page in the folder that it names, and in no other", async () => {
    await vs.uri?.handleUri({ path: "/run/run-1.1-1", query: "folder=/two/" });
    expect(vs.executed).toEqual([["devloop.openRun", { run: "run-1.1-1", uri: "file:///two" }]]);
    expect(one.calls).toEqual([]);
    await vs.uri?.handleUri({ path: "/run/run-1.1-1", query: "folder=/three" });
    two.answers["devloop/show"] = new Error("There is no run.");
    await vs.uri?.handleUri({ path: "/run/run-1.1-1", query: "folder=/two" });
    expect(vs.executed).toHaveLength(1);
    expect(vs.said.map(([text]) => text)).toEqual([
      "The run run-1.1-1 is of /three, which is not open in this window.",
      "No folder of this window has a run run-1.1-1.",
    ]);
  });

  it("does nothing for any other link or run", async () => {
    await vs.uri?.handleUri({ path: "/decide/run-1.1-1", query: "" });
    one.answers["devloop/show"] = new Error("no");
    two.answers["devloop/show"] = new Error("no");
    await vs.uri?.handleUri({ path: "/run/unknown", query: "" });
    expect(vs.executed).toEqual([]);
    expect(vs.said).toHaveLength(2);
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
