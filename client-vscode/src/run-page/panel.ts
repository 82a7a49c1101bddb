/** The page of a run as a webview panel: one per run, used again, and there again after the window is reloaded. */

import * as vscode from "vscode";
import { uriOf } from "../checkpoints/contents";
import type { Context } from "../context";
import type { Session } from "../session";
import { fileName, runName } from "../views/text";
import { isRecord } from "./check";
import { Feed } from "./feed";
import { type About, document } from "./html";
import { type FromPage, readFromPage, type ToPage } from "./messages";
import { oneLine } from "./read";
import type { Checkpoint, Model } from "./state";

export const VIEW = "devloop.run";
const LOCKED = "This window does not trust the folder: nothing is decided from here. Trust the folder first.";
const CLOSES_MS = 3_000;
const GONE = "devloop does not answer; what is shown may be old.";

export function register(context: Context): void {
  const pages = new Pages(context);
  context.extension.subscriptions.push(
    pages,
    vscode.commands.registerCommand("devloop.openRun", (given: unknown) => pages.openGiven(given)),
    vscode.window.registerWebviewPanelSerializer(VIEW, {
      deserializeWebviewPanel: async (panel, state) => {
        const about = aboutOf(state);
        if (about === undefined) {
          panel.dispose();
        } else {
          pages.restore(panel, about);
        }
      },
    }),
  );
}

/** `{run, uri}` of a command, `{run, folder}` of a page that was there before, or a run's id alone. */
function aboutOf(given: unknown): About | undefined {
  const { run, uri, folder } = typeof given === "string" ? { run: given } : isRecord(given) ? given : {};
  const place = typeof uri === "string" ? uri : uri instanceof vscode.Uri ? uri.toString() : folder;
  return typeof run === "string" && run !== "" ? { run, folder: typeof place === "string" ? place : "" } : undefined;
}

class Pages implements vscode.Disposable {
  private readonly open = new Set<Page>();

  constructor(private readonly context: Context) {}

  /** Without a run: the newest. */
  async openGiven(given: unknown): Promise<void> {
    const about = aboutOf(given) ?? aboutOf(await this.newest());
    if (about === undefined) {
      void vscode.window.showInformationMessage("There is no run yet.");
    } else {
      this.show(about);
    }
  }

  restore(panel: vscode.WebviewPanel, about: About): void {
    if (this.of(about) !== undefined) {
      panel.dispose();
      return;
    }
    panel.webview.options = this.options;
    this.keep(about, panel);
  }

  /** The panels stay: VS Code gives them back when the window is there again. */
  dispose(): void {
    for (const page of this.open) {
      page.dispose();
    }
  }

  private show(about: About): void {
    const known = this.of(about);
    if (known === undefined) {
      const options = { ...this.options, enableFindWidget: true };
      this.keep(about, vscode.window.createWebviewPanel(VIEW, "Run", vscode.ViewColumn.Active, options));
    } else {
      known.panel.reveal();
    }
  }

  private of({ run, folder }: About): Page | undefined {
    return [...this.open].find((page) => page.run === run && (folder === "" || page.isOf(folder)));
  }

  private keep({ run, folder }: About, panel: vscode.WebviewPanel): void {
    const page = new Page(this.context, run, this.folderOf(run, folder), panel);
    this.open.add(page);
    panel.onDidDispose(() => this.open.delete(page));
  }

  /** A file of the folder may be named, or nothing. */
  private folderOf(run: string, near: string): string {
    const { sessions } = this.context;
    const session = near === "" ? sessions.withRun(run) : sessions.of(vscode.Uri.parse(near));
    return session?.folder.uri.toString() ?? near;
  }

  private get options(): vscode.WebviewOptions {
    const { extensionUri } = this.context.extension;
    const roots = ["dist", "media"].map((name) => vscode.Uri.joinPath(extensionUri, name));
    return { enableScripts: true, enableForms: false, enableCommandUris: false, localResourceRoots: roots };
  }

  private async newest(): Promise<unknown> {
    const session = this.context.sessions.current;
    const answer = await session?.request<unknown>("devloop/runs", { limit: 1 });
    const runs = isRecord(answer) ? answer["runs"] : undefined;
    return Array.isArray(runs) && isRecord(runs[0]) ? runs[0]["id"] : undefined;
  }
}

class Page {
  private readonly feed: Feed;
  private readonly listeners: vscode.Disposable[] = [];
  private session: Session | undefined;
  private bound: vscode.Disposable | undefined;

  constructor(
    private readonly context: Context,
    readonly run: string,
    /** The address of its folder; "" where it is not known. */
    private readonly folder: string,
    readonly panel: vscode.WebviewPanel,
  ) {
    const { webview } = panel;
    this.feed = new Feed(
      run,
      (method, params) => this.ask(method, params),
      (message) => this.post(message),
      (model) => this.title(model),
    );
    const at = (...parts: string[]) =>
      String(webview.asWebviewUri(vscode.Uri.joinPath(context.extension.extensionUri, ...parts)));
    this.listeners.push(
      webview.onDidReceiveMessage((message: unknown) => void this.take(message)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.feed.lock("")),
      context.sessions.onDidChange(() => this.bind()),
      context.sessions.onDidChangeData(() => this.session ?? this.bind()),
    );
    panel.onDidDispose(() => this.dispose());
    this.feed.lock(vscode.workspace.isTrusted ? "" : LOCKED);
    webview.html = document(
      { source: webview.cspSource, script: at("dist", "run-page.js"), style: at("media", "page.css") },
      { run, folder },
    );
    this.bind();
  }

  isOf(file: string): boolean {
    return this.folder === "" || file === this.folder || file.startsWith(`${this.folder}/`);
  }

  /** Listen to the session that has the run; ask it for everything whenever it comes up. */
  private bind(): void {
    const { sessions } = this.context;
    const mine = sessions.all.find((each) => each.folder.uri.toString() === this.folder);
    const guess = this.folder === "" ? (sessions.withRun(this.run) ?? this.session ?? sessions.current) : undefined;
    const session = mine ?? guess;
    if (session !== this.session) {
      this.bound?.dispose();
      this.session = session;
      if (session !== undefined) {
        this.bound = vscode.Disposable.from(
          session.onDidReceiveEvents((events) => this.feed.events(events)),
          session.onDidChangeState(() => this.stateChanged()),
        );
      }
      this.stateChanged();
    }
  }

  private stateChanged(): void {
    const kind = this.session?.state.kind;
    if (kind === "running") {
      this.feed.load();
    } else if (kind !== undefined && kind !== "starting") {
      this.feed.trouble(GONE);
    }
  }

  private async ask(method: string, params: object): Promise<unknown> {
    if (this.session === undefined) {
      throw new Error(GONE);
    }
    return this.session.request<unknown>(method, params);
  }

  private title({ run }: Model): void {
    const name = oneLine(runName(run).trim() || `Run ${run.id}`, 60);
    const title = run.state === "waiting" ? `● ${name}` : name;
    if (this.panel.title !== title) {
      this.panel.title = title;
    }
  }

  private async take(message: unknown): Promise<void> {
    const read = readFromPage(message);
    if (read === undefined) {
      this.context.log.warn("A page of a run said something that is no message of its.");
    } else if (read.type === "ready") {
      this.feed.ready();
    } else if (read.type === "look") {
      this.feed.look(read.turns);
    } else if (read.type === "noSecret") {
      await this.answer(read.checkpoint, ({ noSecret }) => noSecret !== null, "devloop.noSecret");
    } else if (read.type === "decide" || read.type === "without") {
      await this.decide(read);
    } else {
      await this.act(read);
    }
  }

  private async decide(read: FromPage & { type: "decide" | "without" }): Promise<void> {
    const { decision, checkpoint } = read;
    const words = read.type === "decide" && read.message !== null ? { message: read.message } : {};
    const out = read.type === "without" ? { leave_out: ["plan"] } : {};
    const given = { decision, ...words, ...out };
    await this.answer(checkpoint, ({ decisions }) => decisions.includes(decision), "devloop.decide", given);
  }

  /** Have what the person chose done, where it is what is asked now; then the page is told what came of it. */
  private async answer(
    checkpoint: number,
    offers: (shown: Checkpoint) => boolean,
    command: string,
    given: object = {},
  ): Promise<void> {
    const shown = this.feed.current.checkpoint;
    let problem = "";
    if (!vscode.workspace.isTrusted) {
      problem = LOCKED;
    } else if (shown === null || shown.number !== checkpoint || !offers(shown)) {
      problem = "That is not asked any more.";
    } else {
      problem = await this.execute(command, { run: this.run, checkpoint, ...given });
    }
    const taken = problem === "" && (await this.closes(checkpoint));
    this.post({ type: "answered", taken, problem });
  }

  /** Whether the checkpoint is over soon: a person may have called off what they were asked in between. */
  private async closes(checkpoint: number): Promise<boolean> {
    const open = () => this.feed.current.checkpoint?.number === checkpoint;
    for (let waited = 0; open() && waited < CLOSES_MS; waited += 100) {
      await new Promise((done) => setTimeout(done, 100));
    }
    return !open();
  }

  private post(message: ToPage): void {
    void this.panel.webview.postMessage(message);
  }

  private async act(
    message: Exclude<FromPage, { type: "ready" | "look" | "decide" | "without" | "noSecret" }>,
  ): Promise<void> {
    const { run } = this;
    switch (message.type) {
      case "cancel":
        await this.execute("devloop.cancel", { run });
        break;
      case "proposal":
        await this.execute("devloop.proposal", { run });
        break;
      case "review":
        await this.execute("devloop.review", { run });
        break;
      case "file":
        await this.openFile(message.path);
        break;
      case "open":
        await (message.what === "transcript"
          ? this.execute("devloop.openTranscript", { run })
          : this.execute("devloop.openPlan", { run, task: { id: this.feed.current.run.task } }));
    }
  }

  /** One file side by side: as the run found it, and as it has it now. */
  private async openFile(path: string): Promise<void> {
    const { files, base: from, work: to } = this.feed.current;
    const file = files.find((each) => each.path === path);
    if (file !== undefined && this.session !== undefined) {
      const about = { folder: this.session.folder.uri.toString(), run: this.run };
      const base = uriOf({ ...about, at: from, side: "base", path: file.old || path });
      const work = uriOf({ ...about, at: to, side: "work", path });
      const title = `${fileName(path, 80)} (${this.panel.title.replace(/^● /, "")})`;
      await vscode.commands.executeCommand("vscode.diff", base, work, title, { preview: true });
    }
  }

  /** One of our commands; "" or why it did not work. */
  private async execute(command: string, given: object): Promise<string> {
    const uri = this.session?.folder.uri.toString(); // another folder may have a run of the same name
    try {
      await vscode.commands.executeCommand(command, uri === undefined ? given : { ...given, uri });
      return "";
    } catch (problem) {
      const words = oneLine(problem instanceof Error ? problem.message : String(problem), 400);
      this.context.log.warn(`${command}: ${words}`);
      return words;
    }
  }

  dispose(): void {
    this.feed.dispose();
    this.bound?.dispose();
    for (const each of this.listeners) {
      each.dispose();
    }
  }
}
