// The window is reloaded while one run works and another waits: both go on, both are shown, and the question comes again.
import { SMALL, TASKS } from "../../harness/small.mjs";
import { until } from "../../harness/wait.mjs";

export default async function reload(stage) {
  const project = await stage.machine.project({ plan: SMALL, tasks: TASKS });
  const window = await stage.open(project);
  await window.lenses("Task 1.1", /Run/);
  await window.clickLens("Task 1.1", "▶ Run");
  await window.lenses("Task 1.1", /Cancel/);
  await window.clickLens("Task 1.2", "▶ Run");
  await window.told(/Weigh the letters/);
  const before = (await project.runOf("1.1")).turn;

  const begun = Date.now();
  await window.reload();
  await window.lenses("Task 1.1", /turn.*Cancel/);
  await window.lenses("Task 1.2", /Commit/);
  stage.note("reload → both runs in the plan", `${Date.now() - begun} ms`);
  await window.onlyToast(/Weigh the letters/);
  await window.status(/1\.2 waits for you.*\+1/);
  await stage.shot(window, "reloaded");
  await until("the run goes on", async () => (await project.runOf("1.1")).turn > before + 1, { every: 500 });

  await window.pressToastButton(/Weigh the letters/, "Commit");
  await project.landed("1.2", "Weigh the letters");
  await window.clickLens("Task 1.1", "Cancel");
  await window.line("[ ] Task 1.1").waitFor();
}
