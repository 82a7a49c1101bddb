"""Whatever the plan: a refactoring changes what it says and nothing else, or refuses with a sentence."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.errors import Refused, UsageError
from devloop.plan import Edit, Plan, apply, parse
from devloop.plan.lines import split
from devloop.plan.refactor import Done, Offer, carry_out, refactorings, restore
from support.turns import often

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "plans"
FILES = sorted(CORPUS.glob("*.md")) if CORPUS.is_dir() else []

PARTS = """- [ ] Task 1.1: one and two|- [ ] Task 1.2: two [depends:1.1]|- [x] Task 1.3: three|- [ ] plain; and more
- [~] Task 2.1: b [parallel:A]|  - [ ] s|  - [ ] 1.2.1 child|  - Notes: n|  - Depends: 1.1-1.3|    text|  - Files: a.b
## Phase 1: A|## Phase 2: B ✅|### Phase 3|**Dependencies**: Phase 1|**Status**: In Progress|**Status**: Complete
## Progress Log|- 2025-01-01 10:00: Completed Task 1.3|## Success Criteria|1. [ ] c|text|||---|```|<!-- x -->|> q
### Task 4: head|#### Acceptance|### Step 2|- [ ] T001 [P] x|- [X] T002 [P] y [depends:T001]|# Plan: P|    code
10. [x] z|- [ ] 1. major|- [ ] 1.1 part (P)|  - [ ] 1.2 part|  - _Depends: 1_|## 1. Group|- [ ] d [depends:Phase 1, 2.1]
\t- [ ] tab"""
plans = st.lists(
    st.tuples(st.sampled_from(PARTS.replace("\n", "|").split("|")), st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])),
    min_size=2,
    max_size=22,
).map(lambda lines: "".join(text + end for text, end in lines))
OWN = ("start", "block", "skip", "reopen")


def answers(offer: Offer) -> list[str]:
    given = {"": [""], "reason": ["why"], "title": ["new part"], "phase": []}[offer.needs]
    return given or [value for value, _ in offer.choices]


def untouched(text: str, edits: tuple[Edit, ...]) -> list[str]:
    """The lines that no edit touches."""
    lines = split(text.removeprefix("\ufeff"))
    touched = set()
    for edit in edits:
        last = edit.end_line if edit.end or edit.end_line == edit.start_line else edit.end_line - 1
        if edit.expect:
            touched.update(range(edit.start_line, last + 1))
        elif edit.start or not edit.text.endswith(("\n", "\r")):
            touched.add(edit.start_line)  # an insertion into a line, or behind the last one
    return [line for number, line in enumerate(lines, 1) if number not in touched]


def is_subsequence(short: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(any(line == other for other in rest) for line in short)


def titles(plan: Plan) -> Counter[tuple[str, str]]:
    return Counter((task.title, task.status) for task in plan.tasks)


def judge(plan: Plan, offer: Offer, done: Done) -> None:
    text = plan.text
    result = apply(plan.data, done.edits).decode("utf-8", "surrogateescape")
    after = parse(result)
    assert result.startswith("\ufeff") == text.startswith("\ufeff")
    assert is_subsequence(untouched(text, done.edits), split(result.removeprefix("\ufeff")))
    assert result.endswith(("\n", "\r")) == text.endswith(("\n", "\r")) or not result or offer.kind in OWN
    before, now = titles(plan), titles(after)
    if offer.kind in OWN:
        changed = plan.tasks[plan.graph.by_line[offer.line]]
        assert [(t.id, t.title) for t in after.tasks] == [(t.id, t.title) for t in plan.tasks]
        same = [(t.line, t.status) for t in plan.tasks if t.line != changed.line]
        assert [t for _, t in same] == [
            t.status for t, old in zip(after.tasks, plan.tasks, strict=True) if old.line != changed.line
        ]
    elif offer.kind in ("split", "split-off"):
        assert sum(now.values()) == sum(before.values()) + 1
        assert sum((before - now).values()) <= 1
    elif offer.kind in ("move", "explicit-order", "explicit-phases", "convert-spec-kit"):
        assert now == before
    elif offer.kind in ("archive", "archive-phase"):
        assert done.archive is not None
        assert not now - before
        assert all(not task.done or task.title for task in after.tasks)
        for _, file in done.archive.files:
            assert parse(file).stats.tasks.done == parse(file).stats.tasks.total > 0
        kept = now + Counter(key for _, file in done.archive.files for key in titles(parse(file)).elements())
        assert kept == before
        judge_restored(after, done.archive.files, before)
    elif offer.kind == "convert-kiro":
        assert not now - before
    else:
        assert sum(now.values()) > 0


def judge_restored(plan: Plan, files: tuple[tuple[str, str], ...], before: Counter[tuple[str, str]]) -> None:
    """What was archived comes back, or is refused with a reason; never something else."""
    for name, file in files:
        try:
            restored = restore(plan, file.encode("utf-8", "surrogateescape"), name, NOW)
        except (UsageError, Refused):
            return
        plan = parse(apply(plan.data, restored.edits))
    assert titles(plan) == before


def try_all(plan: Plan, lines: range, few: int) -> int:
    count = 0
    for line in lines:
        for offer in refactorings(plan, line):
            for answer in answers(offer)[:few]:
                try:
                    done = carry_out(plan, offer.kind, offer.line, NOW, answer)
                except UsageError as error:
                    assert error.message
                    continue
                assert done.edits or offer.kind in OWN
                judge(plan, offer, done)
                count += 1
    return count


@settings(max_examples=often(150), deadline=None)
@given(plans, st.booleans(), st.booleans())
def test_refactorings_change_only_what_they_say(text: str, cut: bool, bom: bool) -> None:
    text = ("\ufeff" if bom else "") + (text.rstrip("\r\n") if cut else text)
    plan = parse(text)
    try_all(plan, range(1, plan.document.count + 1), 9)


@pytest.mark.skipif(not FILES, reason="no corpus of plans here")
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_refactorings_of_real_plans(path: Path) -> None:
    plan = parse(path.read_bytes())
    lines = sorted({1, *(phase.line for phase in plan.phases[:3]), *(task.line for task in plan.tasks[:3])})
    tried = sum(try_all(plan, range(line, line + 1), 1) for line in lines)
    assert tried or not plan.top_level
