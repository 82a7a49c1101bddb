// A task from the lens to the commit, answered by the notification's button. The clock runs.
import { shown } from "../../harness/figures.mjs";

export default async function answerByNotification(stage) {
  const window = await stage.shared();
  const { project } = window;
  await window.lenses("Task 1.2", /Run/);
  const progress = await window.watch(
    '[id^="devloop.devloop"].statusbar-item, .codelens-decoration',
    /queued|prepar|working|turn|Cancel/i,
  );
  await window.clickLens("Task 1.2", "▶ Run");
  const { clicked, seen } = await progress();
  stage.note("click on Run → visible progress", shown(seen - clicked));

  const visible = await window.watch(".notifications-toasts .notification-list-item", /Implement money.parse/);
  await window.status(/turn|working|1\.2/i);
  await stage.shot(window, "working");
  const toast = await visible();
  const opened = (await project.events()).findLast((event) => event.kind === "checkpoint.opened");
  stage.note("checkpoint → visible notification", shown(toast.seen - Date.parse(opened.at)));
  await window.lenses("Task 1.2", /Commit/);
  await stage.shot(window, "checkpoint");

  await window.pressToastButton(/Implement money.parse/, "Commit");
  const message = await project.landed("1.2", "Implement money.parse");
  if (!/^Devloop-Task: 1\.2$/m.test(message)) {
    throw new Error(`the commit does not name its task:\n${message}`);
  }
  await window.line("[x] Task 1.2").waitFor();
  await window.status(/2\/9/);
  await window.toast(/Implement money.parse/).waitFor({ state: "detached" });
  await stage.shot(window, "landed");
}
