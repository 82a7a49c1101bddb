// Two folders in one window: each has a server, a plan and runs of its own.
import fs from "node:fs";
import path from "node:path";
import { SMALL, TASKS } from "../../harness/small.mjs";

export default async function folders(stage) {
  const post = await stage.machine.project({ plan: SMALL, tasks: TASKS, name: "post" });
  const bank = await stage.machine.project({
    plan: SMALL.replace("Post office", "Bank").replace("Weigh the letters", "Count the coins"),
    tasks: TASKS,
    name: "bank",
  });
  const workspace = path.join(path.dirname(post.root), "both.code-workspace");
  fs.writeFileSync(workspace, JSON.stringify({ folders: [{ path: post.root }, { path: bank.root }] }));
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
}
