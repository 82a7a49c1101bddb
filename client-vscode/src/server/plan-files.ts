/** Which files are plans. Pure; the names are the server's (`devloop.plan.PLAN_FILES`). */

export const PLAN_FILES = [
  ".devloop/plan.md",
  ".claude/devloop-plan.md",
  "docs/PLAN.md",
  "docs/plan.md",
  "PLAN.md",
  "plan.md",
] as const;

/** What shows that a folder uses devloop; a mere PLAN.md could be anybody's. */
export const MARKS = [".devloop", ".claude/devloop-plan.md"] as const;

/** A glob for the plans of the folder at `path`, and of no other. */
export function planPattern(path: string): string {
  const root = path.replaceAll("\\", "/").replace(/\/+$/, "");
  return `${literal(root)}/{${PLAN_FILES.join(",")},.devloop/archive/**/*.md}`;
}

/** Whether a file is a plan of the folder. */
export function isPlan(path: string, folder: string): boolean {
  const inside = relative(path, folder);
  if (inside === undefined) {
    return false;
  }
  return (
    (PLAN_FILES as readonly string[]).includes(inside) ||
    (inside.startsWith(".devloop/archive/") && inside.endsWith(".md"))
  );
}

function relative(path: string, folder: string): string | undefined {
  const root = `${folder.replaceAll("\\", "/").replace(/\/+$/, "")}/`;
  const full = path.replaceAll("\\", "/");
  return full.startsWith(root) ? full.slice(root.length) : undefined;
}

function literal(path: string): string {
  return path.replace(/[*?{}[]/g, (character) => `[${character}]`);
}
