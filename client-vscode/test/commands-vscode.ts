/** As much of VS Code as commands need; what a person picks, types and presses is set in `vs`, and what they see found there. */

import { Disposable, EventEmitter } from "./checkpoints-vscode";

export const vs = {
  commands: new Map<string, (given?: unknown) => Promise<unknown>>(),
  executed: [] as unknown[][],
  keys: new Map<string, unknown>(),
  said: [] as unknown[][],
  press: undefined as string | undefined,
  pick: ((items: readonly unknown[]) => items[0]) as (items: readonly { label: string }[]) => unknown,
  picks: [] as unknown[][],
  options: undefined as unknown,
  words: "" as string | undefined,
  program: undefined as readonly string[] | undefined,
  tasks: [] as unknown[],
  shown: [] as string[],
  pages: [] as string[],
  bar: [] as string[],
  revealed: [] as unknown[][],
  file: "" as string | Error,
  chosen: undefined as unknown,
  uri: undefined as { handleUri(uri: unknown): Promise<void> } | undefined,
  editor: undefined as unknown,
  trusted: true,
  folders: undefined as readonly unknown[] | undefined,
};

/** For `vi.mock("vscode", …)`. */
export function fakeVscode(): object {
  const say = async (...said: unknown[]) => {
    vs.said.push(said);
    const buttons = said.slice(1) as (string | { title: string })[];
    return buttons.find((each) => (typeof each === "string" ? each : each.title) === vs.press);
  };
  const uri = (text: string) => ({ scheme: text.split(":")[0], path: text, fsPath: text, toString: () => text });
  return {
    Disposable,
    EventEmitter,
    Uri: {
      parse: uri,
      file: uri,
      joinPath: (base: { path: string }, name: string) => uri(`${base.path}/${name}`),
      from: ({ path }: { path: string }) => uri(`page:${path}`),
    },
    Range: class {},
    TaskRevealKind: { Always: 1 },
    TaskPanelKind: { Shared: 1 },
    ProcessExecution: class {
      constructor(
        readonly program: string,
        readonly args: readonly string[],
      ) {}
    },
    Task: class {
      constructor(
        readonly definition: unknown,
        readonly scope: unknown,
        readonly name: string,
        readonly source: string,
        readonly execution: unknown,
      ) {}
    },
    tasks: { executeTask: async (task: unknown) => vs.tasks.push(task) },
    ProgressLocation: { Window: 10 },
    QuickPickItemKind: { Separator: -1 },
    version: "1.139.1",
    env: { remoteName: undefined },
    commands: {
      registerCommand: (name: string, act: (given?: unknown) => Promise<unknown>) => {
        vs.commands.set(name, act);
        return new Disposable(() => vs.commands.delete(name));
      },
      executeCommand: async (name: string, ...rest: unknown[]) => {
        if (name === "setContext") {
          vs.keys.set(rest[0] as string, rest[1]);
        } else {
          vs.executed.push([name, ...rest]);
        }
      },
    },
    window: {
      get activeTextEditor() {
        return vs.editor;
      },
      tabGroups: { all: [], close: async () => true, onDidChangeTabs: () => new Disposable(() => undefined) },
      showWarningMessage: say,
      showInformationMessage: say,
      showErrorMessage: say,
      setStatusBarMessage: (text: string) => vs.bar.push(text),
      showInputBox: async () => vs.words,
      showQuickPick: async (items: unknown[], options: unknown) => {
        vs.options = options;
        vs.picks.push(items);
        return vs.pick(items as { label: string }[]);
      },
      withProgress: (_: unknown, work: () => unknown) => work(),
      registerUriHandler: (handler: { handleUri(uri: unknown): Promise<void> }) => {
        vs.uri = handler;
        return new Disposable(() => undefined);
      },
      showTextDocument: async (uri: unknown) => {
        vs.shown.push(String(uri));
        return {};
      },
      showOpenDialog: async () => vs.chosen,
    },
    workspace: {
      get isTrusted() {
        return vs.trusted;
      },
      get workspaceFolders() {
        return vs.folders;
      },
      asRelativePath: () => "tasks.json",
      getWorkspaceFolder: () => undefined,
      fs: {
        stat: async () => ({ size: 10 }),
        readFile: async () =>
          vs.file === "\0" ? new Uint8Array([0xff, 0xfe, 0xff]) : new TextEncoder().encode(`${vs.file}`),
      },
      openTextDocument: async (document: unknown) => document,
      registerTextDocumentContentProvider: (
        _: string,
        provider: {
          provideTextDocumentContent(uri: unknown): string;
          onDidChange(listener: (uri: unknown) => void): unknown;
        },
      ) => {
        provider.onDidChange((changed) => vs.pages.push(provider.provideTextDocumentContent(changed)));
        return new Disposable(() => undefined);
      },
      onDidCloseTextDocument: () => new Disposable(() => undefined),
      getConfiguration: () => ({ get: () => "" }),
    },
  };
}
