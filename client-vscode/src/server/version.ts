/** Whether this extension and a server understand each other. Pure. */

export const KNOWN_MAJOR = 0;

export interface Mismatch {
  readonly reason: string;
  readonly hint: string;
}

/** What is wrong with a server that answered `initialize`; undefined when nothing is. */
export function mismatch(info: { readonly name: string; readonly version?: string } | undefined): Mismatch | undefined {
  if (info?.name !== "devloop") {
    return {
      reason: "What was started is no devloop server.",
      hint: "Check the setting devloop.serverCommand.",
    };
  }
  const major = /^(\d+)(?:\.|$)/.exec(info.version ?? "")?.[1];
  if (major === undefined) {
    return { reason: "The server does not say its version.", hint: "Install a current devloop." };
  }
  if (Number(major) === KNOWN_MAJOR) {
    return undefined;
  }
  return {
    reason: `The server is devloop ${info.version}; this extension knows version ${KNOWN_MAJOR} only.`,
    hint: Number(major) > KNOWN_MAJOR ? "Update the devloop extension." : "Update devloop itself.",
  };
}
