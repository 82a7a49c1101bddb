import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Throttle } from "../src/throttle";

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

  it("draws at once, then at most once in the pause, and a last time after the last wish", () => {
    let count = 0;
    const throttle = new Throttle(() => {
      count += 1;
    }, 250);
    throttle.ask();
    expect(count).toBe(1);
    for (let at = 0; at < 100; at += 1) {
      throttle.ask();
      vi.advanceTimersByTime(10);
    }
    expect(count).toBeGreaterThanOrEqual(4);
    expect(count).toBeLessThanOrEqual(5);
    const before = count;
    throttle.ask();
    vi.advanceTimersByTime(1_000);
    expect(count).toBe(before + 1);
    vi.advanceTimersByTime(1_000);
    expect(count).toBe(before + 1);
  });

  it("goes on after work that threw", () => {
    let count = 0;
    const throttle = new Throttle(() => {
      count += 1;
      throw new Error("no");
    }, 100);
    expect(() => throttle.ask()).toThrow("no");
    vi.advanceTimersByTime(200);
    expect(() => throttle.ask()).toThrow("no");
    expect(count).toBe(2);
  });

  it("does not wait where it is wanted now, but still never does two at once", async () => {
    const begun: number[] = [];
    const start = Date.now();
    const throttle = new Throttle(async () => {
      begun.push(Date.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }, 1_000);
    throttle.ask();
    throttle.now();
    await vi.advanceTimersByTimeAsync(150);
    throttle.now();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(begun).toEqual([0, 50, 150]);
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
