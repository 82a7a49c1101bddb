/** How often a server that ended by itself is started again. Pure. */

export const MOST = 3;
export const WITHIN_MS = 3 * 60_000;
const DELAYS_MS = [100, 1_000, 4_000] as const;

export class Restarts {
  private ends: number[] = [];

  /** The server ended at `now` (milliseconds): how long to wait before it is started again; undefined for not at all. */
  delay(now: number): number | undefined {
    this.ends = [...this.ends.filter((at) => now - at < WITHIN_MS), now];
    return this.ends.length > MOST ? undefined : DELAYS_MS[this.ends.length - 1];
  }

  get count(): number {
    return this.ends.length;
  }

  reset(): void {
    this.ends = [];
  }
}
