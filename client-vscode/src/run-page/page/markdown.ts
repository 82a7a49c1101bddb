/**
 * The little of Markdown that models write, as elements: paragraphs, headings, lists, quotes, code, emphasis. Everything
 * else stays the text it is; links show where they lead and lead nowhere.
 */

import { verbatim } from "./blocks";
import { type Child, el } from "./dom";

const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/;
const HEADING = /^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/;
const ITEM = /^(\s*)(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;
const DEEPEST = 6;

export function markdown(text: string): HTMLElement {
  const root = el("div", "markdown");
  root.append(...blocks(text.split("\n"), 0));
  return root;
}

function blocks(lines: readonly string[], depth: number): readonly Node[] {
  const made: Node[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length > 0) {
      made.push(el("p", {}, ...inline(paragraph.join("\n"))));
      paragraph = [];
    }
  };
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (line.trim() === "") {
      flush();
      at += 1;
    } else if (fence) {
      flush();
      const end = endOfFence(lines, at, fence[1] ?? "```");
      made.push(verbatim(lines.slice(at + 1, end).join("\n"), (fence[2] ?? "").trim().slice(0, 40) || null));
      at = end + 1;
    } else if (heading) {
      flush();
      // Not a heading of the page: an agent's words must not rearrange what a screen reader lists.
      made.push(el("p", "heading", ...inline(heading[1] ?? "")));
      at += 1;
    } else if (RULE.test(line)) {
      flush();
      made.push(el("hr"));
      at += 1;
    } else if (QUOTE.test(line) && depth < DEEPEST) {
      flush();
      const end = run(lines, at, (each) => QUOTE.test(each));
      const inner = lines.slice(at, end).map((each) => QUOTE.exec(each)?.[1] ?? "");
      made.push(el("blockquote", {}, ...blocks(inner, depth + 1)));
      at = end;
    } else if (ITEM.test(line) && depth < DEEPEST) {
      flush();
      const end = endOfList(lines, at);
      made.push(listOf(lines.slice(at, end), depth));
      at = end;
    } else {
      paragraph.push(line);
      at += 1;
    }
  }
  flush();
  return made;
}

function run(lines: readonly string[], from: number, belongs: (line: string) => boolean): number {
  let end = from;
  while (end < lines.length && belongs(lines[end] ?? "")) {
    end += 1;
  }
  return end;
}

/** The line that closes the fence; the end of the text for one that is never closed. */
function endOfFence(lines: readonly string[], from: number, fence: string): number {
  const closing = (line: string) => {
    const bare = line.trim();
    return bare.length >= fence.length && bare === (fence[0] ?? "`").repeat(bare.length);
  };
  const found = lines.findIndex((line, index) => index > from && closing(line));
  return found < 0 ? lines.length : found;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** A list goes on over its items, what is indented below them and single empty lines between. */
function endOfList(lines: readonly string[], from: number): number {
  const indent = indentOf(lines[from] ?? "");
  const numbered = ITEM.exec(lines[from] ?? "")?.[3] !== undefined;
  let end = from + 1;
  while (end < lines.length) {
    const line = lines[end] ?? "";
    const item = ITEM.exec(line);
    const sameKind = item !== null && (item[3] !== undefined) === numbered;
    const next = lines[end + 1] ?? "";
    const deeper = indentOf(line) > indent && line.trim() !== "";
    const gap = line.trim() === "" && next.trim() !== "" && (indentOf(next) > indent || isItemLike(next, numbered));
    const lazy = line.trim() !== "" && item === null && !startsBlock(line) && (lines[end - 1] ?? "").trim() !== "";
    if (!(sameKind || deeper || gap || lazy)) {
      break;
    }
    end += 1;
  }
  return end;
}

function isItemLike(line: string, numbered: boolean): boolean {
  const item = ITEM.exec(line);
  return item !== null && (item[3] !== undefined) === numbered;
}

function startsBlock(line: string): boolean {
  return FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || RULE.test(line);
}

function listOf(lines: readonly string[], depth: number): HTMLElement {
  const first = ITEM.exec(lines[0] ?? "");
  const indent = indentOf(lines[0] ?? "");
  const list = first?.[3] === undefined ? el("ul") : el("ol");
  if (list instanceof HTMLOListElement && first?.[3] !== undefined) {
    list.start = Number(first[3]);
  }
  let own: string[] = [];
  const flush = () => {
    if (own.length > 0) {
      const inner = blocks(own, depth + 1);
      const [only] = inner;
      // A tight item is its words, not a paragraph.
      const tight =
        only instanceof HTMLParagraphElement && !only.className ? [...only.childNodes, ...inner.slice(1)] : inner;
      list.append(el("li", {}, ...tight));
      own = [];
    }
  };
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && indentOf(line) <= indent) {
      flush();
      own.push(item[4] ?? "");
    } else {
      own.push(line.slice(Math.min(indentOf(line), indent + 2)));
    }
  }
  flush();
  return list;
}

// Code first: nothing inside it means anything. A link's words and its address; emphasis around words.
const INLINE =
  /(`+)(?!`)([\s\S]*?[^`])\1(?!`)|!?\[([^\]\n]{0,300})\]\(([^)\s]{0,600})[^)\n]{0,200}\)|\*\*(?=\S)([^*\n]+?)\*\*|(?<![\w*])\*(?=\S)([^*\n]+?)\*(?![\w*])|(?<!\w)_(?=\S)([^_\n]+?)_(?!\w)/g;

function inline(text: string): readonly Child[] {
  const made: Child[] = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    made.push(text.slice(from, found.index));
    const [whole, , code, words, address, strong, star, underline] = found;
    if (code !== undefined) {
      made.push(el("code", {}, code.trim() || code));
    } else if (address !== undefined) {
      made.push(words ? `${words} (${address})` : address);
    } else if (strong !== undefined) {
      made.push(el("strong", {}, ...inline(strong)));
    } else {
      const soft = star ?? underline;
      made.push(soft === undefined ? whole : el("em", {}, ...inline(soft)));
    }
    from = found.index + whole.length;
  }
  made.push(text.slice(from));
  return made;
}
