/** `Devloop: Ship`: what the next version would be is shown first; then the person says how it is made. */

import * as vscode from "vscode";
import type { Context } from "../context";
import type { CommandArguments } from "../protocol";
import type { Session } from "../session";
import { counted } from "../views/text";
import { sessionOf } from "./ask";
import { ask } from "./beginning";
import type { Documents } from "./documents";
import { blockers, type Release, type ShipRow, shipRows, shipText } from "./ship-text";
import { start } from "./starting";

const PAGE = "Next version";

export async function ship(context: Context, documents: Documents, given: CommandArguments): Promise<unknown> {
  return await offer(sessionOf(context, given), documents, undefined);
}

/** `version`: the one that the person named; else the server works it out. */
async function offer(session: Session, documents: Documents, version: string | undefined): Promise<unknown> {
  const asked = version === undefined ? {} : { version };
  const release = await session.execute<Release>("devloop.ship", { ...asked, preview: true });
  await documents.show(PAGE, shipText(release), false);
  const chosen = await vscode.window.showQuickPick<ShipRow & vscode.QuickPickItem>(shipRows(release), {
    title: `Ship ${release.version}`,
    placeHolder: "An agent words the changelog; your gates check it; nothing is pushed",
    ignoreFocusOut: true,
  });
  if (chosen === undefined) {
    return undefined;
  }
  if (chosen.does === "version") {
    const other = await ask(`Which version? The commits ask for ${release.version}.`, "1.4.0");
    return other && (await offer(session, documents, other));
  }
  const many = blockers(release).length;
  const reason =
    many > 0
      ? await ask(`${counted(many, "thing")} should not go out. Why may ${many === 1 ? "it" : "they"}?`, "A reason")
      : "";
  if (reason === undefined) {
    return undefined;
  }
  const args = { ...asked, ...(reason === "" ? {} : { reason }), tag: chosen.does === "tag" };
  return await start(session, "devloop.ship", args, `release ${release.version}`);
}
