// One window of VS Code, with the verbs of a person. VS Code removes and adds lenses, squiggles, rows and toasts again at
// any time: nothing is read once, everything is waited for.
import { ID } from "./tools.mjs";
import { LIMIT, until } from "./wait.mjs";

const LENS = ".codelens-decoration";
/** VS Code puts a notification away after some seconds: then it is in the notification centre. */
const TOAST = [".notifications-toasts", ".notifications-center.visible"]
  .map((place) => `${place} .notification-list-item`)
  .join(", ");
const plain = (text) => text.replaceAll("\u00a0", " ").trim();

export class Window {
  constructor(editor, page, project) {
    this.editor = editor;
    this.page = page;
    this.project = project;
    this.errors = [];
    page.on("console", (message) => {
      if (message.type() === "error") {
        this.errors.push(message.text());
      }
    });
  }

  async close() {
    // Leaving the page ends the extension host at once; closing it would let the host wait for a reconnection.
    await this.page.goto("about:blank").catch(() => {});
    await this.page.close().catch(() => {});
  }

  async reload() {
    await this.page.reload();
    await this.page.locator(".monaco-workbench").waitFor();
  }

  /**
   * A click in the middle of what is on top there and stays where it is. A locator's own click would scroll, which
   * moves the workbench out of its place.
   */
  async press(locator, { button = "left", limit = LIMIT } = {}) {
    let before;
    await until(
      `something to press: ${locator}`,
      async () => {
        const box = await locator.boundingBox({ timeout: 1000 });
        const stays = before && box && before.x === box.x && before.y === box.y;
        before = box;
        if (!stays || !(await locator.evaluate(isOnTop, undefined, { timeout: 1000 }))) {
          return false;
        }
        await this.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2, { button });
        return true;
      },
      { limit },
    );
  }

  // Editor

  /** Waits until the lenses above the line that contains `text` match `pattern`; their texts. */
  lenses(text, pattern) {
    return until(`lenses ${pattern} above "${text}"`, async () => {
      const titles = await this.page.evaluate(lensesAbove, [LENS, text]);
      return titles && pattern.test(titles.join(" | ")) && titles;
    });
  }

  async clickLens(text, title) {
    await this.page.bringToFront(); // behind another window nothing is drawn, so nothing stands where it will be
    const pattern = typeof title === "string" ? `^${title}$` : title.source;
    await until(`a click on the lens "${title}" of "${text}"`, async () => {
      const place = await this.page.evaluate(lensPlace, [LENS, text, pattern]);
      if (place) {
        await this.page.mouse.click(place.x, place.y);
      }
      return place;
    });
  }

  /** A line of the editor as the person sees it. */
  line(text) {
    return this.page.locator(".editor-instance .view-line", { hasText: text }).first();
  }

  /** By its place: a locator's click would scroll the editor. */
  async clickLine(text) {
    const line = this.line(text);
    const box = await until(`the line "${text}"`, () => line.boundingBox({ timeout: 1000 })); // it is drawn again at times
    await this.page.mouse.click(box.x + 60, box.y + box.height / 2);
  }

  /** By the list of recent files: without ripgrep, which is not in the package, others are not found. */
  async openFile(name) {
    const label = name.split("/").at(-1);
    const box = this.page.locator(".quick-input-widget input.input");
    const row = this.page.locator(".quick-input-list .monaco-list-row.focused", { hasText: label });
    await until(`the editor of ${name}`, async () => {
      await this.page.keyboard.press("Escape");
      await this.page.keyboard.press("Control+p");
      await box.fill(name, { timeout: 5000 });
      await row.waitFor({ timeout: 5000 });
      await this.page.keyboard.press("Enter");
      await this.page.locator(".tab.active", { hasText: label }).waitFor({ timeout: 5000 });
      return true;
    });
  }

  /** The lightbulb's menu on a line: choose what matches. */
  async quickFix(text, title) {
    const item = this.page.locator(".action-widget .monaco-list-row.action", { hasText: title });
    await until(`"${title}" in the lightbulb of "${text}"`, async () => {
      await this.page.keyboard.press("Escape");
      await this.clickLine(text);
      await this.page.keyboard.press("Control+.");
      await item.first().waitFor({ timeout: 5000 });
      return true;
    });
    return item.first();
  }

  // Workbench

  async command(title) {
    await this.page.keyboard.press("F1");
    const box = this.page.locator(".quick-input-widget input.input");
    await box.waitFor();
    await box.fill(`>${title}`);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().waitFor();
    await this.page.keyboard.press("Enter");
  }

  /** Waits until our status item says what matches; its text. */
  status(pattern) {
    return until(`the status item says ${pattern}`, async () => {
      const text = await this.statusText();
      return pattern.test(text) && text;
    });
  }

  async statusText() {
    const items = await this.page.locator(`.statusbar-item[id^="${ID}"]`).all();
    const texts = await Promise.all(items.map((item) => item.textContent({ timeout: 1000 })));
    return plain(texts.join(" "));
  }

  /** Waits until the status item's tooltip says what matches. It is open afterwards, until the mouse is elsewhere. */
  async tooltip(pattern) {
    await until(`the tooltip of the status item says ${pattern}`, async () => {
      await this.page.mouse.move(700, 300);
      await this.statusItem.hover({ timeout: 2000 });
      const shown = this.page.locator(".workbench-hover-container .monaco-hover", { hasText: "devloop" }).last();
      await shown.waitFor({ timeout: 3000 });
      return pattern.test(plain(await shown.innerText({ timeout: 1000 })));
    });
  }

  get statusItem() {
    return this.page.locator(`.statusbar-item[id^="${ID}"]`).first();
  }

  toast(pattern) {
    return this.page.locator(TOAST, { hasText: pattern }).first();
  }

  /** Waits for a notification, wherever it is by now. */
  async told(pattern) {
    const toast = this.toast(pattern);
    await until(`a notification, ${pattern}`, async () => {
      if (await toast.isVisible()) {
        return true;
      }
      await toast.waitFor({ timeout: 8000 }).catch(() => this.command("Notifications: Show Notifications"));
      return toast.isVisible();
    });
    return toast;
  }

  async pressToastButton(pattern, button) {
    const name = typeof button === "string" ? new RegExp(`^${button}`) : button;
    await until(`"${button}" of the notification ${pattern}`, async () => {
      const toast = await this.told(pattern);
      const found = toast.locator(".notification-list-item-buttons-container a", { hasText: name }).first();
      await this.press(found, { limit: 3000 });
      return true;
    });
  }

  /** The same thing is never asked twice, and nothing else is said. */
  async onlyToast(pattern) {
    await this.told(pattern);
    await until(`one notification alone, ${pattern}`, async () => {
      const said = await this.page.locator(TOAST).allInnerTexts();
      return said.length === 1 && pattern.test(plain(said[0]));
    });
  }

  /** No notification, not even one that was put away. */
  async silent() {
    await this.command("Notifications: Show Notifications");
    await until("no notification", async () => (await this.page.locator(TOAST).count()) === 0);
    await this.page.keyboard.press("Escape");
  }

  /** An input box or quick pick of ours: write, and accept. */
  async answer(text) {
    const box = this.page.locator(".quick-input-widget input.input");
    await box.waitFor();
    await box.fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** A dialog that waits for an answer: what it asks, and the button to press. */
  async pressInDialog(pattern, button) {
    const dialog = this.page.locator(".monaco-dialog-box", { hasText: pattern });
    await dialog.waitFor();
    await this.press(dialog.locator(".monaco-button", { hasText: new RegExp(`^${button}$`) }));
  }

  picks(text) {
    return this.page.locator(".quick-input-list .monaco-list-row", { hasText: text }).first();
  }

  async showViews() {
    const icon = this.page
      .locator(".activitybar .action-item", { has: this.page.locator('[aria-label^="devloop" i]') })
      .first();
    await icon.waitFor();
    if ((await this.page.locator(".sidebar .pane-header").count()) === 0 || !(await this.#viewsShown())) {
      await this.press(icon);
    }
    await until("our views", () => this.#viewsShown());
  }

  #viewsShown() {
    return this.page.locator(".sidebar .composite.title h2", { hasText: /devloop/i }).isVisible();
  }

  /** A row of one of our trees. */
  row(text) {
    return this.page.locator(".sidebar .monaco-list-row", { hasText: text }).first();
  }

  /** An item of the row's context menu, which a change of the row closes. */
  async rowMenu(text, item) {
    const found = this.page.locator(".monaco-menu .action-menu-item", { hasText: item }).first();
    await until(`"${item}" in the menu of "${text}"`, async () => {
      await this.page.keyboard.press("Escape");
      await this.press(this.row(text), { button: "right", limit: 5000 });
      await found.waitFor({ timeout: 5000 });
      return true;
    });
    return found;
  }

  /** Chooses an item there. A menu of VS Code does not heed the mouse in its first tenth of a second: then it stays. */
  async chooseInRowMenu(text, item) {
    const found = await this.rowMenu(text, item);
    await until(`"${item}" chosen`, async () => {
      if (await found.isVisible()) {
        await this.press(found, { limit: 1000 });
      }
      await found.waitFor({ state: "hidden", timeout: 500 });
      return true;
    });
  }

  /** What the row's context menu offers once `item` is in it (a row changes after the notification); it stays open. */
  async rowMenuItems(text, item = /./) {
    await this.rowMenu(text, item);
    const items = this.page.locator(".monaco-menu .action-menu-item");
    return (await items.allInnerTexts()).map(plain);
  }

  /** Commands of the palette that begin so. */
  async commandsLike(beginning) {
    await this.page.keyboard.press("F1");
    const box = this.page.locator(".quick-input-widget input.input");
    await box.waitFor();
    await box.fill(`>${beginning}`);
    const rows = this.page.locator(".quick-input-list .monaco-list-row");
    let before = "";
    const found = await until(
      "a list of commands that stays",
      async () => {
        const texts = (await rows.allInnerTexts()).map(plain);
        const stays = texts.length > 0 && texts.join() === before;
        before = texts.join();
        return stays && texts;
      },
      { every: 300 },
    );
    await this.page.keyboard.press("Escape");
    return found.filter((text) => text.startsWith(beginning));
  }

  /** An action that a row shows under the mouse. */
  async rowAction(text, title) {
    const action = this.row(text).locator(`.actions .action-label[aria-label^="${title}"]`).first();
    await until(`"${title}" at the row of "${text}"`, async () => {
      await this.row(text).hover({ timeout: 5000 });
      await this.press(action, { limit: 3000 });
      return true;
    });
  }

  /** Drags one row of a tree onto another with the mouse, as slowly as a person does. */
  async drag(from, to) {
    const middle = async (text) => {
      const { x, y, width, height } = await this.row(text).boundingBox();
      return [x + Math.min(width / 2, 80), y + height / 2];
    };
    const { mouse } = this.page;
    await this.row(from).hover();
    const [left, top] = await middle(from);
    await mouse.move(left, top);
    await mouse.down();
    await mouse.move(left + 6, top + 2, { steps: 3 });
    const place = await middle(to);
    await until(`"${to}" takes what is dragged`, async () => {
      await mouse.move(place[0] + (Date.now() % 3), place[1], { steps: 4 });
      return (await this.page.locator(".sidebar .monaco-list-row.drop-target", { hasText: to }).count()) > 0;
    });
    await mouse.up();
  }

  /** A key binding of ours: a chord, and a letter after it. */
  async keys(letter) {
    // Lenses come from the server, keys hold from the first status on, a moment later: the title shows when.
    await this.titleAction("Continue the Plan").waitFor();
    const waits = this.page.locator(".statusbar-item", { hasText: /was pressed.*second key/i });
    await until("the first key of a chord", async () => {
      await this.page.keyboard.press("Control+Alt+p");
      await waits.first().waitFor({ timeout: 2000 });
      return true;
    });
    await this.page.keyboard.press(letter);
  }

  /** A button in the editor's title. */
  titleAction(title) {
    return this.page.locator(`.editor-actions [aria-label^="${title}"]`).first();
  }

  /** Hands VS Code an address as the system does: an extension's is asked for by a dialog first. */
  async openAddress(address) {
    await this.command("Developer: Open URL");
    await this.answer(address);
    const open = this.page.locator(".monaco-dialog-box .monaco-button", { hasText: /^Open$/ });
    await this.press(open);
  }

  webview() {
    return this.page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
  }

  /** Back to rest: the plan alone in the editor, no notification, no open question. */
  async rest(file = ".devloop/plan.md") {
    await this.page.keyboard.press("Escape");
    await this.page.keyboard.press("Escape");
    await this.command("Notifications: Clear All Notifications");
    await this.command("View: Close All Editors");
    await until("no editor is open", async () => (await this.page.locator(".tab").count()) === 0);
    await this.openFile(file);
  }

  // Time

  /**
   * Starts a watch in the page for the moment an element that matches appears; `{clicked, seen}` in ms of the clock.
   * `clicked` is the first mouse button pressed since then.
   */
  async watch(selector, pattern) {
    await this.page.evaluate(watchFor, [selector, pattern.source, pattern.flags]);
    return async () => {
      const late = new Promise((_, bad) => {
        setTimeout(() => bad(new Error(`not in ${LIMIT / 1000} s: ${selector} says ${pattern}`)), LIMIT).unref();
      });
      return Promise.race([this.page.evaluate(() => globalThis.devloopWatch), late]);
    };
  }
}

// These run in the page.

function isOnTop(element) {
  const box = element.getBoundingClientRect();
  const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const shadow = hit?.shadowRoot?.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return element.contains(hit) || element.contains(shadow ?? null);
}

function lensesAbove([selector, text]) {
  const lines = [...document.querySelectorAll(".editor-instance .view-line")];
  const line = lines.find((each) => each.textContent.replaceAll("\u00a0", " ").includes(text));
  if (!line) {
    return null;
  }
  const top = line.getBoundingClientRect().top;
  const all = [...document.querySelectorAll(selector)];
  const own = all.find((each) => {
    const box = each.getBoundingClientRect();
    return box.height > 0 && Math.abs(box.bottom - top) < box.height / 2;
  });
  const parts = own ? [...own.querySelectorAll("a, span:not(.codicon)")] : [];
  return parts
    .filter((each) => !each.querySelector("a"))
    .map((each) => each.textContent.replaceAll("\u00a0", " ").trim());
}

function lensPlace([selector, text, pattern]) {
  const lines = [...document.querySelectorAll(".editor-instance .view-line")];
  const line = lines.find((each) => each.textContent.replaceAll("\u00a0", " ").includes(text));
  const top = line?.getBoundingClientRect().top;
  for (const link of document.querySelectorAll(`${selector} a`)) {
    const box = link.getBoundingClientRect();
    const words = link.textContent.replaceAll("\u00a0", " ").trim();
    if (new RegExp(pattern).test(words) && Math.abs(box.bottom - top) < box.height) {
      return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    }
  }
  return null;
}

function watchFor([selector, source, flags]) {
  const pattern = new RegExp(source, flags);
  let clicked = null;
  addEventListener(
    "mousedown",
    () => {
      clicked ??= Date.now();
    },
    { capture: true, once: true },
  );
  globalThis.devloopWatch = new Promise((ok) => {
    const look = () => {
      const all = [...document.querySelectorAll(selector)];
      if (all.some((each) => pattern.test(each.textContent.replaceAll("\u00a0", " ")))) {
        observer.disconnect();
        ok({ clicked, seen: Date.now() });
      }
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    look();
  });
}
