/** Getting a server: install it with the person's consent, or name an interpreter that has it. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { canImport, findServer } from "../server/find";
import { hasPythonExtension, selectedInterpreter } from "../server/python";
import { ways } from "./install-lines";

const LOOK_MS = 3_000;
const SHELL_MS = 800;
const LONGEST_MS = 15 * 60_000;

/** A terminal shows the command; the person presses Enter. When the server is there it is started. */
export async function install(context: Context): Promise<void> {
  const folder = context.sessions.current?.folder ?? vscode.workspace.workspaceFolders?.[0];
  const selected = folder === undefined ? undefined : await selectedInterpreter(folder.uri);
  const windows = process.platform === "win32";
  const rows = ways(selected, windows).map((way) => ({
    label: way.label,
    description: way.command,
    detail: way.detail,
    way,
  }));
  const chosen = await vscode.window.showQuickPick(rows, {
    title: "Install devloop",
    placeHolder: "The command is shown in a terminal; it runs when you press Enter there.",
  });
  if (chosen === undefined) {
    return;
  }
  const terminal = vscode.window.createTerminal({ name: "Install devloop" });
  terminal.show();
  await terminal.processId;
  await new Promise((resolve) => setTimeout(resolve, SHELL_MS)); // before its prompt a shell shows typed text twice
  terminal.sendText(chosen.way.command, false);
  watch(context, terminal);
}

/** While the terminal is open look whether the server has come; start it then, without being asked again. */
function watch(context: Context, terminal: vscode.Terminal): void {
  const waiting = () => context.sessions.all.filter((each) => each.state.kind === "missing");
  const look = async () => {
    for (const session of waiting()) {
      if ((await findServer(session.folder)).found !== undefined) {
        await session.restart();
      }
    }
    if (waiting().length === 0) {
      stop();
    }
  };
  let busy = false;
  const timer = setInterval(() => {
    if (!busy) {
      busy = true;
      void look().finally(() => {
        busy = false;
      });
    }
  }, LOOK_MS);
  const end = setTimeout(() => stop(), LONGEST_MS);
  const closed = vscode.window.onDidCloseTerminal((each) => {
    if (each === terminal) {
      void look().finally(() => stop());
    }
  });
  const stop = () => {
    clearInterval(timer);
    clearTimeout(end);
    closed.dispose();
  };
  context.extension.subscriptions.push({ dispose: stop });
}

/** Python's own picker where there is one, else a file dialog whose choice is tried before it is kept. */
export async function selectInterpreter(context: Context): Promise<void> {
  const own = "$(symbol-misc) Choose in the Python extension…";
  const file = "$(folder-opened) Choose a Python program…";
  const forget = "$(discard) Forget the setting devloop.interpreter";
  const settings = vscode.workspace.getConfiguration("devloop");
  const isSet = settings.get<string>("interpreter", "") !== "";
  const rows = [...(hasPythonExtension() ? [own] : []), file, ...(isSet ? [forget] : [])];
  const chosen =
    rows.length === 1 ? file : await vscode.window.showQuickPick(rows, { title: "Python that has devloop" });
  if (chosen === own) {
    await vscode.commands.executeCommand("python.setInterpreter");
  } else if (chosen === forget) {
    await settings.update("interpreter", undefined, vscode.ConfigurationTarget.Global);
  } else if (chosen === file) {
    await chooseProgram(settings);
  } else {
    return;
  }
  if (chosen !== file) {
    await Promise.all(context.sessions.all.map((each) => each.restart()));
  }
}

async function chooseProgram(settings: vscode.WorkspaceConfiguration): Promise<void> {
  const found = await vscode.window.showOpenDialog({ title: "Python that has devloop", openLabel: "Select" });
  const path = found?.[0]?.fsPath;
  if (path === undefined) {
    return;
  }
  if (!(await canImport(path))) {
    throw new Error(`${path} has no devloop, or is no Python 3.11 or newer. Install devloop there first.`);
  }
  await settings.update("interpreter", path, vscode.ConfigurationTarget.Global); // the sessions start anew by themselves
}
