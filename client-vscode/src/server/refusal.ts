/** What a failed request says to people. Pure. */

import { plain } from "./failure";

const METHOD_NOT_FOUND = -32601;
const LENGTH = 600;

/** The server's sentences as they are; whatever else failed, in one line. */
export function words(problem: unknown): string {
  const message = problem instanceof Error ? problem.message : String(problem);
  return plain(message, LENGTH) || "It failed without a word.";
}

export function isUnknownMethod(problem: unknown): boolean {
  return typeof problem === "object" && problem !== null && "code" in problem && problem.code === METHOD_NOT_FOUND;
}

/** The kind of a refusal of devloop's (`errors.py`); "" for whatever else failed. */
export function kindOf(problem: unknown): string {
  const cause: unknown = problem instanceof Error ? problem.cause : undefined;
  const data: unknown = typeof cause === "object" && cause !== null && "data" in cause ? cause.data : undefined;
  return typeof data === "object" && data !== null && "kind" in data && typeof data.kind === "string" ? data.kind : "";
}
