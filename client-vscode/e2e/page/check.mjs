// The page of a run in a real browser, without VS Code: all its states in the colours of four themes, looked at by
// axe-core; what it asks for elsewhere; and whether a run of 500 turns stays quick. Exit status 1 if something is wrong.
//
//   node e2e/page/check.mjs      pictures go to DEVLOOP_E2E_OUT
import fs from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { problems } from "../axe.mjs";
import { CHROMIUM, chromium, EXTENSION, OUT } from "../harness/tools.mjs";
import { until } from "../harness/wait.mjs";

const THEMES = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, "themes.json"), "utf8"));
const SOURCE = "http://page.test";
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 480, height: 800 };
const MOST_ELEMENTS = 6000;

const folder = fs.mkdtempSync(path.join(fs.realpathSync("/tmp"), "dl-page-"));
const wrong = [];

try {
  await bundles();
  const { document, states, long, next } = await import(path.join(folder, "states.mjs"));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    await check(browser, document, states, long, next);
  } finally {
    await browser.close();
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
for (const each of wrong) {
  console.log(each);
}
process.exitCode = wrong.length > 0 ? 1 : 0;

async function bundles() {
  const common = { bundle: true, absWorkingDir: EXTENSION, logLevel: "warning" };
  await Promise.all([
    build({
      ...common,
      entryPoints: ["test/run-page-states.ts"],
      outfile: path.join(folder, "states.mjs"),
      platform: "node",
      format: "esm",
    }),
    build({
      ...common,
      entryPoints: ["src/run-page/page/main.ts"],
      outfile: path.join(folder, "page.js"),
      platform: "browser",
      format: "iife",
    }),
  ]);
}

async function check(browser, document, states, long, next) {
  const places = { source: SOURCE, script: `${SOURCE}/page.js`, style: `${SOURCE}/page.css` };
  const html = document(places, { run: "r-1", folder: "" });
  const files = {
    "/": { contentType: "text/html", body: html },
    "/page.js": { contentType: "text/javascript", body: fs.readFileSync(path.join(folder, "page.js"), "utf8") },
    "/page.css": { contentType: "text/css", body: fs.readFileSync(path.join(EXTENSION, "media/page.css"), "utf8") },
  };
  fs.mkdirSync(OUT, { recursive: true });
  let seen = 0;
  for (const [theme, colours] of Object.entries(THEMES)) {
    const page = await open(browser, files, colours);
    const look = async (name, message) => {
      await show(page, message);
      await unfold(page);
      const found = await problems(page.mainFrame());
      wrong.push(...[...found, ...page.wrong.splice(0)].map((each) => `${theme}, ${name}: ${each}`));
      await page.screenshot({ path: path.join(OUT, `page-${theme}-${name}.png`) });
      seen += 1;
    };
    for (const [state, message] of Object.entries(states)) {
      await look(state, message);
    }
    await page.setViewportSize(NARROW);
    await look("narrow", states.decision);
    await page.context().close();
  }
  const page = await open(browser, files, THEMES.dark);
  await measure(page, long, next);
  await page.context().close();
  console.log(`${seen} pages seen`);
}

async function open(browser, files, colours) {
  const context = await browser.newContext({ viewport: WIDE, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.wrong = [];
  await context.route("**/*", (route) => {
    const url = new URL(route.request().url());
    const file = url.origin === SOURCE ? files[url.pathname] : undefined;
    if (file === undefined) {
      page.wrong.push(`it asks for ${url}`);
      return route.abort();
    }
    return route.fulfill(file);
  });
  page.on("console", (message) => {
    if (message.type() === "error") {
      page.wrong.push(message.text());
    }
  });
  page.on("pageerror", (problem) => page.wrong.push(String(problem)));
  await page.addInitScript(() => {
    globalThis.posted = [];
    globalThis.acquireVsCodeApi = () => ({
      postMessage: (message) => globalThis.posted.push(message),
      getState: () => undefined,
      setState: () => {},
    });
  });
  await page.goto(`${SOURCE}/`);
  await page.evaluate(dress, colours);
  await until("the page is ready", () => page.evaluate(() => globalThis.posted.some(({ type }) => type === "ready")));
  return page;
}

async function show(page, message) {
  await page.evaluate(
    (told) =>
      new Promise((done) => {
        addEventListener("message", () => requestAnimationFrame(() => requestAnimationFrame(done)), { once: true });
        postMessage(told);
      }),
    message,
  );
}

/** So that axe sees what is folded away, too. */
async function unfold(page) {
  await page.evaluate(() => {
    for (const each of [...document.querySelectorAll("details")].slice(0, 60)) {
      each.open = true;
    }
    const asks = [...document.querySelectorAll("button[aria-expanded=false]")].find((each) =>
      each.closest(".decisions"),
    );
    asks?.click();
  });
}

/** A run of 500 turns: what it costs to show it, and what one more event costs. */
async function measure(page, long, next) {
  const figures = await page.evaluate(
    async ([long, messages]) => {
      const took = async (act) => {
        const begun = performance.now();
        await act();
        return Math.round((performance.now() - begun) * 10) / 10;
      };
      const tell = (message) =>
        new Promise((done) => {
          addEventListener("message", () => done(document.body.offsetHeight), { once: true });
          postMessage(message);
        });
      const first = await took(() => tell(long));
      const each = [];
      for (const message of messages) {
        each.push(await took(() => tell(message)));
      }
      return { first, each, elements: document.querySelectorAll("*").length };
    },
    [long, next],
  );
  console.log(
    `500 turns: shown in ${figures.first} ms, an event takes ${figures.each.join(", ")} ms, the page has ${figures.elements} elements`,
  );
  if (figures.elements > MOST_ELEMENTS) {
    wrong.push(`a page of 500 turns has ${figures.elements} elements, more than ${MOST_ELEMENTS}`);
  }
}

/** As VS Code does it: a class of the body, and its colours as properties of the root. */
function dress({ names, colours }) {
  document.body.className = names;
  for (const [name, value] of Object.entries(colours)) {
    document.documentElement.style.setProperty(name, value);
  }
}
