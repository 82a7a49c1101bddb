/** Does something now and then: never twice at once, not more often than every `gap` milliseconds, and never too early to see the last news. */
export class Again {
  private busy = false;
  private wanted = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = Number.NEGATIVE_INFINITY;
  private over = false;

  constructor(
    private readonly gap: number,
    private readonly act: () => Promise<unknown>,
  ) {}

  now(): void {
    this.last = Number.NEGATIVE_INFINITY;
    this.soon();
  }

  soon(): void {
    if (this.over || this.timer !== undefined) {
      return;
    }
    if (this.busy) {
      this.wanted = true;
      return;
    }
    const wait = Math.max(0, this.last + this.gap - Date.now());
    if (wait === 0) {
      void this.run();
    } else {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        void this.run();
      }, wait);
    }
  }

  dispose(): void {
    this.over = true;
    clearTimeout(this.timer);
  }

  /** `act` must not fail: what it could not do it tells itself. */
  private async run(): Promise<void> {
    this.busy = true;
    this.last = Date.now();
    try {
      await this.act();
    } finally {
      this.busy = false;
    }
    if (this.wanted) {
      this.wanted = false;
      this.soon();
    }
  }
}
