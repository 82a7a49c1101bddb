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

  it("says what is not loaded and why, and puts it last", () => {
    const skills = [
      skill("git", { state: "untrusted", note: "its folder is new; `devloop trust` shows it", why: "fits" }),
      skill("old", { state: "overridden", note: "[x](y) has one of this name" }),
      skill("pytest", { state: "active", note: "it counts instead of the one in devloop" }),
    ];
    expect(outline({ agents: [], skills }).slice(2)).toEqual([
      "pytest: this project",
      "git: not trusted yet",
      "old: overridden",
    ]);
    const [, group] = libraryRows({ agents: [], skills }, "f");
    const rows = group?.children ?? [];
    expect(rows.map((each) => each.dim)).toEqual([false, true, true]);
    expect(rows[1]?.context).toContain(";untrusted;");
    expect(rows[1]?.tooltip).toContain("Not loaded: not trusted yet");
    expect(rows[2]?.tooltip).toContain("\\[x\\]\\(y\\) has one");
    expect(rows[0]?.tooltip).toContain("it counts instead");
    expect(rows[2]?.spoken).toBe("Skill old, from this project, not loaded, overridden");
  });

  it("shows problems at the file that has them, and all of them, each at its line", () => {
    const problem = { path: "/s/git/SKILL.md", line: 3, severity: "error", message: "description is missing" };
    const other = { path: "/a/gone.md", line: 0, severity: "warning", message: "no such *mode*" };
    const library = { agents: [], skills: [skill("git")], agent_problems: [other], problems: [problem] };
    expect(outline(library)).toEqual([
      "Agents (0)",
      "Skills (1)",
      "git: this project · 1 problem",
      "Problems (2)",
      "no such *mode*: a/gone.md",
      "description is missing: git/SKILL.md:3",
    ]);
    const rows = libraryRows(library, "f")[2]?.children ?? [];
    expect(rows.map((each) => each.icon?.id)).toEqual(["warning", "error"]);
    expect(rows[1]?.subject).toEqual({ kind: "entry", path: "/s/git/SKILL.md", line: 3 });
    expect(rows[0]?.tooltip).toContain("\\*mode\\*");
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
