/** Every command of the palette, of lenses and of code actions: found a session, ask what is missing, pass it on. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { welcomeToDemo } from "../editing/demo";
import { kindOf, words } from "../server/refusal";
import { forNotice } from "../views/text";
import { read } from "./arguments";
import { Documents } from "./documents";
import * as keys from "./keys";
import * as links from "./links";
import { table } from "./table";
import { Walkthrough } from "./walkthrough";

export function register(context: Context): void {
  const documents = new Documents();
  const walkthrough = new Walkthrough(context);
  context.extension.subscriptions.push(
    documents,
    walkthrough,
    ...Object.entries(table(context, documents, walkthrough)).map(([name, command]) =>
      vscode.commands.registerCommand(name, (given: unknown) => guarded(context, name, () => command(read(given)))),
    ),
  );
  keys.register(context);
  void welcomeToDemo(context, walkthrough);
  links.register(context);
}

/** What goes wrong is said once, in the server's sentences, with what helps. */
export async function guarded(context: Context, name: string, work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (problem) {
    const said = words(problem);
    context.log.warn(`${name}: ${said}`);
    void offer(said, kindOf(problem));
    return undefined;
  }
}

/** Kinds of devloop's errors (`errors.py`) that a command of ours can mend. */
const HELP: Readonly<Record<string, { readonly title: string; readonly command: string }>> = {
  untrusted: { title: "Trust…", command: "devloop.trust" },
  no_model: { title: "Sign In…", command: "devloop.signIn" },
  sandbox_missing: { title: "Doctor", command: "devloop.doctor" },
  repository_unfit: { title: "Doctor", command: "devloop.doctor" },
};

async function offer(said: string, kind: string): Promise<void> {
  const help = HELP[kind];
  const chosen = await vscode.window.showWarningMessage(forNotice(said), ...(help === undefined ? [] : [help.title]));
  if (help !== undefined && chosen === help.title) {
    await vscode.commands.executeCommand(help.command);
  }
}
