// Reviewers look at what is not committed; what they found stands at its line, and its light bulb acts.
import fs from "node:fs";
import path from "node:path";
import { until } from "../../harness/wait.mjs";

const FILE = "purse/rates.py";

export default async function reviewFindings(stage) {
  const window = await stage.shared();
  const { project, page } = window;
  project.write(FILE, '"""Rates of the day."""\n\n\ndef rate(text):\n    return eval(text)\n');
  await window.status(/\d+\/1\d/);
  await window.command("Devloop: Have Changes Reviewed…");
  await window.press(window.picks("What is not committed"));
  await window.pressToastButton(/review: /, "Continue");
  await window.command("Notifications: Clear All Notifications");

  await window.openFile(FILE);
  await page.locator(".squiggly-error, .squiggly-warning, .squiggly-info").first().waitFor();
  await window.press(await window.quickFix("return eval", /^Add as task to the plan/));
  await until("the task in the plan", () => /^- \[ \] .*eval/m.test(project.plan));
  await stage.shot(window, "finding");
  await window.press(await window.quickFix("return eval", /^Dismiss: /));
  await page.locator(".squiggly-error, .squiggly-warning, .squiggly-info").first().waitFor({ state: "detached" });
  fs.rmSync(path.join(project.root, FILE));
}
