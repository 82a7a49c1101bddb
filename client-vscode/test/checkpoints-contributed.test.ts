import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

interface Item {
  readonly command: string;
  readonly when?: string;
}
interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly menus: Readonly<Record<string, readonly Item[]>>;
    readonly views: Readonly<Record<string, readonly { readonly id: string; readonly when?: string }[]>>;
  };
}

const here = join(__dirname, "..");
const { contributes } = JSON.parse(readFileSync(join(here, "package.json"), "utf8")) as Manifest;
const sources = readFileSync(join(here, "src/checkpoints/review.ts"), "utf8");
const items = Object.values(contributes.menus).flat();
const views = Object.values(contributes.views).flat();
const conditions = [...items, ...views].map((each) => each.when ?? "");

describe("what the review contributes", () => {
  it("asks for no key that VS Code sets itself for a view", () => {
    const own = views.flatMap(({ id }) => ["active", "visible", "canMove"].map((key) => `${id}.${key}`));
    for (const key of own) {
      expect(conditions.filter((when) => when.split(/[^\w.]+/).includes(key))).toEqual([]);
    }
  });

  it("asks for keys that are set", () => {
    const asked = new Set(conditions.flatMap((when) => when.match(/devloop\.reviewing\.\w+/g) ?? []));
    const decisions = /const KEYS.*= \[(.*)\];/.exec(sources)?.[1] ?? "";
    for (const key of asked) {
      const name = key.replace("devloop.reviewing.", "");
      expect(sources.replace(/\s+/g, "").includes(`this.key("${key}"`) || decisions.includes(`"${name}"`), key).toBe(
        true,
      );
    }
    expect(asked.size).toBeGreaterThan(5);
  });

  it("names no command twice", () => {
    const names = contributes.commands.map((each) => each.command);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it("offers in menus only what is a command", () => {
    const names = new Set(contributes.commands.map((each) => each.command));
    const ours = items.map((each) => each.command).filter((each) => each?.startsWith("devloop.review"));
    expect(ours.filter((each) => !names.has(each))).toEqual([]);
  });
});
