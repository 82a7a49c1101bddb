/** The rows of the Runs view. */

import { waits } from "../decisions";
import { gatesOf, type Live, type LiveGate } from "../live/runs";
import type { Run, Shown } from "../protocol";
import { contextOf, type Icon, type Row, row } from "./rows";
import { counted, duration, escaped, joined, moment, money, oneLine, runName, tokens } from "./text";

export type RunSubject =
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "run"; readonly folder: string; readonly run: Run }
  | { readonly kind: "part"; readonly folder: string; readonly run: Run }
  | { readonly kind: "more"; readonly folder: string };
type RunRow = Row<RunSubject>;

const OUTCOMES: Readonly<Record<string, Icon>> = {
  landed: { id: "pass-filled", color: "charts.green" },
  accepted: { id: "pass", color: "charts.green" },
  partial: { id: "color-mode", color: "charts.orange" },
  discarded: { id: "trash", color: "disabledForeground" },
  cancelled: { id: "debug-stop", color: "disabledForeground" },
  failed: { id: "error", color: "charts.red" },
  exhausted: { id: "warning", color: "charts.orange" },
  stalled: { id: "warning", color: "charts.orange" },
  refused: { id: "circle-slash", color: "charts.red" },
};
const VERDICTS: Readonly<Record<string, Icon>> = {
  pass: { id: "pass", color: "charts.green" },
  fail: { id: "error", color: "charts.red" },
  error: { id: "warning", color: "charts.red" },
  unknown: { id: "question", color: "charts.orange" },
  skipped: { id: "debug-step-over", color: "disabledForeground" },
};
const WORKING: Icon = { id: "loading~spin", color: "charts.blue" };
const WAITS: Icon = { id: "bell-dot", color: "charts.yellow" };
const QUEUED: Icon = { id: "watch", color: "disabledForeground" };

export interface History {
  /** Newest first; those that have not ended are passed over. */
  readonly runs: readonly Run[];
  /** Whether there may be older ones. */
  readonly more: boolean;
  /** What was asked for of runs that were opened. */
  readonly shown: ReadonlyMap<string, Shown>;
}

/** The rows of one session: what is open, the one that waits for a person first, then what has ended. */
export function runRows(
  open: readonly Run[],
  live: (run: string) => Live,
  history: History | null,
  folder: string,
  now: Date,
): RunRow[] {
  const first = [...open].sort((left, right) => order(left) - order(right) || started(right) - started(left));
  const ids = new Set(open.map((run) => run.id));
  const ended = (history?.runs ?? []).filter((run) => run.state === "ended" && !ids.has(run.id));
  const parts = partsIn([...first, ...ended]);
  const rowOf = (run: Run): RunRow => {
    const members = (parts.get(run.id) ?? []).map(rowOf);
    return ids.has(run.id)
      ? openRow(run, live(run.id), members, folder)
      : endedRow(run, history?.shown.get(run.id), members, folder, now);
  };
  const nested = new Set([...parts.values()].flat());
  return [
    ...[...first, ...ended].filter((run) => !nested.has(run)).map(rowOf),
    ...(history?.more ? [moreRow(folder)] : []),
  ];
}

/** Runs that another one gathers, by that one, where it is there and no part itself. */
function partsIn(runs: readonly Run[]): ReadonlyMap<string, readonly Run[]> {
  const whole = new Set(runs.filter((run) => !run.part_of).map((run) => run.id));
  const found = new Map<string, Run[]>();
  for (const run of runs) {
    if (run.part_of && whole.has(run.part_of)) {
      found.set(run.part_of, [...(found.get(run.part_of) ?? []), run]);
    }
  }
  return found;
}

function order(run: Run): number {
  return run.state === "waiting" ? 0 : run.state === "queued" ? 2 : 1;
}

function started(run: Run): number {
  return run.started ?? 0;
}

function labelOf(run: Run): string {
  return runName({ task: oneLine(run.task, 40), title: run.title });
}

function openRow(run: Run, live: Live, members: readonly RunRow[], folder: string): RunRow {
  const label = labelOf(run);
  const turn = Math.max(run.turn, live.turn);
  const description = joined(
    run.state === "waiting"
      ? waits(typeof run.checkpoint === "object" ? run.checkpoint?.kind : null)
      : turn > 0
        ? `turn ${turn}`
        : run.waiting_for
          ? ""
          : run.state,
    run.state !== "waiting" && doing(run, live),
    run.cost_usd !== 0 && money(run.cost_usd),
    run.scripted && "scripted",
  );
  return row<RunSubject>({
    id: `${folder} run ${run.id}`,
    label,
    description,
    icon: run.state === "waiting" ? WAITS : run.state === "queued" ? QUEUED : WORKING,
    tooltip: tooltipOf(run, turn),
    spoken: `${label}, ${description.replaceAll(" · ", ", ")}`,
    context: contextOf("run", "open", run.state === "waiting" ? "checkpoint" : "working", ...decisions(run)),
    expand: "open",
    children: [...members, ...openParts(run, live, turn, folder)],
    click: true,
    subject: { kind: "run", folder, run },
  });
}

function decisions(run: Run): string[] {
  if (run.state !== "waiting") {
    return [];
  }
  const offered = typeof run.checkpoint === "object" ? run.checkpoint?.decisions : undefined;
  return (offered ?? ["commit", "continue", "revise"]).map((each) => `can-${each}`);
}

/** What it does now, shortest way. */
function doing(run: Run, live: Live): string {
  const tool = live.tools.at(-1);
  const gate = live.gates.find((each) => each.verdict === null);
  if (tool !== undefined) {
    return oneLine(`${tool.name} ${tool.argument}`, 80);
  }
  if (gate !== undefined) {
    return `gate ${gate.name}`;
  }
  if (run.waiting_for) {
    return `waits for ${oneLine(run.waiting_for, 80)}`;
  }
  return run.state === "working" ? live.doing : run.turn > 0 || live.turn > 0 ? run.state : "";
}

function openParts(run: Run, live: Live, turn: number, folder: string): RunRow[] {
  const id = `${folder} run ${run.id}`;
  const subject: RunSubject = { kind: "part", folder, run };
  const part = (given: Pick<RunRow, "label" | "description"> & { id: string; icon: Icon; tooltip?: string }): RunRow =>
    row<RunSubject>({ ...given, id: `${id} ${given.id}`, context: contextOf("part"), click: true, subject });
  const limit = run.turn_limit !== null && run.turn_limit > 0 ? ` of at most ${run.turn_limit}` : "";
  const rows: RunRow[] = [];
  if (turn > 0) {
    const icon: Icon = { id: "comment-discussion" };
    rows.push(part({ id: "turn", label: `Turn ${turn}${limit}`, description: live.doing, icon }));
  }
  for (const tool of live.tools) {
    const icon: Icon = { id: "tools" };
    rows.push(part({ id: `tool ${tool.id}`, label: tool.name || "tool", description: tool.argument, icon }));
  }
  rows.push(...gateRows(live.gates, id, subject));
  rows.push(costRow(run, id, subject));
  return rows;
}

function gateRows(gates: readonly LiveGate[], id: string, subject: RunSubject): RunRow[] {
  return gates.map((gate) =>
    row<RunSubject>({
      id: `${id} gate ${gate.name}`,
      label: gate.name,
      description: joined(gate.verdict ?? "running", oneLine(gate.reason, 100)),
      icon: gate.verdict === null ? WORKING : (VERDICTS[gate.verdict] ?? { id: "question" }),
      tooltip: `Gate **${escaped(gate.name)}** ${escaped(gate.verdict ?? "running")}${gate.reason ? `  \n${escaped(gate.reason)}` : ""}`,
      spoken: `Gate ${gate.name}, ${gate.verdict ?? "running"}${gate.reason ? `, ${gate.reason}` : ""}`,
      context: contextOf("part"),
      click: true,
      subject,
    }),
  );
}

function costRow(run: Run, id: string, subject: RunSubject): RunRow {
  return row<RunSubject>({
    id: `${id} cost`,
    label: money(run.cost_usd),
    description: `${tokens(run.tokens)} tokens`,
    icon: { id: "graph" },
    spoken: `Cost ${money(run.cost_usd)}, ${tokens(run.tokens)} tokens`,
    context: contextOf("part"),
    click: true,
    subject,
  });
}

function endedRow(run: Run, shown: Shown | undefined, members: readonly RunRow[], folder: string, now: Date): RunRow {
  const label = labelOf(run);
  const outcome = run.outcome ?? "ended";
  const description = joined(
    outcome,
    run.ended !== null && moment(run.ended, now),
    run.cost_usd !== 0 && money(run.cost_usd),
    run.scripted && "scripted",
  );
  // Not the id of the open run: what has ended folds up.
  const id = `${folder} ended ${run.id}`;
  return row<RunSubject>({
    id,
    label,
    description,
    icon: OUTCOMES[outcome] ?? { id: "circle-outline" },
    tooltip: tooltipOf(run, run.turn),
    spoken: `${label}, ${description.replaceAll(" · ", ", ")}`,
    context: contextOf("run", "ended"),
    expand: "closed",
    children: shown === undefined ? null : [...members, ...endedParts(run, shown, folder, id)],
    dim: outcome === "discarded" || outcome === "cancelled",
    click: true,
    subject: { kind: "run", folder, run },
  });
}

function endedParts(run: Run, shown: Shown, folder: string, id: string): RunRow[] {
  const subject: RunSubject = { kind: "part", folder, run };
  const took = run.started !== null && run.ended !== null ? duration(run.ended - run.started) : "";
  const reason = run.reason && run.outcome !== "landed" && run.outcome !== "accepted" ? oneLine(run.reason) : "";
  const plain = { context: contextOf("part"), click: true, subject };
  return [
    ...(reason
      ? [
          row<RunSubject>({
            ...plain,
            id: `${id} reason`,
            label: reason,
            icon: { id: "info" },
            tooltip: escaped(reason),
          }),
        ]
      : []),
    row<RunSubject>({
      ...plain,
      id: `${id} turns`,
      label: counted(run.turn, "turn"),
      description: took,
      icon: { id: "comment-discussion" },
    }),
    ...gateRows(gatesOf(shown).gates, id, subject),
    costRow(run, id, subject),
  ];
}

function moreRow(folder: string): RunRow {
  return row<RunSubject>({
    id: `${folder} more`,
    label: "Show more",
    icon: { id: "ellipsis" },
    context: contextOf("more"),
    click: true,
    subject: { kind: "more", folder },
  });
}

function tooltipOf(run: Run, turn: number): string {
  const lines = [
    `**${escaped(run.task.startsWith("@") ? run.task.slice(1) : `Task ${run.task}`)}** ${escaped(run.title, 300)}`,
    escaped(joined(run.state === "ended" ? (run.outcome ?? "ended") : run.state, who(run))),
    run.reason !== null && run.reason !== "" && `Reason: ${escaped(run.reason, 400)}`,
    run.waiting_for !== null && run.waiting_for !== "" && `Waits for: ${escaped(run.waiting_for)}`,
    escaped(
      joined(
        counted(turn, "turn"),
        `${tokens(run.tokens)} tokens`,
        money(run.cost_usd),
        run.model,
        run.scripted && "scripted",
        run.attempt > 1 && `attempt ${run.attempt}`,
      ),
    ),
    run.commit !== null && run.commit !== "" && `Commit: ${escaped(run.commit.slice(0, 10))}`,
    `Run: ${escaped(run.id)}`,
  ];
  return lines.filter(Boolean).join("  \n");
}

function who(run: Run): string {
  return run.mode && run.mode !== "default" ? `${run.agent}, mode ${run.mode}` : run.agent;
}
