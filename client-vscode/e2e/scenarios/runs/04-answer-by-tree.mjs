// Run and decide without the editor: from the tree of the plan.
export default async function answerByTree(stage) {
  const window = await stage.shared();
  await window.showViews();
  await window.press(await window.rowMenu("Round shares fairly", /^Run/));
  await window.told(/Round shares fairly/);
  const decide = await window.rowMenu("Round shares fairly", /^Commit$/);
  await stage.shot(window, "menu");
  await window.press(decide);
  await window.project.landed("1.4", "Round shares fairly");
  await stage.shot(window, "landed");
}
