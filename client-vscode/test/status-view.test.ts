import { describe, expect, it } from "vitest";
import { LiveRuns, NOTHING } from "../src/live/runs";
import type { Checkpoint, DevloopEvent, Run, Status } from "../src/protocol";
import type { SessionState } from "../src/session";
import { COMMANDS, inOrder, statusView } from "../src/status/view";
import { checkpoint, question, run, status } from "./checkpoints-fixtures";

const RUNS: SessionState = {
  kind: "running",
  server: "devloop lsp",
  version: "0.1.0",
  restricted: false,
  from: "the setting devloop.serverCommand",
};

function seen(
  given: {
    state?: SessionState;
    status?: Status | undefined;
    checkpoint?: Checkpoint;
    live?: LiveRuns;
    folder?: string;
  } = {},
) {
  const view = statusView({
    state: given.state ?? RUNS,
    status: "status" in given ? given.status : status(),
    live: (name) => (given.live ?? new LiveRuns()).of(name),
    checkpoint: () => given.checkpoint,
    folder: given.folder ?? null,
  });
  if (view === undefined) {
    throw new Error("there is no item");
  }
  return view;
}

const withRuns = (...runs: Run[]) => status({ runs });
const event = (kind: string, data: object, name = "run-1.1-1"): DevloopEvent => ({
  at: 0,
  run: name,
  kind,
  data: data as DevloopEvent["data"],
});

describe("the server's state", () => {
  it("is shown only where there is one", () => {
    const nothing = { status: undefined, live: () => NOTHING, checkpoint: () => undefined, folder: null };
    expect(statusView({ state: undefined, ...nothing })).toBeUndefined();
  });

  it("starts only while it starts", () => {
    const starting = seen({ state: { kind: "starting" }, status: undefined });
    expect(starting).toMatchObject({ text: "$(loading~spin) devloop", colour: "none" });
    expect(seen({ status: undefined }).text).not.toContain("spin");
  });

  it("that failed is red and says why, and what to do", () => {
    const failed = seen({
      state: { kind: "failed", reason: "No module named *x*", hint: "Select another." },
      status: undefined,
    });
    expect(failed).toMatchObject({ colour: "error", command: "devloop.menu" });
    expect(failed.label).toContain("No module named *x*");
    expect(failed.tooltip).toContain("\\*x\\*");
    for (const command of ["devloop.restart", "devloop.showLog", "devloop.doctor"]) {
      expect(failed.tooltip).toContain(`(command:${command})`);
    }
  });

  it("that was not found says where it was looked for", () => {
    const missing = seen({
      state: { kind: "missing", tried: ["devloop on PATH", "/usr/bin/python3"] },
      status: undefined,
    });
    expect(missing.colour).toBe("error");
    expect(missing.tooltip).toContain("devloop on PATH");
  });

  it("in restricted mode offers nothing that acts", () => {
    const restricted = seen({
      state: { ...RUNS, restricted: true },
      status: withRuns(run({ state: "waiting", checkpoint: 1 })),
      checkpoint: checkpoint(),
    });
    expect(restricted.text).toContain("$(lock)");
    expect(restricted.label).toContain("restricted mode");
    expect(restricted.tooltip).not.toMatch(/devloop\.(decide|continue|answer)/);
    expect(restricted.tooltip).toContain("devloop.review");
  });
});

describe("the plan", () => {
  it("is told by its progress", () => {
    expect(seen()).toMatchObject({ text: "$(checklist) 3/7", colour: "none", command: "devloop.menu" });
    expect(seen().label).toBe("devloop: 3 of 7 tasks done");
    const over = { path: "p", problem: null, total: 2, done: 2 };
    expect(seen({ status: status({ plan: over }) }).text).toBe("$(pass) 2/2");
  });

  it("that is missing is said to be", () => {
    const none = seen({ status: status({ plan: { path: null, problem: "There is [none](command:x)." } }) });
    expect(none.text).toBe("$(checklist) no plan");
    expect(none.tooltip).not.toContain("](command:x)");
  });
});

describe("a run", () => {
  it("that works shows task, agent, mode, turn and cost", () => {
    const view = seen({ status: withRuns(run({ mode: "tdd" })) });
    expect(view.text).toBe("$(sync~spin) 3/7 · 1.1 implementer/tdd · turn 2 · $0.12");
    expect(view.label).toContain("task 1.1 Add login, agent implementer, mode tdd, turn 2, $0.12");
    expect(view.tooltip).toContain("of 40");
  });

  it("leaves out the mode that an agent has anyway", () => {
    const view = seen({ status: withRuns(run({ mode: "default" })) });
    expect(`${view.text} ${view.tooltip} ${view.label}`).not.toContain("default");
  });

  it("that is checked shows the gate and how many there are", () => {
    const live = new LiveRuns();
    live.take([
      event("gate.started", { gate: "lint", commit: "c", of: 3 }),
      event("gate.ended", { gate: "lint", verdict: "pass" }),
      event("gate.started", { gate: "tests", commit: "c", of: 3 }),
    ]);
    expect(seen({ status: withRuns(run({ state: "checking" })), live }).text).toContain("gate tests 2/3");
  });

  it("shows the newer of two turns and costs", () => {
    const live = new LiveRuns();
    live.take([event("turn.ended", { cost_usd: 0.3 }), event("turn.started", { turn: 3 })]);
    expect(seen({ status: withRuns(run()), live }).text).toContain("turn 3 · $0.30");
  });

  it("that waits for the model or a slot says for what", () => {
    expect(seen({ status: withRuns(run({ waiting_for: "the model, again at 12:00:00" })) }).text).toContain(
      "waits for the model",
    );
  });

  it("that waits for a person is a warning with the decisions at hand", () => {
    const view = seen({ status: withRuns(run({ state: "waiting", checkpoint: 1 })), checkpoint: checkpoint() });
    expect(view).toMatchObject({ text: "$(bell-dot) 3/7 · 1.1 waits for you", colour: "warning" });
    const decide = encodeURIComponent(JSON.stringify([{ run: "run-1.1-1", checkpoint: 1, decision: "commit" }]));
    expect(view.tooltip).toContain(`[Commit](command:devloop.decide?${decide})`);
    expect(view.tooltip).toContain("devloop.answer");
  });

  it("that waits because of what may be no secret lets that be said", () => {
    const secrets = [{ id: "0123456789ab", file: "conf.py", line: 2, kind: "github-pat" }];
    const held = checkpoint({ kind: "problem", decisions: ["revise", "recheck"], secrets });
    const view = seen({ status: withRuns(run({ state: "waiting", checkpoint: 1 })), checkpoint: held });
    const at = encodeURIComponent(JSON.stringify([{ run: "run-1.1-1", checkpoint: 1 }]));
    expect(view.tooltip).toContain(`[This Is No Secret](command:devloop.noSecret?${at})`);
  });

  it("asks or needs somebody by its kind, also before the checkpoint was read", () => {
    const waiting = withRuns(run({ state: "waiting", checkpoint: 1, waiting_for: "an answer" }));
    expect(seen({ status: waiting }).text).toBe("$(question) 3/7 · 1.1 asks you");
    expect(seen({ status: waiting, checkpoint: question([]) }).text).toContain("asks you");
    expect(seen({ status: waiting, checkpoint: checkpoint({ kind: "problem" }) }).text).toContain("1.1 needs you");
  });

  it("that waits stands before those that work", () => {
    const runs = [run({ id: "a", started: 1 }), run({ id: "b", started: 9 }), run({ id: "c", state: "waiting" })];
    expect(inOrder([...runs, run({ id: "d", state: "ended" })]).map((each) => each.id)).toEqual(["c", "b", "a"]);
    expect(seen({ status: withRuns(...runs) }).text).toContain("+2");
  });
});

describe("what is out of the ordinary", () => {
  it("a model without a key leads to signing in", () => {
    const model = { name: "m", scripted: false, key: false };
    expect(seen({ status: status({ model }) }).tooltip).toContain(
      "Model m (no key) · [Sign in](command:devloop.signIn)",
    );
    expect(seen({ status: status({ model: { ...model, key: true } }) }).tooltip).not.toContain("devloop.signIn");
  });

  it("scripted models are named wherever they are at work", () => {
    const model = { name: "m", scripted: true, key: false };
    for (const given of [status({ model }), withRuns(run({ scripted: true }))]) {
      const view = seen({ status: given });
      expect(view.text).toContain("scripted");
      expect(view.label).toContain("scripted model");
      expect(view.tooltip).toContain("**Scripted**");
    }
    expect(seen().text).not.toContain("scripted");
  });

  it("a sandbox that is off or degraded has a shield that says what it means and leads to the doctor", () => {
    for (const [state, said] of [
      ["off", "no sandbox"],
      ["degraded", "sandbox degraded"],
    ] as const) {
      const sandbox = { backend: "plain", degraded: true, state, reason: "It is *missing*.", fix: "apt install it" };
      const view = seen({ status: status({ sandbox }) });
      expect(view.text).toContain(`$(shield) ${said}`);
      expect(view.tooltip).toMatch(/Commands of agents and gates/);
      expect(view.tooltip).toContain("[Doctor](command:devloop.doctor)");
      expect(view.tooltip).toContain("\\*missing\\*");
      expect(view.label).toContain(said);
    }
    expect(seen().text).not.toContain("shield");
  });

  it("the server's own words for what a state means are shown, escaped", () => {
    const sandbox = {
      backend: "landlock",
      degraded: true,
      state: "degraded",
      reason: "Commands run under landlock.",
      fix: "Install *bubblewrap*.",
      meaning: "Unattended runs are refused, unless `sandbox.require` allows them.",
    };
    const view = seen({ status: status({ sandbox }) });
    expect(view.tooltip).toContain("Unattended runs are refused");
    expect(view.tooltip).toContain("Install \\*bubblewrap\\*");
    expect(view.tooltip).not.toContain("confined only in part");
    expect(view.label).toContain("Unattended runs are refused");
  });

  it("a broken engine is red with its problem", () => {
    const view = seen({ status: status({ engine: { pid: null, state: "failed", problem: "It ended." } }) });
    expect(view.colour).toBe("error");
    expect(view.tooltip).toContain("It ended");
  });

  it("the folder is named where there are several", () => {
    expect(seen({ folder: "web" }).tooltip).toContain("web");
  });
});

describe("foreign text", () => {
  const nasty = "$(zap) [x](command:workbench.action.quit) <img src=x> **b** `c`\n# h\u202E";
  const view = seen({
    status: withRuns(run({ task: nasty, title: nasty, agent: nasty, mode: nasty, waiting_for: null })),
    folder: nasty,
  });
  const asked = seen({
    status: withRuns(run({ title: nasty, state: "waiting", checkpoint: 1 })),
    checkpoint: question([nasty], nasty),
  });

  it("calls no command, not even one that the tooltip's own links may call, wherever it stands", () => {
    const title = "[x](command:devloop.cancel) [y](command:devloop.stop)";
    const one = status({
      runs: [run({ task: title, title, agent: title, mode: title })],
    });
    const everywhere = seen({
      status: {
        ...one,
        model: { ...one.model, name: title },
        plan: { ...one.plan, path: title },
        engine: { ...one.engine, problem: title },
        sandbox: { ...one.sandbox, state: "off", degraded: true, meaning: title, reason: title, fix: title },
      } as Status,
      folder: title,
    });
    expect(everywhere.tooltip).toContain("devloop.stop".replace(".", "\\."));
    expect(everywhere.tooltip).not.toMatch(/(?<!\\)\]\(command:devloop\.(?:stop|cancel)\)/);
  });

  it("makes no icon in the item", () => {
    expect(view.text).not.toContain("$(zap)");
  });

  it("makes no link, icon, HTML or heading in the tooltip", () => {
    for (const { tooltip } of [view, asked]) {
      expect(tooltip).not.toMatch(/(?<!\\)\]\(command:workbench/);
      expect(tooltip).not.toContain("$(zap)");
      expect(tooltip).not.toMatch(/(?<!\\)</);
      expect(tooltip).not.toMatch(/^# h/m);
      expect(tooltip).not.toContain("\u202E");
    }
  });

  it("ends no link early: every link is one of our commands", () => {
    for (const { tooltip } of [view, asked]) {
      const links = [...tooltip.matchAll(/(?<!\\)\]\(command:([a-zA-Z.]+)(\?[^()\s]*)?\)/g)];
      expect(links.length).toBeGreaterThan(0);
      expect(tooltip.match(/(?<!\\)\]\(/g)).toHaveLength(links.length);
      for (const [, command, query] of links) {
        expect(COMMANDS).toContain(command);
        if (query) {
          expect(JSON.parse(decodeURIComponent(query.slice(1)))).toHaveLength(1);
        }
      }
    }
  });
});

describe("what goes on", () => {
  it("is the newest tool that still runs", () => {
    const live = new LiveRuns();
    live.take([
      event("tool.started", { tool: "read_file", argument: "a.py", id: "1" }),
      event("tool.started", { tool: "search", argument: "def", id: "2" }),
      event("tool.ended", { tool: "search", id: "2" }),
    ]);
    expect(seen({ status: withRuns(run()), live }).tooltip).toContain("read\\_file a\\.py");
    live.take([event("turn.ended", { cost_usd: null })]);
    expect(seen({ status: withRuns(run()), live }).tooltip).not.toContain("read");
    expect(live.of("run-1.1-1").cost).toBeNull();
  });

  it("begins anew with another commit's gates", () => {
    const live = new LiveRuns();
    const gate = (commit: string) => [
      event("gate.started", { gate: "t", commit, of: 2 }),
      event("gate.ended", { gate: "t" }),
    ];
    live.take([...gate("a"), ...gate("a"), ...gate("b")]);
    expect(live.of("run-1.1-1").gates).toHaveLength(1);
    live.take([event("gate.started", { gate: "u", commit: "b", of: 2 })]);
    expect(seen({ status: withRuns(run({ state: "checking" })), live }).text).toContain("gate u 2/2");
  });

  it("is forgotten with the run", () => {
    const live = new LiveRuns();
    live.take([event("turn.started", { turn: 5 })]);
    live.keep([]);
    expect(live.of("run-1.1-1").turn).toBe(0);
  });
});
