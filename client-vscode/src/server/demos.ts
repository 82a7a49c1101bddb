/** Folders that `Devloop: Try the Demo` made: there the scripted player answers instead of a model. */

import type * as vscode from "vscode";

const KEY = "devloop.demos";
const FRESH = "devloop.freshDemo";
const MOST = 20;

type Demos = Readonly<Record<string, string>>;

export async function remember(extension: vscode.ExtensionContext, folder: string, scenario: string): Promise<void> {
  const known = Object.entries(extension.globalState.get<Demos>(KEY, {}));
  await extension.globalState.update(FRESH, folder);
  await extension.globalState.update(KEY, Object.fromEntries([...known, [folder, scenario]].slice(-MOST)));
}

/** True once for each demo: when its window opens for the first time. */
export async function isNew(extension: vscode.ExtensionContext, folder: string): Promise<boolean> {
  if (extension.globalState.get<string>(FRESH) !== folder) {
    return false;
  }
  await extension.globalState.update(FRESH, undefined);
  return true;
}

/** What the server's environment has beside ours. */
export function environment(
  extension: Pick<vscode.ExtensionContext, "globalState">,
  folder: string,
): Readonly<Record<string, string>> {
  const scenario = extension.globalState.get<Demos>(KEY, {})[folder];
  return scenario === undefined ? {} : { DEVLOOP_SCENARIO: scenario };
}
