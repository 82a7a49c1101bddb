/** Which files are plans. Pure; the names are the server's (`devloop.plan.PLAN_FILES`). */

export const PLAN_FILES = [
  ".devloop/plan.md",
  ".claude/devloop-plan.md",
  "docs/PLAN.md",
  "docs/plan.md",
  "PLAN.md",
  "plan.md",
] as const;

/** Files beside plans in which the server knows what is wrong (`devloop.daemon.checkers.PATTERNS`). */
export const OWN_FILES = [
  "**/SKILL.md",
  ".devloop/agents/*.md",
  ".claude/agents/*.md",
  ".devloop/local.md",
  ".claude/devloop.local.md",
  ".devloop/config.toml",
  ".devloop/hooks.json",
  ".devloop/plan-state.json",
  ".devloop/next-action.json",
  ".devloop/context.json",
  ".devloop/sessions.json",
  ".devloop/worklog.md",
  ".devloop/issues/*.md",
  ".devloop/spikes/*.md",
] as const;

/** What shows that a folder uses devloop; a mere PLAN.md could be anybody's. */
export const MARKS = [".devloop", ".claude/devloop-plan.md"] as const;

/** A glob for the plans of the folder at `path`, and of no other. */
export function planPattern(path: string): string {
  return below(path, [...PLAN_FILES, ".devloop/archive/**/*.md"]);
}

/** A glob for the folder's other files that the server looks at. */
export function ownPattern(path: string): string {
  return below(path, OWN_FILES);
}

function below(path: string, names: readonly string[]): string {
  const root = path.replaceAll("\\", "/").replace(/\/+$/, "");
  return `${literal(root)}/{${names.join(",")}}`;
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
