import { describe, expect, it } from "vitest";
import {
  addressOf,
  figuresOf,
  filesOf,
  LeftOut,
  queryOf,
  reviewTitle,
  SCHEME,
  sizeOf,
  textOf,
} from "../src/checkpoints/files";

const told = (path: string, status = "M", more: object = {}) => ({
  path,
  old_path: null,
  status,
  added: 3,
  deleted: 1,
  binary: false,
  ...more,
});

describe("files of a review", () => {
  it("are in order, with what happened to them", () => {
    const files = filesOf({
      files: [told("b", "A"), told("c", "D"), told("a"), told("new", "R", { old_path: "old" })],
    });
    expect(files.map((each) => `${each.path} ${figuresOf(each)}`)).toEqual([
      "a +3 −1",
      "b new, +3",
      "c deleted",
      "new renamed from old, +3 −1",
    ]);
  });

  it("that are binary say so instead of figures", () => {
    const words = ["M", "A", "D"].map((status) => filesOf({ files: [told("x", status, { binary: true })] })[0]);
    expect(words.map((each) => each && figuresOf(each))).toEqual(["binary", "new, binary", "deleted, binary"]);
  });

  it("that were copied are new ones", () => {
    const [file] = filesOf({ files: [told("copy", "C", { old_path: "first" })] });
    expect(file).toMatchObject({ change: "added", old: null });
  });
});

describe("addresses", () => {
  const address = {
    folder: "file:///a%20b/c?d",
    run: "run-1.1-1",
    at: "abc",
    path: "src/a b&c#?.py",
    side: "work",
  } as const;

  it("survive the way through a URI", () => {
    expect(addressOf({ scheme: SCHEME, path: `/${address.path}`, query: queryOf(address) })).toEqual(address);
  });

  it("survive it with odd names of runs and very long paths too", () => {
    const path = `${"deep/".repeat(900)}\u202e%2f..#?.py`;
    for (const run of ["../..", "a&side=base", "r#1?x=%00", "läuf 1"]) {
      const odd = { ...address, run, path };
      expect(addressOf({ scheme: SCHEME, path: `/${path}`, query: queryOf(odd) })).toEqual(odd);
    }
  });

  it("of others are none of ours", () => {
    expect(addressOf({ scheme: "file", path: "/a", query: queryOf(address) })).toBeUndefined();
    expect(addressOf({ scheme: SCHEME, path: "/a", query: "" })).toBeUndefined();
    expect(addressOf({ scheme: SCHEME, path: "/a", query: "run=r&at=1&side=other&folder=f" })).toBeUndefined();
  });
});

describe("the text of a document", () => {
  it("is the file's, byte for byte", () => {
    const text = "\uFEFFa\r\nb\u0000";
    expect(textOf({ text, binary: false, size: 8, problem: null }, "a")).toBe(text);
  });

  it("is empty where there is no file", () => {
    expect(textOf({ text: null, binary: false, size: 0, problem: null }, "a")).toBe("");
  });

  it("says why a file is not shown", () => {
    const problem = "It has 5.0 MiB; up to 4 MiB are shown.";
    expect(textOf({ text: null, binary: false, size: 5 << 20, problem }, "a")).toBe(`a: ${problem}\n`);
    expect(textOf({ text: null, binary: true, size: 1200, problem: null }, "a")).toBe(
      "a is a binary file of 1.2 kB.\n",
    );
  });
});

describe("files that are left out", () => {
  const files = filesOf({ files: [told("a"), told("b", "R", { old_path: "c" })] });

  it("are remembered for one checkpoint", () => {
    const left = new LeftOut();
    left.set("run#1", "b", true);
    expect(left.paths("run#1", files)).toEqual(["b"]);
    expect(left.paths("run#2", files)).toEqual([]);
    left.set("run#1", "b", false);
    expect(left.paths("run#1", files)).toEqual([]);
  });

  it("are forgotten with the decision", () => {
    const left = new LeftOut();
    left.set("run#1", "a", true);
    left.forget("run#1");
    expect(left.has("run#1", "a")).toBe(false);
  });

  it("that are no files of the review any more are not sent", () => {
    const left = new LeftOut();
    left.set("run#1", "gone", true);
    expect(left.paths("run#1", files)).toEqual([]);
  });
});

it("a title is one line and not endless", () => {
  expect(reviewTitle({ task: "1.1", title: "Add login" })).toBe("Review 1.1: Add login");
  expect(reviewTitle({ task: "1.1", title: `a\nb${"c".repeat(200)}` })).not.toContain("\n");
  expect(reviewTitle({ task: "1.1", title: "c".repeat(200) }).length).toBeLessThan(80);
});

it("sizes are short", () => {
  expect([1, 999, 1500, 2_500_000].map(sizeOf)).toEqual(["1 byte", "999 bytes", "1.5 kB", "2.5 MB"]);
});
