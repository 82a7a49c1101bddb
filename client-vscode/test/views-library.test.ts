import { describe, expect, it } from "vitest";
import type { Agent, Library, Skill } from "../src/protocol";
import { libraryRows } from "../src/views/library-rows";

const agent = (name: string, given: Partial<Agent> = {}): Agent => ({
  name,
  description: "",
  modes: [],
  path: `/a/${name}.md`,
  source: "shipped",
  ...given,
});
const skill = (name: string, given: Partial<Skill> = {}): Skill => ({
  name,
  description: "",
  path: `/s/${name}/SKILL.md`,
  source: "this project",
  triggers: [],
  ...given,
});
const outline = (library: Library): string[] =>
  libraryRows(library, "f").flatMap((group) => [
    `${group.label} (${group.description})`,
    ...(group.children ?? []).map((each) => `${each.label}: ${each.description}`),
  ]);

describe("the library", () => {
  it("lists agents and skills with where they are from", () => {
    expect(outline({ agents: [agent("engineer")], skills: [skill("pytest"), skill("git")] })).toEqual([
      "Agents (1)",
      "engineer: devloop",
      "Skills (2)",
      "pytest: this project",
      "git: this project",
    ]);
  });

  it("has first what the task would use, and why", () => {
    const skills = [skill("git"), skill("pytest", { why: "the task names tests/test_a.py" })];
    expect(outline({ agents: [], skills })).toEqual([
      "Agents (0)",
      "Skills (1 of 2 for this task)",
      "pytest: the task names tests/test_a.py",
      "git: this project",
    ]);
  });

  it("shows foreign text as text, opens files that there are, and tells same names apart", () => {
    const [agents] = libraryRows(
      { agents: [agent("[a](b)", { path: "" }), agent("[a](b)", { modes: ["*x*"] })], skills: [] },
      "f",
    );
    const rows = agents?.children ?? [];
    expect(new Set(rows.map((each) => each.id)).size).toBe(2);
    expect(rows.map((each) => each.click)).toEqual([false, true]);
    expect(rows[1]?.tooltip).toContain("**\\[a\\]\\(b\\)**");
    expect(rows[1]?.tooltip).toContain("\\*x\\*");
    expect(rows[1]?.spoken).toBe("Agent [a](b), from devloop");
  });
});
