// Two folders in one window: each has a server, a plan and runs of its own. A third one begins with a template, which an
// imported list of tasks then takes the place of.
import fs from "node:fs";
import path from "node:path";
import { SMALL, TASKS } from "../../harness/small.mjs";
import { until } from "../../harness/wait.mjs";

const LIST = {
  tasks: [
    { id: 1, title: "Open the door", status: "done", dependencies: [] },
    { id: 2, title: "Sweep the floor", status: "pending", dependencies: [1] },
  ],
};

export default async function folders(stage) {
  const post = await stage.machine.project({ plan: SMALL, tasks: TASKS, name: "post" });
  const bank = await stage.machine.project({
    plan: SMALL.replace("Post office", "Bank").replace("Weigh the letters", "Count the coins"),
    tasks: TASKS,
    name: "bank",
  });
  const workspace = path.join(path.dirname(post.root), "both.code-workspace");
  const shop = await stage.machine.project({ plan: null, name: "shop", files: { "todo.json": JSON.stringify(LIST) } });
  const roots = [post, bank, shop].map(({ root }) => ({ path: root }));
  fs.writeFileSync(workspace, JSON.stringify({ folders: roots }));
  const window = await stage.open(post, { workspace });
  await window.lenses("Task 1.2", /Run/);
  await window.clickLens("Task 1.2", "▶ Run");
  await window.onlyToast(/post: 1\.2 Weigh the letters/);

  await window.showViews();
  await window.row("Weigh the letters").waitFor();
  await window.press(window.row("Count the coins"));
  await window.line("# Plan: Bank").waitFor();
  await window.lenses("Task 1.2", /Run/);
  await window.status(/0\/2/);
  await window.clickLens("Task 1.2", "▶ Run");
  await window.told(/bank: 1\.2 Count the coins/);
  await stage.shot(window, "both");
  await window.pressToastButton(/bank: 1\.2/, "Commit");
  await bank.landed("1.2", "Count the coins");
  if (post.git("log", "--format=%s") !== "Start of purse") {
    throw new Error("a decision in one folder reached the other");
  }
  await window.pressToastButton(/post: 1\.2/, "Commit");
  await post.landed("1.2", "Weigh the letters");
  const daemons = await Promise.all([post, bank].map(async (each) => (await each.status()).daemon.pid));
  if (daemons[0] === daemons[1]) {
    throw new Error("both folders have the same daemon");
  }

  await window.command("Devloop: New Plan");
  await window.press(window.picks("shop"));
  const template = window.picks(/Phase 1/);
  await template.waitFor();
  await stage.shot(window, "templates");
  await window.press(template);
  await window.lenses("# Plan: ", /0\/\d+ done/);
  await until("the template is the plan", () => /^- \[ \] /m.test(shop.plan));
  await window.command("Devloop: Import Tasks");
  await window.press(window.picks("shop"));
  const box = window.page.locator(".quick-input-widget input.input");
  await until("the file dialog asks for a path", async () => (await box.inputValue()).startsWith(shop.root));
  await box.fill(path.join(shop.root, "todo.json"));
  await window.picks("todo.json").waitFor();
  await window.page.keyboard.press("Enter");
  await window.told(/2 tasks from todo\.json .*Replace .devloop\/plan\.md\?/);
  await window.page.locator(".monaco-diff-editor .view-line", { hasText: "Sweep the floor" }).first().waitFor();
  await stage.shot(window, "import");
  await window.pressToastButton(/2 tasks from todo\.json/, "Replace the Plan");
  await until("the list is the plan", () => /Sweep the floor/.test(shop.plan) && /Open the door/.test(shop.plan));
  if (fs.readdirSync(path.join(shop.root, ".devloop/archive/replaced")).length !== 1) {
    throw new Error("the plan before it was not kept");
  }
}
