import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Throttle } from "../src/server/throttle";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a throttle", () => {
  it("works at once, then once more for everything that was asked meanwhile", async () => {
    let done = 0;
    const throttle = new Throttle(async () => void done++, 100);
    throttle.ask();
    await vi.advanceTimersByTimeAsync(0);
    expect(done).toBe(1);
    throttle.ask();
    throttle.ask();
    await vi.advanceTimersByTimeAsync(99);
    expect(done).toBe(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(done).toBe(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(done).toBe(2);
  });

  it("never does two at once, and rests longer after what took long", async () => {
    let running = 0;
    let most = 0;
    let done = 0;
    const throttle = new Throttle(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 200));
      running--;
      done++;
    }, 100);
    throttle.ask();
    await vi.advanceTimersByTimeAsync(100);
    throttle.ask();
    await vi.advanceTimersByTimeAsync(850);
    expect([most, done]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(300);
    expect([most, done]).toEqual([1, 2]);
  });

  it("does not rest for long after what took very long", async () => {
    let begun = 0;
    const throttle = new Throttle(async () => {
      begun++;
      await new Promise((resolve) => setTimeout(resolve, 10_000));
    }, 100);
    throttle.ask();
    throttle.ask();
    await vi.advanceTimersByTimeAsync(11_100);
    expect(begun).toBe(2);
  });

  it("does nothing more when it is disposed", async () => {
    let done = 0;
    const throttle = new Throttle(async () => void done++, 100);
    throttle.ask();
    throttle.ask();
    throttle.dispose();
    await vi.advanceTimersByTimeAsync(1_000);
    throttle.ask();
    expect(done).toBe(1);
  });
});
