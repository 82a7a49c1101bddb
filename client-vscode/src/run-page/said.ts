/** What stands between the turns, in the order in which it happened. */

import { wordsOf } from "../decisions";
import { oneLine as flat, joined } from "../views/text";
import { block, line, number, type Row, row, rows, texts, whole } from "./read";
import { LONGEST_TEXT } from "./reading";
import type { Said } from "./state";

/** After a turn: gates judge, a person decides, the agent is told, a fresh conversation begins. */
const ORDER: readonly string[] = ["gates", "message", "hook", "rule", "told", "opening"];

/** From an answer to `devloop/conversation`; what was told after turns that it does not tell stays. */
export function saidWith(before: readonly Said[], answer: Row): readonly Said[] {
  const turns = rows(answer["turns"]);
  const answered = new Set(turns.map((turn) => whole(turn["number"])));
  const messages = rows(answer["messages"]).map(messageOf);
  const words = new Set(messages.map((each) => each.text.trim()));
  const all = [
    ...rows(answer["gates"]).map(roundOf),
    ...messages,
    ...before.filter((each) => kindOf(each) === "told" && !answered.has(each.after)),
    ...before.filter((each) => RECORDED.has(kindOf(each))),
    ...turns.flatMap(toldOf).filter((each) => !words.has(each.text.trim())),
    ...rows(answer["openings"]).map(openingOf),
  ];
  const shown = all.filter((each) => each.text.trim() !== "" || each.who === "person");
  return sorted(shown);
}

/** What an answer to `devloop/show` tells of hooks that did not just pass, and of what a rule decided. */
export function recordedWith(before: readonly Said[], answer: Row, turn: number): readonly Said[] {
  const hooks = rows(answer["hooks"]).flatMap((each) => hookOf(each, number(each["at"])));
  const rules = rows(answer["decisions"])
    .filter((each) => each["by"] === "rule")
    .map((each) => ruleOf(each, turn));
  return sorted([...before.filter((each) => !RECORDED.has(kindOf(each))), ...hooks, ...rules]);
}

/** One more hook that did not just pass. */
export function withHook(before: readonly Said[], told: Row, at: number | null): readonly Said[] {
  const found = hookOf(told, at);
  const keys = new Set(found.map((each) => each.key));
  return found.length === 0 ? before : sorted([...before.filter((each) => !keys.has(each.key)), ...found]);
}

const RECORDED: ReadonlySet<string> = new Set(["hook", "rule"]);

function sorted(all: readonly Said[]): readonly Said[] {
  return [...all].sort((a, b) => a.after - b.after || rank(a) - rank(b));
}

function hookOf(told: Row, at: number | null): readonly Said[] {
  const result = line(told["result"], 40);
  if (result === "pass") {
    return [];
  }
  const name = line(told["hook"], 80) || "A hook";
  const title = result === "block" ? `Hook ${name} refused` : `Hook ${name}: ${result || "no answer"}`;
  const where = joined(line(told["event"], 40), line(told["tool"], 60));
  const reason = block(told["reason"], 2000);
  const key = `hook.${line(told["id"], 80)}.${at ?? ""}`;
  const text = [where, reason].filter(Boolean).join(": ") || name;
  return [{ key, after: whole(told["turn"]), who: "devloop", title, text, good: false }];
}

function ruleOf(told: Row, turn: number): Said {
  const name = line(told["decision"], 40);
  const title = `Accepted by rule: ${(wordsOf(name)?.title ?? name).replace("…", "")}`;
  const text = block(told["message"], 400) || "Every gate passed; nobody was asked.";
  return { key: `rule.${whole(told["number"])}`, after: turn, who: "devloop", title, text, good: true };
}

function kindOf(said: Said): string {
  return said.key.split(".", 1)[0] ?? "";
}

function rank(said: Said): number {
  return ORDER.indexOf(kindOf(said));
}

function roundOf(told: Row, index: number): Said {
  const results = rows(told["results"]);
  const verdicts = results.map((each) => line(each["verdict"], 40) || "running");
  const lines = results.map((each, at) => {
    const reason = line(each["reason"], 300);
    return `${line(each["gate"], 120)}: ${verdicts[at]}${reason ? ` – ${reason}` : ""}`;
  });
  const good = verdicts.every((verdict) => verdict === "pass");
  const counted = new Map<string, number>();
  for (const verdict of verdicts) {
    counted.set(verdict, (counted.get(verdict) ?? 0) + 1);
  }
  const title = good
    ? `Every gate passes (${results.length})`
    : joined("Gates", ...[...counted].map(([verdict, count]) => `${count} ${verdict}`));
  return { key: `gates.${index}`, after: whole(told["turn"]), who: "gates", title, text: lines.join("\n"), good };
}

function messageOf(told: Row): Said {
  const left = texts(told["leave_out"]).map((path) => flat(path, 120));
  const name = line(told["decision"], 40);
  const decision = (wordsOf(name)?.title ?? name).replace("…", "");
  return {
    key: `message.${whole(told["checkpoint"])}`,
    after: whole(told["turn"]),
    who: "person",
    title: left.length > 0 ? `${decision}, without ${left.join(", ")}` : decision,
    text: block(told["text"], LONGEST_TEXT),
    good: true,
  };
}

function toldOf(turn: Row): readonly Said[] {
  const after = whole(turn["number"]);
  const all = Array.isArray(turn["told"]) ? turn["told"] : [];
  return all.map((text, index) => ({
    key: `told.${after}.${index}`,
    after,
    who: "devloop",
    title: "The agent was told",
    text: block(text, LONGEST_TEXT),
    good: true,
  }));
}

function openingOf(told: Row, index: number): Said {
  const carried = line(row(told)["carried"], 80);
  return {
    key: `opening.${index}`,
    after: Math.max(0, whole(told["turn"]) - 1),
    who: "devloop",
    title: carried
      ? `The conversation of ${carried} goes on`
      : index === 0
        ? "What the agent was told"
        : "A fresh conversation begins",
    text: block(told["text"], LONGEST_TEXT),
    good: true,
  };
}
