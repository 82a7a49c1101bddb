// What a plan shows before anything runs: lenses, a problem with its repair, the tree and the status item.
import { until } from "../../harness/wait.mjs";

export default async function openAPlan(stage) {
  const window = await stage.shared();
  const begun = Date.now();
  await window.lenses("# Plan: purse", /Continue.*1\/10 done/);
  stage.note("workbench shown → lenses", `${Date.now() - begun} ms`);
  await window.lenses("Task 1.2", /Run/);
  await window.page.locator(".cdr.squiggly-error, .cdr.squiggly-warning").first().waitFor();
  await window.status(/1\/10/);
  await stage.shot(window, "plan");

  await window.showViews();
  await window.row("Implement money.parse").waitFor();
  await window.row("Sharing").waitFor();
  const mistake = window.page.locator(".sidebar", { hasText: "1 error in the plan" });
  await mistake.waitFor();
  await stage.shot(window, "views");

  // The problem goes by its quick fix, and the file is what the editor shows.
  const fix = await window.quickFix("Task 2.6", /remove/i);
  await stage.shot(window, "quick-fix");
  await window.press(fix);
  await window.line("[depends:1.2]").waitFor();
  await window.command("File: Save");
  await until("the saved file has no problem", () => window.project.plan.includes("[depends:1.2]\n"));
  await window.page.locator(".cdr.squiggly-error, .cdr.squiggly-warning").first().waitFor({ state: "detached" });
  await mistake.waitFor({ state: "detached" });
}
