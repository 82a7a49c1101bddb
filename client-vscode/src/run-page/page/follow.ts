/** Where a person reads: the page follows the newest only when they are there, and says when there is something new. */

import { button } from "./dom";

const NEAR = 48;

export class Follow {
  readonly root: HTMLButtonElement;
  private following = false;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly target: () => Element | null,
  ) {
    this.root = button("Jump to newest", { class: "jump primary", onClick: () => this.jump() });
    this.root.hidden = true;
    addEventListener("scroll", () => this.scrolled(), { passive: true });
  }

  /** Call before the page changes. */
  before(): void {
    this.following = this.atEnd() && this.scroller.scrollTop > 0;
  }

  /** Call after it did; `news`: something was added to the transcript. */
  after(news: boolean): void {
    if (this.following) {
      this.scroller.scrollTop = this.scroller.scrollHeight;
    } else if (news && !this.atEnd()) {
      this.root.hidden = false;
    }
  }

  /** There is nothing new on a page that was just built. */
  forget(): void {
    this.root.hidden = true;
  }

  private atEnd(): boolean {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR;
  }

  private scrolled(): void {
    if (this.atEnd()) {
      this.root.hidden = true;
    }
  }

  private jump(): void {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.root.hidden = true;
    const target = this.target();
    if (target instanceof HTMLElement) {
      target.focus({ preventScroll: true });
    }
  }
}
