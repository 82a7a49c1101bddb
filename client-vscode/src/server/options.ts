/** The settings that the server is told at its start, in its own names. Pure. */

export const SERVER_SETTINGS = [
  "codeLens",
  "inlayHints",
  "agentHints",
  "checkpointMessages",
  "progress",
  "diagnosticsLimit",
] as const;

/** `trusted` is VS Code's word for the folder; nothing in the settings can give it. */
export function initializationOptions(
  get: (name: string) => unknown,
  trusted: boolean,
): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = {};
  for (const name of SERVER_SETTINGS) {
    const value = get(name);
    if (value !== undefined) {
      options[name] = value;
    }
  }
  options["trusted"] = trusted;
  return options;
}
