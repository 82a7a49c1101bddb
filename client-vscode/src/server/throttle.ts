/** Does something again and again, never twice at once, and with a pause that grows with how long it takes. Pure. */

const SHARE = 4;
/** One that took long (a server that had to start) must not leave what is shown old for a multiple of that. */
const MOST_MS = 1_000;

export class Throttle {
  private busy = false;
  private again = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private disposed = false;

  /** `work` must not reject. `pause`: milliseconds between the end of one and the beginning of the next, at least. */
  constructor(
    private readonly work: () => Promise<void>,
    private readonly pause: number,
  ) {}

  /** Do it soon, with everything that is known by then; at once when nothing was done just before. */
  ask(): void {
    if (this.disposed) {
      return;
    }
    if (this.busy || this.timer !== undefined) {
      this.again = true;
      return;
    }
    void this.turn();
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
  }

  private async turn(): Promise<void> {
    this.busy = true;
    this.again = false;
    const began = Date.now();
    await this.work();
    this.busy = false;
    if (this.disposed) {
      return;
    }
    const pause = Math.max(this.pause, Math.min((Date.now() - began) * SHARE, MOST_MS));
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.again) {
        void this.turn();
      }
    }, pause);
  }
}
