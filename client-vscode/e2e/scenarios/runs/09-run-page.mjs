// The page of a run: it is there while the run works, streams, follows the theme, is accessible, and takes the decision.

import { problems } from "../../axe.mjs";
import { until } from "../../harness/wait.mjs";

export default async function runPage(stage) {
  const window = await stage.shared();
  const { project, page } = window;
  await window.clickLens("Task 2.5", "▶ Run");
  await window.clickLens("Task 2.5", /^Show run/);
  const shown = window.webview();
  await shown.locator("h1", { hasText: "2.5 Export the purse to CSV" }).waitFor();
  await shown.locator("p", { hasText: "one row per bill" }).first().waitFor();
  await stage.shot(window, "working");
  await shown.locator("p", { hasText: "One function is enough." }).waitFor();

  const decisions = shown.getByRole("group", { name: "Decisions" });
  await decisions.getByRole("button", { name: "Commit" }).waitFor();
  await window.told(/Export the purse to CSV/);
  await window.command("Notifications: Clear All Notifications");
  await stage.shot(window, "checkpoint");
  await accessible("light");
  const light = await background();
  await page.emulateMedia({ colorScheme: "dark" });
  await until("the page is dark", async () => (await background()) !== light);
  await stage.shot(window, "dark");
  await accessible("dark");
  await page.emulateMedia({ colorScheme: "light" });

  await decisions.getByRole("button", { name: "Commit" }).focus();
  await page.keyboard.press("Enter");
  await project.landed("2.5", "Export the purse to CSV");
  await shown.locator(".badge", { hasText: /landed/i }).waitFor();
  await stage.shot(window, "landed");

  // The same page by a link from outside; it names the folder, since two may have a run of this name.
  await window.command("View: Close All Editors");
  await until("no page is open", async () => (await page.locator(".tab").count()) === 0);
  const { id } = await project.runOf("2.5");
  const folder = encodeURIComponent(project.root);
  await window.openAddress(`vscode://devloop.devloop/run/${id}?folder=${encodeURIComponent("/elsewhere")}`);
  await window.told(/which is not open in this window/);
  await window.openAddress(`vscode://devloop.devloop/run/${id}?folder=${folder}`);
  await shown.locator("h1", { hasText: "2.5 Export the purse to CSV" }).waitFor();
  await stage.shot(window, "by-link");
  const refused = window.errors.filter(
    (each) => /Content Security Policy/i.test(each) && /run-page|page\.css/.test(each),
  );
  if (refused.length > 0) {
    throw new Error(refused.join("\n"));
  }

  function background() {
    return shown
      .locator("body")
      .evaluate((body) => getComputedStyle(body).getPropertyValue("--vscode-editor-background"));
  }

  async function accessible(theme) {
    const handle = await shown.locator("body").elementHandle();
    const found = await problems(await handle.ownerFrame());
    if (found.length > 0) {
      throw new Error(`axe, ${theme}:\n${found.join("\n")}`);
    }
  }
}
