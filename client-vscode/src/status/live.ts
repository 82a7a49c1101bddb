/** What goes on in the open runs at this moment, folded from events: no status tells of gates and tools. */

import type { DevloopEvent, Run } from "../protocol";
import { oneLine } from "../views/text";

export interface Doing {
  /** The gate that runs, "" for none. */
  readonly gate: string;
  /** Gates that are done on this commit, and how many there are; 0 when that was not said. */
  readonly done: number;
  readonly of: number;
  /** The tool at work with a short argument, "" for none. */
  readonly tool: string;
  readonly turn: number;
  readonly cost: number | null | undefined;
}

const NOTHING: Doing = { gate: "", done: 0, of: 0, tool: "", turn: 0, cost: undefined };

export class Live {
  private readonly by = new Map<string, Doing & { readonly tools: ReadonlyMap<string, string>; readonly on: string }>();

  of(run: string): Doing {
    return this.by.get(run) ?? NOTHING;
  }

  take(events: readonly DevloopEvent[]): void {
    for (const event of events) {
      if (event.run !== null) {
        this.one(event.run, event);
      }
    }
  }

  /** Runs that are not open any more are forgotten. */
  keep(runs: readonly Run[]): void {
    const open = new Set(runs.map((run) => run.id));
    for (const run of this.by.keys()) {
      if (!open.has(run)) {
        this.by.delete(run);
      }
    }
  }

  private one(run: string, { kind, data }: DevloopEvent): void {
    const was = this.by.get(run) ?? { ...NOTHING, tools: new Map<string, string>(), on: "" };
    const text = (name: string): string => (typeof data[name] === "string" ? oneLine(data[name], 60) : "");
    const number = (name: string): number => (typeof data[name] === "number" ? data[name] : 0);
    switch (kind) {
      case "run.state":
      case "checkpoint.opened":
        this.by.set(run, { ...was, gate: "", tool: "", tools: new Map(), turn: number("turn") || was.turn });
        break;
      case "turn.started":
        this.by.set(run, { ...was, gate: "", tool: "", tools: new Map(), turn: number("turn") || was.turn });
        break;
      case "turn.ended": {
        const cost = typeof data["cost_usd"] === "number" || data["cost_usd"] === null ? data["cost_usd"] : was.cost;
        this.by.set(run, { ...was, tool: "", tools: new Map(), cost });
        break;
      }
      case "tool.started": {
        const tools = new Map(was.tools).set(text("id"), oneLine(`${text("tool")} ${text("argument")}`, 60));
        this.by.set(run, { ...was, tools, tool: newest(tools) });
        break;
      }
      case "tool.ended": {
        const tools = new Map(was.tools);
        tools.delete(text("id"));
        this.by.set(run, { ...was, tools, tool: newest(tools) });
        break;
      }
      case "gate.started": {
        const on = text("commit");
        const done = on === was.on ? was.done : 0;
        this.by.set(run, { ...was, on, done, gate: text("gate"), of: number("of") });
        break;
      }
      case "gate.ended":
        this.by.set(run, { ...was, gate: "", done: was.done + 1 });
        break;
      case "run.ended":
        this.by.delete(run);
        break;
      default:
    }
  }
}

function newest(tools: ReadonlyMap<string, string>): string {
  return [...tools.values()].at(-1) ?? "";
}
