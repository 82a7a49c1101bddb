/** The interpreter that the Python extension has selected; devloop works without that extension. */

import * as vscode from "vscode";

const EXTENSION = "ms-python.python";
const PATIENCE_MS = 10_000;

/** The part of its API that is used (`@vscode/python-extension`, `PythonExtension.environments`). */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(
      path: unknown,
    ): Promise<{ readonly executable?: { readonly uri?: vscode.Uri | undefined } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

export function hasPythonExtension(): boolean {
  return vscode.extensions.getExtension(EXTENSION) !== undefined;
}

export async function selectedInterpreter(folder: vscode.Uri | undefined): Promise<string | undefined> {
  return await inTime(ask(folder));
}

/** Calls `changed` when another interpreter is selected, as long as the Python extension is there. */
export async function onDidSelectInterpreter(changed: () => void): Promise<vscode.Disposable | undefined> {
  try {
    return (await api())?.environments.onDidChangeActiveEnvironmentPath(changed);
  } catch {
    return undefined;
  }
}

async function ask(folder: vscode.Uri | undefined): Promise<string | undefined> {
  try {
    const environments = (await api())?.environments;
    const active = environments?.getActiveEnvironmentPath(folder);
    const resolved = active === undefined ? undefined : await environments?.resolveEnvironment(active);
    return resolved?.executable?.uri?.fsPath;
  } catch {
    return undefined; // another extension's trouble is none of ours
  }
}

async function api(): Promise<PythonApi | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>(EXTENSION);
  return extension === undefined ? undefined : await extension.activate();
}

/** An extension that never answers must not keep us from starting. */
async function inTime<T>(answer: Promise<T | undefined>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  const first = await Promise.race([answer, late]);
  clearTimeout(timer);
  return first;
}
