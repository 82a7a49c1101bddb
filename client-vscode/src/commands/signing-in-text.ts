/** What a person is told of a key that was stored or removed. Pure; the answers come from `devloop login --json`. */

import { oneLine } from "../views/text";

const PLACES: Readonly<Record<string, string>> = {
  keyring: "the system's keyring",
  file: "a file that only you can read",
  environment: "a variable of the environment",
  config: "your settings",
};

/** With what counts before it, where that is another one. */
export function signedIn(answer: unknown): string {
  const stored = word(answer, "stored");
  const source = word(answer, "source");
  const kept = `The key is kept in ${PLACES[stored] ?? "devloop's care"}`;
  return source === "environment" || source === "config"
    ? `${kept}. It does not count now: ${PLACES[source]} comes first (${oneLine(word(answer, "place"), 120)}).`
    : `Signed in. ${kept}${serviceOf(answer)}.`;
}

export function signedOut(answer: unknown): string {
  return word(answer, "removed") === ""
    ? `No key${serviceOf(answer)} was stored.`
    : `The key${serviceOf(answer)} is removed.`;
}

function serviceOf(answer: unknown): string {
  const url = word(answer, "base_url");
  return url === "" ? "" : ` for ${oneLine(url, 80)}`;
}

function word(answer: unknown, name: string): string {
  const found: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, name) : undefined;
  return typeof found === "string" ? found : "";
}
