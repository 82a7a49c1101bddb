/** What the status item shows. Pure: the same things seen give the same item. Icons are codicons, `$(name)`. */

import { buttons, type Choice, nameOf, saying } from "../checkpoints/content";
import { waits } from "../decisions";
import type { Live } from "../live/runs";
import type { Checkpoint, Run, Sandbox, Status } from "../protocol";
import type { SessionState } from "../session";
import { counted, escaped, joined, money, oneLine, plainLabel } from "../views/text";

export interface Seen {
  /** Undefined where no folder has a server. */
  readonly state: SessionState | undefined;
  readonly status: Status | undefined;
  readonly live: (run: string) => Live;
  readonly checkpoint: (run: string) => Checkpoint | undefined;
  /** The folder's name, where the window has several; else null. */
  readonly folder: string | null;
  /** Its address: another folder may have runs of the same names. */
  readonly uri?: string;
}

export interface StatusView {
  readonly text: string;
  /** Markdown. Everything foreign in it is escaped; its links call commands in `COMMANDS` alone. */
  readonly tooltip: string;
  readonly colour: "none" | "warning" | "error";
  readonly command: string;
  /** What a screen reader says. */
  readonly label: string;
}

/** The commands that the tooltip's links may call. */
export const COMMANDS = [
  "devloop.answer",
  "devloop.cancel",
  "devloop.continue",
  "devloop.decide",
  "devloop.doctor",
  "devloop.install",
  "devloop.menu",
  "devloop.noSecret",
  "devloop.proposal",
  "devloop.restart",
  "devloop.review",
  "devloop.showLog",
  "devloop.showRun",
  "devloop.signIn",
  "workbench.trust.manage",
] as const;
type Command = (typeof COMMANDS)[number];

const MENU = "devloop.menu";
const WIDTH = 34;

export function statusView(seen: Seen): StatusView | undefined {
  const { state } = seen;
  switch (state?.kind) {
    case undefined:
      return undefined;
    case "starting":
      return simple(seen, "$(loading~spin) devloop", "none", "The server is starting.", []);
    case "failed":
      return simple(seen, "$(error) devloop", "error", `The server can't run. ${state.reason}`, [
        state.hint ? escaped(state.hint, 400) : "",
        links(["Try again", "devloop.restart"], ["Show log", "devloop.showLog"], ["Doctor", "devloop.doctor"]),
      ]);
    case "missing":
      return simple(seen, "$(warning) devloop: not found", "error", "devloop is not installed where VS Code looks.", [
        state.tried.length > 0 ? `Tried: ${escaped(state.tried.join(", "), 400)}` : "",
        links(["Install…", "devloop.install"], ["Try again", "devloop.restart"], ["Doctor", "devloop.doctor"]),
      ]);
    case "stopped":
      return simple(seen, "$(debug-disconnect) devloop", "none", "The server is stopped.", [
        links(["Start", "devloop.restart"]),
      ]);
    case "running":
      return seen.status === undefined
        ? simple(seen, "$(checklist) devloop", "none", "The server runs.", [])
        : running(seen, seen.status, state.restricted);
  }
}

function simple(
  seen: Seen,
  text: string,
  colour: StatusView["colour"],
  said: string,
  more: readonly string[],
): StatusView {
  const tooltip = paragraphs(heading(seen), escaped(said, 400), ...more);
  return { text, tooltip, colour, command: MENU, label: `devloop: ${oneLine(said, 300)}` };
}

// A server that runs

function running(seen: Seen, status: Status, restricted: boolean): StatusView {
  const runs = inOrder(status.runs);
  const first = runs[0];
  const told = first === undefined ? undefined : ofRun(seen, first);
  const shield = shieldOf(status.sandbox);
  const scripted = status.model.scripted || runs.some((run) => run.scripted);
  const plan = planOf(status);
  const broken = status.engine.problem;
  const icon = broken ? "$(error)" : restricted ? "$(lock)" : (told?.icon ?? plan.icon);
  const parts = joined(
    plan.text,
    told?.text,
    runs.length > 1 && `+${runs.length - 1}`,
    scripted && "scripted",
    shield && `$(shield) ${shield.text}`,
  );
  return {
    text: `${icon} ${parts}`,
    colour: broken ? "error" : (told?.colour ?? "none"),
    command: MENU,
    tooltip: paragraphs(
      heading(seen),
      plan.tooltip,
      broken
        ? `$(error) The engine has a problem: ${escaped(broken, 400)}\n\n${links(["Doctor", "devloop.doctor"])}`
        : "",
      restricted
        ? `$(lock) Restricted mode: the plan can be read, nothing is run or decided from here.\n\n${links(["Manage workspace trust", "workbench.trust.manage"])}`
        : "",
      ...runs.slice(0, MOST_RUNS).map((run) => section(seen, run, restricted)),
      runs.length > MOST_RUNS ? `and ${counted(runs.length - MOST_RUNS, "more run")}` : "",
      shield ? `$(shield) **${shield.title}** ${shield.meaning}\n\n${links(["Doctor", "devloop.doctor"])}` : "",
      footer(status, scripted),
      links(
        ...(runs.length === 0 && plan.ready && !restricted ? [["Continue the plan", "devloop.continue"] as Link] : []),
        ["All commands", "devloop.menu"],
      ),
    ),
    label: `devloop: ${[
      plan.spoken,
      broken ? `the engine has a problem: ${oneLine(broken, 200)}` : "",
      restricted ? "restricted mode" : "",
      told?.spoken,
      runs.length > 1 ? `${counted(runs.length - 1, "more run")}` : "",
      scripted ? "scripted model" : "",
      shield?.spoken,
    ]
      .filter(Boolean)
      .join("; ")}`,
  };
}

const MOST_RUNS = 4;

function planOf({ plan }: Status): { icon: string; text: string; tooltip: string; spoken: string; ready: boolean } {
  if (plan.path === null || plan.total === undefined || plan.done === undefined) {
    const why = plan.problem ? escaped(plan.problem, 300) : "There is no plan in this folder.";
    return { icon: "$(checklist)", text: "no plan", tooltip: why, spoken: "no plan", ready: false };
  }
  const all = plan.done >= plan.total && plan.total > 0;
  return {
    icon: all ? "$(pass)" : "$(checklist)",
    text: `${plan.done}/${plan.total}`,
    tooltip: `${plan.done} of ${counted(plan.total, "task")} done in ${escaped(plan.path, 120)}${plan.blocked ? `, ${plan.blocked} blocked` : ""}`,
    spoken: `${plan.done} of ${counted(plan.total, "task")} done`,
    ready: !all && plan.total > 0,
  };
}

interface Told {
  readonly icon: string;
  readonly text: string;
  readonly colour: StatusView["colour"];
  readonly spoken: string;
}

const BUSY = "$(sync~spin)";

function ofRun(seen: Seen, run: Run): Told {
  const name = nameOf(run);
  const task = plainLabel(run.task.replace("@", ""), WIDTH);
  if (run.state === "waiting") {
    const checkpoint = seen.checkpoint(run.id);
    const kind = checkpoint?.kind ?? (run.waiting_for === "an answer" ? "question" : "decision");
    const says = waits(kind);
    const icon = kind === "question" ? "$(question)" : kind === "problem" ? "$(warning)" : "$(bell-dot)";
    return {
      icon,
      text: `${task} ${says}`,
      colour: "warning",
      spoken: `task ${name} ${says}`,
    };
  }
  const live = seen.live(run.id);
  const what = doingText(run, live);
  const mode = modeOf(run);
  const who = plainLabel(mode ? `${run.agent}/${mode}` : run.agent, WIDTH);
  return {
    icon: run.state === "queued" ? "$(clock)" : BUSY,
    text: joined(`${task} ${who}`.trim(), plainLabel(what), money(costOf(run, live))),
    colour: "none",
    spoken: `task ${name}, agent ${oneLine(run.agent, 40)}${mode ? `, mode ${oneLine(mode, 40)}` : ""}, ${what}, ${money(costOf(run, live))}`,
  };
}

/** "" for the one that an agent has anyway. */
function modeOf(run: Run): string {
  return run.mode === null || run.mode === "default" ? "" : run.mode;
}

/** `turn 3`, `gate tests 2/3`, `landing`: what goes on, for people. */
export function doingText(run: Run, live: Live): string {
  if (run.waiting_for) {
    return oneLine(`waits for ${run.waiting_for}`, WIDTH);
  }
  switch (run.state) {
    case "working": {
      const turn = Math.max(run.turn, live.turn);
      return turn > 0 ? `turn ${turn}` : "begins";
    }
    case "checking": {
      const gate = live.gates.find((each) => each.verdict === null);
      if (gate === undefined) {
        return "checking";
      }
      const [done, of] = [live.gates.filter((each) => each.verdict !== null).length, live.gatesTotal];
      return `gate ${oneLine(gate.name, 24)}${of > 1 ? ` ${Math.min(done + 1, of)}/${of}` : ""}`;
    }
    default:
      return run.state;
  }
}

function costOf(run: Run, { cost }: Live): number | null {
  return cost !== undefined && (cost ?? 0) >= (run.cost_usd ?? 0) ? cost : run.cost_usd;
}

/** The newest tool that is still at work. */
function toolOf({ tools }: Live): string {
  const tool = tools.at(-1);
  return tool === undefined ? "" : oneLine(`${tool.name} ${tool.argument}`, 60);
}

/** Those that wait for a person first, then the newest. */
export function inOrder(runs: readonly Run[]): readonly Run[] {
  const rank = (run: Run): number => (run.state === "waiting" ? 0 : run.state === "queued" ? 2 : 1);
  return runs
    .filter((run) => run.state !== "ended")
    .toSorted((a, b) => rank(a) - rank(b) || (b.started ?? 0) - (a.started ?? 0));
}

// The tooltip

function section(seen: Seen, run: Run, restricted: boolean): string {
  const about = seen.uri === undefined ? { run: run.id } : { run: run.id, uri: seen.uri };
  const head = `**${escaped(nameOf(run))}**`;
  const checkpoint = run.state === "waiting" ? seen.checkpoint(run.id) : undefined;
  if (checkpoint !== undefined) {
    const at = { ...about, checkpoint: checkpoint.number };
    const can = restricted ? buttons(checkpoint).filter((each) => each.kind === "review") : buttons(checkpoint);
    const offers = can.map((each) => linkOf(each, at));
    return `${head} – ${escaped(saying(run, checkpoint), 600)}\n\n${links(...offers, ["Show run", "devloop.showRun", about])}`;
  }
  const live = seen.live(run.id);
  const limit = run.state === "working" && run.turn_limit ? ` of ${run.turn_limit}` : "";
  const told = joined(
    `agent ${escaped(run.agent, 60)}`,
    modeOf(run) && `mode ${escaped(modeOf(run), 60)}`,
    `${escaped(doingText(run, live), 80)}${limit}`,
    toolOf(live) && escaped(toolOf(live), 80),
    escaped(money(costOf(run, live)), 20),
    run.scripted && "scripted",
  );
  const cancel: readonly Link[] = run.state === "waiting" ? [] : [["Cancel", "devloop.cancel", about]];
  const waits: readonly Link[] = run.state === "waiting" && !restricted ? [["Decide…", "devloop.answer", about]] : [];
  return `${head}  \n${told}\n\n${links(...waits, ["Show run", "devloop.showRun", about], ...cancel)}`;
}

function linkOf(
  choice: Choice,
  at: { readonly run: string; readonly uri?: string; readonly checkpoint: number },
): Link {
  switch (choice.kind) {
    case "review":
      return [choice.title, "devloop.review", at];
    case "more":
      return [choice.title, "devloop.answer", at];
    case "notSecret":
      return [choice.title, "devloop.noSecret", at];
    case "proposal":
      return [choice.title, "devloop.proposal", at];
    default: {
      const said = choice.message === undefined ? {} : { message: choice.message };
      return [choice.title, "devloop.decide", { ...at, decision: choice.decision, ...said }];
    }
  }
}

function heading({ folder }: Seen): string {
  return folder === null ? "**devloop**" : `**devloop** · ${escaped(folder, 60)}`;
}

function footer(status: Status, scripted: boolean): string {
  const { day, caps } = status.budget;
  const cap = caps.day_usd === null ? "" : ` of ${escaped(money(caps.day_usd), 20)}`;
  const played = day.scripted_usd > 0 ? `, ${escaped(money(day.scripted_usd), 20)} of it scripted and not paid` : "";
  const model = scripted
    ? "$(beaker) **Scripted**: no model is asked, a player speaks its lines."
    : `Model ${escaped(status.model.name, 80)}${status.model.key ? "" : ` (no key) · ${links(["Sign in", "devloop.signIn"])}`}`;
  return `${model}  \nToday ${escaped(money(day.usd), 20)}${cap}${played}`;
}

/** Undefined where commands run in a sandbox. */
function shieldOf(sandbox: Sandbox): { text: string; title: string; meaning: string; spoken: string } | undefined {
  if (!sandbox.degraded && sandbox.state === "on") {
    return undefined;
  }
  const off = sandbox.state === "off";
  const text = off ? "no sandbox" : "sandbox degraded";
  const title = off ? "The sandbox is off." : "The sandbox is degraded.";
  const means =
    sandbox.meaning ??
    (off
      ? "Commands of agents and gates run with all your rights."
      : "Commands of agents and gates are confined only in part.");
  const meaning = [means, sandbox.reason, sandbox.fix]
    .map((part) => escaped(part, 400))
    .filter(Boolean)
    .join(" ");
  return { text, title, meaning, spoken: `${text}: ${means}` };
}

type Link = readonly [title: string, command: Command, argument?: object];

function links(...found: readonly Link[]): string {
  return found
    .map(([title, command, argument]) => {
      const query = argument === undefined ? "" : `?${encodeURIComponent(JSON.stringify([argument]))}`;
      return `[${escaped(title, 60)}](command:${command}${query.replace(/[()']/g, percent)})`;
    })
    .join(" · ");
}

/** `encodeURIComponent` leaves parentheses alone, and a link's address ends with one. */
function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function paragraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}
