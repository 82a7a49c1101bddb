/** Texts of many lines as they are: code, output, arguments. */

import { counted } from "../../views/text";
import { button, type Child, el, fill } from "./dom";

const LINES = 30;
const CHARACTERS = 3_000;

/** `text` with its lines kept; a long one shows its beginning and a button for the rest. */
export function verbatim(text: string, label: Child = null): HTMLElement {
  const shown = beginning(text);
  const code = el("code", {}, shown);
  const pre = el("pre", {}, code);
  const caption = label === null ? null : el("div", "caption", label);
  if (shown.length === text.length) {
    return el("div", "verbatim", caption, pre);
  }
  const more = button(`Show all ${counted(text.split("\n").length, "line")}`, {
    class: "link",
    onClick: () => {
      fill(code, text);
      const inside = document.activeElement === more;
      more.remove();
      if (inside) {
        pre.tabIndex = -1;
        pre.focus();
      }
    },
  });
  return el("div", "verbatim", caption, pre, more);
}

function beginning(text: string): string {
  let end = -1;
  for (let line = 0; line < LINES; line += 1) {
    end = text.indexOf("\n", end + 1);
    if (end < 0) {
      end = text.length;
      break;
    }
  }
  const cut = Math.min(end, CHARACTERS);
  return text.length - cut <= 200 ? text : text.slice(0, cut);
}
