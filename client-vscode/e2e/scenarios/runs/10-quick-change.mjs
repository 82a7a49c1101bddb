// A small change from the palette: no plan is touched, and it lands as any other work does.
import { until } from "../../harness/wait.mjs";

const WISH = "Name the licence in the README";

export default async function quickChange(stage) {
  const window = await stage.shared();
  const { project } = window;
  await window.status(/\d+\/1\d/);
  const { plan } = project;
  await window.command("Devloop: Quick Change…");
  await window.answer(WISH);
  await window.told(/quick: Name the licence/);
  await window.showViews();
  await window.row("quick: Name the licence").waitFor();
  await stage.shot(window, "checkpoint");
  await window.pressToastButton(/quick: Name the licence/, "Commit");
  await until("the commit", () => project.git("log", "--format=%s").split("\n").includes(WISH), { every: 200 });
  await until("the file in the checkout", () => project.read("LICENCE.md").includes("MIT"));
  if (project.plan !== plan) {
    throw new Error("a quick change wrote to the plan");
  }
  await window.silent();
}
