// axe-core in a frame whose policy allows no script from elsewhere: what is evaluated by the debugger is not under it.
import fs from "node:fs";
import { createRequire } from "node:module";

const SOURCE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Serious and critical problems of a document, each as a sentence; `frame` is one of Playwright's frames. */
export async function problems(frame) {
  await frame.evaluate(SOURCE);
  const { violations } = await frame.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter((each) => each.impact === "serious" || each.impact === "critical")
    .map((each) => `${each.id} (${each.impact}): ${each.help}: ${each.nodes.map((node) => node.html).join(" ")}`);
}
