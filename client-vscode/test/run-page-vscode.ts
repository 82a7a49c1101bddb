/** As much of VS Code as the panel needs; what it opened and called is kept. */

type Listener = (value: unknown) => unknown;
class Emitter {
  readonly listeners = new Set<Listener>();
  readonly event = (listener: Listener) => {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  };
  fire(value?: unknown): void {
    for (const listener of [...this.listeners]) {
      listener(value);
    }
  }
}
class Uri {
  constructor(readonly text: string) {}
  static parse(text: string) {
    return new Uri(text);
  }
  static joinPath(base: Uri, ...parts: string[]) {
    return new Uri([base.text, ...parts].join("/"));
  }
  static from({ scheme, path, query }: { scheme: string; path: string; query: string }) {
    return new Uri(`${scheme}:${path}?${query}`);
  }
  toString() {
    return this.text;
  }
}
class Panel {
  title = "Run";
  revealed = 0;
  readonly sent: unknown[] = [];
  readonly messages = new Emitter();
  readonly disposed = new Emitter();
  readonly webview;
  constructor(options: unknown) {
    this.webview = {
      options,
      html: "",
      cspSource: "https://csp.test",
      asWebviewUri: (uri: Uri) => `https://csp.test/${uri.text}`,
      onDidReceiveMessage: this.messages.event,
      postMessage: async (message: unknown) => this.sent.push(message),
    };
  }
  readonly onDidDispose = (listener: Listener) => this.disposed.event(listener);
  reveal(): void {
    this.revealed += 1;
  }
  dispose(): void {
    this.disposed.fire();
  }
}
export const fake = {
  Emitter,
  Uri,
  Panel,
  trusted: true,
  granted: new Emitter(),
  panels: [] as Panel[],
  commands: new Map<string, (given: unknown) => unknown>(),
  called: [] as [string, unknown][],
  decide: (): unknown => undefined,
  restore: undefined as undefined | ((panel: unknown, state: unknown) => Promise<void>),
};

export const vscode = {
  Uri,
  ViewColumn: { Active: -1 },
  Disposable: { from: (...all: { dispose(): unknown }[]) => ({ dispose: () => all.map((each) => each.dispose()) }) },
  commands: {
    registerCommand: (name: string, act: (given: unknown) => unknown) => {
      fake.commands.set(name, act);
      return { dispose: () => undefined };
    },
    executeCommand: async (...call: [string, unknown]) => {
      fake.called.push(call);
      return call[0] === "devloop.decide" || call[0] === "devloop.noSecret" ? fake.decide() : undefined;
    },
  },
  window: {
    createWebviewPanel: (_type: string, _title: string, _column: number, options: unknown) => {
      const panel = new Panel(options);
      fake.panels.push(panel);
      return panel;
    },
    registerWebviewPanelSerializer: (
      _type: string,
      { deserializeWebviewPanel }: { deserializeWebviewPanel: (panel: unknown, state: unknown) => Promise<void> },
    ) => {
      fake.restore = deserializeWebviewPanel;
      return { dispose: () => undefined };
    },
    showInformationMessage: async () => undefined,
  },
  workspace: {
    get isTrusted() {
      return fake.trusted;
    },
    onDidGrantWorkspaceTrust: fake.granted.event,
  },
};
