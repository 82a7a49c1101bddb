/** Read-only pages of text: doctor, status, trust. They are remembered only as long as they are open. */

import * as vscode from "vscode";

const SCHEME = "devloop-page";

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly emitter = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration: vscode.Disposable;
  readonly onDidChange = this.emitter.event;

  constructor() {
    this.registration = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidCloseTextDocument((document) => {
        if (document.uri.scheme === SCHEME) {
          this.texts.delete(document.uri.path);
        }
      }),
    );
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? "This page is of a window that was closed. Ask for it again.\n";
  }

  uri(name: string): vscode.Uri {
    return vscode.Uri.from({ scheme: SCHEME, path: `/${name}` });
  }

  /** A page to be shown by whoever asks; one that is open already changes in place. */
  put(name: string, text: string): vscode.Uri {
    const uri = this.uri(name);
    this.texts.set(uri.path, text);
    this.emitter.fire(uri);
    return uri;
  }

  /** Show a page by name, such as `Doctor`. */
  async show(name: string, text: string, preview = true): Promise<vscode.TextEditor> {
    const uri = this.put(name, text);
    const document = await vscode.workspace.openTextDocument(uri);
    // In the empty second line no word is highlighted.
    const selection = new vscode.Range(1, 0, 1, 0);
    return await vscode.window.showTextDocument(document, { preview, preserveFocus: false, selection });
  }

  dispose(): void {
    this.registration.dispose();
    this.emitter.dispose();
  }
}
