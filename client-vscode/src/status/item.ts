import * as vscode from "vscode";
import { checkpointsOf } from "../checkpoints/store";
import type { Context } from "../context";
import { NOTHING } from "../live/runs";
import { liveOf } from "../live/store";
import { Throttle } from "../throttle";
import { COMMANDS, type StatusView, statusView } from "./view";

const INTERVAL_MS = 100;

/** The one status item of a window: it speaks of the session that is meant now. */
export function register(context: Context): void {
  const { sessions, extension } = context;
  const item = vscode.window.createStatusBarItem("devloop.status", vscode.StatusBarAlignment.Left, 40);
  item.name = "Devloop";
  const live = liveOf(context);
  let shown: StatusView | undefined;

  const draw = (): void => {
    const session = sessions.current;
    const waiting = session === undefined ? undefined : checkpointsOf(context).of(session);
    const view = statusView({
      state: session?.state,
      status: session?.status,
      live: (run) => (session === undefined ? NOTHING : live.of(session).of(run)),
      checkpoint: (run) => waiting?.of(run)?.content,
      folder: session !== undefined && sessions.all.length > 1 ? session.folder.name : null,
      ...(session === undefined ? {} : { uri: session.folder.uri.toString() }),
    });
    if (view === undefined) {
      item.hide();
    } else if (!same(view, shown)) {
      apply(item, view);
    }
    if (view !== undefined && shown === undefined) {
      item.show();
    }
    shown = view;
  };
  const drawn = new Throttle(draw, INTERVAL_MS);

  extension.subscriptions.push(
    item,
    drawn,
    sessions.onDidChange(drawn.ask),
    sessions.onDidChangeData(drawn.ask),
    live.onDidChange(drawn.ask),
    vscode.window.onDidChangeActiveTextEditor(drawn.ask),
    checkpointsOf(context).onDidChange(drawn.ask),
  );
  drawn.ask();
}

function apply(item: vscode.StatusBarItem, view: StatusView): void {
  const tooltip = new vscode.MarkdownString(view.tooltip, true);
  tooltip.isTrusted = { enabledCommands: COMMANDS };
  item.text = view.text;
  item.tooltip = tooltip;
  item.command = view.command;
  item.accessibilityInformation = { label: view.label, role: "button" };
  item.backgroundColor =
    view.colour === "none" ? undefined : new vscode.ThemeColor(`statusBarItem.${view.colour}Background`);
}

function same(left: StatusView, right: StatusView | undefined): boolean {
  return (
    right !== undefined &&
    left.text === right.text &&
    left.tooltip === right.tooltip &&
    left.colour === right.colour &&
    left.command === right.command &&
    left.label === right.label
  );
}
