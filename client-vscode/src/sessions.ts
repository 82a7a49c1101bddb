/** All sessions of this window, and which one is meant. */

import * as vscode from "vscode";
import { environment } from "./server/demos";
import { isPlan, MARKS } from "./server/plan-files";
import { onDidSelectInterpreter } from "./server/python";
import { FolderSession, type Session } from "./session";

export interface Sessions {
  readonly all: readonly Session[];
  /** A session came or went, or the state of one changed. */
  readonly onDidChange: vscode.Event<void>;
  /** The session of the folder that a file lies in. */
  of(uri: vscode.Uri): Session | undefined;
  /** That of the active editor, else the one that was used last. */
  readonly current: Session | undefined;
  /** The session that has the run, `current` first: two folders may have runs of the same name. */
  withRun(run: string): Session | undefined;
  /** Any session's status, plan or events, so that a view needs one listener. */
  readonly onDidChangeData: vscode.Event<Session>;
  /** The folder's session, made where there is none yet. */
  open(folder: vscode.WorkspaceFolder): Session;
}

interface Entry {
  readonly session: FolderSession;
  readonly runs: Set<string>;
  readonly listeners: vscode.Disposable;
}

export class WorkspaceSessions implements Sessions, vscode.Disposable {
  private readonly entries = new Map<string, Entry>();
  private last: string | undefined;
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  private readonly dataEmitter = new vscode.EventEmitter<Session>();
  private readonly listeners: vscode.Disposable;
  readonly onDidChange = this.changeEmitter.event;
  readonly onDidChangeData = this.dataEmitter.event;

  constructor(
    private readonly extension: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.listeners = vscode.Disposable.from(
      vscode.workspace.onDidChangeWorkspaceFolders((event) => void this.foldersChanged(event)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => void this.restartAll()),
      vscode.workspace.onDidChangeConfiguration((event) => void this.settingsChanged(event)),
      vscode.workspace.onDidOpenTextDocument((document) => this.opened(document)),
      vscode.window.onDidChangeActiveTextEditor((editor) => this.focused(editor)),
    );
  }

  get all(): readonly Session[] {
    return [...this.entries.values()].map((entry) => entry.session);
  }

  get current(): Session | undefined {
    const active = vscode.window.activeTextEditor;
    const here = active === undefined ? undefined : this.of(active.document.uri);
    return here ?? this.entries.get(this.last ?? "")?.session ?? this.all[0];
  }

  of(uri: vscode.Uri): Session | undefined {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    return folder === undefined ? undefined : this.entries.get(key(folder))?.session;
  }

  withRun(run: string): Session | undefined {
    const { current } = this;
    const has = (entry: Entry) => entry.runs.has(run);
    const mine = current === undefined ? undefined : this.entries.get(key(current.folder));
    return mine !== undefined && has(mine) ? mine.session : [...this.entries.values()].find(has)?.session;
  }

  open(folder: vscode.WorkspaceFolder): Session {
    const known = this.entries.get(key(folder));
    if (known !== undefined) {
      return known.session;
    }
    const session = new FolderSession(folder, this.log, environment(this.extension, folder.uri.fsPath));
    const runs = new Set<string>();
    const listeners = vscode.Disposable.from(
      session.onDidChangeState(() => this.changeEmitter.fire()),
      session.onDidChangeStatus((status) => {
        for (const run of status.runs) {
          runs.add(run.id);
        }
        this.dataEmitter.fire(session);
      }),
      session.onDidChangePlan((plan) => {
        for (const task of plan?.tasks ?? []) {
          if (task.run !== null) {
            runs.add(task.run.id);
          }
        }
        this.dataEmitter.fire(session);
      }),
      session.onDidReceiveEvents((events) => {
        for (const event of events) {
          if (event.run !== null) {
            runs.add(event.run);
          }
        }
        this.dataEmitter.fire(session);
      }),
    );
    this.entries.set(key(folder), { session, runs, listeners });
    this.changeEmitter.fire();
    void session.start();
    return session;
  }

  /** Start a session for each folder that uses devloop. */
  async begin(): Promise<void> {
    await Promise.all((vscode.workspace.workspaceFolders ?? []).map((folder) => this.look(folder)));
    for (const document of vscode.workspace.textDocuments) {
      this.opened(document);
    }
    void this.listenToPython();
  }

  /** Apart from the beginning: the Python extension may take its time. */
  private async listenToPython(): Promise<void> {
    const selecting = await onDidSelectInterpreter(() => void this.interpreterChanged());
    if (selecting !== undefined) {
      this.extension.subscriptions.push(selecting);
    }
  }

  async restartAll(): Promise<void> {
    await Promise.all([...this.entries.values()].map((entry) => entry.session.restart()));
  }

  /** Resolves when every server is gone. */
  async stop(): Promise<void> {
    await Promise.all([...this.entries.values()].map((entry) => entry.session.stop()));
  }

  dispose(): void {
    this.listeners.dispose();
    for (const name of [...this.entries.keys()]) {
      this.remove(name);
    }
    this.changeEmitter.dispose();
    this.dataEmitter.dispose();
  }

  private async look(folder: vscode.WorkspaceFolder): Promise<void> {
    if (folder.uri.scheme !== "file") {
      return;
    }
    const found = await Promise.all(MARKS.map((mark) => exists(vscode.Uri.joinPath(folder.uri, mark))));
    if (found.includes(true)) {
      this.open(folder);
    }
  }

  private opened(document: vscode.TextDocument): void {
    const folder = document.uri.scheme === "file" ? vscode.workspace.getWorkspaceFolder(document.uri) : undefined;
    if (folder === undefined || this.entries.has(key(folder))) {
      return;
    }
    const mark = MARKS.some((each) => document.uri.path.includes(`/${each}`));
    if (mark && isPlan(document.uri.fsPath, folder.uri.fsPath)) {
      this.open(folder);
    }
  }

  private focused(editor: vscode.TextEditor | undefined): void {
    const session = editor === undefined ? undefined : this.of(editor.document.uri);
    if (session !== undefined && key(session.folder) !== this.last) {
      this.last = key(session.folder);
      this.changeEmitter.fire();
    }
  }

  private async foldersChanged(event: vscode.WorkspaceFoldersChangeEvent): Promise<void> {
    for (const folder of event.removed) {
      this.remove(key(folder));
    }
    await Promise.all(event.added.map((folder) => this.look(folder)));
  }

  /** Where the server is found is read at its start; the server hears of all other settings itself. */
  private async settingsChanged(event: vscode.ConfigurationChangeEvent): Promise<void> {
    const names = ["devloop.serverCommand", "devloop.interpreter"];
    const meant = [...this.entries.values()].filter(({ session }) =>
      names.some((name) => event.affectsConfiguration(name, session.folder.uri)),
    );
    await Promise.all(meant.map(({ session }) => session.restart()));
  }

  /** Only servers that come from there, and those that are not there yet, have a reason to start anew. */
  private async interpreterChanged(): Promise<void> {
    const meant = [...this.entries.values()].filter(
      ({ session }) => session.source === "python" || session.state.kind === "missing",
    );
    await Promise.all(meant.map(({ session }) => session.restart()));
  }

  private remove(name: string): void {
    const entry = this.entries.get(name);
    if (entry !== undefined) {
      this.entries.delete(name);
      entry.listeners.dispose();
      entry.session.dispose();
      this.changeEmitter.fire();
    }
  }
}

function key(folder: vscode.WorkspaceFolder): string {
  return folder.uri.toString();
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
