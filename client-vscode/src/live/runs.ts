/** What open runs do at this moment, as their events tell it. */
import type { DevloopEvent, Run, Shown } from "../protocol";
import { oneLine } from "../views/text";

export interface LiveGate {
  readonly name: string;
  /** Null while it runs. */
  readonly verdict: string | null;
  readonly reason: string;
}

export interface LiveTool {
  readonly id: string;
  readonly name: string;
  readonly argument: string;
}

export interface Live {
  readonly turn: number;
  /** What the model does: `answering`, `thinking`; "" where tools or the state say it. */
  readonly doing: string;
  readonly tools: readonly LiveTool[];
  /** Of the commit that was checked last, in the order they ran. */
  readonly gates: readonly LiveGate[];
  readonly gatesCommit: string;
  /** How many gates there are. */
  readonly gatesTotal: number;
  /** What the run cost by the end of its last turn; undefined where no turn was heard to end. */
  readonly cost: number | null | undefined;
}

export const NOTHING: Live = {
  turn: 0,
  doing: "",
  tools: [],
  gates: [],
  gatesCommit: "",
  gatesTotal: 0,
  cost: undefined,
};

const DOING: Readonly<Record<string, string>> = { text: "answering", thinking: "thinking", tool_input: "calling" };

export class LiveRuns {
  private readonly runs = new Map<string, Live>();

  of(run: string): Live {
    return this.runs.get(run) ?? NOTHING;
  }

  /** Answers whether some run looks different now. */
  take(events: readonly DevloopEvent[]): boolean {
    let changed = false;
    for (const event of events) {
      if (event.run !== null) {
        const before = this.of(event.run);
        const after = folded(before, event);
        changed ||= after !== before;
        this.runs.set(event.run, after);
      }
    }
    return changed;
  }

  /** What `devloop/show` says of a run whose beginning was not heard; what its events said since then stays. */
  seed(run: string, shown: Shown): void {
    const now = this.of(run);
    if (now.gates.length === 0) {
      this.runs.set(run, { ...now, ...gatesOf(shown), turn: Math.max(now.turn, shown.run.turn) });
    }
  }

  /** Forget all but these. */
  keep(runs: readonly Run[]): void {
    const open = new Set(runs.map((run) => run.id));
    for (const id of [...this.runs.keys()]) {
      if (!open.has(id)) {
        this.runs.delete(id);
      }
    }
  }

  clear(): void {
    this.runs.clear();
  }
}

/** The verdicts on the commit that was checked last. */
export function gatesOf(shown: Shown): Pick<Live, "gates" | "gatesCommit" | "gatesTotal"> {
  const commit = shown.gates.at(-1)?.commit ?? "";
  const gates = shown.gates
    .filter((gate) => (gate.commit ?? "") === commit)
    .map((gate) => ({ name: oneLine(gate.gate, 80), verdict: gate.verdict, reason: text(gate, "reason", 200) }));
  return { gates, gatesCommit: commit, gatesTotal: gates.length };
}

/** The same object where the event changes nothing. */
function folded(live: Live, event: DevloopEvent): Live {
  const data = event.data;
  switch (event.kind) {
    case "turn.started":
      return { ...live, turn: number(data, "turn") || live.turn, doing: "asking the model", tools: [] };
    case "turn.progress": {
      const doing = [DOING[text(data, "doing")] ?? "working", text(data, "tool", 60)].filter(Boolean).join(" ");
      const turn = number(data, "turn") || live.turn;
      return live.doing === doing && live.turn === turn ? live : { ...live, turn, doing };
    }
    case "turn.ended": {
      const cost = data["cost_usd"];
      return { ...live, doing: "", tools: [], cost: typeof cost === "number" || cost === null ? cost : live.cost };
    }
    case "tool.started": {
      const tool = { id: text(data, "id"), name: text(data, "tool", 60), argument: text(data, "argument", 120) };
      return { ...live, doing: "", tools: [...live.tools.filter((each) => each.id !== tool.id), tool] };
    }
    case "tool.ended": {
      const id = text(data, "id");
      return { ...live, tools: live.tools.filter((each) => id !== "" && each.id !== id) };
    }
    case "model.waiting":
      return { ...live, doing: "" };
    case "gate.started": {
      const commit = text(data, "commit");
      const kept = commit === live.gatesCommit ? live.gates : [];
      const gate = { name: text(data, "gate", 80), verdict: null, reason: "" };
      return {
        ...live,
        doing: "",
        tools: [],
        gates: replaced(kept, gate),
        gatesCommit: commit,
        gatesTotal: number(data, "of"),
      };
    }
    case "gate.ended": {
      const gate = {
        name: text(data, "gate", 80),
        verdict: text(data, "verdict") || "unknown",
        reason: text(data, "reason"),
      };
      return { ...live, gates: replaced(live.gates, gate) };
    }
    case "run.state":
    case "run.ended":
    case "checkpoint.opened":
      return { ...live, doing: "", tools: [] };
    default:
      return live;
  }
}

function replaced(gates: readonly LiveGate[], gate: LiveGate): readonly LiveGate[] {
  return gates.some((each) => each.name === gate.name)
    ? gates.map((each) => (each.name === gate.name ? gate : each))
    : [...gates, gate];
}

function text(data: Readonly<Record<string, unknown>>, key: string, limit = 200): string {
  const value = data[key];
  return typeof value === "string" ? oneLine(value, limit) : "";
}

function number(data: Readonly<Record<string, unknown>>, key: string): number {
  const value = data[key];
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
