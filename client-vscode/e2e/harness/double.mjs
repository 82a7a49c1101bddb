// The double of the model's service (tests/double): a strict local server that refuses every other key.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { EXTENSION, PROGRAM } from "./tools.mjs";
import { until } from "./wait.mjs";

const TESTS = path.join(EXTENSION, "..", "tests");
/** The one beside the program. */
const PYTHON = ["python", "python3"]
  .map((name) => path.join(path.dirname(PROGRAM[0]), name))
  .find((file) => path.isAbsolute(file) && fs.existsSync(file));

export class Double {
  #process;
  #journal;
  #said = "";

  /** @param tasks  task id → the turns it answers with, as `Machine.project` takes them */
  constructor(machine, tasks) {
    const file = (name) => path.join(fs.mkdtempSync(path.join(machine.root, "double-")), name);
    const scenario = file("scenario.json");
    this.#journal = file("journal.jsonl");
    const scripts = Object.entries(tasks).map(([id, turns]) => [id, { turns }]);
    fs.writeFileSync(scenario, JSON.stringify({ tasks: Object.fromEntries(scripts) }));
    const args = ["-m", "double", "--scenario", scenario, "--journal", this.#journal];
    const env = { ...machine.environment, PYTHONPATH: TESTS };
    this.#process = spawn(PYTHON ?? "python3", args, { env, stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdout.setEncoding("utf8").on("data", (text) => {
      this.#said += text;
    });
  }

  /** Where it listens, and the key that it takes. */
  async listens() {
    const line = await until("the double listens", () => this.#said.includes("\n") && this.#said.split("\n")[0]);
    return JSON.parse(line);
  }

  /** What was asked of it, oldest first. */
  get asked() {
    const lines = fs.existsSync(this.#journal) ? fs.readFileSync(this.#journal, "utf8").split("\n") : [];
    return lines.filter(Boolean).map((line) => JSON.parse(line));
  }

  end() {
    this.#process.stdin.end();
  }
}
