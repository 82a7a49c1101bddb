import * as vscode from "vscode";
import { checkpointsOf } from "../checkpoints/store";
import type { Context } from "../context";
import type { Session } from "../session";
import { Throttle } from "../throttle";
import { Live } from "./live";
import { COMMANDS, type StatusView, statusView } from "./view";

const INTERVAL_MS = 100;

/** The one status item of a window: it speaks of the session that is meant now. */
export function register(context: Context): void {
  const { sessions, extension } = context;
  const item = vscode.window.createStatusBarItem("devloop.status", vscode.StatusBarAlignment.Left, 40);
  item.name = "Devloop";
  const live = new WeakMap<Session, Live>();
  let shown: StatusView | undefined;

  const liveOf = (session: Session): Live => {
    let found = live.get(session);
    if (found === undefined) {
      found = new Live();
      live.set(session, found);
    }
    return found;
  };

  const draw = (): void => {
    const session = sessions.current;
    const waiting = session === undefined ? undefined : checkpointsOf(context).of(session);
    const view = statusView({
      state: session?.state,
      status: session?.status,
      doing: (run) => (session === undefined ? new Live() : liveOf(session)).of(run),
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

  const listening = new Map<Session, vscode.Disposable>();
  const listen = (): void => {
    for (const session of sessions.all) {
      if (!listening.has(session)) {
        listening.set(
          session,
          vscode.Disposable.from(
            session.onDidReceiveEvents((events) => {
              liveOf(session).take(events);
              drawn.ask();
            }),
            session.onDidChangeStatus((status) => {
              liveOf(session).keep(status.runs);
              drawn.ask();
            }),
          ),
        );
      }
    }
    for (const [session, listener] of listening) {
      if (!sessions.all.includes(session)) {
        listener.dispose();
        listening.delete(session);
      }
    }
    drawn.ask();
  };

  extension.subscriptions.push(
    item,
    drawn,
    sessions.onDidChange(listen),
    vscode.window.onDidChangeActiveTextEditor(drawn.ask),
    checkpointsOf(context).onDidChange(drawn.ask),
    new vscode.Disposable(() => {
      for (const listener of listening.values()) {
        listener.dispose();
      }
    }),
  );
  listen();
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
