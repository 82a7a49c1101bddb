// Run and decide without the editor: from the tree of the plan.
export default async function answerByTree(stage) {
  const window = await stage.shared();
  await window.showViews();
  await (await window.rowMenu("Round shares fairly", /^Run/)).click();
  await window.told(/Round shares fairly/);
  const decide = await window.rowMenu("Round shares fairly", /^(Commit|Decide)/);
  await stage.shot(window, "menu");
  await decide.click();
  if (!/Commit/.test(await decide.textContent().catch(() => ""))) {
    await window.picks("Commit").click();
  }
  await window.project.landed("1.4", "Round shares fairly");
  await stage.shot(window, "landed");
}
