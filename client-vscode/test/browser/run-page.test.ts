// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { newModel, withConversation, withDiff, withEvents, withLock, withShow } from "../../src/run-page/model";
import { markdown } from "../../src/run-page/page/markdown";
import { type Port, RunPage } from "../../src/run-page/page/page";
import { difference } from "../../src/run-page/patch";
import type { Model } from "../../src/run-page/state";
import { checkpoint, conversation, DIFF, event, gate, HOSTILE, RUN, run, shown, turn } from "../run-page-fixtures";

class Host implements Port {
  readonly posted: unknown[] = [];
  state: unknown;
  post(message: unknown): void {
    this.posted.push(message);
  }
  getState(): unknown {
    return this.state;
  }
  setState(state: unknown): void {
    this.state = state;
  }
}

let host: Host;
let page: RunPage;
let sent: Model | null;

function open(): void {
  document.body.replaceChildren();
  const root = document.createElement("div");
  root.dataset["run"] = RUN;
  root.dataset["folder"] = "file:///p";
  document.body.append(root);
  page = new RunPage(root, host);
  sent = null;
}

/** As the host does it: through JSON, like `postMessage`. */
function show(model: Model, looked: (turn: number) => boolean = () => true): void {
  const patch = difference(sent, model, looked) ?? {};
  page.take(JSON.parse(JSON.stringify({ type: "show", whole: sent === null, patch })));
  sent = model;
}

function loaded(turns = 2): Model {
  return withDiff(
    withConversation(withShow(newModel(RUN), shown({ gates: [gate("tests", "pass")] })), conversation(turns)),
    DIFF,
  );
}

function all(selector: string): Element[] {
  return [...document.querySelectorAll(selector)];
}

function one(selector: string): HTMLElement {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) {
    throw new Error(`there is no ${selector}`);
  }
  return found;
}

function buttonNamed(name: string): HTMLButtonElement {
  const found = all("button").find((each) => each.textContent === name);
  if (!(found instanceof HTMLButtonElement)) {
    throw new Error(`there is no button ${name}`);
  }
  return found;
}

beforeEach(() => {
  host = new Host();
  open();
});

describe("the page", () => {
  it("has landmarks, one heading of the first rank and none that is left out", () => {
    show(withEvents(loaded(), [event("checkpoint.opened", checkpoint())]));
    expect(all("header, main, aside")).toHaveLength(3);
    expect(all("h1").map((each) => each.textContent)).toEqual(["1.1 Read amounts of money"]);
    expect(all("h2").map((each) => each.textContent)).toEqual([
      "Ready for your decision",
      "Gates",
      "Changes",
      "Tokens and cost",
      "Transcript",
    ]);
    expect(all("h4, h5, h6")).toEqual([]);
    for (const section of all("section")) {
      expect(document.getElementById(section.getAttribute("aria-labelledby") ?? "")?.textContent).toBeTruthy();
    }
  });

  it("shows a run with its model, and says when that is scripted", () => {
    show(withShow(loaded(), shown({ run: run({ scripted: true, commit: "abcdef0123456789" }) })));
    expect(one(".facts").textContent).toContain("coder · implement");
    expect(one(".facts .tag").textContent).toBe("scripted");
    expect(one(".facts").textContent).toContain("abcdef0123");
    expect(one(".badge").textContent).toBe("Working");
  });

  it("shows hostile text as text, everywhere", () => {
    const model = withDiff(
      withConversation(
        withShow(newModel(RUN), {
          run: run({ title: HOSTILE, model: HOSTILE, branch: HOSTILE, reason: HOSTILE }),
          gates: [gate(HOSTILE, "fail", { reason: HOSTILE, output_tail: HOSTILE, command: [HOSTILE] })],
          notices: [HOSTILE],
          checkpoint: checkpoint({
            summary: HOSTILE,
            problem: HOSTILE,
            question: { text: HOSTILE, choices: [HOSTILE] },
            decisions: ["answer", HOSTILE],
          }),
        }),
        conversation(0, {
          turns: [
            turn(1, {
              text: HOSTILE,
              thinking: HOSTILE,
              tools: [{ id: "x", name: HOSTILE, argument: HOSTILE, result: HOSTILE, ok: false }],
              told: [HOSTILE],
            }),
          ],
          messages: [{ turn: 1, checkpoint: 4, decision: HOSTILE, text: `say ${HOSTILE}` }],
        }),
      ),
      { files: [{ path: HOSTILE, status: "M", added: 1, deleted: 1 }] },
    );
    show(model);
    for (const details of all("details")) {
      details.setAttribute("open", "");
      details.dispatchEvent(new Event("toggle"));
    }
    expect(all("img, a, script, iframe, object, style, link, [href], [src], [style], [onclick], [onerror]")).toEqual(
      [],
    );
    expect(document.body.textContent).toContain("<img src=x onerror=");
    expect(document.body.textContent).not.toContain("\u202e");
    expect(document.body.textContent).not.toContain("\u001b");
  });

  it("takes nothing that is no message of the host's", () => {
    show(loaded());
    const before = document.body.innerHTML;
    for (const wrong of [
      null,
      1,
      { type: "show" },
      { type: "show", whole: true, patch: { turns: [1] } },
      { type: "eval" },
    ]) {
      page.take(wrong);
    }
    expect(document.body.innerHTML).toBe(before);
  });
});

describe("a checkpoint", () => {
  it("offers its decisions; one click is one answer", () => {
    show(withEvents(loaded(), [event("checkpoint.opened", checkpoint())]));
    const names = all(".checkpoint button").map((each) => each.textContent);
    expect(names).toEqual(["Continue", "Commit", "Fresh Start", "Stop", "Revise…", "Discard…", "Review changes"]);
    buttonNamed("Commit").click();
    buttonNamed("Continue").click();
    expect(host.posted).toEqual([{ type: "decide", checkpoint: 1, decision: "commit", message: null }]);
    expect(buttonNamed("Commit").disabled).toBe(true);
    page.take({ type: "answered", taken: false, problem: "It is decided already." });
    expect(one(".problem").textContent).toBe("It is decided already.");
    expect(buttonNamed("Commit").disabled).toBe(false);
  });

  it("says what accepting makes of the plan and what else it is about", () => {
    const proposal = { patch: "+x", said: "2 tasks added", left_out: ["1.9 is done"], notes: [], optional: true };
    const accepted = { tasks: [{ task: "1.1", title: "First" }], added: 2, deleted: 1 };
    const chain = { modes: ["explorer", "default"], at: 0, next: "default" };
    const decisions = ["continue", "revise", "discard"];
    const content = checkpoint({ proposal, accepted, chain, decisions, recommended: "continue", why: "all is clear" });
    show(withEvents(loaded(), [event("checkpoint.opened", content)]));
    const said = all(".checkpoint .heading").map((each) => each.textContent);
    expect(said.slice(0, 3)).toEqual([
      "Accepted since the last checkpoint, +2 −1: 1.1 First",
      "Mode 1 of 2 (explorer → default): default is next",
      "Accepting changes the plan: 2 tasks added",
    ]);
    expect(one(".checkpoint .guards").textContent).toBe("Left out: 1.9 is done");
    expect(buttonNamed("Continue").title).toBe("Recommended: all is clear. Accept it, and change the plan as shown.");
    buttonNamed("Show plan changes").click();
    buttonNamed("Continue without plan changes").click();
    expect(host.posted).toEqual([{ type: "proposal" }, { type: "without", checkpoint: 1, decision: "continue" }]);
  });

  it("lets a finding be said to be no secret, in the words of the notification", () => {
    const finding = { id: "0123456789ab", file: "conf.py", line: 2, kind: "github-pat" };
    const held = { kind: "problem", decisions: ["revise", "recheck", "discard"], recommended: null, guards: [] };
    show(withEvents(loaded(), [event("checkpoint.opened", checkpoint({ ...held, secrets: [finding] }))]));
    const mine = buttonNamed("This Is No Secret");
    expect(mine.title).toBe("conf.py:2 github-pat: accept exactly that, and check again.");
    expect(all(".checkpoint button")[1]).toBe(mine);
    mine.click();
    mine.click();
    expect(host.posted).toEqual([{ type: "noSecret", checkpoint: 1 }]);
    const several = checkpoint({ ...held, number: 2, secrets: [finding, { ...finding, id: "x", line: 0 }] });
    show(withEvents(loaded(), [event("checkpoint.opened", several)]));
    expect(buttonNamed("No Secret…").disabled).toBe(false);
    show(withEvents(loaded(), [event("checkpoint.opened", checkpoint({ ...held, number: 3 }))]));
    expect(all(".checkpoint button").map((each) => each.textContent)).not.toContain("No Secret…");
  });

  it("asks for words before it revises, keeps them over a reload, sends them once", () => {
    const model = withEvents(loaded(), [event("checkpoint.opened", checkpoint())]);
    show(model);
    const opener = buttonNamed("Revise…");
    opener.click();
    expect(opener.getAttribute("aria-expanded")).toBe("true");
    const field = one("textarea");
    expect(document.activeElement).toBe(field);
    buttonNamed("Send to agent").click();
    expect(host.posted).toEqual([]);
    if (field instanceof HTMLTextAreaElement) {
      field.value = "Use Decimal.\nPlease.";
    }
    field.dispatchEvent(new Event("input"));
    open();
    show(model);
    buttonNamed("Send to agent").click();
    expect(host.posted).toEqual([
      { type: "decide", checkpoint: 1, decision: "revise", message: "Use Decimal.\nPlease." },
    ]);
    page.take({ type: "answered", taken: true, problem: "" });
    expect(host.state).toMatchObject({ draft: "" });
  });

  it("gives a question with its choices and a field", () => {
    const question = checkpoint({
      kind: "question",
      summary: "",
      question: { text: "Which **one**?", choices: ["left", "right"] },
      decisions: ["answer", "stop"],
    });
    show(withEvents(loaded(), [event("checkpoint.opened", question)]));
    expect(one(".checkpoint h2").textContent).toBe("The agent asks");
    expect(one(".checkpoint label").textContent).toBe("Or in your own words");
    buttonNamed("right").click();
    expect(host.posted).toEqual([{ type: "decide", checkpoint: 1, decision: "answer", message: "right" }]);
  });

  it("decides nothing where the folder is not trusted", () => {
    show(withLock(withEvents(loaded(), [event("checkpoint.opened", checkpoint())]), "Trust the folder first."));
    expect(all(".decisions button").every((each) => each instanceof HTMLButtonElement && each.disabled)).toBe(false);
    expect(buttonNamed("Commit").disabled).toBe(true);
    expect(buttonNamed("Review changes").disabled).toBe(false);
    expect(one(".checkpoint .hint").textContent).toBe("Trust the folder first.");
  });

  it("is told to a screen reader once; words that are being written are not", () => {
    show(loaded());
    const live = one('[role="status"]');
    const begun = withEvents(loaded(), [
      event("turn.started", { turn: 3 }),
      event("turn.progress", { turn: 3, doing: "text", text: "abc", tokens: 9 }),
    ]);
    show(begun);
    expect(live.textContent).toBe("");
    show(withEvents(begun, [event("checkpoint.opened", checkpoint())]));
    expect(live.textContent).toBe("Ready for your decision.");
  });
});

describe("the transcript", () => {
  it("patches what changed and keeps the rest, what is open and what has the focus", () => {
    const model = withEvents(loaded(3), [
      event("turn.started", { turn: 4 }),
      event("tool.started", { turn: 4, id: "t", tool: "run_command", argument: "make" }),
    ]);
    show(model);
    const [first] = all(".turn");
    const tool = all(".tool").at(-1);
    const summary = tool?.querySelector("summary");
    tool?.setAttribute("open", "");
    tool?.dispatchEvent(new Event("toggle"));
    summary?.focus();
    const body = first?.querySelector(".markdown");
    show(withEvents(model, [event("tool.ended", { turn: 4, id: "t", summary: "boom", is_error: true })]));
    expect(all(".turn")[0]).toBe(first);
    expect(first?.querySelector(".markdown")).toBe(body);
    const after = all(".tool").at(-1);
    expect(after).toBe(tool);
    expect(after?.hasAttribute("open")).toBe(true);
    expect(document.activeElement).toBe(summary);
    expect(after?.textContent).toContain("failed");
    expect(after?.textContent).toContain("boom");
  });

  it("builds few rows of a long run, and bodies only of open turns", () => {
    const looked = (number: number) => number > 480;
    show(loaded(500), looked);
    expect(all(".turn")).toHaveLength(150);
    expect(all(".turn-body")).toHaveLength(20);
    expect(document.querySelectorAll("*").length).toBeLessThan(6000);
    buttonNamed("Show earlier turns (350)").click();
    expect(all(".turn")).toHaveLength(300);
    const [row] = all(".turn-head");
    if (row instanceof HTMLElement) {
      row.click();
    }
    expect(host.posted).toEqual([{ type: "look", turns: [201] }]);
    expect(row?.getAttribute("aria-expanded")).toBe("true");
    expect(host.state).toMatchObject({ run: RUN, folder: "file:///p", chosen: [[201, true]] });
  });

  it("closes turns by itself when they are old, not those that a person opened", () => {
    show(loaded(20));
    const [first, second] = all(".turn-head");
    for (const each of [first, first]) {
      if (each instanceof HTMLElement) {
        each.click();
      }
    }
    show(loaded(25));
    expect(first?.getAttribute("aria-expanded")).toBe("true");
    expect(second?.getAttribute("aria-expanded")).toBe("false");
  });

  it("shows what was said between turns", () => {
    const model = withConversation(
      loaded(1),
      conversation(1, { messages: [{ turn: 1, checkpoint: 1, decision: "revise", text: "Use Decimal." }] }),
    );
    show(model);
    expect(all(".turns > li").map((each) => each.className)).toEqual(["said", "turn open", "said"]);
    expect(one(".words-of.person").textContent).toBe("You: ReviseUse Decimal.");
  });
});

describe("evidence", () => {
  it("shows each gate with command, exit code, counts, tree and new failures", () => {
    show(
      withShow(
        loaded(),
        shown({ gates: [gate("tests", "fail", { commit: "old" }), gate("lint", "pass"), gate("tests", "fail")] }),
      ),
    );
    expect(all(".gates").map((each) => each.children.length)).toEqual([2, 1]);
    const card = all(".gate").find((each) => each.textContent?.startsWith("tests"));
    for (const words of [
      "-k 'not slow'",
      "Exit code1",
      "11 passed · 1 failed · 2 skipped",
      "4b825dc6",
      "New failures",
      "test_zero",
    ]) {
      expect(card?.textContent).toContain(words);
    }
  });

  it("opens a file and the review", () => {
    show(loaded());
    expect(all(".file").map((each) => each.textContent)).toEqual([
      "purse/money.py+12−1",
      "tests/test_money.pyadded+30−0",
      "logo.pngaddedbinary",
      "docs/new.mdrenamed+1−1",
    ]);
    const [file] = all(".file");
    if (file instanceof HTMLElement) {
      file.click();
    }
    buttonNamed("Review all").click();
    expect(host.posted).toEqual([{ type: "file", path: "purse/money.py" }, { type: "review" }]);
  });

  it("lets the keyboard walk along the bars, and tells the same as a table", () => {
    show(loaded(3));
    const bars = all(".turn-bar");
    expect(bars.map((bar) => bar.getAttribute("tabindex"))).toEqual(["-1", "-1", "0"]);
    const last = bars[2];
    if (last instanceof SVGElement) {
      last.focus();
    }
    last?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
    expect(bars.map((bar) => bar.getAttribute("tabindex"))).toEqual(["-1", "0", "-1"]);
    expect(one(".readout").textContent).toContain("Turn 2: ");
    const table = all("details").find((each) => each.textContent?.startsWith("As a table"));
    table?.setAttribute("open", "");
    table?.dispatchEvent(new Event("toggle"));
    expect(all("tbody tr")).toHaveLength(3);
    expect(all("thead th")).toHaveLength(6);
  });

  it("draws many turns as few bars", () => {
    show(loaded(500), () => false);
    expect(all(".turn-bar").length).toBeLessThanOrEqual(75);
    expect(all(".turn-bar")[0]?.getAttribute("aria-label")).toMatch(/^Turns 1 to 7: /);
  });
});

describe("Markdown", () => {
  const html = (text: string) => markdown(text).innerHTML;

  it("makes paragraphs, headings, lists, quotes, code and emphasis", () => {
    expect(html("a **b** *c* `d`\n\n# e\n> f")).toBe(
      '<p>a <strong>b</strong> <em>c</em> <code>d</code></p><p class="heading">e</p><blockquote><p>f</p></blockquote>',
    );
    expect(html("- a\n- b\n  - c\n\n3. d\n4. e")).toBe(
      '<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><ol start="3"><li>d</li><li>e</li></ol>',
    );
    expect(html("```py\n# x\n- y\n```\nz")).toContain("<code># x\n- y</code>");
  });

  it("leaves everything else as text", () => {
    expect(html("<b>x</b> snake_case_name 2*3*4")).toBe("<p>&lt;b&gt;x&lt;/b&gt; snake_case_name 2*3*4</p>");
    expect(html("[go](command:devloop.run) ![p](http://x/y.png)")).toBe(
      "<p>go (command:devloop.run) p (http://x/y.png)</p>",
    );
  });

  it("ends on any input, soon", () => {
    for (const text of [
      ">".repeat(5000),
      "- ".repeat(3000),
      "*".repeat(20000),
      "`".repeat(20001),
      "[".repeat(20000),
      "```",
      "_a".repeat(9000),
      `${"`a".repeat(4000)}`,
    ]) {
      const begun = performance.now();
      expect(markdown(text).textContent?.length).toBeGreaterThanOrEqual(0);
      expect(performance.now() - begun).toBeLessThan(1500);
    }
  });
});
