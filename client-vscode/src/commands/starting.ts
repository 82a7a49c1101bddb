/** Commands that make the server start something: the click shows at once, and one that started nothing gets its reason. */

import * as vscode from "vscode";
import type { Session } from "../session";
import { forNotice, oneLine } from "../views/text";

/** What the server answers when something was to be started. */
export interface Started {
  readonly run: string | null;
  readonly attached?: boolean;
  readonly message?: string;
}

/**
 * Have the server execute `command`. `what`, for people: `task 1.2`. A server whose engine has to start first needs a
 * moment; what was started is then told by the status item.
 */
export async function start(session: Session, command: string, args: object, what: string): Promise<Started> {
  const title = `devloop: starting ${oneLine(what, 60)}`;
  const answer = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () =>
    session.execute<Started>(command, args),
  );
  if (answer.message !== undefined && (answer.run === null || answer.attached === true)) {
    void vscode.window.showInformationMessage(forNotice(answer.message, 400));
  }
  return answer;
}
