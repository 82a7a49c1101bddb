import type { Context } from "../context";
import * as library from "./library";
import * as plan from "./plan";
import { dimRows } from "./provider";
import * as runs from "./runs";
import * as welcome from "./welcome";

/** The container of the activity bar: Plan, Runs, Skills & agents. */
export function register(context: Context): void {
  context.extension.subscriptions.push(dimRows());
  welcome.register(context);
  const view = plan.register(context);
  runs.register(context);
  library.register(context, view);
}
