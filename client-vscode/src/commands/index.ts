/** Every command of the palette, of lenses and of code actions: found a session, ask what is missing, pass it on. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { welcomeToDemo } from "../editing/demo";
import type { CommandArguments } from "../protocol";
import { words } from "../server/refusal";
import { forNotice } from "../views/text";
import { read } from "./arguments";
import { Documents } from "./documents";
import * as keys from "./keys";
import * as links from "./links";
import * as looking from "./looking";
import * as running from "./running";
import * as settingUp from "./setting-up";
import { trust } from "./trusting";
import { Walkthrough } from "./walkthrough";

type Command = (given: CommandArguments) => unknown;

export function register(context: Context): void {
  const documents = new Documents();
  const walkthrough = new Walkthrough(context);
  const commands: Readonly<Record<string, Command>> = {
    "devloop.run": (given) => running.run(context, given),
    "devloop.runHere": () => running.runHere(context),
    "devloop.continue": (given) => running.proceed(context, given),
    "devloop.runPhase": (given) => running.runPhase(context, given),
    "devloop.cancel": (given) => running.cancel(context, given),
    "devloop.fresh": (given) => running.fresh(given),
    "devloop.archive": (given) => running.archive(context, given),
    "devloop.nextTask": (given) => running.nextTask(context, given),
    "devloop.showRun": (given) => {
      walkthrough.happened("looked");
      return looking.showRun(context, given);
    },
    "devloop.showDiff": (given) => looking.showDiff(context, given),
    "devloop.openTranscript": (given) => looking.openTranscript(context, documents, given),
    "devloop.openPlan": (given) => looking.openPlan(context, given),
    "devloop.status": (given) => looking.status(context, documents, given),
    "devloop.doctor": () => looking.doctor(context, documents),
    "devloop.menu": () => looking.menu(context),
    "devloop.restart": (given) => looking.restart(context, given),
    "devloop.trust": (given) => trust(context, documents, given),
    "devloop.install": () => settingUp.install(context),
    "devloop.selectInterpreter": () => settingUp.selectInterpreter(context),
    "devloop.showLog": () => context.log.show(),
    "devloop.openSettings": () =>
      vscode.commands.executeCommand("workbench.action.openSettings", "@ext:devloop.devloop"),
    "devloop.openWalkthrough": () => walkthrough.show(),
  };
  context.extension.subscriptions.push(
    documents,
    walkthrough,
    ...Object.entries(commands).map(([name, command]) =>
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
  no_model: { title: "Doctor", command: "devloop.doctor" },
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

function kindOf(problem: unknown): string {
  const cause: unknown = problem instanceof Error ? problem.cause : undefined;
  const data: unknown = typeof cause === "object" && cause !== null && "data" in cause ? cause.data : undefined;
  return typeof data === "object" && data !== null && "kind" in data && typeof data.kind === "string" ? data.kind : "";
}
