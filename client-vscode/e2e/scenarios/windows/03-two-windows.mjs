// Two windows on one folder show the same runs; what is decided in one is over in the other, and its list goes.
import { SMALL, TASKS } from "../../harness/small.mjs";

export default async function twoWindows(stage) {
  const project = await stage.machine.project({ plan: SMALL, tasks: TASKS });
  const first = await stage.open(project);
  const second = await stage.open(project);
  await second.lenses("Task 1.2", /Run/);
  await first.lenses("Task 1.2", /Run/);
  await first.clickLens("Task 1.2", "▶ Run");
  await second.status(/1\.2/);
  await Promise.all([first.onlyToast(/Weigh the letters/), second.onlyToast(/Weigh the letters/)]);
  await Promise.all([first.status(/waits for you/), second.status(/waits for you/)]);
  await stage.shot(second, "second");
  await first.pressToastButton(/Weigh the letters/, "More");
  await first.picks("Fresh Start").waitFor();
  await second.pressToastButton(/Weigh the letters/, "Commit");
  await project.landed("1.2", "Weigh the letters");
  await Promise.all([first, second].map((window) => window.line("[x] Task 1.2").waitFor()));
  await Promise.all([first.status(/1\/2/), second.status(/1\/2/)]);
  await second.silent();
  await first.picks("Fresh Start").waitFor({ state: "hidden" });
  await first.told(/decided already \(commit\)/);
  const commits = project.git("log", "--format=%s").split("\n");
  if (commits.length !== 2) {
    throw new Error(`one decision, one commit: ${commits}`);
  }
}
