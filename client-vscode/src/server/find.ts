/** Looks for the server on this machine. What is looked for and in which order is in `locate.ts`. */

import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter } from "node:path";
import * as vscode from "vscode";
import { type Located, locate, type Machine } from "./locate";
import { selectedInterpreter } from "./python";

const PROBE_MS = 10_000;

const MACHINE: Machine = {
  async isExecutable(path) {
    try {
      await access(path, constants.X_OK);
      return (await stat(path)).isFile();
    } catch {
      return false;
    }
  },
  canImport,
};

/** Whether an interpreter has devloop; `-P` (Python 3.11) keeps it from looking into the current folder. */
export function canImport(interpreter: string): Promise<boolean> {
  const look = "import importlib.util as u, sys; sys.exit(u.find_spec('devloop') is None)";
  return new Promise((resolve) => {
    execFile(interpreter, ["-P", "-c", look], { timeout: PROBE_MS, windowsHide: true }, (problem) =>
      resolve(problem === null),
    );
  });
}

/** `folder` is undefined in an empty window. */
export async function findServer(folder: vscode.WorkspaceFolder | undefined): Promise<Located> {
  const settings = vscode.workspace.getConfiguration("devloop", folder?.uri);
  const serverCommand = settings.get<unknown>("serverCommand");
  const interpreter = settings.get<unknown>("interpreter");
  const told = Array.isArray(serverCommand) ? serverCommand.filter((part) => typeof part === "string") : [];
  const named = typeof interpreter === "string" ? interpreter : "";
  return await locate(
    {
      serverCommand: told.map(withHome),
      interpreter: withHome(named),
      selected: told.length > 0 || named.trim() !== "" ? undefined : await selectedInterpreter(folder?.uri),
      path: (process.env["PATH"] ?? "").split(delimiter),
      windows: process.platform === "win32",
      folder: folder?.uri.fsPath ?? "/",
      trusted: folder === undefined || vscode.workspace.isTrusted,
    },
    MACHINE,
  );
}

function withHome(path: string): string {
  const home = process.env["HOME"] ?? process.env["USERPROFILE"];
  return home !== undefined && /^~[\\/]/.test(path) ? home + path.slice(1) : path;
}
