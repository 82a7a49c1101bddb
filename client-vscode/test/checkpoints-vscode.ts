/** As much of VS Code as notifications, boxes and reviews need, with what a person does played by the test. */

import { vi } from "vitest";

type Listener<T> = (value: T) => unknown;

export class EventEmitter<T> {
  private listeners: Listener<T>[] = [];
  readonly event = (listener: Listener<T>): Disposable => {
    this.listeners.push(listener);
    return new Disposable(() => {
      this.listeners = this.listeners.filter((each) => each !== listener);
    });
  };

  fire(value: T): void {
    for (const listener of [...this.listeners]) {
      listener(value);
    }
  }

  dispose(): void {
    this.listeners = [];
  }
}

export class Disposable {
  constructor(private readonly act: () => unknown) {}
  static from(...all: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const each of all) {
        each.dispose();
      }
    });
  }
  dispose(): void {
    this.act();
  }
}

class Uri {
  private constructor(
    readonly scheme: string,
    readonly path: string,
    readonly query: string,
  ) {}
  static from({ scheme, path, query = "" }: { scheme: string; path: string; query?: string }): Uri {
    return new Uri(scheme, path, query);
  }
  static parse(text: string): Uri {
    const url = new URL(text);
    return new Uri(url.protocol.slice(0, -1), url.pathname, url.search.slice(1));
  }
  toString(): string {
    return `${this.scheme}://${this.path}${this.query && `?${this.query}`}`;
  }
}

class ThemeIcon {
  constructor(readonly id: string) {}
}
class TabInput {
  constructor(readonly uri: Uri) {}
}
class TabInputTextDiff {
  constructor(
    readonly original: Uri,
    readonly modified: Uri,
  ) {}
}
class Other {}

/** A notification on the screen. */
export interface Toast {
  readonly kind: "information" | "warning";
  readonly message: string;
  readonly buttons: readonly string[];
  readonly modal: boolean;
  readonly detail: string | undefined;
  press(title: string): Promise<void>;
  close(): Promise<void>;
}

/** A quick pick or input box on the screen. */
export class Box {
  title = "";
  placeholder = "";
  prompt = "";
  value = "";
  validationMessage: string | undefined;
  ignoreFocusOut = false;
  matchOnDetail = false;
  items: readonly { label: string; detail?: string }[] = [];
  selectedItems: readonly unknown[] = [];
  buttons: readonly unknown[] = [];
  shown = false;
  private readonly accept = new EventEmitter<void>();
  private readonly change = new EventEmitter<string>();
  private readonly hidden = new EventEmitter<void>();
  private readonly triggered = new EventEmitter<unknown>();
  readonly onDidAccept = this.accept.event;
  readonly onDidChangeValue = this.change.event;
  readonly onDidHide = this.hidden.event;
  readonly onDidTriggerButton = this.triggered.event;

  show(): void {
    this.shown = true;
  }
  hide(): void {
    if (this.shown) {
      this.shown = false;
      this.hidden.fire();
    }
  }
  dispose(): void {}

  async type(text: string): Promise<void> {
    this.value = text;
    this.change.fire(text);
    await settled();
  }
  async enter(label?: string): Promise<void> {
    if (label !== undefined) {
      this.selectedItems = this.items.filter((each) => each.label.includes(label));
    }
    this.accept.fire();
    await settled();
  }
  async escape(): Promise<void> {
    this.hide();
    await settled();
  }
}

/** Everything that was promised so far has happened. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 20; round++) {
    await Promise.resolve();
  }
}

export interface FakeTab {
  readonly label: string;
  readonly input: unknown;
}

export class Screen {
  toasts: Toast[] = [];
  boxes: Box[] = [];
  picks: { rows: readonly { label: string }[]; choose(label?: string, at?: number): Promise<void> }[] = [];
  settings: Record<string, unknown> = {};
  executed: (readonly unknown[])[] = [];
  contexts: Record<string, unknown> = {};
  tabs: FakeTab[] = [];
  active: FakeTab | undefined;
  progress: { title: string; over: boolean }[] = [];
  clipboard = "";
  /** What a document of a proposal says. */
  proposal: (uri: unknown) => string = () => "";
  readonly configuration = new EventEmitter<{ affectsConfiguration(name: string): boolean }>();
  readonly tabsChanged = new EventEmitter<object>();

  get toast(): Toast {
    return theOnly(this.toasts);
  }
  get box(): Box {
    return theOnly(this.boxes.filter((each) => each.shown));
  }

  show(kind: Toast["kind"], message: string, ...rest: unknown[]): Promise<unknown> {
    const options = rest.find((each) => typeof each === "object" && each !== null && "modal" in each);
    const modal = options !== undefined;
    const items = rest.filter((each) => !(typeof each === "object" && each !== null && "modal" in each));
    const titleOf = (item: unknown): string =>
      typeof item === "string" ? item : String((item as { title: unknown }).title);
    return new Promise((resolve) => {
      const over = async (chosen: unknown): Promise<void> => {
        this.toasts = this.toasts.filter((each) => each !== toast);
        resolve(chosen);
        await settled();
      };
      const toast: Toast = {
        kind,
        message,
        modal,
        detail: (options as { detail?: string } | undefined)?.detail,
        buttons: items.map(titleOf),
        press: (title) => over(theOnly(items.filter((item) => titleOf(item) === title))),
        close: () => over(undefined),
      };
      this.toasts.push(toast);
    });
  }

  configure(settings: Record<string, unknown>): void {
    Object.assign(this.settings, settings);
    this.configuration.fire({ affectsConfiguration: (name) => name.replace("devloop.", "") in settings });
  }

  front(tab: FakeTab | undefined): void {
    this.active = tab;
    this.tabsChanged.fire({});
  }
}

function theOnly<T>(all: readonly T[]): T {
  const [only] = all;
  if (only === undefined || all.length > 1) {
    throw new Error(`there are ${all.length}, not one`);
  }
  return only;
}

/** For `vi.mock("vscode", …)`: the module, on whatever screen the test has set up. */
export function fakeVscode(screen: () => Screen): object {
  const box = (): Box => {
    const made = new Box();
    screen().boxes.push(made);
    return made;
  };
  return {
    EventEmitter,
    Disposable,
    Uri,
    ThemeIcon,
    TabInputText: TabInput,
    TabInputTextDiff,
    TabInputCustom: Other,
    TabInputWebview: Other,
    TabInputNotebook: Other,
    TabInputNotebookDiff: Other,
    TabInputTerminal: Other,
    ProgressLocation: { Window: 10 },
    window: {
      showInformationMessage: (message: string, ...rest: unknown[]) => screen().show("information", message, ...rest),
      showWarningMessage: (message: string, ...rest: unknown[]) => screen().show("warning", message, ...rest),
      activeTextEditor: undefined,
      onDidChangeActiveTextEditor: () => new Disposable(() => undefined),
      createQuickPick: box,
      createInputBox: box,
      showQuickPick: (rows: readonly { label: string }[]) =>
        new Promise((resolve) => {
          const choose = async (label?: string, at = 0): Promise<void> => {
            resolve(label === undefined ? undefined : rows.filter((each) => each.label.includes(label))[at]);
            await settled();
          };
          screen().picks.push({ rows, choose });
        }),
      withProgress: async (options: { title: string }, task: () => Promise<void>) => {
        const shown = { title: options.title, over: false };
        screen().progress.push(shown);
        await task();
        shown.over = true;
      },
      tabGroups: {
        get all() {
          return [{ tabs: screen().tabs }];
        },
        get activeTabGroup() {
          return { activeTab: screen().active };
        },
        onDidChangeTabs: (listener: Listener<object>) => screen().tabsChanged.event(listener),
        onDidChangeTabGroups: (listener: Listener<object>) => screen().tabsChanged.event(listener),
        close: (tabs: readonly FakeTab[]) => {
          screen().tabs = screen().tabs.filter((each) => !tabs.includes(each));
          return Promise.resolve(true);
        },
      },
    },
    env: {
      clipboard: {
        writeText: async (text: string) => {
          screen().clipboard = text;
        },
      },
    },
    workspace: {
      registerTextDocumentContentProvider: (
        _scheme: string,
        provider: { provideTextDocumentContent(uri: unknown): string },
      ) => {
        screen().proposal = (uri) => provider.provideTextDocumentContent(uri);
        return new Disposable(() => undefined);
      },
      getConfiguration: () => ({ get: (name: string, otherwise: unknown) => screen().settings[name] ?? otherwise }),
      onDidChangeConfiguration: (listener: Listener<{ affectsConfiguration(name: string): boolean }>) =>
        screen().configuration.event(listener),
    },
    commands: {
      executeCommand: (...given: readonly unknown[]) => {
        if (given[0] === "setContext") {
          screen().contexts[String(given[1])] = given[2];
        } else {
          screen().executed.push(given);
        }
        return Promise.resolve();
      },
    },
  };
}

export const silentLog = { warn: vi.fn(), info: vi.fn(), debug: vi.fn(), error: vi.fn() };
