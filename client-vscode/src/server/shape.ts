/** The least that the server's news must be, so that one wrong message breaks no view: the rest is read as it comes. Pure. */

import type { DevloopEvent, Plan, Status } from "../protocol";

export function isStatus(value: unknown): value is Status {
  return isRecord(value) && Array.isArray(value["runs"]) && value["runs"].every(isRecord) && isRecord(value["plan"]);
}

export function isPlan(value: unknown): value is Plan {
  return isRecord(value) && ["tasks", "phases", "problems"].every((name) => isRecords(value[name]));
}

/** The events of a `devloop/event`, without those that are none. */
export function eventsIn(value: unknown): readonly DevloopEvent[] {
  const events = isRecord(value) && Array.isArray(value["events"]) ? value["events"] : [];
  return events.filter(isEvent);
}

function isEvent(value: unknown): value is DevloopEvent {
  return isRecord(value) && typeof value["kind"] === "string" && isRecord(value["data"]);
}

function isRecords(value: unknown): boolean {
  return Array.isArray(value) && value.every(isRecord);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
