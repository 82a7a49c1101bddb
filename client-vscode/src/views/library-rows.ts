/** The rows of the Skills & agents view. */
import type { Agent, Library, LibraryProblem, Skill } from "../protocol";
import { contextOf, type Icon, type Row, row } from "./rows";
import { counted, escaped, joined, oneLine } from "./text";

export type LibrarySubject =
  | { readonly kind: "folder" }
  | { readonly kind: "group" }
  /** `line` from 1; 0 for the file's beginning. */
  | { readonly kind: "entry"; readonly path: string; readonly line: number };
type LibraryRow = Row<LibrarySubject>;

/**
 * Agents, then skills, then what is wrong with their files; in each group what the task would use comes first, and what
 * is not loaded last. `folder` makes ids unique.
 */
export function libraryRows(library: Library, folder: string): LibraryRow[] {
  const problems = [...(library.agent_problems ?? []), ...(library.problems ?? [])];
  const of = problemsByPath(problems);
  return [
    group(
      "Agents",
      library.agents.map((agent) => agentRow(agent, `${folder} agent`, of)),
      folder,
    ),
    group(
      "Skills",
      library.skills.map((skill) => skillRow(skill, `${folder} skill`, of)),
      folder,
    ),
    ...(problems.length > 0 ? [problemGroup(problems, folder)] : []),
  ];
}

type Problems = ReadonlyMap<string, readonly LibraryProblem[]>;

function problemsByPath(problems: readonly LibraryProblem[]): Problems {
  const found = new Map<string, LibraryProblem[]>();
  for (const problem of problems) {
    found.set(problem.path, [...(found.get(problem.path) ?? []), problem]);
  }
  return found;
}

const MOST_PROBLEMS = 100;

function problemGroup(problems: readonly LibraryProblem[], folder: string): LibraryRow {
  return row<LibrarySubject>({
    id: `${folder} problems`,
    label: "Problems",
    description: `${problems.length}`,
    spoken: counted(problems.length, "problem"),
    context: contextOf("group"),
    expand: "open",
    children: problems.slice(0, MOST_PROBLEMS).map((problem, at) => problemRow(problem, `${folder} problem ${at}`)),
    subject: { kind: "group" },
  });
}

function problemRow({ path, line, severity, message }: LibraryProblem, id: string): LibraryRow {
  const error = severity === "error";
  const place = `${oneLine(path.split(/[\\/]/).slice(-2).join("/"), 80)}${line > 0 ? `:${line}` : ""}`;
  return row<LibrarySubject>({
    id,
    label: oneLine(message, 160),
    description: place,
    icon: error ? { id: "error", color: "list.errorForeground" } : WARNING,
    tooltip: `${escaped(message, 600)}  \n${escaped(path, 300)}`,
    spoken: `${error ? "Error" : "Warning"}: ${oneLine(message, 160)}, ${place}`,
    context: contextOf("entry", path !== "" && "has-file"),
    click: path !== "",
    subject: { kind: "entry", path, line },
  });
}

const WARNING: Icon = { id: "warning", color: "list.warningForeground" };

interface Made {
  readonly used: boolean;
  readonly made: LibraryRow;
}

function group(label: string, entries: readonly Made[], folder: string): LibraryRow {
  const used = entries.filter((each) => each.used);
  const rest = entries.filter((each) => !each.used).sort((a, b) => Number(a.made.dim) - Number(b.made.dim));
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

function agentRow(agent: Agent, prefix: string, problems: Problems): Made {
  const modes = agent.modes.map((mode) => (typeof mode === "string" ? mode : mode.name));
  const more = modes.length > 0 ? `Modes: ${modes.map((mode) => escaped(mode, 40)).join(", ")}` : "";
  return entry({ ...agent, prefix, icon: "person", kind: "Agent", more, problems });
}

function skillRow(skill: Skill, prefix: string, problems: Problems): Made {
  const triggers = skill.triggers.slice(0, 12).map((trigger) => escaped(trigger, 60));
  const more = [
    triggers.length > 0 && `Triggers: ${triggers.join(", ")}`,
    skill.chars !== undefined && `${skill.chars} characters`,
  ];
  return entry({ ...skill, prefix, icon: "book", kind: "Skill", more: more.filter(Boolean).join("  \n"), problems });
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
  readonly state?: string;
  readonly note?: string;
  readonly problems: Problems;
}

const STATES: Readonly<Record<string, { readonly said: string; readonly icon: Icon }>> = {
  untrusted: { said: "not trusted yet", icon: { id: "shield", color: "list.warningForeground" } },
  overridden: { said: "overridden", icon: { id: "circle-slash" } },
};

function entry(given: Entry): Made {
  const state = STATES[given.state ?? ""];
  const inert = state !== undefined;
  const problems = given.problems.get(given.path) ?? [];
  const why = given.why && !inert ? oneLine(given.why) : "";
  const label = oneLine(given.name, 80);
  const source = SOURCES[given.source] ?? oneLine(given.source, 60);
  const lines = [
    `**${escaped(given.name)}** ${escaped(given.description, 400)}`,
    why && `For this task: ${escaped(why)}`,
    inert && `Not loaded: ${state.said}`,
    given.note && escaped(given.note, 400),
    ...problems.slice(0, 3).map((each) => `Problem: ${escaped(each.message, 300)}`),
    given.more,
    `From: ${escaped(joined(source, given.path), 300)}`,
  ];
  const made = row<LibrarySubject>({
    id: `${given.prefix} ${given.name} ${given.path}`,
    label,
    description: joined(why || state?.said || source, problems.length > 0 && counted(problems.length, "problem")),
    icon:
      state?.icon ??
      (problems.length > 0 ? WARNING : why ? { id: given.icon, color: "charts.blue" } : { id: given.icon }),
    tooltip: lines.filter(Boolean).join("  \n"),
    spoken: [
      `${given.kind} ${label}`,
      why ? `for this task: ${why}` : `from ${source}`,
      inert && `not loaded, ${state.said}`,
      problems.length > 0 && counted(problems.length, "problem"),
    ]
      .filter(Boolean)
      .join(", "),
    context: contextOf("entry", given.path !== "" && "has-file", given.state === "untrusted" && "untrusted"),
    dim: inert,
    click: given.path !== "",
    subject: { kind: "entry", path: given.path, line: 0 },
  });
  return { used: why !== "", made };
}
