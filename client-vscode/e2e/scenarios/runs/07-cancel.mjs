// A run is ended from the task's line: the task is open again, and nothing is asked.
import { until } from "../../harness/wait.mjs";

export default async function cancel(stage) {
  const window = await stage.shared();
  const { project } = window;
  await window.showViews();
  await window.clickLens("Task 2.3", "▶ Run");
  await window.line("[~] Task 2.3").waitFor();
  await window.lenses("Task 2.3", /Cancel/);
  await window.status(/turn ([2-9]|\d\d)/);
  await stage.shot(window, "working");
  await window.clickLens("Task 2.3", "Cancel");
  await window.line("[ ] Task 2.3").waitFor();
  const ended = async () => {
    const found = await project.runOf("2.3");
    return found.state === "ended" && found;
  };
  const run = await until("the run has ended", ended, { every: 500 });
  if (run.outcome !== "cancelled") {
    throw new Error(`the run ended as ${run.outcome}`);
  }
  await window.lenses("Task 2.3", /Run/);
  await window.silent();
}
