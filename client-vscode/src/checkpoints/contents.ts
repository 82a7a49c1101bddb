/** Read-only documents: a file as a run found it, and as the run left it. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Content } from "../protocol";
import type { Session } from "../session";
import { fileName, oneLine } from "../views/text";
import { type Address, addressOf, queryOf, SCHEME, textOf } from "./files";

const PATIENCE_MS = 5_000;

export function uriOf(address: Address): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: `/${address.path}`, query: queryOf(address) });
}

export function sessionAt(context: Context, folder: string): Session | undefined {
  return context.sessions.all.find((each) => each.folder.uri.toString() === folder);
}

/** An editor that is there again after a reload asks before its folder's session is there. */
function sessionSoon(context: Context, folder: string): Promise<Session | undefined> {
  return new Promise((resolve) => {
    const look = (): void => {
      const found = sessionAt(context, folder);
      if (found !== undefined) {
        end(found);
      }
    };
    const end = (found: Session | undefined): void => {
      clearTimeout(late);
      listener.dispose();
      resolve(found);
    };
    const listener = context.sessions.onDidChange(look);
    const late = setTimeout(() => end(undefined), PATIENCE_MS);
    look();
  });
}

export function registerContents(context: Context): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    async provideTextDocumentContent(uri): Promise<string> {
      const address = addressOf(uri);
      const session = address && (await sessionSoon(context, address.folder));
      if (address === undefined || session === undefined) {
        return "This is a file of a run in a folder that is not open here.\n";
      }
      const { run, path, side, at } = address;
      const commit = at === "" ? {} : { commit: at };
      try {
        return textOf(await session.request<Content>("devloop/content", { run, path, side, ...commit }), path);
      } catch (problem) {
        return `${fileName(path)} can't be shown: ${oneLine(problem instanceof Error ? problem.message : String(problem), 400)}\n`;
      }
    },
  });
}
