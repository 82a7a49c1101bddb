/** Where the server could be, in the order in which it is looked for. Pure: what exists is asked through `Machine`. */

export type Source = "serverCommand" | "interpreter" | "python" | "path";

export interface Candidate {
  readonly source: Source;
  /** For people: where this comes from. */
  readonly label: string;
  readonly command: readonly string[];
  /** The interpreter that must be able to import devloop; undefined where nothing has to be tried first. */
  readonly interpreter?: string;
}

/** What the person set, and what the machine offers. */
export interface Wishes {
  readonly serverCommand: readonly string[];
  readonly interpreter: string;
  /** What the Python extension has selected for the folder; undefined without that extension. */
  readonly selected: string | undefined;
  /** The PATH variable, split. */
  readonly path: readonly string[];
  readonly windows: boolean;
  /** The folder that is worked on. */
  readonly folder: string;
  /** False in restricted mode: nothing that lies in the folder may be started then. */
  readonly trusted: boolean;
}

export interface Machine {
  isExecutable(path: string): Promise<boolean>;
  canImport(interpreter: string): Promise<boolean>;
}

export type Located =
  | { readonly found: Candidate; readonly tried: readonly string[] }
  | { readonly found: undefined; readonly tried: readonly string[] };

/** `-P` keeps the current folder, which is the repository, out of Python's search path. */
export function moduleCommand(interpreter: string): readonly string[] {
  return [interpreter, "-P", "-m", "devloop", "lsp"];
}

/** All that could be the server, first choice first. What the person set is taken by its word and ends the list. */
export function candidates(wishes: Wishes): readonly Candidate[] {
  const command = wishes.serverCommand.filter((part) => part !== "");
  if (command.length > 0) {
    return [{ source: "serverCommand", label: "the setting devloop.serverCommand", command }];
  }
  const interpreter = wishes.interpreter.trim();
  if (interpreter !== "") {
    return [{ source: "interpreter", label: "the setting devloop.interpreter", command: moduleCommand(interpreter) }];
  }
  const found: Candidate[] = [];
  if (wishes.selected !== undefined && allowed(wishes.selected, wishes)) {
    found.push({
      source: "python",
      label: "the interpreter selected in the Python extension",
      command: moduleCommand(wishes.selected),
      interpreter: wishes.selected,
    });
  }
  for (const program of onPath("devloop", wishes)) {
    found.push({ source: "path", label: "devloop on PATH", command: [program, "lsp"] });
  }
  return found;
}

/** Where a bare name could be; never relative to the current folder. Windows starts no scripts without a shell. */
function onPath(name: string, wishes: Wishes): readonly string[] {
  const file = wishes.windows && !/\.\w+$/.test(name) ? `${name}.exe` : name;
  const able = wishes.path.filter((directory) => isAbsolute(directory) && allowed(directory, wishes));
  return able.map((directory) => join(directory, file, wishes.windows));
}

/**
 * What the person set, with its program as a whole path: a relative one is meant in the folder, a bare name on PATH. How
 * that is taken would otherwise depend on the system, and Windows looks into the folder for bare names first.
 */
async function settled(candidate: Candidate, wishes: Wishes, machine: Machine): Promise<Candidate | string> {
  const [program = "", ...rest] = candidate.command;
  let path: string | undefined = program;
  if (/[\\/]/.test(wishes.windows ? program : program.replaceAll("\\", ""))) {
    path = isAbsolute(program) ? program : join(wishes.folder, program.replace(/^(?:\.[\\/]+)+/, ""), wishes.windows);
  } else {
    path = await first(onPath(program, wishes), machine);
  }
  if (path === undefined) {
    return `${candidate.label} names ${program}, which is not on PATH`;
  }
  return allowed(path, wishes)
    ? { ...candidate, command: [path, ...rest] }
    : `${candidate.label} names ${program}, which lies in this folder, and that is not trusted`;
}

async function first(paths: readonly string[], machine: Machine): Promise<string | undefined> {
  for (const path of paths) {
    if (await machine.isExecutable(path)) {
      return path;
    }
  }
  return undefined;
}

/** The first candidate that is there. `tried` names, for people, what was looked at and not usable. */
export async function locate(wishes: Wishes, machine: Machine): Promise<Located> {
  const tried: string[] = [];
  for (const candidate of candidates(wishes)) {
    if (candidate.source === "serverCommand" || candidate.source === "interpreter") {
      const found = await settled(candidate, wishes, machine);
      return typeof found === "string" ? { found: undefined, tried: [found] } : { found, tried };
    }
    if (candidate.interpreter !== undefined) {
      if (await machine.canImport(candidate.interpreter)) {
        return { found: candidate, tried };
      }
      tried.push(`the selected Python interpreter ${candidate.interpreter} has no devloop`);
    } else if (await machine.isExecutable(candidate.command[0] ?? "")) {
      return { found: candidate, tried };
    }
  }
  if (wishes.selected !== undefined && !allowed(wishes.selected, wishes)) {
    tried.push(`the selected Python interpreter ${wishes.selected} lies in this folder, which is not trusted`);
  }
  tried.push("there is no devloop on PATH");
  return { found: undefined, tried };
}

function allowed(path: string, wishes: Wishes): boolean {
  return wishes.trusted || !within(path, wishes.folder, wishes.windows);
}

function within(path: string, folder: string, windows: boolean): boolean {
  const plain = (text: string) => {
    const slashed = windows ? text.replaceAll("\\", "/").toLowerCase() : text;
    return resolveDots(slashed).replace(/\/+$/, "");
  };
  const inner = plain(path);
  const outer = plain(folder);
  return inner === outer || inner.startsWith(`${outer}/`);
}

function resolveDots(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") {
      parts.pop();
    } else if (part !== ".") {
      parts.push(part);
    }
  }
  return parts.join("/");
}

function isAbsolute(path: string): boolean {
  return path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path) || path.startsWith("\\\\");
}

function join(directory: string, name: string, windows: boolean): string {
  const separator = windows ? "\\" : "/";
  return directory.endsWith(separator) ? `${directory}${name}` : `${directory}${separator}${name}`;
}
