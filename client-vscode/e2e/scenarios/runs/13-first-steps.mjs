// What a new person does: the walkthrough opens, and its buttons act: the demo is made in this window, its first task is
// run, the checkpoint answered, the result looked at.
import path from "node:path";
import { until } from "../../harness/wait.mjs";

export default async function firstSteps(stage) {
  const window = await stage.shared();
  const { page } = window;
  await window.status(/\d+\/1\d/);
  await window.command("Devloop: Open Walkthrough");
  await step("plan").waitFor();
  await stage.shot(window, "walkthrough");

  // The demo opens in this window, with the walkthrough at its second step.
  await window.press(button("plan", "Try the Demo"));
  await window.line("Plan: purse").waitFor();
  const made = path.dirname(new URL(page.url()).searchParams.get("folder"));
  if (!path.basename(made).startsWith("devloop-demo-")) {
    throw new Error(`the demo is in ${made}`);
  }
  stage.machine.adopt(made);
  await step("run").waitFor();
  await window.status(/0\/3/);
  await stage.shot(window, "demo");
  await window.press(button("run", "Continue the Plan"));
  await window.status(/1\.1 waits for you/);
  await until("the step is ticked", () => isDone("run"));

  await window.press(step("decide").locator(".step-title").first());
  await window.press(button("decide", "Decide"));
  await window.picks("Commit").waitFor();
  await stage.shot(window, "decide");
  await window.press(window.picks("Commit"));
  await window.line("[x] Task 1.1").waitFor();
  await until("the step is ticked", () => isDone("decide"));

  await window.press(step("look").locator(".step-title").first());
  await window.press(button("look", "Show Run"));
  // The next task may run by now; then it is asked which run is meant.
  const shown = window.webview().locator("h1", { hasText: "1.1" });
  const named = window.picks(/1\.1/);
  await until("the page of the run", async () => {
    if (await named.isVisible()) {
      await window.press(named, { limit: 3000 });
    }
    return shown.isVisible();
  });
  await stage.shot(window, "look");

  function step(name) {
    return page.locator(`.getting-started-step[data-step-id$="#${name}"]`);
  }
  function button(name, title) {
    return step(name).locator(".monaco-button", { hasText: title }).first();
  }
  async function isDone(name) {
    return (await step(name).locator(".codicon-getting-started-step-checked.complete").count()) > 0;
  }
}
