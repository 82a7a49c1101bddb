/** `Devloop: Show Status`: the terminal's `devloop status` as a page. Pure. */

import type { Status } from "../protocol";
import { counted, joined, money, oneLine, runName } from "../views/text";

export function statusText(folder: string, status: Status): string {
  const { plan, sandbox, model, budget, engine } = status;
  const lines = [`devloop status · ${oneLine(folder, 80)}`, ""];
  lines.push(
    plan.path === null
      ? `plan      ${oneLine(plan.problem ?? "none", 300)}`
      : `plan      ${oneLine(plan.path, 120)}: ${plan.done} of ${counted(plan.total ?? 0, "task")} done`,
  );
  const shield = [`${sandbox.state}:`, sandbox.state === "on" ? "" : sandbox.meaning, sandbox.reason, sandbox.fix];
  lines.push(`sandbox   ${oneLine(shield.filter(Boolean).join(" "), 900)}`);
  lines.push(
    `model     ${model.scripted ? "scripted: no model is asked" : `${oneLine(model.name, 80)}${model.key ? "" : " (no key)"}`}`,
  );
  const cap = budget.caps.day_usd;
  lines.push(`budget    today ${money(budget.day.usd)}${cap === null ? "" : ` of ${money(cap)}`}`);
  if (engine.problem !== null) {
    lines.push(`engine    ${oneLine(engine.problem, 300)}`);
  }
  lines.push("", status.runs.length === 0 ? "No run is open." : counted(status.runs.length, "open run"));
  for (const run of status.runs) {
    const state = run.waiting_for === null ? run.state : `waits for ${run.waiting_for}`;
    lines.push(
      `  ${oneLine(run.id, 60)}  ${runName(run, 80)}`,
      `    ${joined(oneLine(run.agent, 40), oneLine(state, 60), run.turn > 0 && `turn ${run.turn}`, money(run.cost_usd), run.scripted && "scripted")}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
