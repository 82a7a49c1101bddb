// What a planner hands in is shown against the plan that is there, and stands in it after a yes.
import { until } from "../../harness/wait.mjs";

export default async function planFromWords(stage) {
  const window = await stage.shared();
  const { project, page } = window;
  await window.status(/\d+\/1\d/);
  const before = project.plan;
  await window.command("Devloop: Plan from Words…");
  await window.answer("Bills in several currencies");
  await window.press(window.picks("Add phases to the plan"));
  await window.told(/plan-new: Plan: Bills in several currencies.*plan: /);
  await window.pressToastButton(/plan-new: Plan: Bills in several currencies/, "Show Plan Changes");
  await page.locator(".monaco-diff-editor .view-line", { hasText: "Convert at the rate of the day" }).first().waitFor();
  await stage.shot(window, "proposal");
  if (project.plan !== before) {
    throw new Error("the plan was changed before anybody said yes");
  }
  await window.command("Devloop: Decide…");
  await window.picks("Continue").waitFor();
  await stage.shot(window, "decide");
  await window.press(window.picks("Continue"));
  await until("the new phase", () => /^- \[ \] Task 3\.1: Convert at the rate of the day/m.test(project.plan));
  await page.locator(".monaco-diff-editor").first().waitFor({ state: "detached" });
  await window.silent();
}
