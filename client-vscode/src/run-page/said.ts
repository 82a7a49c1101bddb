/** What stands between the turns, in the order in which it happened. */

import { wordsOf } from "../decisions";
import { oneLine as flat, joined } from "../views/text";
import { block, line, type Row, row, rows, texts, whole } from "./read";
import { LONGEST_TEXT } from "./reading";
import type { Said } from "./state";

/** After a turn: gates judge, a person decides, the agent is told, a fresh conversation begins. */
const ORDER: readonly string[] = ["gates", "message", "told", "opening"];

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
    ...turns.flatMap(toldOf).filter((each) => !words.has(each.text.trim())),
    ...rows(answer["openings"]).map(openingOf),
  ];
  const shown = all.filter((each) => each.text.trim() !== "" || each.who === "person");
  return shown.sort((a, b) => a.after - b.after || rank(a) - rank(b));
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
