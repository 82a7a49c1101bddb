import { describe, expect, it } from "vitest";
import { read } from "../src/commands/arguments";
import { doctorText } from "../src/commands/doctor-text";
import { importNotes, importQuestion } from "../src/commands/import-text";
import { ways } from "../src/commands/install-lines";
import { menu } from "../src/commands/menu-rows";
import { phaseRows, runRows, taskRows, whole } from "../src/commands/rows";
import { linkTo, runLink } from "../src/commands/run-link";
import { statusText } from "../src/commands/status-text";
import { pending, shown, trustText } from "../src/commands/trust-text";
import type { Imported, Plan, PlanTask, Run, Status, TrustItem } from "../src/protocol";
import { withoutLsp } from "../src/server/program";
import type { SessionState } from "../src/session";

function task(id: string, line: number, more: Partial<PlanTask> = {}): PlanTask {
  return {
    id,
    line,
    title: `title of ${id}`,
    key: `k${id}`,
    parent: null,
    state: "ready",
    run: null,
    ...more,
  } as PlanTask;
}

function run(id: string, more: Partial<Run> = {}): Run {
  const base = {
    id,
    task: "1.1",
    title: "t",
    agent: "engineer",
    state: "working",
    outcome: null,
    turn: 2,
    cost_usd: 0.5,
    started: 1,
    scripted: false,
  };
  return { ...base, waiting_for: null, ...more } as Run;
}

const RUNNING: SessionState = {
  kind: "running",
  server: "devloop lsp",
  version: "0.1.0",
  restricted: false,
  from: "the setting devloop.serverCommand",
};

function status(more: Partial<Status> = {}): Status {
  return {
    daemon: { pid: 1, version: "0.1.0" },
    engine: { pid: null, state: "stopped", problem: null },
    sandbox: { backend: "bubblewrap", degraded: false, state: "on", reason: "Commands run in bubblewrap.", fix: "" },
    model: { name: "m", scripted: false, key: true },
    runs: [],
    plan: { path: ".devloop/plan.md", problem: null, total: 3, done: 1 },
    budget: { caps: { day_usd: 25 }, day: { usd: 1.5 } },
    ...more,
  } as unknown as Status;
}

describe("what a command was called with", () => {
  it("takes what lenses and rows pass, and nothing else", () => {
    const given = {
      uri: "file:///p",
      task: { id: "1.1", key: "k", title: "t", line: 3, extra: 1 },
      run: "r",
      decision: "commit",
    };
    expect(read({ ...given, checkpoint: 2, leave_out: ["x"], constructor: 1 })).toEqual({
      uri: "file:///p",
      task: { id: "1.1", key: "k", title: "t", line: 3 },
      run: "r",
      decision: "commit",
      checkpoint: 2,
    });
    expect(read({ leave_out: ["plan"] })).toEqual({ leave_out: ["plan"] }); // the proposal, never files
    expect(read({ leave_out: ["plan", "x"] })).toEqual({});
    expect(read({ task: "1.2" })).toEqual({ task: { id: "1.2" } });
    expect(read({ task: {}, run: "", checkpoint: 0, limit: 1.5, message: 7 })).toEqual({});
    for (const nothing of [undefined, null, "x", 3, []]) {
      expect(read(nothing)).toEqual({});
    }
  });

  it("knows a URI that a menu passes", () => {
    const uri = { scheme: "file", path: "/p/plan.md", toString: () => "file:///p/plan.md" };
    expect(read(uri)).toEqual({ uri: "file:///p/plan.md" });
    expect(read({ uri })).toEqual({ uri: "file:///p/plan.md" });
  });
});

describe("a link from outside", () => {
  it("names a run, and its folder where it says so", () => {
    expect(runLink("/run/run-1.2-1", "")).toEqual({ run: "run-1.2-1", folder: undefined });
    expect(runLink("/run/run-1.2-1", "folder=/home/me/a b&c/")).toEqual({ run: "run-1.2-1", folder: "/home/me/a b&c" });
  });

  it("is nothing when it is any other", () => {
    for (const bad of [
      "/run/",
      "/run/a/b",
      "/run/../x",
      "/run/.x",
      "/decide/run-1.2-1",
      "/run/a%20b",
      `/run/${"a".repeat(200)}`,
      "run/x",
      "/run/x\n",
    ]) {
      expect(runLink(bad, "")).toBeUndefined();
    }
    for (const query of ["decide=commit", "folder=", "folder=/a\nb", `folder=${"a".repeat(5000)}`, "x&folder=/a"]) {
      expect(runLink("/run/run-1.2-1", query)).toBeUndefined();
    }
  });

  it("comes back as it was made", () => {
    const made = new URL(linkTo("vscode", "run-1.2-1", "/home/me/ä &?#%/"));
    expect(made.href.startsWith("vscode://devloop.devloop/run/run-1.2-1?folder=")).toBe(true);
    const found = runLink(decodeURIComponent(made.pathname), decodeURIComponent(made.search.slice(1)));
    expect(found).toEqual({ run: "run-1.2-1", folder: "/home/me/ä &?#%" });
  });
});

describe("what an import says", () => {
  const found: Imported = {
    kind: "task-master",
    source: "tasks.json",
    text: "# Plan",
    tasks: 3,
    notes: [
      { kind: "changed", text: "2 is 1.2 now", line: 0, path: "tasks[1].id" },
      { kind: "lost", text: "[x](command:y) has no place", line: 4, path: "" },
      { kind: "kept", text: "the order", line: 0, path: "" },
    ],
    problems: [{ message: "No title", line: 0, path: "tasks[2]" }],
    path: ".devloop/plan.md",
    exists: false,
    written: false,
    archived: null,
  };

  it("asks with what becomes of it, and of the plan that is there", () => {
    expect(importQuestion(found)).toBe(
      "3 tasks from tasks.json (tasks of Task Master); 1 problem, 1 thing lost, 1 thing changed. Write .devloop/plan.md?",
    );
    expect(importQuestion({ ...found, notes: [], problems: [], exists: true })).toMatch(
      /^3 tasks .*Master\)\. Replace \.devloop\/plan\.md\? The plan .* kept in \.devloop\/archive\/replaced\.$/,
    );
  });

  it("lists what is wrong first, then what is lost, each with its place", () => {
    const notes = importNotes(found).split("\n");
    expect(notes.filter((each) => /^(Problems|Lost|Changed|Kept)$/.test(each))).toEqual([
      "Problems",
      "Lost",
      "Changed",
      "Kept",
    ]);
    expect(notes).toContain("tasks[2]: No title");
    expect(notes).toContain("line 4: [x](command:y) has no place");
    expect(notes).toContain("the order");
  });
});

describe("what can be picked", () => {
  const plan = {
    phases: [
      { id: "1", name: "Phase 1", line: 2 },
      { id: "2", name: "Phase 2", line: 10 },
    ],
    tasks: [
      task("1.1", 4, { state: "done" }),
      task("1.2", 6),
      task("1.2.1", 7, { parent: "1.2" }),
      task("2.1", 12, { state: "partial", title: "$(bug) odd" }),
      task("2.2", 14, { state: "waiting" }),
    ],
    stats: {
      phases: [
        { total: 2, done: 2 },
        { total: 2, done: 0 },
      ],
    },
  } as unknown as Plan;

  it("is a task that can start, the one at the cursor first, and no foreign icon", () => {
    const rows = taskRows(plan, plan.tasks[3]);
    expect(rows.map((row) => row.value.id)).toEqual(["2.1", "1.2", "1.2.1"]);
    expect(rows[0]?.description).toBe("at the cursor · was left partial");
    expect(rows[0]?.label).not.toContain("$(bug)");
    expect(taskRows(plan, plan.tasks[0]).map((row) => row.value.id)).toEqual(["1.2", "1.2.1", "2.1"]);
  });

  it("is a phase with something left", () => {
    expect(phaseRows(plan).map((row) => [row.value.id, row.description])).toEqual([["2", "2 open"]]);
  });

  it("finds the task that a step belongs to: the nearest above of that name, or itself where it runs by itself", () => {
    expect(whole(plan, plan.tasks[2] as PlanTask).id).toBe("1.2");
    const step = task("1.2.1", 9, { parent: "1.2" });
    const twice = { ...plan, tasks: [task("1.2", 3), task("1.2", 8), step] } as Plan;
    expect(whole(twice, step).line).toBe(8);
    expect(whole(twice, { ...step, pickable: true })).toMatchObject({ id: "1.2.1" });
  });

  it("lists runs that wait before those that work before those that ended", () => {
    const runs = [
      run("old", { state: "ended", outcome: "landed", started: 1 }),
      run("new", { state: "ended", outcome: "discarded", started: 5 }),
      run("works", { started: 2 }),
      run("waits", { state: "waiting", started: 1 }),
    ];
    expect(runRows(runs, new Date(0)).map((row) => row.value.id)).toEqual(["waits", "works", "new", "old"]);
  });
});

describe("the quick menu", () => {
  const commands = (situation: Parameters<typeof menu>[0]) =>
    menu(situation).flatMap((group) => group.rows.map((row) => row.command));

  it("begins with what waits, and offers to cancel what works", () => {
    const found = menu({
      state: RUNNING,
      status: status({ runs: [run("a", { state: "waiting", waiting_for: "a decision" }), run("b")] }),
      planOpen: true,
    });
    expect(found[0]?.rows[0]).toMatchObject({ command: "devloop.answer", argument: { run: "a" } });
    expect(found.flatMap((group) => group.rows)).toContainEqual(
      expect.objectContaining({ command: "devloop.cancel", argument: { run: "b" } }),
    );
    expect(commands({ state: RUNNING, status: status(), planOpen: true })).toContain("devloop.runHere");
  });

  it("offers nothing that acts in restricted mode", () => {
    const waits = status({ runs: [run("a", { state: "waiting" })] });
    const found = commands({ state: { ...RUNNING, restricted: true }, status: waits, planOpen: true });
    expect(found[0]).toBe("workbench.trust.manage");
    for (const acting of ["devloop.run", "devloop.continue", "devloop.answer", "devloop.runPhase", "devloop.newPlan"]) {
      expect(found).not.toContain(acting);
    }
  });

  it("says how to mend a server that is not there", () => {
    const failed = commands({ state: { kind: "failed", reason: "r", hint: "h" }, status: undefined, planOpen: false });
    expect(failed).toEqual(["devloop.restart", "devloop.showLog", "devloop.doctor", "devloop.openSettings"]);
    const missing = commands({ state: { kind: "missing", tried: [] }, status: undefined, planOpen: false });
    expect(missing.slice(0, 2)).toEqual(["devloop.install", "devloop.selectInterpreter"]);
    expect(commands({ state: undefined, status: undefined, planOpen: false })).toContain("devloop.doctor");
  });

  it("offers a new plan where there is none", () => {
    const none = status({ plan: { path: null, problem: "No plan." } });
    expect(commands({ state: RUNNING, status: none, planOpen: false })).toContain("devloop.newPlan");
  });
});

describe("the doctor's page", () => {
  const around = { extension: "0.1.0", vscode: "1.139.1", remote: undefined, trusted: true };

  it("shows each check with what to do, in lines of a readable length", () => {
    const checks = [
      { name: "model", state: "problem", message: `There is no key. ${"word ".repeat(60)}`, fix: "Set one." },
      { name: "plan", state: "ok", message: "fine\nin one line", fix: "" },
    ] as const;
    const text = doctorText([{ folder: "purse", state: RUNNING, checks }], around);
    expect(text).toContain("found by the setting devloop.serverCommand");
    expect(text).toContain("✗ model");
    expect(text).toContain("→ Set one.");
    expect(text).toContain("✓ plan        fine in one line");
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(112);
  });

  it("works without a server, and without a folder", () => {
    const missing = doctorText(
      [{ folder: "p", state: { kind: "missing", tried: ["no devloop on PATH"] }, checks: undefined }],
      around,
    );
    expect(missing).toContain("tried: no devloop on PATH");
    const failed = doctorText(
      [{ folder: "p", state: { kind: "failed", reason: "It ended.", hint: "Look." }, checks: undefined }],
      around,
    );
    expect(failed).toContain("✗ server      It ended.");
    expect(doctorText([], { ...around, trusted: false })).toContain("Restricted mode");
  });
});

describe("the page of what wants to execute", () => {
  const item = (key: string, more: Partial<TrustItem>): TrustItem => ({
    ...{
      key,
      kind: "gate",
      path: ".devloop/config.toml",
      sha256: `sha-${key}`,
      status: "new",
      text: "run me",
      diff: "",
    },
    ...more,
  });
  const items = [
    item("a", { text: "first\u202e line\nTrusted\n-------" }),
    item("b", { status: "changed", text: "now", diff: "-before\n+now" }),
    item("c", { status: "trusted" }),
    item("d", { status: "refused", reason: "it is too big" }),
  ];

  it("accepts exactly what was shown, by hash", () => {
    expect(shown(items)).toEqual([
      { key: "a", sha256: "sha-a" },
      { key: "b", sha256: "sha-b" },
    ]);
    expect(pending(items)).toHaveLength(2);
  });

  it("shows every line indented, hidden characters visible, changes as a diff", () => {
    const text = trustText("purse", items);
    expect(text).toContain("    first\\u{202e} line\n    Trusted\n    -------\n");
    expect(text).toContain("    -before\n    +now");
    expect(text).toContain("sha256 sha-a");
    const [first] = items;
    const about = [{ ...first, about: "It runs.\nTrusted" } as TrustItem];
    expect(trustText("purse", about)).toMatch(/^It runs\. ?Trusted$/m);
    expect(text).toContain("it is too big");
    expect(text.match(/^Trusted$/gm)).toHaveLength(1);
    expect(trustText("purse", [])).toContain("Nothing waits");
  });
});

describe("other texts", () => {
  it("shows the status as the terminal does", () => {
    const text = statusText("purse", status({ runs: [run("r1", { waiting_for: "a decision", state: "waiting" })] }));
    expect(text).toContain(".devloop/plan.md: 1 of 3 tasks done");
    expect(text).toContain("waits for a decision");
    expect(statusText("p", status({ plan: { path: null, problem: "No plan here." } }))).toContain("No plan here.");
  });

  it("quotes an interpreter for the shell that will see it", () => {
    const command = (path: string, windows: boolean) => ways(path, windows)[0]?.command;
    expect(command("/opt/venv/bin/python", false)).toBe("/opt/venv/bin/python -m pip install devloop-server");
    expect(command("/my dir/it's/python", false)).toBe("'/my dir/it'\\''s/python' -m pip install devloop-server");
    expect(command("/a\\b;rm -rf x", false)).toMatch(/^'/);
    expect(command("C:\\Program Files\\py.exe", true)).toMatch(/^& 'C:/);
    expect(ways(undefined, false).map((way) => way.label)).toEqual(["uv", "pipx"]);
  });

  it("finds the program in the server's command", () => {
    expect(withoutLsp(["/bin/devloop", "lsp"])).toEqual(["/bin/devloop"]);
    expect(withoutLsp(["py", "-m", "devloop", "lsp", "--root", "x"])).toEqual(["py", "-m", "devloop"]);
    expect(withoutLsp(["my-server"])).toBeUndefined();
  });
});
