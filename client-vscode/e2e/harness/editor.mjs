// A real VS Code (code-server) with the extension installed, and a headless Chromium that shows its windows. Nothing
// leaves 127.0.0.1: the browser resolves no other name, and what it asks for elsewhere is remembered.
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { CHROMIUM, CODE_SERVER, chromium, NODE, VSIX } from "./tools.mjs";
import { LIMIT, until } from "./wait.mjs";
import { Window } from "./window.mjs";

/** A quiet workbench: nothing here may cover the editor, move the layout or ask a question. */
const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.tips.enabled": false,
  "workbench.editor.useModal": "off",
  "workbench.enableExperiments": false,
  "workbench.reduceMotion": "on",
  "window.autoDetectColorScheme": true,
  "window.menuBarVisibility": "classic",
  "editor.minimap.enabled": false,
  "editor.accessibilitySupport": "off",
  "editor.stickyScroll.enabled": false,
  "breadcrumbs.enabled": false,
  "chat.disableAIFeatures": true,
  "git.enabled": false,
  "github.gitAuthentication": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "security.workspace.trust.untrustedFiles": "open",
  "security.workspace.trust.banner": "never",
  "security.workspace.trust.startupPrompt": "never",
};
const QUIET = [
  "--disable-telemetry",
  "--disable-update-check",
  "--disable-proxy",
  "--disable-getting-started-override",
];
const BROWSER = [
  "--no-sandbox",
  "--disable-dev-shm-usage",
  "--disable-gpu",
  "--disable-background-networking",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Names that no resolver is asked for: VS Code's service worker answers what a webview wants from there. */
const WEBVIEW = ".vscode-resource.vscode-cdn.net";

/** One Chromium for all editors. */
export async function launch(root) {
  const context = await chromium.launchPersistentContext(path.join(root, "browser"), {
    executablePath: CHROMIUM,
    headless: true,
    args: BROWSER,
    viewport: { width: 1400, height: 900 },
  });
  const external = [];
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.hostname !== "127.0.0.1" && !url.hostname.endsWith(WEBVIEW)) {
      external.push(request.url());
    }
  });
  return { context, external };
}

export function temporaryFolder() {
  return fs.mkdtempSync(path.join(os.tmpdir(), "dl-e2e-"));
}

/** Without stacks and without what VS Code says of its own extensions. */
function interesting(log) {
  const lines = log
    .split("\n")
    .filter((line) => !/^\s+at |^- \/|^Require stack|watchdog|_doActivateExtension vscode\./.test(line));
  return lines.join("\n");
}

export class Editor {
  #process;
  #log = "";

  /**
   * @param browser   from `launch`
   * @param machine   whose files, state and home it works with
   * @param trusting  false: workspaces are in restricted mode until the person trusts them
   * @param settings  machine settings beside the server's command
   */
  constructor({ browser, machine, trusting = true, settings = {} }) {
    this.browser = browser;
    this.machine = machine;
    this.trusting = trusting;
    this.root = fs.mkdtempSync(path.join(machine.root, "code-"));
    this.data = path.join(this.root, "data");
    const write = (name, values) => {
      fs.mkdirSync(path.dirname(path.join(this.data, name)), { recursive: true });
      fs.writeFileSync(path.join(this.data, name), JSON.stringify(values));
    };
    write("User/settings.json", SETTINGS);
    // Where a remote window keeps what has the scope of a machine.
    write("Machine/settings.json", { "devloop.serverCommand": [machine.server, "lsp"], ...settings });
  }

  async start() {
    const config = path.join(this.root, "config.yaml");
    fs.writeFileSync(config, "bind-addr: 127.0.0.1:0\nauth: none\ncert: false\n");
    const folders = ["--user-data-dir", this.data, "--extensions-dir", path.join(this.root, "extensions")];
    const common = [CODE_SERVER, "--config", config, ...folders];
    // '{}' switches the extension gallery off.
    const env = { ...this.machine.environment, EXTENSIONS_GALLERY: "{}", VSCODE_CLI: "1" };
    await promisify(execFile)(NODE, [...common, "--install-extension", VSIX], { env });

    const args = [...common, ...QUIET, ...(this.trusting ? ["--disable-workspace-trust"] : [])];
    this.#process = spawn(NODE, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const listen = (data) => {
      this.#log += data;
    };
    this.#process.stdout.on("data", listen);
    this.#process.stderr.on("data", listen);
    this.url = await until("code-server listens", () => {
      if (this.#process.exitCode !== null) {
        throw new Error(`code-server ended with ${this.#process.exitCode}:\n${this.#log}`);
      }
      return /HTTP server listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(this.#log)?.[1];
    });
    return this;
  }

  /**
   * A window on a project, or on a `.code-workspace` file.
   * @param file  opened at once; null for none
   */
  async open(project, { file = ".devloop/plan.md", workspace } = {}) {
    const page = await this.browser.context.newPage();
    page.setDefaultTimeout(LIMIT);
    const window = new Window(this, page, project);
    const query = new URLSearchParams(workspace ? { workspace } : { folder: project.root });
    if (file) {
      const remote = `vscode-remote://${this.url.slice("http://".length)}${path.join(project.root, file)}`;
      query.set("payload", JSON.stringify([["openFile", remote]]));
    }
    await page.goto(`${this.url}/?${query}`);
    await page.locator(".monaco-workbench").waitFor();
    if (workspace) {
      await this.#folders(window);
    }
    return window;
  }

  /** VS Code in a browser sometimes reads a `.code-workspace` file too early and shows a window without its folders. */
  async #folders(window) {
    await until("the folders of the workspace", async () => {
      const rows = window.page.locator(".explorer-folders-view .monaco-list-row");
      const there = await rows
        .first()
        .waitFor({ timeout: 10_000 })
        .then(
          () => true,
          () => false,
        );
      if (!there) {
        await window.reload();
      }
      return there;
    });
  }

  /** The ends of the logs written `since` then (ms): they tell why a language server did not start. */
  logs(since) {
    const folder = path.join(this.data, "logs");
    const names = fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }) : [];
    return names
      .filter((name) => /(remoteexthost|[^/]*devloop[^/]*)\.log$/i.test(name))
      .filter((name) => fs.statSync(path.join(folder, name)).mtimeMs >= since)
      .map((name) => `--- ${name}\n${interesting(fs.readFileSync(path.join(folder, name), "utf8")).slice(-3000)}`)
      .join("\n");
  }

  async stop() {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const gone = new Promise((ok) => child.once("exit", ok));
    const kill = (signal) => {
      try {
        process.kill(-child.pid, signal); // the whole group: extension host and language server too
      } catch {
        // already gone
      }
    };
    kill("SIGTERM");
    await Promise.race([gone, new Promise((ok) => setTimeout(ok, 5000).unref())]);
    kill("SIGKILL");
  }
}
