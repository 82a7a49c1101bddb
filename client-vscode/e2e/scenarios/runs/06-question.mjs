// The agent asks, the person chooses; the run goes on from there.
export default async function question(stage) {
  const window = await stage.shared();
  const { project } = window;
  await window.clickLens("Task 2.2", "▶ Run");
  await window.told(/How is an amount of zero shown\?/);
  await window.status(/asks/);
  await stage.shot(window, "asked");
  await window.pressToastButton(/How is an amount of zero shown\?/, "As a dash");
  await window.told(/Zero is shown as you chose/);

  const run = await project.runOf("2.2");
  const transcript = await project.devloop("transcript", run.id);
  if (!transcript.includes("As a dash")) {
    throw new Error(`the answer did not reach the agent:\n${transcript}`);
  }
  await window.pressToastButton(/Show an amount of zero/, "Commit");
  await project.landed("2.2", "Show an amount of zero");
}
