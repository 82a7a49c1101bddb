/**
 * `vscode://devloop.devloop/run/<id>?folder=<path>`: anybody can make such a link, so it is read strictly. The folder
 * may be missing; two folders may have runs of the same name. Pure.
 */

const RUN = /^\/run\/([A-Za-z0-9][A-Za-z0-9._-]{0,150})$/;
const FOLDER = /^folder=([^\p{Cc}]{1,4096})$/u;

export interface RunLink {
  readonly run: string;
  /** The path of a workspace folder's URI. */
  readonly folder: string | undefined;
}

/** The run that a link names; undefined for any other link. `path` and `query` as VS Code decoded them. */
export function runLink(path: string, query: string): RunLink | undefined {
  const run = RUN.exec(path)?.[1];
  const folder = FOLDER.exec(query)?.[1];
  return run === undefined || (query !== "" && folder === undefined)
    ? undefined
    : { run, folder: folder && bare(folder) };
}

/** `scheme`: that of this editor, such as `vscode` or `vscodium`. */
export function linkTo(scheme: string, run: string, folder: string): string {
  return `${scheme}://devloop.devloop/run/${encodeURIComponent(run)}?folder=${encodeURIComponent(bare(folder))}`;
}

/** Folders are compared without a slash at their end. */
export function bare(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}
