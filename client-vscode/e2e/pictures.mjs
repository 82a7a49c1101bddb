// Takes the README's pictures from the screenshots of a whole run of the scenarios: smaller, in media/readme/.
//
//   node e2e/run.mjs runs/ && node e2e/pictures.mjs        DEVLOOP_E2E_OUT: where the screenshots are
import fs from "node:fs";
import path from "node:path";
import { CHROMIUM, chromium, EXTENSION, OUT } from "./harness/tools.mjs";

const CHOSEN = {
  "running.webp": "runs-07-cancel-1-working.png",
  "checkpoint.webp": "runs-02-answer-by-notification-2-checkpoint.png",
  "review.webp": "runs-08-review-2-left-out.png",
  "run.webp": "runs-09-run-page-3-dark.png",
};
const QUALITY = 0.75;

const target = path.join(EXTENSION, "media/readme");
fs.mkdirSync(target, { recursive: true });
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
const page = await browser.newPage();
for (const [name, screenshot] of Object.entries(CHOSEN)) {
  const png = fs.readFileSync(path.join(OUT, screenshot)).toString("base64");
  const data = await page.evaluate(encoded, [png, QUALITY]);
  const webp = Buffer.from(data.split(",")[1], "base64");
  fs.writeFileSync(path.join(target, name), webp);
  console.log(`${name} ${(webp.length / 1000).toFixed(1)} kB from ${screenshot}`);
}
await browser.close();

// This runs in the page: a browser is the one encoder that is here in any case.
async function encoded([png, quality]) {
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", quality);
}
