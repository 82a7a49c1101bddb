/** The review of a run: all that it changed, in VS Code's multi-file diff, with what can be decided about it. */

import * as vscode from "vscode";
import type { Context } from "../context";
import { accepts, offered } from "../decisions";
import type { Checkpoint, CommandArguments, Decision, Diff, Run, Shown } from "../protocol";
import type { Session } from "../session";
import { fileName, forNotice, plainLabel } from "../views/text";
import { showChecking } from "./again";
import { nameOf } from "./content";
import { sessionAt, uriOf } from "./contents";
import { addressOf, type File, figuresOf, filesOf, LeftOut, MOST_FILES, reviewTitle } from "./files";
import type { Place } from "./places";
import type { Checkpoints } from "./store";
import { addressIn, isTabOf, type Reviewed } from "./tabs";
import { keyOf } from "./waiting";

/** A review with its files, as they were when it was opened. */
export interface Opened extends Reviewed {
  readonly session: Session;
  /** The commits of either side. */
  readonly base: string;
  readonly at: string;
  readonly files: readonly File[];
  /** The checkpoint that was open then: at another one there is other work, which nobody has seen here. */
  readonly checkpoint: number | undefined;
}

const KEPT = "devloop.reviews";
const MOST_KEPT = 20;
const KEYS: readonly Decision[] = ["continue", "commit", "fresh", "stop", "revise", "recheck"];

export class Review implements vscode.Disposable {
  private readonly opened = new Map<string, Opened>();
  private readonly left = new LeftOut();
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  private readonly listener: vscode.Disposable;
  /** Titles of reviews that are being read again, or could not be. */
  private readonly loading = new Set<string>();
  private last: Opened | undefined;
  private readonly keys = new Map<string, unknown>();
  private looked = "";
  /** Another review is in front, its checkpoint is over, or files were left out. */
  readonly onDidChange = this.changeEmitter.event;

  constructor(
    private readonly context: Context,
    private readonly checkpoints: Checkpoints,
  ) {
    const refresh = (): void => this.refresh();
    this.listener = vscode.Disposable.from(
      vscode.window.tabGroups.onDidChangeTabs(refresh),
      vscode.window.tabGroups.onDidChangeTabGroups(refresh),
      vscode.window.onDidChangeActiveTextEditor(refresh),
      checkpoints.onDidChange(refresh),
      context.sessions.onDidChange(() => {
        this.loading.clear();
        refresh();
      }),
      context.sessions.onDidChangeData(() => this.restore()),
    );
    this.refresh();
  }

  dispose(): void {
    this.listener.dispose();
    this.changeEmitter.dispose();
  }

  /** The review in the active editor; undefined when there is none. */
  get active(): Opened | undefined {
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    if (tab === undefined) {
      return undefined;
    }
    const address = addressIn(tab);
    const known = [...this.opened.values()];
    return address === undefined
      ? known.find((each) => isTabOf(each, tab))
      : known.findLast((each) => each.run === address.run && each.folder === address.folder);
  }

  /** That in front, else the last one as long as its checkpoint is open. */
  get shown(): Opened | undefined {
    return this.active ?? (this.last !== undefined && this.placeOf(this.last) !== undefined ? this.last : undefined);
  }

  /** The open checkpoint that a review is about; undefined when it is over, be another one open by now. */
  placeOf(review: Opened): (Place & { readonly content: Checkpoint }) | undefined {
    const { session, run } = review;
    const open = this.checkpoints.of(session).of(run);
    const known = this.checkpoints.runOf(session, run);
    return open?.content === undefined || open.number !== review.checkpoint || known === undefined
      ? undefined
      : { session, run: known, content: open.content };
  }

  // Opening

  /** All files, or the one at `path`. */
  async open(about: Pick<CommandArguments, "run" | "uri" | "task">, path?: string): Promise<void> {
    const meant = await this.meant(about);
    if (meant === undefined) {
      void vscode.window.showInformationMessage("There is no run yet whose changes could be shown.");
      return;
    }
    const { session, run } = meant;
    const checkpoint = this.checkpoints.of(session).of(run.id)?.number;
    const changes = await session.request<Diff>("devloop/diff", { run: run.id });
    const files = filesOf(changes);
    if (files.length === 0) {
      void vscode.window.showInformationMessage(forNotice(`${nameOf(run)} changed no file.`));
      return;
    }
    const more = files.length > MOST_FILES ? ` (${MOST_FILES} of ${files.length} files)` : "";
    const title = `${reviewTitle(run)}${more}`;
    const folder = session.folder.uri.toString();
    const [base, at] = [changes.base ?? "", changes.commit ?? ""];
    await this.closeTabs(run.id, folder, title);
    const opened: Opened = { title, folder, run: run.id, session, base, at, files, checkpoint };
    this.opened.set(title, opened);
    this.last = opened;
    await this.keep({ title, folder, run: run.id });
    const one = path === undefined ? undefined : files.find((file) => file.path === path || file.old === path);
    if (one !== undefined) {
      await this.openFile(opened, one);
      this.refresh();
      return;
    }
    const resources = files.slice(0, MOST_FILES).map((file) => {
      const { base, work } = this.sides(opened, file);
      return [work, file.change === "added" ? undefined : base, file.change === "deleted" ? undefined : work];
    });
    await vscode.commands.executeCommand("vscode.changes", title, resources);
    await vscode.commands.executeCommand("workbench.action.keepEditor"); // a look at one file must not replace it
    this.refresh();
  }

  /** One file of a review, side by side. */
  async openFile(review: Opened, file: File): Promise<void> {
    const { base, work } = this.sides(review, file);
    const title = `${fileName(file.path, 120)} (${review.title})`;
    await vscode.commands.executeCommand("vscode.diff", base, work, title, { preview: true });
  }

  sides(review: Opened, file: File): { readonly base: vscode.Uri; readonly work: vscode.Uri } {
    const { folder, run, base, at } = review;
    return {
      base: uriOf({ folder, run, at: base, side: "base", path: file.old ?? file.path }),
      work: uriOf({ folder, run, at, side: "work", path: file.path }),
    };
  }

  private async meant(
    about: Pick<CommandArguments, "run" | "uri" | "task">,
  ): Promise<{ session: Session; run: Run } | undefined> {
    const { sessions } = this.context;
    const named = about.uri === undefined ? undefined : sessions.of(vscode.Uri.parse(about.uri));
    if (about.run !== undefined) {
      const session = named ?? this.checkpoints.sessionOf(about.run) ?? sessions.withRun(about.run) ?? sessions.current;
      return session && this.named(session, about.run);
    }
    const waiting = this.checkpoints.all.find((each) => named === undefined || each.session === named);
    const session = named ?? waiting?.session ?? sessions.current;
    const task = session?.plan?.tasks.find((each) => each.id === about.task?.id)?.run?.id;
    const open = task ?? waiting?.open.run ?? session?.status?.runs.at(-1)?.id;
    const newest =
      open ?? (await session?.request<{ runs: readonly Run[] }>("devloop/runs", { limit: 1 }))?.runs[0]?.id;
    return session && newest ? this.named(session, newest) : undefined;
  }

  private async named(session: Session, run: string): Promise<{ session: Session; run: Run }> {
    const known = this.checkpoints.runOf(session, run);
    return { session, run: known ?? (await session.request<Shown>("devloop/show", { run })).run };
  }

  // Leaving files out

  /** The paths that a decision about this checkpoint carries as left out. */
  leftOut(place: Pick<Place, "run" | "content" | "session">): readonly string[] {
    const folder = place.session.folder.uri.toString();
    const review = [...this.opened.values()].findLast((each) => each.run === place.run.id && each.folder === folder);
    return review === undefined ? [] : this.left.paths(keyAt(place), review.files);
  }

  isLeftOut(review: Opened, file: File): boolean {
    const place = this.placeOf(review);
    return place !== undefined && this.left.has(keyAt(place), file.path);
  }

  /** Whether files can be left out of what this review is about. */
  canLeaveOut(review: Opened): boolean {
    const place = this.placeOf(review);
    return (
      place !== undefined &&
      trusted(review.session) &&
      offered(place.content).some((each) => accepts(each, place.content))
    );
  }

  leave(review: Opened, files: readonly File[], out: boolean): void {
    const place = this.placeOf(review);
    if (place === undefined || !this.canLeaveOut(review)) {
      return;
    }
    const key = keyAt(place);
    for (const file of files) {
      this.left.set(key, file.path, out);
    }
    if (out && review.files.every((file) => this.left.has(key, file.path))) {
      for (const file of files) {
        this.left.set(key, file.path, false);
      }
      void vscode.window.showInformationMessage(
        "One file has to stay in. To accept nothing, choose Revise or Discard.",
      );
    }
    this.refresh();
  }

  /** The file that a document of ours shows. */
  fileOf(uri: vscode.Uri): { readonly review: Opened; readonly file: File } | undefined {
    const address = addressOf(uri);
    const review =
      address &&
      [...this.opened.values()].findLast((each) => each.run === address.run && each.folder === address.folder);
    const file = review?.files.find((each) => each.path === address?.path || each.old === address?.path);
    return review && file && { review, file };
  }

  async chooseFiles(review: Opened): Promise<void> {
    if (!this.canLeaveOut(review)) {
      void vscode.window.showInformationMessage("Files can be left out while the work waits to be accepted.");
      return;
    }
    const rows = review.files.map((file) => ({
      label: plainLabel(file.path, 400),
      description: plainLabel(figuresOf(file), 400),
      picked: !this.isLeftOut(review, file),
      file,
    }));
    const chosen = await vscode.window.showQuickPick(rows, {
      canPickMany: true,
      title: `${review.title}: files to take in`,
      placeHolder: "Files without a check are left out; the gates check the rest again",
      ignoreFocusOut: true,
      matchOnDescription: true,
    });
    if (chosen !== undefined) {
      const taken = new Set(chosen.map((row) => row.file));
      this.leave(review, [...taken], false);
      const out = review.files.filter((file) => !taken.has(file));
      if (out.length > 0) {
        this.leave(review, out, true);
      }
    }
  }

  // After a decision

  /** The decision was taken by the server: the review is done. */
  decided(place: Place): void {
    this.left.forget(keyAt(place));
    void this.closeTabs(place.run.id, place.session.folder.uri.toString());
    this.refresh();
  }

  checksAgain(place: Place, decision: Decision, out: readonly string[]): void {
    showChecking(this.checkpoints, place, decision, out);
  }

  /** Those of a run, and those that could not be told from a new one with this title. */
  private async closeTabs(run: string, folder: string, title?: string): Promise<void> {
    const mine = (each: Opened): boolean => each.run === run && each.folder === folder;
    const reviews: { readonly title: string }[] = [...this.opened.values()].filter(mine);
    if (title !== undefined) {
      reviews.push({ title });
    }
    const tabs = vscode.window.tabGroups.all
      .flatMap((group) => group.tabs)
      .filter((tab) => {
        const address = addressIn(tab);
        return address === undefined
          ? reviews.some((each) => isTabOf(each, tab))
          : address.run === run && address.folder === folder;
      });
    if (tabs.length > 0) {
      await vscode.window.tabGroups.close(tabs, true);
    }
  }

  // What menus see (not under the view's id: VS Code sets keys `ID.active` and `ID.visible` of its own)

  private refresh(): void {
    this.restore();
    const { active } = this;
    if (active !== undefined) {
      this.last = active;
    }
    const { shown } = this;
    const place = shown && this.placeOf(shown);
    const able = place !== undefined && trusted(place.session) ? offered(place.content) : [];
    this.key("devloop.reviewing.active", active !== undefined);
    this.key("devloop.reviewing.waits", able.length > 0);
    for (const decision of KEYS) {
      this.key(`devloop.reviewing.${decision}`, able.includes(decision));
    }
    this.key("devloop.reviewing.shown", shown !== undefined);
    this.key("devloop.reviewing.leaves", shown !== undefined && this.canLeaveOut(shown));
    const out = shown?.files.filter((file) => this.isLeftOut(shown, file)) ?? [];
    this.key(
      "devloop.reviewing.out",
      out.map((file) => `/${file.path}`),
    );
    const here = active && vscode.window.activeTextEditor && this.fileOf(vscode.window.activeTextEditor.document.uri);
    this.key("devloop.reviewing.file", here === undefined ? "" : this.isLeftOut(here.review, here.file) ? "out" : "in");
    const looks = JSON.stringify([shown?.title, shown?.at, place?.content.number, able, out.map((file) => file.path)]);
    if (looks !== this.looked) {
      this.looked = looks;
      this.changeEmitter.fire();
    }
  }

  private key(name: string, value: unknown): void {
    if (JSON.stringify(this.keys.get(name)) !== JSON.stringify(value)) {
      this.keys.set(name, value);
      void vscode.commands.executeCommand("setContext", name, value);
    }
  }

  private async keep(record: Reviewed): Promise<void> {
    const others = this.kept.filter((each) => each.title !== record.title);
    await this.context.extension.workspaceState.update(KEPT, [...others, record].slice(-MOST_KEPT));
  }

  private get kept(): readonly Reviewed[] {
    return this.context.extension.workspaceState.get<readonly Reviewed[]>(KEPT, []);
  }

  /** After a reload the editor is there again: find out what it is about. */
  private restore(): void {
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    if (tab === undefined || this.active !== undefined) {
      return;
    }
    const address = addressIn(tab);
    const record =
      address === undefined
        ? this.kept.find((each) => isTabOf(each, tab))
        : this.kept.findLast((each) => each.run === address.run && each.folder === address.folder);
    const session = record && sessionAt(this.context, record.folder);
    if (record === undefined || session?.state.kind !== "running" || this.loading.has(record.title)) {
      return;
    }
    if (session.status === undefined) {
      return; // whether its checkpoint is open is not known yet
    }
    this.loading.add(record.title);
    void session
      .request<Diff>("devloop/diff", { run: record.run })
      .then((changes) => {
        const checkpoint = this.checkpoints.of(session).of(record.run)?.number;
        const [base, at, files] = [changes.base ?? "", changes.commit ?? "", filesOf(changes)];
        this.opened.set(record.title, { ...record, session, base, at, files, checkpoint });
        this.loading.delete(record.title);
        this.refresh();
      })
      .catch((problem: unknown) =>
        // Not asked again before a server comes or goes: each look at the editor would be a question.
        this.context.log.debug(`${record.title} could not be read again: ${String(problem)}`),
      );
  }
}

/** Two folders may have runs of the same name. */
function keyAt({ session, run, content }: Pick<Place, "session" | "run" | "content">): string {
  return `${session.folder.uri.toString()} ${keyOf(run.id, content.number)}`;
}

function trusted(session: Session): boolean {
  return session.state.kind === "running" && !session.state.restricted;
}
