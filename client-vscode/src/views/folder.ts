/** Which session a row belongs to. */
import type { Context } from "../context";
import type { Session } from "../session";
import type { Node } from "./rows";

/** How rows name their session. */
export function key(session: Session): string {
  return session.folder.uri.toString();
}

export function sessionOf(context: Context, node: Node<{ readonly folder: string }>): Session | undefined {
  const { folder } = node.row.subject;
  return context.sessions.all.find((session) => key(session) === folder);
}

/** What is said of a folder that has nothing to show. */
export function standing(session: Session): string {
  switch (session.state.kind) {
    case "failed":
      return "the server failed";
    case "missing":
      return "no server";
    case "starting":
      return "starting";
    case "stopped":
      return "stopped";
    default:
      return session.status?.plan.path === null ? "no plan" : "";
  }
}
