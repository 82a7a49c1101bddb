/** Shows in the plan's editor how its tasks stand. The colours are themes' and can be changed (`devloop.*` colours). */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Session } from "../session";
import { Throttle } from "../throttle";
import { marks, type Span } from "./decoration-lines";

const PAUSE_MS = 60;

export function register(context: Context): void {
  const dimmed = vscode.window.createTextEditorDecorationType({ opacity: "0.55" });
  const running = lineMark("devloop.runningLineBackground", "devloop.runningLineBorder");
  const waiting = lineMark("devloop.waitingLineBackground", "devloop.waitingLineBorder");

  /** What each editor shows: it is told only what differs, since one that is about to close would not know the call. */
  const drawnIn = new WeakMap<vscode.TextEditor, string>();
  const draw = (editor: vscode.TextEditor, session: Session) => {
    const { document } = editor;
    const shown = settings(document.uri).get("decorations", true) ? session.plan : undefined;
    const found = marks(shown ?? { tasks: [] }, (at) => document.lineAt(at).text, document.lineCount);
    const looks = JSON.stringify([document.uri.toString(), document.version, found]);
    if (drawnIn.get(editor) === looks) {
      return;
    }
    drawnIn.set(editor, looks);
    editor.setDecorations(
      dimmed,
      found.dimmed.map((span) => rangeOf(document, span)),
    );
    editor.setDecorations(running, found.running.map(lineRange));
    editor.setDecorations(waiting, found.waiting.map(lineRange));
  };

  const drawAll = () => {
    for (const editor of vscode.window.visibleTextEditors) {
      const session = planSession(context, editor.document);
      if (session !== undefined) {
        draw(editor, session);
      }
    }
  };
  const drawn = new Throttle(drawAll, PAUSE_MS);

  context.extension.subscriptions.push(
    dimmed,
    running,
    waiting,
    drawn,
    context.sessions.onDidChange(drawn.ask),
    context.sessions.onDidChangeData(drawn.ask),
    vscode.window.onDidChangeVisibleTextEditors(drawn.ask),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("devloop.decorations")) {
        drawn.ask();
      }
    }),
  );
  drawn.ask();
}

/** The session whose plan the document is; archived and foreign plans are left as they are. */
function planSession(context: Context, document: vscode.TextDocument): Session | undefined {
  const session = document.uri.scheme === "file" ? context.sessions.of(document.uri) : undefined;
  if (session === undefined) {
    return undefined;
  }
  const path = session.plan === undefined ? undefined : vscode.Uri.parse(session.plan.uri).fsPath;
  const known = session.plan === undefined ? document.uri.fsPath : path;
  return known === document.uri.fsPath && document.languageId === "markdown" ? session : undefined;
}

function lineMark(background: string, border: string): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor(background),
    borderColor: new vscode.ThemeColor(border),
    borderStyle: "solid",
    borderWidth: "0 0 0 3px",
    overviewRulerColor: new vscode.ThemeColor(border),
    overviewRulerLane: vscode.OverviewRulerLane.Left,
  });
}

function rangeOf(document: vscode.TextDocument, { first, last }: Span): vscode.Range {
  return new vscode.Range(first, 0, last, document.lineAt(last).text.length);
}

function lineRange(line: number): vscode.Range {
  return new vscode.Range(line, 0, line, 0);
}

function settings(uri: vscode.Uri): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration("devloop", uri);
}
