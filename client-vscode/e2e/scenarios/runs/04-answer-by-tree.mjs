// Run, decide and bring into another order without the editor: from the tree of the plan.
import { until } from "../../harness/wait.mjs";

export default async function answerByTree(stage) {
  const window = await stage.shared();
  await window.showViews();
  await window.chooseInRowMenu("Round shares fairly", /^Run/);
  await window.told(/Round shares fairly/);
  const items = await window.rowMenuItems("Round shares fairly", /^Commit/);
  const order = items.filter((item) => /^(Continue|Commit)$/.test(item));
  await stage.shot(window, "menu");
  await window.page.keyboard.press("Escape");
  if (order.join() !== "Continue,Commit") {
    throw new Error(`the menu offers ${order}`);
  }
  await window.rowAction("Round shares fairly", "Decide");
  await window.picks(/Continue.*recommended/).waitFor();
  await stage.shot(window, "decide");
  await window.press(window.picks("Commit"));
  await window.project.landed("1.4", "Round shares fairly");

  await window.drag("Show debts with a sign", "Implement money.parse");
  const above = async () => {
    const [debts, parse] = await Promise.all(
      ["Show debts with a sign", "Implement money.parse"].map((text) => window.row(text).boundingBox()),
    );
    return debts.y < parse.y;
  };
  await until("the tree has the new order", above);
  await window.command("File: Save");
  await until("the plan has the new order", () =>
    /Task 1\.1: [\s\S]*Task 1\.3: [\s\S]*Task 1\.2: /.test(window.project.plan),
  );
  await stage.shot(window, "moved");
}
