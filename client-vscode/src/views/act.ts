/** What every command of a view does besides its own work. */
import * as vscode from "vscode";
import { guarded } from "../commands";
import type { Context } from "../context";

/** Register a command; what it is refused is told to the person. */
export function on<Arguments extends unknown[]>(
  context: Context,
  command: string,
  act: (...given: Arguments) => unknown,
): void {
  const run = (...given: unknown[]): Promise<unknown> => guarded(context, command, () => act(...(given as Arguments)));
  context.extension.subscriptions.push(vscode.commands.registerCommand(command, run));
}
