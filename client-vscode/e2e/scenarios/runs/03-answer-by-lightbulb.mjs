// The task under the cursor is run by its keys, and the same decision is made from its line. VS Code can't take a
// notification back: its buttons say what was decided.
export default async function answerByLightbulb(stage) {
  const window = await stage.shared();
  await window.lenses("Task 1.3", /Run/);
  await window.clickLine("Task 1.3");
  await window.keys("r");
  await window.told(/Show debts with a sign/);
  const commit = await window.quickFix("Task 1.3", /^Commit/);
  await stage.shot(window, "lightbulb");
  await window.press(commit);
  await window.project.landed("1.3", "Show debts with a sign");
  await window.line("[x] Task 1.3").waitFor();
  await window.pressToastButton(/Show debts with a sign/, "Commit");
  await window.told(/decided already \(commit\)/);
}
