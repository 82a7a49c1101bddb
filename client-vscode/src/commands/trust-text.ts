/** What the repository wants to execute, for reading before it is trusted. Pure. */

import type { TrustItem } from "../protocol";
import { counted, oneLine } from "../views/text";

/** Items that wait for a person and may be trusted. */
export function pending(items: readonly TrustItem[]): readonly TrustItem[] {
  return items.filter((item) => item.status === "new" || item.status === "changed");
}

/** What the page showed, and nothing else, can be accepted. */
export function shown(items: readonly TrustItem[]): readonly { readonly key: string; readonly sha256: string }[] {
  return pending(items).map(({ key, sha256 }) => ({ key, sha256 }));
}

export function trustText(folder: string, items: readonly TrustItem[]): string {
  const waiting = pending(items);
  const refused = items.filter((item) => item.status === "refused");
  const trusted = items.filter((item) => item.status === "trusted");
  const lines = [`What ${oneLine(folder, 80)} wants to execute`, ""];
  lines.push(
    waiting.length === 0
      ? "Nothing waits for your trust."
      : `${counted(waiting.length, "item")} not trusted yet. Nothing of it runs before you trust exactly what is shown here.`,
  );
  for (const item of waiting) {
    lines.push(...section(item));
  }
  if (refused.length > 0) {
    lines.push("", "Can't be trusted", "----------------");
    lines.push(...refused.map((item) => `✗ ${name(item)}: ${oneLine(item.reason ?? "", 300)}`));
  }
  if (trusted.length > 0) {
    lines.push("", "Trusted", "-------", ...trusted.map((item) => `✓ ${name(item)}`));
  }
  return `${lines.join("\n")}\n`;
}

function section(item: TrustItem): string[] {
  const changed = item.status === "changed" && item.diff !== "";
  const title = `${changed ? "Changed" : "New"}: ${name(item)}`;
  const body = changed ? ["What changed since you trusted it:", "", ...quoted(item.diff), "", "As it is now:"] : [];
  return [
    "",
    title,
    "-".repeat(Math.min(80, title.length)),
    ...(item.about === undefined ? [] : [oneLine(item.about, 300), ""]),
    ...body,
    "",
    ...quoted(item.text),
    "",
    `sha256 ${item.sha256}`,
  ];
}

/** Indented, so that no line of the text can pass for one of ours; control characters become visible. */
function quoted(text: string): string[] {
  return text
    .trimEnd()
    .split(/\r\n|\r|\n/)
    .map((each) => `    ${visible(each)}`);
}

const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function visible(text: string): string {
  return text.replace(HIDDEN, (found) => (found === "\t" ? found : `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`));
}

function name(item: TrustItem): string {
  const { key, kind, path } = item;
  const what = key.startsWith(`${kind}:`) ? key : `${kind} ${key}`;
  return `${oneLine(what, 220)}${path === "" || key.includes(path) ? "" : ` (${oneLine(path, 200)})`}`;
}
