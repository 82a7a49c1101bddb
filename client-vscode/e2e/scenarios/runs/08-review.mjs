// The work is looked at, file by file; one file stays out, the gates run again on the rest, and only that lands.
export default async function review(stage) {
  const window = await stage.shared();
  const { project, page } = window;
  await window.clickLens("Task 2.4", "▶ Run");
  await window.told(/Split the bill by shares/);
  await window.pressToastButton(/Split the bill by shares/, "Review");
  await page.locator(".multiDiffEntry, .multi-diff-editor .diff-editor").first().waitFor();
  await window.command("Notifications: Clear All Notifications");
  await page.locator(".view-line", { hasText: "left over from looking around" }).first().waitFor();
  await stage.shot(window, "changes");

  await window.showViews();
  await window.chooseInRowMenu("debug.py", /Leave File Out/);
  await window.row("debug.py").locator('.monaco-checkbox[aria-checked="false"]').waitFor();
  await stage.shot(window, "left-out");
  await window.press(window.titleAction("Commit"));
  await project.landed("2.4", "Split the bill by shares");
  const landed = project.git("show", "--name-only", "--format=", "HEAD").split("\n");
  if (landed.includes("purse/debug.py") || !landed.includes("purse/split.py") || !landed.includes("README.md")) {
    throw new Error(`what landed: ${landed}`);
  }
  const run = await project.runOf("2.4");
  const checked = (await project.events()).filter((event) => event.run === run.id && event.kind === "gate.ended");
  if (checked.length < 2) {
    throw new Error("the gates did not run again on what was left");
  }
  await page.locator(".multiDiffEntry, .multi-diff-editor .diff-editor").first().waitFor({ state: "detached" });
}
