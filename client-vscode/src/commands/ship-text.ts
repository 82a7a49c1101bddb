/** What a release would be, as a page, and what can be done about it. Pure. */

import { counted, oneLine, plainLabel } from "../views/text";

export interface Found {
  readonly severity: string;
  readonly kind: string;
  readonly path: string;
  /** 0 for the file as a whole. */
  readonly line: number;
  readonly text: string;
}

/** The answer to `devloop.ship` with `preview`. */
export interface Release {
  readonly since: string | null;
  readonly version: string;
  readonly tag: string;
  readonly commits: number;
  readonly changelog: string;
  readonly files: readonly string[];
  readonly found: readonly Found[];
  readonly open_tasks: readonly string[];
  readonly notes: readonly string[];
}

export interface ShipRow {
  readonly label: string;
  readonly description?: string;
  readonly does: "ship" | "tag" | "version";
}

export function blockers(release: Release): readonly Found[] {
  return release.found.filter((each) => each.severity === "blocker");
}

export function shipText(release: Release): string {
  const stops = blockers(release);
  const others = release.found.filter((each) => !stops.includes(each));
  const since = release.since === null ? "the beginning" : oneLine(release.since, 80);
  return [
    `# Version ${oneLine(release.version, 40)}`,
    "",
    `${counted(release.commits, "commit")} since ${since}. Tag: ${oneLine(release.tag, 80)}.`,
    ...list("What should not go out", stops.map(said)),
    ...list("Worth a look", others.map(said)),
    ...list("Files that change", release.files),
    ...list("Tasks of the plan that are not done", release.open_tasks),
    ...list("Notes", release.notes),
    "",
    "## Changelog",
    "",
    ...release.changelog
      .trim()
      .split("\n")
      .map((line) => `    ${oneLine(line, 400)}`.trimEnd()),
    "",
  ].join("\n");
}

export function shipRows(release: Release): readonly ShipRow[] {
  const stops = blockers(release).length;
  const anyway = stops > 0 ? " anyway…" : "";
  const description = stops > 0 ? `${counted(stops, "thing")} should not go out; you say why` : "";
  const version = plainLabel(release.version, 40);
  return [
    { label: `$(package) Ship ${version}${anyway}`, description, does: "ship" },
    { label: `$(tag) Ship ${version} and tag ${plainLabel(release.tag, 60)}${anyway}`, description, does: "tag" },
    { label: "$(edit) Another version…", does: "version" },
  ];
}

function said({ path, line, kind, text }: Found): string {
  return `${path}${line > 0 ? `:${line}` : ""} ${kind}: ${text}`;
}

function list(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : ["", `## ${title}`, "", ...items.map((each) => `- ${oneLine(each, 300)}`)];
}
