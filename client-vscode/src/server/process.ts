/** The server's process: started, listened to, and seen to its end. Knows no VS Code. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { PassThrough, Writable } from "node:stream";
import type { End } from "./failure";

const KEPT_LINES = 20;
const LONGEST_LINE = 2_000;
const PATIENCE_MS = 1_000;

export class ServerProcess {
  private readonly lines: string[] = [];
  private partial = "";
  /** Resolves when the process is gone; never rejects. */
  readonly ended: Promise<End>;

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    said: (line: string) => void,
  ) {
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => this.take(text, said));
    child.stdout.pipe(this.reader, { end: false });
    child.stdin.on("error", () => undefined); // a write to a process that is gone; `ended` tells
    this.ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.take("\n", said);
        resolve({ code, signal, stderr: [...this.lines] });
      });
    });
  }

  /** Rejects with an `End` when the program can't be started at all. `said` is told each line of stderr. */
  static start(
    command: readonly string[],
    place: { readonly cwd: string; readonly environment: Readonly<Record<string, string>> },
    said: (line: string) => void,
  ): Promise<ServerProcess> {
    const [program = "", ...rest] = command;
    const env = { ...process.env, ...place.environment };
    return new Promise((resolve, reject) => {
      const child = spawn(program, rest, { cwd: place.cwd, env, stdio: "pipe", windowsHide: true });
      const started = new ServerProcess(child, said);
      child.once("spawn", () => resolve(started));
      child.once("error", (problem: NodeJS.ErrnoException) => {
        reject({ errno: problem.code ?? problem.message, stderr: [] } satisfies End);
      });
    });
  }

  /** What it says. It ends with the process, but not before `begun`: the library leaves rejections of a broken start alone. */
  readonly reader = new PassThrough();

  /** The server answered `initialize`. */
  begun(): void {
    void this.ended.then(() => this.reader.end());
  }

  /** A write to a process that is gone is dropped: its end is told by `ended`, and the library would not catch it. */
  readonly writer: NodeJS.WritableStream = new Writable({
    write: (chunk: Buffer, encoding, written) => {
      this.child.stdin.write(chunk, encoding, () => written());
    },
  });

  /** End it: its input is closed, and if that is not enough it is told, then made to go. */
  async end(): Promise<void> {
    this.child.stdin.end();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (await this.gone(PATIENCE_MS)) {
        return;
      }
      this.child.kill(signal);
    }
  }

  private async gone(patience: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), patience);
    });
    const gone = await Promise.race([this.ended.then(() => true as const), late]);
    clearTimeout(timer);
    return gone;
  }

  private take(text: string, said: (line: string) => void): void {
    const parts = (this.partial + text).split(/\r?\n/);
    this.partial = (parts.pop() ?? "").slice(-LONGEST_LINE);
    for (const line of parts.filter((each) => each.trim() !== "")) {
      this.lines.push(line.slice(0, LONGEST_LINE));
      said(line);
    }
    this.lines.splice(0, Math.max(0, this.lines.length - KEPT_LINES));
  }
}
