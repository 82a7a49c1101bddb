// A person's project on disk: a git repository with a plan, a gate that takes milliseconds, and what the scripted
// player answers. The server that an editor starts for it is told by a file beside it.
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { PROGRAM } from "./tools.mjs";
import { until } from "./wait.mjs";

const PLAN = ".devloop/plan.md";
const run = promisify(execFile);

/** Where projects of one editor live, with the person's state and configuration. */
export class Machine {
  #count = 0;
  #adopted = [];

  constructor(root) {
    this.root = root;
    this.state = path.join(root, "s");
    this.home = path.join(root, "home");
    this.server = path.join(root, "server");
    fs.mkdirSync(this.home, { recursive: true });
    const quoted = PROGRAM.map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(" ");
    fs.writeFileSync(
      this.server,
      `#!/bin/sh\n# A project's own word on its server stands beside it.\n[ ! -e "$PWD/../server.sh" ] || . "$PWD/../server.sh"\nexec ${quoted} "$@"\n`,
      { mode: 0o755 },
    );
  }

  /** For processes on this machine: nothing of the outer editor, no key, no proxy. */
  get environment() {
    return {
      PATH: process.env.PATH,
      HOME: this.home,
      LANG: "C.UTF-8",
      DEVLOOP_STATE_DIR: this.state,
      DEVLOOP_CONFIG_DIR: path.join(this.root, "c"),
      PYTHON_KEYRING_BACKEND: "keyring.backends.fail.Keyring", // the person's own keyring is not asked
    };
  }

  /**
   * @param plan   Markdown of the plan; null: a folder without one
   * @param tasks  task id → the scripted player's turns
   * @param name   the folder's name, shown by the editor
   * @param files  more files: path → text
   */
  async project({ plan, tasks = {}, name = "purse", files = {}, trusted = true } = {}) {
    this.#count += 1;
    const project = new Project(this, path.join(this.root, `w${this.#count}`, name));
    await project.make(plan, tasks, files);
    if (trusted && plan !== null) {
      await project.devloop("trust", "--yes");
    }
    return project;
  }

  get #workspaces() {
    const folder = path.join(this.state, "workspaces");
    return fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => path.join(folder, name)) : [];
  }

  /** The keys that are stored, by the service's address; the file's mode is that of a secret. */
  get keys() {
    const file = path.join(this.state, "keys.json");
    if (!fs.existsSync(file)) {
      return {};
    }
    const mode = fs.statSync(file).mode & 0o777;
    if (mode !== 0o600) {
      throw new Error(`others can read the keys: mode ${mode.toString(8)}`);
    }
    return JSON.parse(fs.readFileSync(file, "utf8"));
  }

  /** Files below here in which `text` stands, but for the keys' own. */
  filesWith(text) {
    const names = fs.readdirSync(this.root, { recursive: true, withFileTypes: true });
    return names
      .filter((each) => each.isFile() && each.name !== "keys.json")
      .map((each) => path.join(each.parentPath, each.name))
      .filter((file) => fs.readFileSync(file).includes(text));
  }

  /** The ends of the daemons' and engines' logs written `since` then (ms). */
  logs(since) {
    const files = this.#workspaces.flatMap((state) =>
      ["daemon.log", "engine.log"].map((log) => path.join(state, "logs", log)),
    );
    const found = files.filter((file) => fs.existsSync(file) && fs.statSync(file).mtimeMs >= since);
    return found.map((file) => `--- ${file}\n${fs.readFileSync(file, "utf8").slice(-2000)}`).join("\n");
  }

  /** A folder that the extension made elsewhere is removed at the end, too. */
  adopt(folder) {
    this.#adopted.push(folder);
  }

  /** Ends every daemon that was started here. */
  async stop() {
    await Promise.all(this.#workspaces.map(endDaemon));
    for (const folder of this.#adopted) {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }
}

export class Project {
  constructor(machine, root) {
    this.machine = machine;
    this.root = root;
    this.planPath = path.join(root, PLAN);
  }

  async make(plan, tasks, files) {
    this.play(tasks);
    const all = {
      "check.sh": "test ! -e broken\n",
      "purse/money.py": MONEY,
      "README.md": "# purse\n\nAmounts of money, as whole cents.\n",
      ".devloop/config.toml": '[gates.tests]\nkind = "tests"\ncommand = ["/bin/sh", "check.sh"]\n',
      ...(plan === null ? {} : { [PLAN]: plan }),
      ...files,
    };
    for (const [name, text] of Object.entries(all)) {
      this.write(name, text);
    }
    this.git("init", "-q", "-b", "main");
    this.git("config", "user.name", "Pat Person");
    this.git("config", "user.email", "pat@example.org");
    this.git("add", "-A");
    this.git("commit", "-q", "-m", "Start of purse");
  }

  /** The scripted player answers from these turns from the next start of a server on. */
  play(tasks) {
    const above = path.dirname(this.root);
    fs.mkdirSync(this.root, { recursive: true });
    const scripts = Object.entries({ "*": work("notes.md", "Nothing to say.\n"), ...tasks });
    const scenario = { tasks: Object.fromEntries(scripts.map(([id, turns]) => [id, { turns }])) };
    fs.writeFileSync(path.join(above, "scenario.json"), JSON.stringify(scenario));
    this.serve('export DEVLOOP_SCENARIO="$PWD/../scenario.json"\n');
  }

  /** What a shell is told before it becomes the server. */
  serve(script) {
    fs.writeFileSync(path.join(path.dirname(this.root), "server.sh"), script);
  }

  write(name, text) {
    const file = path.join(this.root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }

  read(name) {
    return fs.readFileSync(path.join(this.root, name), "utf8");
  }

  get plan() {
    return fs.readFileSync(this.planPath, "utf8");
  }

  git(...args) {
    const env = { ...this.machine.environment, GIT_CONFIG_NOSYSTEM: "1" };
    return execFileSync("git", args, { cwd: this.root, env, encoding: "utf8" }).trim();
  }

  /** A command in a terminal beside the editor; its output. */
  async devloop(...args) {
    const [program, ...first] = PROGRAM;
    const options = { cwd: this.root, env: this.machine.environment, encoding: "utf8" };
    const { stdout } = await run(program, [...first, ...args], options);
    return stdout;
  }

  /** As `devloop`, with what is typed into it. */
  async typed(text, ...args) {
    const [program, ...first] = PROGRAM;
    const child = run(program, [...first, ...args], { cwd: this.root, env: this.machine.environment });
    child.child.stdin.end(text);
    return (await child).stdout;
  }

  async status() {
    return JSON.parse(await this.devloop("status", "--json"));
  }

  /** An editor's server process for this folder (`devloop lsp`), other than `but`. */
  serverPid(but) {
    const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== but);
    return pids.map(Number).find((pid) => {
      try {
        const words = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return words.includes("lsp") && fs.readlinkSync(`/proc/${pid}/cwd`) === this.root;
      } catch {
        return false; // gone meanwhile
      }
    });
  }

  /** The newest run of a task, as the terminal tells it. */
  async runOf(task) {
    const { runs } = JSON.parse(await this.devloop("runs", "--task", task, "--json"));
    return runs[0];
  }

  /** Events of the workspace, oldest first. */
  async events() {
    return JSON.parse(await this.devloop("log", "--json", "--limit", "5000")).events;
  }

  /** When the newest checkpoint of a task opened, in ms of the clock. */
  async opened(task) {
    const run = await this.runOf(task);
    const found = (await this.events()).findLast((each) => each.kind === "checkpoint.opened" && each.run === run.id);
    return typeof found.at === "number" ? found.at * 1000 : Date.parse(found.at);
  }

  /** Waits until the task's box says `[x]` on disk and its commit is the branch's newest; the commit's message. */
  async landed(task, title) {
    const box = new RegExp(`^- \\[x\\] Task ${task.replace(".", "\\.")}: `, "m");
    await until(`task ${task} is ticked in the file`, () => box.test(this.plan));
    const newest = () => {
      const commits = this.git("log", "--format=%H %s").split("\n");
      return commits.find((line) => line.slice(line.indexOf(" ") + 1) === title);
    };
    const found = await until(`the commit "${title}"`, newest, { every: 200 });
    const hash = found.split(" ")[0];
    const committed = this.git("show", `${hash}:${PLAN}`);
    if (!box.test(committed)) {
      throw new Error(`the commit of task ${task} lacks the tick`);
    }
    return this.git("log", "-1", "--format=%B", hash);
  }
}

function pidOf(state) {
  try {
    return JSON.parse(fs.readFileSync(path.join(state, "daemon.json"), "utf8")).pid;
  } catch {
    return undefined;
  }
}

async function endDaemon(state) {
  const pid = pidOf(state);
  if (pid && alive(pid)) {
    process.kill(pid, "SIGTERM");
    await until("the daemon is gone", () => !alive(pid), { limit: 20_000 });
  }
}

export function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const MONEY = `"""Amounts of money, as whole cents."""


def show(cents: int) -> str:
    """1234 gives "12.34"."""
    return f"{cents // 100}.{cents % 100:02}"
`;

// What the scripted player does

export const call = (name, input) => ({ name, input });
export const write = (file, content) => call("write_file", { path: file, content });
export const finish = (summary) => call("finish", { summary });

/** The shortest honest work: one file, then finished. */
export const work = (file, content, summary = `${file} is written.`) => [
  { text: `I write ${file}.`, calls: [write(file, content)] },
  { calls: [finish(summary)] },
];

/** Turns that go on and on, each `delay_s` long. Each differs: who repeats itself is stalled. */
export const endless = (count = 300, delay_s = 0.4) =>
  Array.from({ length: count }, (_, at) => ({
    delay_s,
    text: `I look at bill ${at + 1}.`,
    calls: [call("search", { pattern: `bill ${at + 1}`, path: "purse" })],
  }));
