/** What accepting makes of the plan: the plan now against the plan as it would be, in VS Code's diff. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { Proposal } from "../protocol";
import { oneLine } from "../views/text";
import { nameOf } from "./content";
import type { Place } from "./places";

const SCHEME = "devloop-proposal";
type Side = "now" | "then" | "patch";
/** Texts are remembered as long as that many: a tab that outlives them says so. */
const MOST_KEPT = 20;

export class Proposals implements vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly registration: vscode.Disposable;

  constructor(private readonly context: Context) {
    this.registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      provideTextDocumentContent: (uri) =>
        this.texts.get(uri.toString()) ?? "This proposal is of a checkpoint that is over.\n",
    });
  }

  dispose(): void {
    this.registration.dispose();
  }

  async open(place: Place): Promise<void> {
    const { proposal } = place.content;
    if (!proposal?.patch) {
      void vscode.window.showInformationMessage("Accepting this would not change the plan.");
      return;
    }
    const title = oneLine(`Plan Changes of ${nameOf(place.run, 60)}`);
    if (proposal.text === null) {
      const document = await vscode.workspace.openTextDocument(this.put(place, proposal, "patch", proposal.patch));
      await vscode.window.showTextDocument(document, { preview: false });
      return;
    }
    const then = this.put(place, proposal, "then", proposal.text);
    const plan = place.session.plan;
    const there = proposal.exists && plan !== undefined;
    const now = there ? vscode.Uri.parse(plan.uri) : this.put(place, proposal, "now", "");
    await vscode.commands.executeCommand("vscode.diff", now, then, title, { preview: false });
  }

  /** It is decided: its editors go. */
  async close(place: Place): Promise<void> {
    const tabs = vscode.window.tabGroups.all
      .flatMap((group) => group.tabs)
      .filter(({ input }) => {
        const uri =
          input instanceof vscode.TabInputTextDiff
            ? input.modified
            : input instanceof vscode.TabInputText
              ? input.uri
              : undefined;
        return uri?.scheme === SCHEME && uri.query.startsWith(queryOf(place));
      });
    if (tabs.length > 0) {
      this.context.log.debug(`${place.run.id}: its proposal is decided.`);
      await vscode.window.tabGroups.close(tabs, true);
    }
  }

  private put(place: Place, proposal: Proposal, side: Side, text: string): vscode.Uri {
    const path = `/${proposal.path}${side === "patch" ? ".diff" : ""}`;
    const uri = vscode.Uri.from({ scheme: SCHEME, path, query: `${queryOf(place)}&side=${side}` });
    this.texts.delete(uri.toString());
    this.texts.set(uri.toString(), text);
    for (const old of [...this.texts.keys()].slice(0, -MOST_KEPT)) {
      this.texts.delete(old);
    }
    return uri;
  }
}

function queryOf({ session, run, content }: Place): string {
  return new URLSearchParams({
    folder: session.folder.uri.toString(),
    run: run.id,
    checkpoint: String(content.number),
  }).toString();
}
