/**
 * Does something again and again: at once, never twice at the same time, then not before a pause is over, and once more
 * after the last wish. The pause grows with how long the work takes. Pure.
 */

const SHARE = 4;
/** One that took long (a server that had to start) must not leave what is shown old for a multiple of that. */
const MOST_MS = 1_000;

export class Throttle {
  private busy = false;
  private again = false;
  private hurry = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private disposed = false;

  /**
   * @param work   drawing, or a promise of reading that does not reject
   * @param pause  milliseconds between the end of one and the beginning of the next, at least
   */
  constructor(
    private readonly work: () => unknown,
    private readonly pause: number,
  ) {}

  /** Do it soon, with everything that is known by then; at once when nothing was done just before. */
  readonly ask = (): void => {
    if (this.disposed) {
      return;
    }
    if (this.busy || this.timer !== undefined) {
      this.again = true;
    } else {
      this.turn();
    }
  };

  /** Do it without a pause before it. */
  now(): void {
    if (this.disposed) {
      return;
    }
    if (this.busy) {
      this.hurry = true;
      return;
    }
    clearTimeout(this.timer);
    this.timer = undefined;
    this.turn();
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
  }

  private turn(): void {
    this.busy = true;
    this.again = false;
    this.hurry = false;
    const began = Date.now();
    let doing: unknown;
    try {
      doing = this.work();
    } finally {
      if (!(doing instanceof Promise)) {
        this.rest(began);
      }
    }
    if (doing instanceof Promise) {
      void doing.finally(() => this.rest(began));
    }
  }

  private rest(began: number): void {
    this.busy = false;
    if (this.disposed) {
      return;
    }
    if (this.hurry) {
      this.turn();
      return;
    }
    const pause = Math.max(this.pause, Math.min((Date.now() - began) * SHARE, MOST_MS));
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.again) {
        this.turn();
      }
    }, pause);
  }
}
