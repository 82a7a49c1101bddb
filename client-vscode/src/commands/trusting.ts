/** `Devloop: Trust`: what the repository wants to execute, read first, then accepted with one click for exactly that. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { CommandArguments, TrustItem } from "../protocol";
import { counted, plainLabel } from "../views/text";
import { sessionOf } from "./ask";
import type { Documents } from "./documents";
import { pending, shown, trustText } from "./trust-text";

const PAGE = "Trust";
const MOST = 200;

export async function trust(context: Context, documents: Documents, given: CommandArguments): Promise<void> {
  const session = sessionOf(context, given);
  const { items } = await session.request<{ readonly items: readonly TrustItem[] }>("devloop/trust");
  await documents.show(PAGE, trustText(session.folder.name, items), false);
  const waiting = pending(items);
  if (waiting.length === 0) {
    return;
  }
  if (session.state.kind === "running" && session.state.restricted) {
    void vscode.window.showInformationMessage("Restricted mode: trust the folder in VS Code first.");
    return;
  }
  const all: vscode.MessageItem = { title: waiting.length === 1 ? "Trust It" : `Trust All ${waiting.length}` };
  const some: vscode.MessageItem = { title: "Choose…" };
  const question = `Trust what is shown? ${counted(waiting.length, "item")} of this repository will count for devloop as it stands there.`;
  const chosen = await vscode.window.showWarningMessage(question, all, ...(waiting.length > 1 ? [some] : []));
  const accepted = chosen === all ? waiting : chosen === some ? await choose(waiting) : [];
  if (accepted.length === 0) {
    return;
  }
  // The hashes are those of the page: what changed since then is refused by the server.
  const answer = await session.request<{ readonly items: readonly TrustItem[] }>("devloop/trust/accept", {
    items: shown(accepted),
  });
  await documents.show(PAGE, trustText(session.folder.name, answer.items), false);
}

async function choose(items: readonly TrustItem[]): Promise<readonly TrustItem[]> {
  const rows = items.slice(0, MOST).map((item) => ({ label: plainLabel(item.key), description: item.kind, item }));
  const chosen = await vscode.window.showQuickPick(rows, {
    canPickMany: true,
    placeHolder: "Trust which of them?",
    ignoreFocusOut: true, // the page is read meanwhile
  });
  return (chosen ?? []).map((row) => row.item);
}
