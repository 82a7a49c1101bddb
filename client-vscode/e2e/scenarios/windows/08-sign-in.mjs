// Signing in with the model's key, in front of a service that takes no other: it is kept where only the person can read
// it, every window says so at once, and a run asks the service with it. Then signing out: nothing of it is left.
import { Double } from "../../harness/double.mjs";
import { work } from "../../harness/project.mjs";
import { SMALL } from "../../harness/small.mjs";
import { until } from "../../harness/wait.mjs";

const NO_KEY = /Model \S+ \(no key\)/;
const HAS_KEY = /Model \S+\s+Today/;

export default async function signIn(stage) {
  const { machine } = stage;
  const double = new Double(machine, { 1.2: work("purse/weigh.py", "GRAMS = 20\n") });
  try {
    await play(stage, double, await double.listens());
  } finally {
    double.end();
  }
}

async function play(stage, double, { url, key }) {
  const { machine } = stage;
  const open = async (name) => {
    const project = await machine.project({ plan: SMALL, name });
    project.serve(`export ANTHROPIC_BASE_URL="${url}"\n`);
    const window = await stage.open(project);
    await window.lenses("Task 1.2", /Run/);
    return window;
  };
  const here = await open("letters");
  const there = await open("parcels");
  const windows = [here, there];
  const { project, page } = here;
  await say(windows, false);
  await stage.shot(there, "no-key");

  await page.bringToFront();
  await here.command("Devloop: Sign In…");
  const box = page.locator(".quick-input-widget input.input");
  await box.waitFor();
  if ((await box.getAttribute("type")) !== "password") {
    throw new Error("the key can be read over the person's shoulder");
  }
  await page.locator(".quick-input-widget", { hasText: "Nothing is shown." }).waitFor();
  await box.fill(key);
  await stage.shot(here, "asked");
  await page.keyboard.press("Enter");
  await here.onlyToast(/Signed in\. The key is kept in a file that only you can read for http:\/\/127\.0\.0\.1:\d+\./);
  await stage.shot(here, "signed-in");
  if (machine.keys[url] !== key) {
    throw new Error("the key is not stored for its service");
  }
  await say(windows, true);
  await stage.shot(there, "elsewhere");

  // The service takes it.
  await page.bringToFront();
  await here.rest();
  await here.clickLens("Task 1.2", "▶ Run");
  await here.pressToastButton(/1\.2 Weigh the letters – ready for your decision/, "Commit");
  await project.landed("1.2", "Weigh the letters");
  const turns = double.asked.filter((each) => each.task === "1.2");
  if (turns.length < 2 || turns.some((each) => each.status !== 200)) {
    throw new Error(`the service was asked: ${JSON.stringify(turns)}`);
  }
  const found = machine.filesWith(key);
  if (found.length > 0) {
    throw new Error(`the key stands in ${found}`);
  }

  await here.rest();
  await here.command("Devloop: Sign Out");
  await here.pressInDialog(/Forget the key that devloop has stored for the model's service\?/, "Sign Out");
  await here.onlyToast(/The key for http:\/\/127\.0\.0\.1:\d+ is removed\./);
  await stage.shot(here, "signed-out");
  if (url in machine.keys) {
    throw new Error("the key is still stored");
  }
  await say(windows, false);

  // The terminal is heard of, too.
  await project.typed(key, "login", "--base-url", url);
  await say(windows, true);
  await project.devloop("logout", "--base-url", url);
  await say(windows, false);
}

/** Every window and the terminal in its folder say whether there is a key. */
async function say(windows, there) {
  for (const window of windows) {
    await window.page.bringToFront();
    await window.tooltip(there ? HAS_KEY : NO_KEY);
    await until(`the status says key: ${there}`, async () => (await window.project.status()).model.key === there);
  }
}
