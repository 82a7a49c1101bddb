/** Ways to install the server: the command that a terminal will show. Pure. */

export const PACKAGE = "devloop-server";

export interface Way {
  readonly label: string;
  readonly detail: string;
  readonly command: string;
}

export function ways(interpreter: string | undefined, windows: boolean): readonly Way[] {
  const found: Way[] = [
    {
      label: "uv",
      detail: "into an environment of its own, on PATH",
      command: `uv tool install ${PACKAGE}`,
    },
    {
      label: "pipx",
      detail: "into an environment of its own, on PATH",
      command: `pipx install ${PACKAGE}`,
    },
  ];
  if (interpreter !== undefined) {
    found.unshift({
      label: "pip, in the selected Python interpreter",
      detail: interpreter,
      command: `${program(interpreter, windows)} -m pip install ${PACKAGE}`,
    });
  }
  return found;
}

/** A program's path as the shell's first word: PowerShell on Windows, a POSIX shell elsewhere. */
function program(path: string, windows: boolean): string {
  const harmless = windows ? /^[A-Za-z0-9_./:\\+-]+$/ : /^[A-Za-z0-9_./+-]+$/;
  if (harmless.test(path)) {
    return path;
  }
  return windows ? `& '${path.replaceAll("'", "''")}'` : `'${path.replaceAll("'", "'\\''")}'`;
}
