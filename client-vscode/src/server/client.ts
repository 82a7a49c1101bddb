/** The language client of one folder: vscode-languageclient without what we do ourselves. */

import type * as vscode from "vscode";
import {
  type ClientCapabilities,
  CloseAction,
  type DynamicFeature,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  State,
  type StaticFeature,
} from "vscode-languageclient/node";
import { ownPattern, planPattern } from "./plan-files";
import type { ServerProcess } from "./process";

/** This client shows status, events and checkpoints itself; the server then asks no questions about checkpoints. */
const DECLARED: StaticFeature = {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const experimental: Record<string, unknown> = { ...(capabilities.experimental as object | undefined) };
    experimental["devloop"] = { status: true, event: true, checkpoints: true };
    capabilities.experimental = experimental;
  },
  initialize: () => undefined,
  getState: () => ({ kind: "static" }),
  clear: () => undefined,
};

export class Client extends LanguageClient {
  private ending = false;

  constructor(
    folder: vscode.WorkspaceFolder,
    options: Readonly<Record<string, unknown>>,
    log: vscode.LogOutputChannel,
    start: () => Promise<ServerProcess>,
  ) {
    const settings: LanguageClientOptions = {
      documentSelector: [
        { scheme: "file", pattern: planPattern(folder.uri.fsPath) },
        { scheme: "file", pattern: ownPattern(folder.uri.fsPath) },
      ],
      workspaceFolder: folder,
      outputChannel: log,
      traceOutputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: options,
      diagnosticCollectionName: `devloop.pushed ${folder.uri.toString()}`, // pulled ones stand in a collection by the server's own name
      markdown: { isTrusted: false, supportHtml: false },
      initializationFailedHandler: () => false,
      // Restarting is the session's: it looks for the server anew and knows what to tell.
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
      },
    };
    super(
      "devloop",
      "Devloop",
      async () => {
        const process = await start();
        return { reader: process.reader, writer: process.writer };
      },
      settings,
    );
    super.registerFeature(DECLARED);
  }

  /** The server's commands would be registered for all of VS Code, and a second folder's would fail: `commands/` has them. */
  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    if ("registrationType" in feature && feature.registrationType.method === "workspace/executeCommand") {
      return;
    }
    super.registerFeature(feature);
  }

  /**
   * What goes wrong is in the session's state, which says it once; the library would put up a message of its own. What
   * fails because the client ends is nobody's news, and the log may be closed by then.
   */
  override error(message: string, data?: unknown, _show?: boolean | "force"): void {
    if (!this.ending) {
      super.error(message, data, false);
    }
  }

  /** A client that never came to run has nothing to stop; the library would reject without anybody listening. */
  override async stop(timeout?: number): Promise<void> {
    this.ending = true;
    if (this.state === State.Running) {
      await super.stop(timeout);
    }
  }
}
