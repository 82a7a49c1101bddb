// First the daemon is killed in the middle of a run, then the editor's own server process: the editor finds its way
// back each time without a word, and the run goes on at its last finished step.
import { SMALL, TASKS } from "../../harness/small.mjs";
import { until } from "../../harness/wait.mjs";

export default async function serverKilled(stage) {
  const project = await stage.machine.project({ plan: SMALL, tasks: TASKS });
  const window = await stage.open(project);
  await window.lenses("Task 1.1", /Run/);
  await window.clickLens("Task 1.1", "▶ Run");
  await window.status(/1\.1 .*turn ([2-9]|\d\d)/);
  const run = await project.runOf("1.1");

  const { daemon } = await project.status();
  process.kill(daemon.pid, "SIGKILL");
  await goesOn("after the daemon's death");

  const server = project.serverPid();
  process.kill(server, "SIGKILL");
  await until("another server process", () => project.serverPid(server), { every: 200 });
  await goesOn("after the server's death");
  await stage.shot(window, "recovered");
  await window.silent();

  await window.clickLens("Task 1.1", "Cancel");
  await window.line("[ ] Task 1.1").waitFor();

  async function goesOn(when) {
    const before = (await project.runOf("1.1")).turn;
    const turn = (text) => Number(/turn (\d+)/.exec(text)?.[1] ?? 0);
    await until(`the run's turns in the status item ${when}`, async () => turn(await window.statusText()) > before + 1);
    const now = await project.runOf("1.1");
    if (now.id !== run.id || now.attempt !== run.attempt) {
      throw new Error(`another run was begun ${when}`);
    }
    await window.lenses("Task 1.1", /Cancel/);
  }
}
