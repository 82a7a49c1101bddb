// Plays scenarios, one after the other, in one VS Code and one browser. Most of them share one window; a scenario that
// fails takes that window with it, so that the next one finds a new one.
import fs from "node:fs";
import path from "node:path";
import { Editor, launch, temporaryFolder } from "./editor.mjs";
import { Machine } from "./project.mjs";
import { PLAN, TASKS } from "./purse.mjs";
import { HERE, OUT } from "./tools.mjs";

const SCENARIOS = path.join(HERE, "scenarios");
const SCENARIO_S = 240;

/** Names of all scenarios: `group/name`. */
export function names() {
  return fs
    .readdirSync(SCENARIOS, { recursive: true })
    .filter((file) => file.endsWith(".mjs"))
    .map((file) => file.slice(0, -".mjs".length))
    .sort();
}

export class Suite {
  #root = temporaryFolder();
  #machine = new Machine(this.#root);
  #editors = new Map();
  #browser;
  #shared;

  /** Plays one scenario; what came of it, as a plain object. */
  async play(name) {
    const begun = Date.now();
    const stage = new Stage(this, name);
    const result = { scenario: name, ok: true, notes: stage.notes };
    try {
      const { default: scenario } = await import(path.join(SCENARIOS, `${name}.mjs`));
      this.#browser ??= await launch(this.#root);
      await limited(scenario(stage));
      const { external } = this.#browser;
      if (external.length > 0) {
        throw new Error(`the page asked for something elsewhere: ${external.splice(0).join(", ")}`);
      }
    } catch (problem) {
      Object.assign(result, { ok: false, error: told(problem), ...(await this.#evidence(stage, begun)) });
      await this.#drop();
    }
    await stage.end();
    return { ...result, seconds: (Date.now() - begun) / 1000 };
  }

  async editor(options = {}) {
    const key = JSON.stringify(options);
    if (!this.#editors.has(key)) {
      const editor = new Editor({ browser: this.#browser, machine: this.#machine, ...options });
      this.#editors.set(key, editor);
      await editor.start();
    }
    return this.#editors.get(key);
  }

  get machine() {
    return this.#machine;
  }

  /** The window that most scenarios share, at rest. */
  async shared() {
    if (this.#shared) {
      await this.#shared.rest();
      return this.#shared;
    }
    const project = await this.#machine.project({ plan: PLAN, tasks: TASKS });
    this.#shared = await (await this.editor()).open(project);
    return this.#shared;
  }

  async #drop() {
    const window = this.#shared;
    this.#shared = undefined;
    await window?.close();
  }

  async #evidence(stage, since) {
    const windows = [this.#shared, ...stage.windows].filter(Boolean);
    const pictures = [];
    for (const [at, window] of windows.entries()) {
      pictures.push(await stage.shot(window, `failed-${at + 1}`).catch(String));
    }
    const said = windows.map((window) => window.errors.slice(-5).join("\n")).join("\n");
    const logs = [...this.#editors.values()].map((editor) => editor.logs(since));
    const all = [...logs, this.#machine.logs(since), `--- browser console\n${said}`]
      .join("\n")
      .replace(/\n\s+at .*/g, "");
    return { pictures, logs: all };
  }

  async end() {
    await this.#drop();
    await this.#browser?.context.close().catch(() => {});
    await Promise.all([...this.#editors.values()].map((editor) => editor.stop()));
    await this.#machine.stop();
    if (process.env.KEEP !== "1") {
      // Somebody may be writing his last line.
      fs.rmSync(this.#root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    }
  }
}

/** What a scenario works with. */
export class Stage {
  #suite;
  #shots = 0;
  notes = {};
  windows = [];

  constructor(suite, name) {
    this.#suite = suite;
    this.name = name;
  }

  shared() {
    return this.#suite.shared();
  }

  get machine() {
    return this.#suite.machine;
  }

  /** A window of this scenario's own; `options` as `Editor.open` and `Suite.editor` take them. */
  async open(project, { editor, ...options } = {}) {
    const window = await (await this.#suite.editor(editor)).open(project, options);
    this.windows.push(window);
    return window;
  }

  async shot(window, name) {
    this.#shots += 1;
    const file = path.join(OUT, `${this.name.replace("/", "-")}-${this.#shots}-${name}.png`);
    fs.mkdirSync(OUT, { recursive: true });
    await window.page.screenshot({ path: file });
    return file;
  }

  /** A figure for whoever reads the output. */
  note(name, value) {
    this.notes[name] = value;
  }

  async end() {
    await Promise.all(this.windows.map((window) => window.close()));
  }
}

/** Waits have limits of their own; this is for whatever else never answers. */
async function limited(work) {
  let timer;
  const late = new Promise((_, bad) => {
    timer = setTimeout(() => bad(new Error(`the scenario did not end in ${SCENARIO_S} s`)), SCENARIO_S * 1000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function told(problem) {
  const cause = problem.cause ? `\ncaused by ${problem.cause.stack ?? problem.cause}` : "";
  return `${problem.stack ?? problem}${cause}`.slice(0, 4000);
}
