/** What a command was called with: a lens, a tree row, a key or a person may have done it. Pure. */

import type { CommandArguments, Decision, TaskReference } from "../protocol";

const LONGEST = 100_000;
const PROPOSAL = ["plan"] as const;

/** Only what we know, and only of the right type: anybody can call a command with anything. */
export function read(given: unknown): CommandArguments {
  if (typeof given !== "object" || given === null) {
    return {};
  }
  if (isUri(given)) {
    return { uri: given.toString() };
  }
  const from = given as Readonly<Record<string, unknown>>;
  const uri = isUri(from["uri"]) ? from["uri"].toString() : text(from["uri"]);
  const decision = text(from["decision"]) as Decision | undefined;
  return withoutNothing({
    uri,
    task: task(from["task"]),
    run: text(from["run"]),
    decision,
    checkpoint: whole(from["checkpoint"]),
    phase: text(from["phase"]),
    message: text(from["message"]),
    leave_out: isProposal(from["leave_out"]) ? PROPOSAL : undefined,
    limit: whole(from["limit"]),
    finding: text(from["finding"]),
    review: text(from["review"]),
  });
}

/** A task by name (`"1.2"`) or as the server told it. */
function task(given: unknown): TaskReference | undefined {
  if (typeof given === "string") {
    return given === "" ? undefined : { id: given.slice(0, LONGEST) };
  }
  if (typeof given !== "object" || given === null) {
    return undefined;
  }
  const from = given as Readonly<Record<string, unknown>>;
  const found = withoutNothing({
    id: text(from["id"]) ?? "",
    key: text(from["key"]),
    title: text(from["title"]),
    line: whole(from["line"]),
  });
  return found.id === "" && found.line === undefined && found.key === undefined ? undefined : found;
}

type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** `exactOptionalPropertyTypes`: a key without a value is left out, since the server takes none. */
function withoutNothing<T extends object>(from: T): Partial<Present<T>> & Pick<T, RequiredKeys<T>> {
  const entries = Object.entries(from).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Present<T>> & Pick<T, RequiredKeys<T>>;
}
type RequiredKeys<T> = { [K in keyof T]-?: undefined extends T[K] ? never : K }[keyof T];

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, LONGEST) : undefined;
}

/** The proposal alone: files are left out where a person sees them, in the review. */
function isProposal(value: unknown): boolean {
  return Array.isArray(value) && value.length === 1 && value[0] === PROPOSAL[0];
}

function whole(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1 ? value : undefined;
}

function isUri(value: unknown): value is { toString(): string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "scheme" in value &&
    typeof value.scheme === "string" &&
    "path" in value &&
    typeof value.path === "string"
  );
}
