import type { Context } from "../context";
import * as library from "./library";
import { PlanView } from "./plan";
import { registerPlanCommands } from "./plan-commands";
import { dimRows } from "./provider";
import { registerRunCommands } from "./run-commands";
import { RunsView } from "./runs";
import * as welcome from "./welcome";

/** The container of the activity bar: Plan, Runs, Skills & agents. */
export function register(context: Context): void {
  const [plan, runs] = [new PlanView(context), new RunsView(context)];
  context.extension.subscriptions.push(dimRows(), plan, runs);
  welcome.register(context);
  registerPlanCommands(context, plan);
  registerRunCommands(context, runs);
  library.register(context, plan);
}
