import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ServerProcess } from "../src/server/process";

const PLACE = { cwd: mkdtempSync(join(tmpdir(), "devloop-")), environment: { DEVLOOP_PROBE: "given" } };
const node = (script: string) => [process.execPath, "-e", script];
const start = (command: readonly string[], lines: string[] = []) =>
  ServerProcess.start(command, PLACE, (line) => lines.push(line));

describe("the server's process", () => {
  it("tells how it ended and what it said last", async () => {
    const lines: string[] = [];
    const server = await start(node("process.stderr.write('one\\ntwo'); process.exitCode = 3"), lines);
    expect(await server.ended).toEqual({ code: 3, signal: null, stderr: ["one", "two"] });
    expect(lines).toEqual(["one", "two"]);
  });

  it("can't be started where there is none", async () => {
    await expect(start([join(PLACE.cwd, "nothing")])).rejects.toMatchObject({ errno: "ENOENT", stderr: [] });
  });

  it("has the folder and the variables that it was given", async () => {
    const lines: string[] = [];
    const server = await start(node("console.error(process.env.DEVLOOP_PROBE); console.error(process.cwd())"), lines);
    await server.ended;
    expect(lines[0]).toBe("given");
    expect(lines[1]).toContain("devloop-");
  });

  it("goes when its input is closed, and survives a write to a process that is gone", async () => {
    const server = await start(node("process.stdin.resume()"));
    await server.end();
    expect((await server.ended).code).toBe(0);
    server.writer.write("too late");
  });

  it("is made to go when it does not listen", async () => {
    const server = await start(
      node("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.error('up')"),
    );
    const began = Date.now();
    await server.end();
    expect((await server.ended).signal).toMatch(/SIG(TERM|KILL)/);
    expect(Date.now() - began).toBeLessThan(15_000);
  }, 20_000);
});

describe("what the process says", () => {
  it("ends with it once the server has begun, and not before", async () => {
    const early = await start(node("console.log('half')"));
    const late = await start(node("console.log('whole')"));
    let ended = 0;
    for (const each of [early, late]) {
      each.reader.resume();
      each.reader.on("end", () => ended++);
    }
    late.begun();
    await Promise.all([early.ended, late.ended]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended).toBe(1);
  });
});
