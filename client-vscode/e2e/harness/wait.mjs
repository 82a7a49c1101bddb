// Every wait is for a condition. The limit is for machines under load; a wait that is fulfilled costs what it takes.
export const LIMIT = Number(process.env.DEVLOOP_E2E_LIMIT_S ?? 60) * 1000;

/**
 * Polls `condition` until it gives something true, and gives that. `what` says what was waited for; `every` so many ms:
 * more where a look costs a process.
 */
export async function until(what, condition, { limit = LIMIT, every = 50 } = {}) {
  const end = Date.now() + limit;
  let last;
  for (;;) {
    try {
      last = undefined;
      const found = await condition();
      if (found) {
        return found;
      }
    } catch (problem) {
      last = problem;
    }
    if (Date.now() > end) {
      throw new Error(`not in ${limit / 1000} s: ${what}`, { cause: last });
    }
    await new Promise((ok) => setTimeout(ok, every));
  }
}
