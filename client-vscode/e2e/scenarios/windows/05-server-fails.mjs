// A server that can't start: a red status item and one notification with the reason, and a way back.
import { shown } from "../../harness/figures.mjs";
import { SMALL, TASKS } from "../../harness/small.mjs";
import { until } from "../../harness/wait.mjs";

const REASON = "no room left for the log";

export default async function serverFails(stage) {
  const project = await stage.machine.project({ plan: SMALL, tasks: TASKS });
  project.serve(`echo "OSError: ${REASON}" >&2\nexit 1\n`);
  const window = await stage.open(project);
  const begun = Date.now();
  const item = window.statusItem;
  await until("a red status item that says why", async () => {
    const label = await item.getAttribute("aria-label", { timeout: 1000 }).catch(() => "");
    const inner = await item
      .locator("[aria-label]")
      .first()
      .getAttribute("aria-label", { timeout: 1000 })
      .catch(() => "");
    return (
      `${label} ${inner}`.includes(REASON) && /error-kind|has-background-color/.test(await item.getAttribute("class"))
    );
  });
  stage.note("workbench shown → red status item", shown(Date.now() - begun, 15_000));
  await window.onlyToast(new RegExp(REASON));
  for (const button of ["Show Log", "Doctor", "Try Again"]) {
    const found = window.toast(REASON).locator("a.monaco-button", { hasText: new RegExp(button, "i") });
    await found.first().waitFor();
  }
  await stage.shot(window, "failed");

  project.play(TASKS);
  await window.pressToastButton(REASON, /try again/i);
  await window.status(/0\/2/);
  await window.lenses("Task 1.2", /Run/);
  await window.silent();
}
