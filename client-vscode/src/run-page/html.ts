/** The document of the webview: no markup but two empty elements, no inline script or style, nothing from elsewhere. */

import { randomBytes } from "node:crypto";

export interface Places {
  /** `webview.cspSource`. */
  readonly source: string;
  readonly script: string;
  readonly style: string;
}

export function policy(source: string, nonce: string): string {
  return `default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
}

/** Which run the page shows: what it remembers over a reload of the window. */
export interface About {
  readonly run: string;
  /** The address of the workspace folder, "" when it is not known yet. */
  readonly folder: string;
}

export function document({ source, script, style }: Places, { run, folder }: About): string {
  const nonce = randomBytes(24).toString("base64");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy(source, nonce))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`Run ${run}`)}</title>
<link rel="stylesheet" href="${escaped(style)}">
</head>
<body>
<div id="page" data-run="${escaped(run)}" data-folder="${escaped(folder)}"></div>
<script nonce="${escaped(nonce)}" src="${escaped(script)}"></script>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (found) => ENTITIES[found] ?? "");
}
