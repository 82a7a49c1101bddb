/** `vscode://devloop.devloop/run/<id>`: anybody can make such a link, so it is read strictly. Pure. */

const RUN = /^\/run\/([A-Za-z0-9][A-Za-z0-9._-]{0,150})$/;

/** The run that a link names; undefined for any other link. */
export function runOf(path: string): string | undefined {
  return RUN.exec(path)?.[1];
}
