import { describe, expect, it } from "vitest";
import { contextOf, meant, type Node, type Row, row, Tree } from "../src/views/rows";

const leaf = (id: string, given: Partial<Row<null>> = {}): Row<null> => row({ id, label: id, subject: null, ...given });
const ids = (changed: "all" | readonly Node<null>[]): unknown =>
  changed === "all" ? "all" : changed.map((node) => node.row.id);

describe("Tree", () => {
  const first = (): Row<null>[] => [leaf("a", { children: [leaf("a1"), leaf("a2")], expand: "open" }), leaf("b")];

  it("draws nothing when nothing differs, and keeps every node", () => {
    const tree = new Tree<null>();
    expect(tree.update(first())).toBe("all");
    const before = [tree.find("a"), tree.find("a1"), tree.find("b")];
    expect(ids(tree.update(first()))).toEqual([]);
    expect([tree.find("a"), tree.find("a1"), tree.find("b")]).toEqual(before);
    expect(tree.find("a1")).toBe(before[1]);
  });

  it("draws the one row that differs", () => {
    const tree = new Tree<null>();
    tree.update(first());
    const rows = [leaf("a", { children: [leaf("a1", { description: "new" }), leaf("a2")], expand: "open" }), leaf("b")];
    expect(ids(tree.update(rows))).toEqual(["a1"]);
    expect(tree.find("a1")?.row.description).toBe("new");
  });

  it.each<[string, Partial<Row<null>>]>([
    ["label", { label: "x" }],
    ["icon", { icon: { id: "x" } }],
    ["colour", { icon: { id: "y", color: "z" } }],
    ["tooltip", { tooltip: "x" }],
    ["spoken", { spoken: "x" }],
    ["context", { context: "x" }],
    ["children", { children: null }],
    ["dim", { dim: true }],
    ["click", { click: true }],
  ])("sees another %s", (_, given) => {
    const tree = new Tree<null>();
    tree.update([leaf("a"), leaf("b")]);
    expect(ids(tree.update([leaf("a"), leaf("b", given)]))).toEqual(["b"]);
  });

  it("draws the parent of a row that came, went or changed places, and nothing below it a second time", () => {
    const tree = new Tree<null>();
    tree.update(first());
    const swapped = [leaf("a", { children: [leaf("a2"), leaf("a1", { label: "x" })], expand: "open" }), leaf("b")];
    expect(ids(tree.update(swapped))).toEqual(["a"]);
    expect(tree.find("a")?.children.map((node) => node.row.id)).toEqual(["a2", "a1"]);
    expect(ids(tree.update([leaf("a", { children: [leaf("a2")], expand: "open" }), leaf("b")]))).toEqual(["a"]);
    expect(tree.find("a1")).toBeUndefined();
  });

  it("draws everything when a row went to another parent, so that its id is never there twice", () => {
    const tree = new Tree<null>();
    tree.update(first());
    expect(
      tree.update([leaf("a", { children: [leaf("a1")], expand: "open" }), leaf("b", { children: [leaf("a2")] })]),
    ).toBe("all");
    expect(tree.find("a2")?.parent).toBe(tree.find("b"));
  });

  it("takes a row that comes to have something below it, or loses it, for another one", () => {
    const tree = new Tree<null>();
    tree.update([leaf("a", { children: [leaf("a1")], expand: "open" })]);
    const before = tree.find("a1");
    const grown = leaf("a1", { children: [leaf("a11")], expand: "open" });
    expect(ids(tree.update([leaf("a", { children: [grown], expand: "open" })]))).toEqual(["a"]);
    expect(tree.find("a1")).not.toBe(before);
    expect(tree.update([leaf("a")])).toBe("all");
  });

  it("sees that a branch is to be folded", () => {
    const tree = new Tree<null>();
    tree.update([leaf("a", { expand: "open" })]);
    expect(ids(tree.update([leaf("a", { expand: "closed" })]))).toEqual(["a"]);
  });

  it("leaves out a second row with the same id", () => {
    const tree = new Tree<null>();
    tree.update([leaf("a"), leaf("a", { label: "again" })]);
    expect(tree.roots.map((node) => node.row.label)).toEqual(["a"]);
  });

  it("takes new subjects without drawing", () => {
    const tree = new Tree<number>();
    tree.update([row({ id: "a", label: "a", subject: 1 })]);
    expect(tree.update([row({ id: "a", label: "a", subject: 2 })])).toEqual([]);
    expect(tree.find("a")?.row.subject).toBe(2);
  });
});

describe("row", () => {
  it("is spoken as it is read, and has context words that can't be mistaken for parts of others", () => {
    expect(leaf("a", { description: "b" }).spoken).toBe("a, b");
    expect(contextOf("task", false, "ready", null)).toBe(";task;ready;");
  });
});

describe("the rows a menu is about", () => {
  it("are those that are selected when the menu was opened on one of them, else that one", () => {
    expect(meant("a", ["a", "b"], [])).toEqual(["a", "b"]);
    expect(meant("c", ["a", "b"], [])).toEqual(["c"]);
    expect(meant("c", undefined, ["a"])).toEqual(["c"]);
  });

  it("are those selected in the view when a key was pressed", () => {
    expect(meant(undefined, undefined, ["a", "b"])).toEqual(["a", "b"]);
  });
});
