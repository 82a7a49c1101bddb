/** The rows of the Skills & agents view. */
import type { Agent, Library, Skill } from "../protocol";
import { contextOf, type Row, row } from "./rows";
import { counted, escaped, joined, oneLine } from "./text";

export type LibrarySubject =
  | { readonly kind: "folder" }
  | { readonly kind: "group" }
  | { readonly kind: "entry"; readonly path: string };
type LibraryRow = Row<LibrarySubject>;

/** Agents, then skills; in each group what the task would use comes first. `folder` makes ids unique. */
export function libraryRows(library: Library, folder: string): LibraryRow[] {
  return [
    group(
      "Agents",
      library.agents.map((agent) => agentRow(agent, `${folder} agent`)),
      folder,
    ),
    group(
      "Skills",
      library.skills.map((skill) => skillRow(skill, `${folder} skill`)),
      folder,
    ),
  ];
}

function group(label: string, entries: readonly { used: boolean; made: LibraryRow }[], folder: string): LibraryRow {
  const used = entries.filter((each) => each.used);
  const rest = entries.filter((each) => !each.used);
  return row<LibrarySubject>({
    id: `${folder} ${label}`,
    label,
    description: used.length > 0 ? `${used.length} of ${entries.length} for this task` : `${entries.length}`,
    spoken: joined(label, counted(entries.length, "entry").replace(/entrys$/, "entries")).replaceAll(" · ", ", "),
    context: contextOf("group"),
    expand: entries.length > 0 ? "open" : "none",
    children: [...used, ...rest].map((each) => each.made),
    subject: { kind: "group" },
  });
}

function agentRow(agent: Agent, prefix: string): { used: boolean; made: LibraryRow } {
  const modes = agent.modes.map((mode) => (typeof mode === "string" ? mode : mode.name));
  const more = modes.length > 0 ? `Modes: ${modes.map((mode) => escaped(mode, 40)).join(", ")}` : "";
  return entry({ ...agent, prefix, icon: "person", kind: "Agent", more });
}

function skillRow(skill: Skill, prefix: string): { used: boolean; made: LibraryRow } {
  const triggers = skill.triggers.slice(0, 12).map((trigger) => escaped(trigger, 60));
  const more = [
    triggers.length > 0 && `Triggers: ${triggers.join(", ")}`,
    skill.chars !== undefined && `${skill.chars} characters`,
  ];
  return entry({ ...skill, prefix, icon: "book", kind: "Skill", more: more.filter(Boolean).join("  \n") });
}

const SOURCES: Readonly<Record<string, string>> = { shipped: "devloop" };

interface Entry {
  readonly name: string;
  readonly description: string;
  readonly path: string;
  readonly source: string;
  readonly why?: string | null;
  readonly prefix: string;
  readonly icon: string;
  readonly kind: string;
  readonly more: string;
}

function entry(given: Entry): { used: boolean; made: LibraryRow } {
  const why = given.why ? oneLine(given.why) : "";
  const label = oneLine(given.name, 80);
  const source = SOURCES[given.source] ?? oneLine(given.source, 60);
  const lines = [
    `**${escaped(given.name)}** ${escaped(given.description, 400)}`,
    why && `For this task: ${escaped(why)}`,
    given.more,
    `From: ${escaped(joined(source, given.path), 300)}`,
  ];
  const made = row<LibrarySubject>({
    id: `${given.prefix} ${given.name} ${given.path}`,
    label,
    description: why || source,
    icon: why ? { id: given.icon, color: "charts.blue" } : { id: given.icon },
    tooltip: lines.filter(Boolean).join("  \n"),
    spoken: [`${given.kind} ${label}`, why ? `for this task: ${why}` : `from ${source}`].join(", "),
    context: contextOf("entry", given.path !== "" && "has-file"),
    click: given.path !== "",
    subject: { kind: "entry", path: given.path },
  });
  return { used: why !== "", made };
}
