import { describe, expect, it } from "vitest";
import { initializationOptions, SERVER_SETTINGS } from "../src/server/options";
import { isPlan, OWN_FILES, ownPattern, planPattern } from "../src/server/plan-files";

describe("which files are plans", () => {
  it("is told by the folder, never by a name alone", () => {
    expect(isPlan("/p/.devloop/plan.md", "/p")).toBe(true);
    expect(isPlan("/p/.devloop/archive/2026/one.md", "/p/")).toBe(true);
    expect(isPlan("/p/sub/.devloop/plan.md", "/p")).toBe(false);
    expect(isPlan("/pp/.devloop/plan.md", "/p")).toBe(false);
    expect(isPlan("/p/.devloop/notes.md", "/p")).toBe(false);
    expect(isPlan("C:\\p\\docs\\plan.md", "C:\\p")).toBe(true);
  });

  it("has a pattern that takes a folder's name by the letter", () => {
    expect(planPattern("/a/[b]{c}*?")).toMatch(/^\/a\/\[\[\]b\]\[\{\]c\[\}\]\[\*\]\[\?\]\/\{\.devloop\/plan\.md,/);
    expect(planPattern("C:\\a\\")).toMatch(/^C:\/a\/\{/);
  });

  it("leaves the other files that the server looks at no plans", () => {
    expect(ownPattern("/p/")).toMatch(/^\/p\/\{\*\*\/SKILL\.md,/);
    expect(OWN_FILES.filter((name) => isPlan(`/p/${name}`, "/p"))).toEqual([]);
  });
});

describe("what the server is told at its start", () => {
  it("holds the settings by the server's names, and trust only by VS Code's word", () => {
    const values: Record<string, unknown> = {
      codeLens: false,
      diagnosticsLimit: 5,
      trusted: true,
      serverCommand: ["x"],
    };
    expect(initializationOptions((name) => values[name], false)).toEqual({
      codeLens: false,
      diagnosticsLimit: 5,
      trusted: false,
    });
    expect(SERVER_SETTINGS).not.toContain("trusted");
  });
});
