// A task from the lens to the commit, answered by the notification's button. The clock runs.
import { shown } from "../../harness/figures.mjs";

export default async function answerByNotification(stage) {
  const window = await stage.shared();
  const { project } = window;
  await window.lenses("Task 1.2", /Run/);
  const progress = await window.watch(".statusbar-item", /1\.2/);
  await window.clickLens("Task 1.2", "▶ Run");
  const { clicked, seen } = await progress();
  stage.note("click on Run → visible progress", shown(seen - clicked));

  const visible = await window.watch(".notifications-toasts .notification-list-item", /Implement money.parse/);
  await stage.shot(window, "working");
  const toast = await visible();
  stage.note("checkpoint → visible notification", shown(toast.seen - (await project.opened("1.2"))));
  await window.lenses("Task 1.2", /Commit/);
  await stage.shot(window, "checkpoint");

  await window.onlyToast(/Implement money.parse/);
  await window.pressToastButton(/Implement money.parse/, "Commit");
  const message = await project.landed("1.2", "Implement money.parse");
  if (!/^Devloop-Task: 1\.2$/m.test(message)) {
    throw new Error(`the commit does not name its task:\n${message}`);
  }
  await window.line("[x] Task 1.2").waitFor();
  await window.status(/^\D*[2-9]\/10/);
  await window.silent();
  await stage.shot(window, "landed");
}
