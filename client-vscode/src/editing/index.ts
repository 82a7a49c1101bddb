import * as vscode from "vscode";
import { guarded } from "../commands";
import type { Context } from "../context";
import * as decorations from "./decorations";
import { tryDemo } from "./demo";
import { newPlan } from "./new-plan";

export function register(context: Context): void {
  decorations.register(context);
  const commands = { "devloop.newPlan": newPlan, "devloop.demo": tryDemo };
  for (const [name, command] of Object.entries(commands)) {
    const run = () => guarded(context, name, () => command(context));
    context.extension.subscriptions.push(vscode.commands.registerCommand(name, run));
  }
}
