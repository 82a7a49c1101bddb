// A repository that means ill: its settings name a server of its own, and its plan looks like links, markup and icons.
// In restricted mode nothing of it is started; with trust its texts stay texts, wherever they are shown.
import fs from "node:fs";
import path from "node:path";
import { work } from "../../harness/project.mjs";
import { until } from "../../harness/wait.mjs";

const TITLE = "Read [Trust](command:workbench.action.toggleZenMode) <img src=x> $(flame) \u202Edecaf";
const SHOWN = /Read \[Trust\] ?\(command:workbench\.action\.toggleZenMode\) <img src=x>/;
const PLAN = `# Plan: [Close](command:workbench.action.closeWindow) <b>all</b>

**Status**: In Progress

## Phase 1: <h1>[Letters](command:x)</h1>

- [ ] Task 1.1: ${TITLE}
- [ ] Task 1.2: Weigh ${"the letters ".repeat(2000)}

## Progress Log
`;

export default async function hostile(stage) {
  const project = await stage.machine.project({
    plan: PLAN,
    tasks: { 1.1: work("purse/read.py", "READ = 1\n", "[Look](command:workbench.action.toggleZenMode) <b>here</b>") },
    files: { "evil.sh": '#!/bin/sh\ntouch "$(dirname "$0")/STARTED"\nexit 1\n' },
  });
  const evil = path.join(project.root, "evil.sh");
  fs.chmodSync(evil, 0o755);
  const settings = { "devloop.serverCommand": [evil, "lsp"], "devloop.interpreter": evil };
  project.write(".vscode/settings.json", JSON.stringify(settings));

  const restricted = await stage.open(project, { editor: { trusting: false } });
  await restricted.status(/0\/2/);
  await restricted.showViews();
  await restricted.row("Read [Trust]").waitFor();
  await stage.shot(restricted, "restricted");
  await textsAreTexts(restricted, ".sidebar");
  if (fs.existsSync(path.join(project.root, "STARTED"))) {
    throw new Error("the repository's own program was started in restricted mode");
  }

  fs.rmSync(path.join(project.root, ".vscode"), { recursive: true });
  const window = await stage.open(project);
  await window.clickLens("Task 1.1", "▶ Run");
  const toast = await window.told(SHOWN);
  await stage.shot(window, "asked");
  const links = await toast.locator(".notification-list-item-message a").allInnerTexts();
  if (links.length > 0) {
    throw new Error(`the notification has links: ${links}`);
  }
  await window.showViews();
  await window.row("Read [Trust]").hover();
  const hover = window.page.locator(".workbench-hover", { hasText: SHOWN }).first();
  await hover.waitFor();
  await textsAreTexts(window, ".workbench-hover");
  await window.statusItem.hover();
  const tooltip = window.page.locator(".workbench-hover", { hasText: "All commands" }).first();
  await tooltip.waitFor();
  await stage.shot(window, "tooltip");
  const commands = await tooltip.locator("a").evaluateAll((all) => all.map((each) => each.dataset.href ?? each.href));
  if (commands.length === 0 || commands.some((each) => !each.startsWith("command:devloop."))) {
    throw new Error(`the tooltip leads to ${commands}`);
  }
  await window.pressToastButton(SHOWN, "Commit");
  await until("the task is ticked", () => /^- \[x\] Task 1\.1: Read \[Trust\]/m.test(project.plan));
}

async function textsAreTexts(window, where) {
  await until("texts as texts", async () => {
    const found = await window.page
      .locator(`${where} a[data-href^="command:workbench"], ${where} img[src="x"]`)
      .count();
    return found === 0;
  });
}
