"""Plans that nobody would write, made from a source of randomness: words of the format, lines of plans put together,
real plans damaged, characters that are no plain text, bytes."""

from __future__ import annotations

import functools
from pathlib import Path
from random import Random

from devloop.shipped import folder

WORDS = (
    *("- [ ] ", "- [x] ", "- [~] ", "- [!] ", "- [-] ", "- [/] ", "- [>] ", "- [?] ", "- []", "*\n1. [ ] ", "2. "),
    *("Task 1.1", "Task 1.2: ", "T001 ", "2.1 ", "P0-1 ", "**\n:", "[depends:1.1]", "[depends:1.1-1.4]"),
    *("[depends:Phase 1]", "[depends:", "[depends:p1.1, T001]", "[parallel:A]", "\n[parallel:full]", "[P]", "(P)"),
    *(
        "[US1]",
        "{#x}",
        "# ",
        "## ",
        "### Phase 1: A",
        "### Phase 2 - B ✅",
        "## Phase A",
        "# Plan: ",
        "## Progress Log\n",
    ),
    *("## Success Criteria", "Phase 1", "**Status**: ", "Complete", "**Updated**: 2025-12-29 05:33\n"),
    *("**Current Phase**: Phase 1", "**Dependencies**: Phase 2", "**Parallel Groups**:\n- Group A: Tasks 1.1, 1.2"),
    *(
        "  ",
        "    ",
        "\t",
        "\n",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "- Acceptance: ",
        "- Files: `a.py` (new), ../b\n",
        "- May change tests: ",
        "`t/a.py::b`, t/**",
    ),
    *("- Depends: ", "- Notes:", "_Requirements: 1.2_", "```", "<!--", "-->", "> ", "---", "2025-12-24 03:25: "),
    *("Completed ", "Started Task 1.1\nblocked - ", "`", "|", " ", "[agent:a:b]", "[budget:2]", "[turns:x]"),
    *("[timeout:30m]", "\ufeff", "\u2028", "🚧", "\x00", "[x](u)", "[skill:a, b]", "[mode:x]", "1..3", "–", "<b>", "&"),
    *("\\", "*", "_", "~~~", "===", "<script", "http://x.y/z", "#12", "999999999999999999999", "0.0", "é", "a\u0301"),
)
LINES = (
    *("- [ ] Task 1.1: one", "- [x] Task 1.2: two [depends:1.1]", "- [ ] plain", "- [!] blocked", "  - [ ] step"),
    *("  - Notes: n", "  - Files: a.py, ../b", "  - **Acceptance**: it works", "    - nested", "  - a detail"),
    *("    goes on", "  - Depends: 1.1", "  - Agent: qa", "text", "more text", "", "```", "> q", "> devloop: again"),
    *("1. [ ] c", "# Plan: P", "**Status**: Planning", "Status: x", "## Phase 1: A", "### Phase 2", "## Progress Log"),
    *("- 2025-01-01 10:00: Completed Task 1.2", "## Success Criteria", "- [?] T5 odd [depnds:1]", "===", "---"),
    *("- [/] T6 alias [depends:9.9] [parallel:A]", "- [ ] T6 again [parallel:A] [depends:T6]", "      - [ ] deep"),
    *("| a | [x] |", "|---|:-:|", "<!-- c -->", "<!--", "    code", "- [ ]", "- [ ] Task 1.1", "- [ ] Task 1.1: dup"),
    *("  - Acceptance:", "    - [ ] c1", "    - [x] c2", "### Phase 2 [depends:1]", "-", "- ", "  -", "- [", "- []"),
    *("  - May change tests: t/a.py, `t/b.py::c`", "  - **Tests may change**:", "    - t/*.py"),
    *("-[ ] x", "lazy", "  - Skills: a, b", "- Group A: 1.1, 1.2", "- x", "- [ ] T9 forward [depends:T5]"),
    *("- [ ] Task 3.1: f [parallel:A] [depends:1.1-1.2]", "\t- [ ] tab", "10. [x] z", "### Task 4: head", "~~~"),
    *(
        "**Dependencies**: Phase 1",
        "- [ ] T001 [P] x",
        "- [ ] 1. major",
        "- [ ] 1.1 part (P)",
        "- [ ] d [depends:Phase 1]",
    ),
    *(
        "---\ntitle: x\n---",
        "<div>",
        "</div>",
        "Setext",
        "**Current Phase**: Phase 2",
        "  > devloop: no",
        "- [X] ✅ 🚧 ❌",
    ),
)
ENDS = ("\n",) * 12 + ("\r\n", "\r", "\n\n", "", "\u2028", " \n")
ODD = "\x00\x0b\x0c\x1b\x85\u00a0\u200b\u202e\u2028\u2029\ufeff\ud800\udc80\U000e0041\U0001f6a7\u0130\u0660ß\u1680"
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "plans"
MAX_REAL = 30
"""Lines of a real plan that go into an input."""


@functools.cache
def real() -> tuple[tuple[str, ...], ...]:
    """The lines of real plans: those that devloop brings along, and a collection where there is one."""
    files = [*folder("plans").rglob("*.md"), *CORPUS.glob("*.md")]
    texts = [path.read_bytes().decode("utf-8", "surrogateescape") for path in sorted(files)]
    return tuple(lines for text in texts if (lines := tuple(text.splitlines(keepends=True))))


def plan_input(random: Random) -> str | bytes:
    """One input, seldom longer than a page."""
    kind = random.random()
    if kind < 0.28:
        return "".join(random.choices(WORDS, k=random.randint(0, 50)))
    if kind < 0.60:
        return _lines(random)
    if kind < 0.90:
        return _damaged(random, _excerpt(random) if random.random() < 0.7 else _lines(random))
    if kind < 0.95:
        return "".join(
            chr(random.randint(0, 0x10FFFF)) if random.random() < 0.2 else random.choice(ODD + "\n\n- [x]#*:|`")
            for _ in range(random.randint(0, 80))
        )
    return random.randbytes(random.randint(0, 200)) + b"\n- [ ] a\xff\n" * random.randint(0, 2)


def _lines(random: Random) -> str:
    header = random.choice(("", "", "# P\n\n**Status**: Planning\n\n## Phase 1: A\n\n", "\ufeff"))
    return header + "".join(random.choice(LINES) + random.choice(ENDS) for _ in range(random.randint(0, 22)))


def _excerpt(random: Random) -> str:
    lines = random.choice(real())
    at = random.randrange(len(lines)) if random.random() < 0.7 else 0
    return "".join(lines[at : at + random.randint(1, MAX_REAL)])


def _damaged(random: Random, text: str) -> str:
    for _ in range(random.randint(0, 6)):
        at = random.randint(0, len(text))
        end = min(len(text), at + random.choice((0, 0, 1, 1, 2, 8, 60)))
        new = random.choice(
            ("", random.choice(WORDS), random.choice(LINES) + "\n", random.choice(ODD), text[at : at + 40])
        )
        text = text[:at] + new + text[end:]
    return text
