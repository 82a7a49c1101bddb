// Work that looks like a secret waits until a person says that it is none: by the notification, and on the run's page,
// where of several findings only those are let through that were chosen.
import fs from "node:fs";
import path from "node:path";
import { finish, write } from "../../harness/project.mjs";
import { until } from "../../harness/wait.mjs";

const PLAN = `# Plan: Fixtures

**Status**: In Progress

## Phase 1: Samples

- [ ] Task 1.1: Add a sample answer
- [ ] Task 1.2: Add two sample requests

## Progress Log
`;
/** They have the shape and open nothing. */
const sample = (letters) => ["ghp", letters.repeat(6)].join("_");
const ANSWER = `ANSWER = "${sample("f4Tr9w")}"\n`;
const REQUESTS = [`FIRST = "${sample("Qz7vB2")}"\n`, `SECOND = "${sample("m3Kx8D")}"\n`];
/** The agent is told what was found, and leaves it. */
const stays = (summary) => Array.from({ length: 6 }, () => ({ calls: [finish(summary)] }));
const TASKS = {
  1.1: [{ calls: [write("samples/answer.py", ANSWER)] }, ...stays("An answer to try with.")],
  1.2: [
    { calls: [write("samples/first.py", REQUESTS[0]), write("samples/second.py", REQUESTS[1])] },
    ...stays("Two requests to try with."),
  ],
};

export default async function noSecret(stage) {
  const project = await stage.machine.project({ plan: PLAN, tasks: TASKS, name: "samples" });
  const window = await stage.open(project);
  await window.lenses("Task 1.1", /Run/);
  await window.clickLens("Task 1.1", "▶ Run");
  await window.onlyToast(
    /1\.1 Add a sample answer – needs you: This looks like a secret: samples\/answer\.py:1 github-pat/,
  );
  await stage.shot(window, "held");
  await window.pressToastButton(/1\.1/, "This Is No Secret");
  await window.onlyToast(/1\.1 Add a sample answer – ready for your decision/);
  accepted(1);
  await window.pressToastButton(/ready for your decision/, "Commit");
  await project.landed("1.1", "Add a sample answer");
  same(project.git("show", "HEAD:samples/answer.py"), ANSWER.trim(), "the committed file");

  await window.clickLens("Task 1.2", "▶ Run");
  await window.told(/1\.2 Add two sample requests – needs you/);
  await window.command("Notifications: Clear All Notifications");
  const { id } = await project.runOf("1.2");
  await window.openAddress(`vscode://devloop.devloop/run/${id}?folder=${encodeURIComponent(project.root)}`);
  const shown = window.webview();
  const button = (name) => shown.getByRole("group", { name: "Decisions" }).getByRole("button", { name, exact: true });
  await shown
    .locator(".quote.bad", { hasText: /^These look like secrets: samples\/first\.py:1 github-pat, samples/ })
    .waitFor();
  await button("No Secret…").waitFor();
  await stage.shot(window, "page");
  const colour = () =>
    shown.locator("body").evaluate((body) => getComputedStyle(body).getPropertyValue("--vscode-editor-background"));
  const light = await colour();
  await window.page.emulateMedia({ colorScheme: "dark" });
  await until("the page is dark", async () => (await colour()) !== light);
  await stage.shot(window, "page-dark");
  await window.page.emulateMedia({ colorScheme: "light" });
  await button("No Secret…").click();
  await window.picks("samples/second.py:1 github-pat").waitFor();
  await window.press(window.picks("samples/first.py:1 github-pat"));
  await stage.shot(window, "which");
  await window.page.keyboard.press("Enter");

  // The other one still holds it.
  await button("This Is No Secret").waitFor();
  await shown
    .locator(".quote.bad", { hasText: /^This looks like a secret: samples\/second\.py:1 github-pat$/ })
    .waitFor();
  same(await shown.locator(".quote.bad", { hasText: "samples/first.py" }).count(), 0, "findings of the first file");
  accepted(2);
  await stage.shot(window, "one-left");
  await button("This Is No Secret").click();
  await button("Commit").waitFor();
  accepted(3);
  await button("Commit").click();
  await project.landed("1.2", "Add two sample requests");
  same(project.git("show", "HEAD:samples/second.py"), REQUESTS[1].trim(), "the committed file");

  /** Nothing but what was said to be none is let through. */
  function accepted(count) {
    const folder = path.join(stage.machine.state, "workspaces");
    const name = fs.readdirSync(folder).find((each) => each.startsWith("samples"));
    const { accepted } = JSON.parse(fs.readFileSync(path.join(folder, name, "not-secret.json"), "utf8"));
    same(Object.keys(accepted).length, count, "accepted findings");
  }
}

function same(found, wanted, what) {
  if (found !== wanted) {
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }
}
