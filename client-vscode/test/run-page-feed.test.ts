import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Feed } from "../src/run-page/feed";
import { document } from "../src/run-page/html";
import { readFromPage, readToPage, type ToPage } from "../src/run-page/messages";
import { conversation, DIFF, event, RUN, run, shown, turn } from "./run-page-fixtures";

type Answers = Record<string, (params: { readonly after?: number }) => unknown>;

function made(answers: Answers = {}) {
  const asked: [string, unknown][] = [];
  const sent: ToPage[] = [];
  const known: Answers = {
    "devloop/show": () => shown(),
    "devloop/conversation": () => conversation(2),
    "devloop/diff": () => DIFF,
    ...answers,
  };
  const ask = async (method: string, params: object): Promise<unknown> => {
    asked.push([method, params]);
    return known[method]?.(params);
  };
  const feed = new Feed(RUN, ask, (message) => sent.push(message));
  return { feed, asked, sent };
}

describe("a feed", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("sends nothing before the page is there, then everything at once, then what changed", async () => {
    const { feed, sent } = made();
    feed.load();
    await vi.runAllTimersAsync();
    expect(sent).toEqual([]);
    feed.ready();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ type: "show", whole: true, patch: { run: { id: RUN }, files: { length: 4 } } });
    feed.events([event("turn.progress", { turn: 2, doing: "thinking", tokens: 5 })]);
    expect(sent[1]).toEqual({ type: "show", whole: false, patch: { doing: "Thinking, 5 tokens" } });
    feed.ready();
    expect(sent[2]).toMatchObject({ whole: true });
    expect(sent.every((message) => readToPage(JSON.parse(JSON.stringify(message))) !== undefined)).toBe(true);
  });

  it("asks once for a burst of events, and once more for what came meanwhile", async () => {
    const { feed, asked } = made();
    feed.load();
    await vi.runAllTimersAsync();
    asked.length = 0;
    for (let nth = 0; nth < 50; nth += 1) {
      feed.events([event("tool.ended", { turn: 2, id: `t${nth}` })]);
    }
    await vi.runAllTimersAsync();
    const conversations = asked.filter(([method]) => method === "devloop/conversation");
    expect(conversations.length).toBeGreaterThanOrEqual(1);
    expect(conversations.length).toBeLessThanOrEqual(2);
  });

  it("asks only for the turns that may have changed, and for all pages of a long conversation", async () => {
    const { feed, asked } = made({
      "devloop/conversation": ({ after = 0 }) =>
        conversation(0, {
          turns: Array.from({ length: Math.min(100, 250 - after) }, (_, index) => turn(after + index + 1)),
          more: after + 100 < 250,
        }),
    });
    feed.load();
    await vi.runAllTimersAsync();
    expect(feed.current.bodies.size).toBe(250);
    asked.length = 0;
    feed.events([event("tool.ended", { turn: 250 })]);
    await vi.runAllTimersAsync();
    expect(asked).toEqual([["devloop/conversation", { run: RUN, after: 248 }]]);
  });

  it("sends the newest turns in full and others when they are looked at", async () => {
    const { feed, sent } = made({ "devloop/conversation": () => conversation(60) });
    feed.load();
    await vi.runAllTimersAsync();
    feed.ready();
    const first = sent[0];
    expect(first?.type === "show" && first.patch.turns?.length).toBe(60);
    expect(first?.type === "show" && first.patch.bodies?.map((body) => body.number).at(0)).toBe(41);
    feed.look([3]);
    expect(sent[1]).toMatchObject({ whole: false, patch: { bodies: [{ number: 3 }] } });
  });

  it("says what the server says when the run can't be shown, and forgets it when it can", async () => {
    let broken = true;
    const { feed } = made({
      "devloop/show": () => {
        if (broken) {
          throw new Error("There is no run 'r-1'.");
        }
        return shown({ run: run() });
      },
    });
    feed.load();
    await vi.runAllTimersAsync();
    expect(feed.current.trouble).toBe("There is no run 'r-1'.");
    broken = false;
    feed.load();
    await vi.runAllTimersAsync();
    expect(feed.current.trouble).toBe("");
  });

  it("asks nothing any more when it is over", async () => {
    const { feed, asked } = made();
    feed.dispose();
    feed.load();
    feed.events([event("run.ended", { outcome: "landed" })]);
    await vi.runAllTimersAsync();
    expect(asked).toEqual([]);
  });
});

describe("messages", () => {
  it("are taken only in their own shape", () => {
    expect(readFromPage({ type: "decide", decision: "commit", checkpoint: 1, message: null })).toBeDefined();
    for (const wrong of [
      null,
      "ready",
      { type: "nothing" },
      { type: "constructor" },
      { type: "look", turns: ["1"] },
      { type: "decide", decision: "commit", checkpoint: "1", message: null },
      { type: "decide", decision: "revise", checkpoint: 1, message: "x".repeat(20_001) },
      { type: "open", what: "settings" },
    ]) {
      expect(readFromPage(wrong)).toBeUndefined();
    }
    expect(readToPage({ type: "show", whole: true, patch: { turns: [{ number: "1" }] } })).toBeUndefined();
    expect(readToPage({ type: "show", whole: true, patch: { run: { id: RUN } } })).toBeUndefined();
  });
});

describe("the document", () => {
  const places = { source: "https://source", script: "https://source/run-page.js", style: "https://source/page.css" };
  const about = { run: "r-1", folder: "file:///p" };

  it("allows one script by a nonce that nobody can guess, and styles of the extension", () => {
    const first = document(places, about);
    const nonce = /nonce-([\w+/=]{32})&#39;/.exec(first)?.[1];
    expect(nonce).toBeDefined();
    expect(first).toContain(`<script nonce="${nonce}" src="https://source/run-page.js">`);
    expect(first).toContain("default-src &#39;none&#39;; style-src https://source; script-src &#39;nonce-");
    expect(first).not.toContain("unsafe");
    expect(document(places, about)).not.toContain(nonce);
  });

  it("escapes what it is given", () => {
    expect(document(places, { run: '</title><script>alert("1")</script>', folder: '"><script>' })).not.toContain(
      "<script>",
    );
  });
});
