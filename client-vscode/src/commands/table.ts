/**
 * Every command of the palette, of lenses and of code actions. A new one is a row here (`starting.ts` for one that the
 * server starts something with) and its title in `package.json`, under `commands` and, if need be, `commandPalette`.
 */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { CommandArguments } from "../protocol";
import * as beginning from "./beginning";
import type { Documents } from "./documents";
import { importTasks } from "./importing";
import * as terminal from "./in-terminal";
import * as looking from "./looking";
import * as reviewing from "./reviewing";
import * as running from "./running";
import * as settingUp from "./setting-up";
import { ship } from "./shipping";
import * as signingIn from "./signing-in";
import { trust } from "./trusting";
import type { Walkthrough } from "./walkthrough";

export type Command = (given: CommandArguments) => unknown;

export function table(
  context: Context,
  documents: Documents,
  walkthrough: Walkthrough,
): Readonly<Record<string, Command>> {
  return {
    // Running
    "devloop.run": (given) => running.run(context, given),
    "devloop.runHere": () => running.runHere(context),
    "devloop.continue": (given) => running.proceed(context, given),
    "devloop.runPhase": (given) => running.runPhase(context, given),
    "devloop.cancel": (given) => running.cancel(context, given),
    "devloop.fresh": (given) => running.fresh(given),
    // The plan
    "devloop.archive": (given) => running.archive(context, given),
    "devloop.land": (given) => running.land(context, given),
    "devloop.nextTask": (given) => running.nextTask(context, given),
    "devloop.openPlan": (given) => looking.openPlan(context, given),
    "devloop.importTasks": () => importTasks(context, documents),
    // Reviews; `devloop.review` is the page of a run's changes
    "devloop.reviewChanges": (given) => reviewing.reviewChanges(context, given),
    "devloop.analyze": (given) => reviewing.analyze(context, given),
    "devloop.dismissFinding": (given) => reviewing.dismiss(context, given),
    "devloop.planFinding": (given) => reviewing.plan(context, given),
    "devloop.fixFinding": (given) => reviewing.fix(context, given),
    // What begins with words
    "devloop.start": (given) => beginning.start(context, given),
    "devloop.quick": (given) => beginning.quick(context, given),
    "devloop.spike": (given) => beginning.spike(context, given),
    "devloop.planNew": (given) => beginning.planNew(context, given),
    "devloop.planRevise": (given) => beginning.planRevise(context, given),
    "devloop.ship": (given) => ship(context, documents, given),
    "devloop.onboard": (given) => beginning.onboard(context, given),
    "devloop.bootstrap": (given) => beginning.bootstrap(context, given),
    // In the terminal
    "devloop.newIssue": (given) => terminal.newIssue(context, given),
    "devloop.newBug": (given) => terminal.newBug(context, given),
    "devloop.issues": (given) => terminal.print(context, given, ["issues"]),
    "devloop.bugs": (given) => terminal.print(context, given, ["bugs"]),
    "devloop.worklog": (given) => terminal.print(context, given, ["worklog"]),
    "devloop.stats": (given) => terminal.print(context, given, ["stats"]),
    "devloop.hooks": (given) => terminal.print(context, given, ["hooks"]),
    "devloop.explainSetting": (given) => terminal.explain(context, given),
    // Looking
    "devloop.showRun": (given) => {
      walkthrough.happened("looked");
      return looking.showRun(context, given);
    },
    "devloop.showDiff": (given) => looking.showDiff(context, given),
    "devloop.openTranscript": (given) => looking.openTranscript(context, documents, given),
    "devloop.status": (given) => looking.status(context, documents, given),
    "devloop.doctor": () => looking.doctor(context, documents),
    "devloop.menu": () => looking.menu(context),
    "devloop.trust": (given) => trust(context, documents, given),
    // The server and the editor
    "devloop.restart": (given) => looking.restart(context, given),
    "devloop.signIn": () => signingIn.signIn(context),
    "devloop.signOut": () => signingIn.signOut(context),
    "devloop.install": () => settingUp.install(context),
    "devloop.selectInterpreter": () => settingUp.selectInterpreter(context),
    "devloop.showLog": () => context.log.show(),
    "devloop.openSettings": () =>
      vscode.commands.executeCommand("workbench.action.openSettings", "@ext:devloop.devloop"),
    "devloop.openWalkthrough": () => walkthrough.show(),
  };
}
