/** What an empty view says. */
import type { Session } from "../session";

/** `none`: no plan, or no folder that uses devloop; `busy`: nothing is known yet. */
export type Stands = "none" | "busy" | "failed" | "missing" | "stopped" | "plan";

export function standsOf(sessions: readonly Pick<Session, "state" | "status" | "plan">[]): Stands {
  if (sessions.length === 0) {
    return "none";
  }
  if (sessions.some((each) => each.plan !== undefined)) {
    return "plan";
  }
  const kinds = sessions.map((each) => each.state.kind);
  if (kinds.includes("starting")) {
    return "busy";
  }
  if (kinds.includes("running")) {
    const told = sessions.some((each) => each.state.kind === "running" && each.status?.plan.path === null);
    return told ? "none" : "busy";
  }
  return kinds.includes("failed") ? "failed" : kinds.includes("missing") ? "missing" : "stopped";
}
