// In restricted mode a plan can be read, and nothing acts: not from a lens, the palette, the tree or the status item.
// Trust brings it all back without a reload.
import { SMALL, TASKS } from "../../harness/small.mjs";

export default async function restricted(stage) {
  const project = await stage.machine.project({ plan: SMALL, tasks: TASKS });
  const window = await stage.open(project, { editor: { trusting: false } });
  const titles = await window.lenses("# Plan: Post office", /0\/2 done/);
  if (/Continue|Run/.test(titles.join())) {
    throw new Error(`a lens that acts: ${titles}`);
  }
  const none = await window.lenses("Task 1.1", /^$/);
  if (none.length > 0) {
    throw new Error(`a lens that acts: ${none}`);
  }
  await window.status(/0\/2/);
  await window.page.locator('.statusbar-item[id^="devloop.devloop"] .codicon-lock').waitFor();
  await window.showViews();
  await window.row("Weigh the letters").waitFor();
  const menu = await window.rowMenuItems("Weigh the letters");
  await stage.shot(window, "restricted");
  if (menu.some((item) => /^(Run|Continue|Skip|Block|Mark|Move|Edit)/.test(item))) {
    throw new Error(`the menu offers what acts: ${menu}`);
  }
  await window.page.keyboard.press("Escape");
  if ((await window.commandsLike("Devloop: Doctor")).length === 0) {
    throw new Error("the palette does not list devloop's commands at all");
  }
  const offered = await window.commandsLike("Devloop: Run");
  if (offered.length > 0) {
    throw new Error(`the palette offers what acts: ${offered}`);
  }

  await window.command("Workspaces: Manage Workspace Trust");
  await window.press(window.page.locator(".workspace-trust-editor .monaco-button", { hasText: /^Trust$/ }).first());
  await window.page.getByText("You trust this folder").waitFor();
  await window.openFile(".devloop/plan.md");
  await window.lenses("Task 1.2", /Run/);
  await window.page.locator('.statusbar-item[id^="devloop.devloop"] .codicon-lock').waitFor({ state: "detached" });
  await window.clickLens("Task 1.2", "▶ Run");
  await window.told(/Weigh the letters/);
}
