import { describe, expect, it } from "vitest";
import {
  counted,
  duration,
  escaped,
  fileName,
  forNotice,
  joined,
  moment,
  money,
  oneLine,
  some,
  tokens,
} from "../src/views/text";

describe("foreign text", () => {
  it("names files so that none looks like another", () => {
    const names = [
      "a\u202etxt.exe",
      "atxt.exe",
      "atxt\u200b.exe",
      "a\u00adtxt.exe",
      "atxt.exe\n",
      "a\u001b[31mtxt.exe",
      "a\ufe0ftxt.exe",
    ];
    const shown = names.map((each) => fileName(each));
    expect(shown[0]).toBe("a\\u{202e}txt.exe");
    expect(shown[1]).toBe("atxt.exe");
    expect(new Set(shown).size).toBe(names.length);
    expect(shown.filter((each) => oneLine(each) !== each)).toEqual([]);
    expect(fileName("ä/漢 😀.txt")).toBe("ä/漢 😀.txt");
    expect(fileName("x".repeat(999), 10)).toHaveLength(10);
  });

  it("becomes one line without control characters or ones that turn its direction", () => {
    expect(oneLine("  a\r\n\tb\u0007\u202ec\u2066d\u200b ")).toBe("a bcd");
  });

  it("is cut between characters, also beyond the basic plane", () => {
    expect(oneLine("😀😀😀", 2)).toBe("😀…");
    expect(oneLine("x".repeat(1_000_000), 10)).toHaveLength(10);
  });

  it("can be no link, no image, no HTML, no heading, no entity and no icon as Markdown", () => {
    for (const bad of [
      "[a](command:x)",
      "![a](b)",
      "<img src=x>",
      "# a",
      "&lt;",
      "$(bug)",
      "https://a.b",
      "`a`",
      "|",
    ]) {
      expect(escaped(bad)).toBe(bad.replace(/[!-/:-@[-`{-~]/g, (mark) => `\\${mark}`));
    }
    expect(escaped("plain words äöü 12")).toBe("plain words äöü 12");
  });
});

it("in a notification can be no link, however it is hidden", () => {
  expect(forNotice("[a](command:x) [b]\u200b(command:y)")).toBe("[a] (command:x) [b] (command:y)");
});

describe("figures", () => {
  it("are those of every other front-end", () => {
    expect([money(0), money(0.03), money(1.5), money(null)]).toEqual(["$0.00", "$0.0300", "$1.50", "$?"]);
    expect([tokens(null), tokens({ input: 950 }), tokens({ input: 12_000, output: 300 })]).toEqual([
      "0",
      "950",
      "12.3k",
    ]);
    expect([duration(4.21), duration(42), duration(125), duration(3700)]).toEqual([
      "4.2 s",
      "42 s",
      "2 min 05 s",
      "1 h 01 min",
    ]);
  });

  it("say the date only of another day, and nothing of what is no time", () => {
    const now = new Date(2026, 4, 6, 12, 0);
    expect(moment(new Date(2026, 4, 6, 9, 5).getTime() / 1000, now)).toBe("09:05");
    expect(moment(new Date(2026, 4, 5, 9, 5).getTime() / 1000, now)).toBe("2026-05-05 09:05");
    expect(moment(1e20, now)).toBe("");
  });

  it("are put together with what there is", () => {
    expect(joined("a", "", null, false, "b")).toBe("a · b");
    expect([some(["a", "b"], 3), some(["a", "b", "c"], 1)]).toEqual(["a, b", "a and 2 more"]);
    expect([counted(1, "turn"), counted(2, "turn")]).toEqual(["1 turn", "2 turns"]);
  });
});
