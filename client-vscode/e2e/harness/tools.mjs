// Where everything is that a scenario needs. DEVLOOP_E2E_TOOLS is the folder that setup.sh prints.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

export const HERE = path.dirname(import.meta.dirname);
export const EXTENSION = path.dirname(HERE);
export const ID = "devloop.devloop";

function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => fs.existsSync(file));
}

function toolsFolder() {
  const said = execFileSync(path.join(HERE, "setup.sh"), { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return said.trim().split("\n").pop();
}

function required(what, found) {
  if (!found) {
    throw new Error(`${what} is missing`);
  }
  return found;
}

const TOOLS = process.env.DEVLOOP_E2E_TOOLS ?? toolsFolder();
export const NODE = path.join(TOOLS, "node/bin/node");
export const CODE_SERVER = path.join(TOOLS, "node_modules/code-server/out/node/entry.js");
export const CHROMIUM = required("chromium", process.env.CHROMIUM ?? onPath("chromium", "chromium-browser"));
export const VSIX = process.env.DEVLOOP_E2E_VSIX ?? path.join(EXTENSION, "devloop.vsix");
/** The program whose `lsp` command is the server: absolute, since the extension host has a PATH of its own. */
export const PROGRAM = process.env.DEVLOOP_E2E_PROGRAM
  ? JSON.parse(process.env.DEVLOOP_E2E_PROGRAM)
  : [required("devloop", onPath("devloop"))];
export const OUT = path.resolve(process.env.DEVLOOP_E2E_OUT ?? path.join(os.tmpdir(), "devloop-e2e"));
/** Imports look beside this file only; require() looks where it is told. */
export const { chromium } = createRequire(import.meta.url)(path.join(TOOLS, "node_modules/playwright-core"));
