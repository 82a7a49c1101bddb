// Words for the agent go by an input box; the same run goes on and asks again.
export default async function revise(stage) {
  const window = await stage.shared();
  const { project } = window;
  await window.clickLens("Task 2.1", "▶ Run");
  await window.told(/Name the currency/);
  await window.pressToastButton(/Name the currency/, "More");
  await window.press(window.picks("Revise"));
  await window.page.locator(".quick-input-widget input.input").waitFor();
  await stage.shot(window, "message");
  await window.answer("Use the sign, not the name.");
  await window.told(/currency is shown by its sign/);
  await window.onlyToast(/currency is shown by its sign/);
  await stage.shot(window, "asked-again");

  const run = await project.runOf("2.1");
  const transcript = await project.devloop("transcript", run.id);
  if (!transcript.includes("Use the sign, not the name.")) {
    throw new Error(`the message did not reach the agent:\n${transcript}`);
  }
  await window.pressToastButton(/Name the currency/, "Commit");
  await project.landed("2.1", "Name the currency");
  if (project.git("show", "HEAD:purse/currency.py") !== 'NAME = "€"') {
    throw new Error("what landed is not what was asked for");
  }
}
