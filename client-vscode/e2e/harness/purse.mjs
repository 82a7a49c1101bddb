// The plan that most scenarios share: each has a task of its own in it, so that none depends on another.
import { call, endless, finish, work, write } from "./project.mjs";

export const PLAN = `# Plan: purse

**Status**: In Progress
**Current Phase**: Phase 1

## Phase 1: Amounts

**Goal**: Amounts can be read and shown.

- [x] Task 1.1: Store amounts as whole cents
- [ ] Task 1.2: Implement money.parse
- [ ] Task 1.3: Show debts with a sign
- [ ] Task 1.4: Round shares fairly

## Phase 2: Sharing

**Goal**: Sharing a bill is proved to be fair.

- [ ] Task 2.1: Name the currency
- [ ] Task 2.2: Show an amount of zero
- [ ] Task 2.3: Import last year's bills
- [ ] Task 2.4: Split the bill by shares
- [ ] Task 2.5: Export the purse to CSV
- [ ] Task 2.6: Describe the purse [depends:1.2, 2.6]

## Progress Log
`;

const parse = `import re

_AMOUNT = re.compile(r"([+-]?)(\\d+)(?:\\.(\\d{1,2}))?")


def parse(text: str) -> int:
    """"12.34" gives 1234. Raises ValueError for what is no amount."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no amount")
    sign, whole, part = match.groups()
    cents = int(whole) * 100 + int((part or "").ljust(2, "0"))
    return -cents if sign == "-" else cents
`;

const exporting = `import csv

from purse.money import show


def export(bills, stream):
    """One row per bill: name and amount."""
    csv.writer(stream).writerows((name, show(cents)) for name, cents in bills)
`;

export const TASKS = {
  1.2: [
    {
      delay_s: 0.5,
      text: "I look at the module first.",
      calls: [call("read_file", { path: "purse/money.py" }), call("search", { pattern: "def ", path: "purse" })],
    },
    { delay_s: 0.5, text: "Parsing gets a module of its own.", calls: [write("purse/parse.py", parse)] },
    { calls: [finish("purse.parse reads amounts with an optional sign and refuses everything else.")] },
  ],
  1.3: [
    {
      text: "The sign has to be taken off before the division.",
      calls: [
        call("edit_file", {
          path: "purse/money.py",
          old_string: '    return f"{cents // 100}.{cents % 100:02}"',
          new_string:
            '    sign = "-" if cents < 0 else ""\n    whole, part = divmod(abs(cents), 100)\n    return f"{sign}{whole}.{part:02}"',
        }),
      ],
    },
    { calls: [finish("show puts the sign in front of debts, and zero has none.")] },
  ],
  1.4: work("purse/shares.py", "def shares(cents, people):\n    return divmod(cents, people)\n"),
  2.1: [
    ...work("purse/currency.py", 'NAME = "euro"\n', "The purse knows its currency."),
    { text: "The sign, not the name.", calls: [write("purse/currency.py", 'NAME = "€"\n')] },
    { calls: [finish("The currency is shown by its sign.")] },
  ],
  2.2: [
    {
      text: "The plan does not say how zero is shown.",
      calls: [call("ask", { question: "How is an amount of zero shown?", choices: ["As 0.00", "As a dash"] })],
    },
    ...work("purse/zero.py", 'ZERO = "–"\n', "Zero is shown as you chose."),
  ],
  2.3: endless(),
  2.4: [
    {
      text: "Shares need a rule and its tests.",
      calls: [
        write(
          "purse/split.py",
          "def split(cents, people):\n    share, rest = divmod(cents, people)\n    return share\n",
        ),
        write("purse/debug.py", "print('left over from looking around')\n"),
        write("README.md", "# purse\n\nAmounts of money, as whole cents; bills are split fairly.\n"),
      ],
    },
    { calls: [finish("A bill is split into shares that differ by one cent at most.")] },
  ],
  2.5: [
    {
      delay_s: 1,
      thinking: "The module csv of the standard library writes rows.",
      text: "I look at how amounts are shown, then write **one row per bill**.",
      calls: [call("read_file", { path: "purse/money.py" }), call("list_files", { pattern: "**/*.py" })],
    },
    { delay_s: 1, text: "One function is enough.", calls: [write("purse/export.py", exporting)] },
    { delay_s: 1, text: "It has to be tried.", calls: [call("run_command", { command: "sh check.sh && echo fine" })] },
    { delay_s: 1, calls: [finish("purse.export writes one row per bill, with amounts as they are shown.")] },
  ],
  // Errands
  "@quick": work("LICENCE.md", "MIT\n", "The licence is named."),
  "@plan-new": [
    {
      calls: [
        call("finish", {
          summary: "Two small steps.",
          title: "Currencies",
          phases: [
            {
              name: "Currencies",
              tasks: [
                {
                  title: "Convert at the rate of the day",
                  files: ["purse/rates.py (new)"],
                  acceptance: ["rates are exact"],
                },
                { title: "Show both amounts", depends: ["Convert at the rate of the day"] },
              ],
            },
          ],
        }),
      ],
    },
  ],
  "@review/correctness": reviewed([
    {
      path: "purse/rates.py",
      line: 5,
      severity: "High",
      kind: "correctness",
      confidence: 90,
      problem: "eval runs whatever the text says",
      fix: "Use Decimal.",
    },
  ]),
  "@review/quality": reviewed(),
  "@review/conventions": reviewed(),
  "@review/reviewer": reviewed(),
  "@review/security": [{ calls: [call("finish", { summary: "Scanned.", risk: "CLEAN", findings: [] })] }],
};

function reviewed(findings = []) {
  return [{ calls: [call("finish", { summary: "Looked.", verdict: "APPROVE", findings })] }];
}
