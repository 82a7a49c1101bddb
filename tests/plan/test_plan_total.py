"""Whatever the input, reading never raises, and hostile input does not take forever."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.plan import (
    Plan,
    blocking,
    completion,
    may_run,
    next_task,
    parse,
    ready,
    select,
    show,
    spans,
    waves,
)
from support.effort import readings
from support.turns import often

WORDS = """- [ ] |- [x] |- [~] |- [!] |- [-] |- [/] |- [>] |- [?] |- []|*
1. [ ] |2. |Task 1.1|Task 1.2: |T001 |2.1 |P0-1 |**
:|[depends:1.1]|[depends:1.1-1.4]|[depends:Phase 1]|[depends:|[depends:p1.1, T001]|[parallel:A]
[parallel:full]|[P]|(P)|[US1]|{#x}|# |## |### Phase 1: A|### Phase 2 - B ✅|## Phase A|# Plan: |## Progress Log
## Success Criteria|Phase 1|**Status**: |Complete|**Updated**: 2025-12-29 05:33
**Current Phase**: Phase 1|**Dependencies**: Phase 2|**Parallel Groups**:
- Group A: Tasks 1.1, 1.2|  |    |\t|\n|\n|\n|\n|\r\n|\r|\n\n|- Acceptance: |- Files: `a.py` (new), ../b
- May change tests: |`t/a.py::b`, t/**
- Depends: |- Notes:|_Requirements: 1.2_|```|<!--|-->|> |---|2025-12-24 03:25: |Completed |Started Task 1.1
blocked - |`|| | [agent:a:b]|[budget:2]|[turns:x]|[timeout:30m]|\ufeff|\u2028|🚧|\x00|[x](u)"""
fragments = st.lists(st.sampled_from(WORDS.replace("\\n", "\n").replace("\n", "|\n|").split("|")), max_size=60).map(
    "".join
)


def use(plan: Plan) -> None:
    """Ask everything that can be asked."""
    shown = show(plan)
    assert shown["stats"]["total"] == len(plan.top_level)
    parts = ("completed", "pending", "in_progress", "blocked", "skipped", "deferred", "unknown")
    assert sum(shown["stats"][part] for part in parts) == shown["stats"]["total"]
    state = next_task(plan)["state"]
    chosen = select(plan)
    assert (chosen.task is not None) == (state == "found") == bool(ready(plan))
    assert (state == "empty") == (not plan.top_level)
    for task in plan.tasks:
        reasons = may_run(plan, task)
        assert all(str(reason) for reason in reasons)
        if task in ready(plan)[:3]:
            assert not reasons
        blocking(plan, task)
    flat = [task.line for wave in waves(plan) for task in wave]
    assert len(flat) == len(set(flat))
    for problem in plan.problems:
        assert 1 <= problem.line <= max(1, plan.document.count)
        assert problem.message


@settings(max_examples=often(300), deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_plan(data: bytes) -> None:
    plan = parse(data)
    assert plan.data == data
    use(plan)


@settings(max_examples=often(400), deadline=None)
@given(fragments)
def test_any_mixture_of_plan_words_is_a_plan(text: str) -> None:
    plan = parse(text)
    assert plan.text == text
    use(plan)


@settings(max_examples=often(200), deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_plan(text: str) -> None:
    plan = parse(text)
    assert plan.text == text
    use(plan)


HOSTILE = {
    "one line of brackets": "- [ ] " + "[" * 60_000,
    "one line of back-ticks": "- [ ] " + " ".join("`" * (n % 300) for n in range(400)),
    "unpaired runs of back-ticks": "- [ ] " + " ".join("`" * n for n in range(1, 340)),
    "one line of anchors": "- [ ] a" + "{#" * 30_000,
    "blanks before an anchor": "- [ ] a" + " " * 60_000 + "{#x",
    "blanks in a tag": "- [ ] a [depends:1.1" + " " * 60_000 + "x]\n- [ ] b [depends:" + " " * 60_000 + "x\n",
    "blanks in a list": "- [ ] a\n  - Depends: 1.1" + " " * 60_000 + "x\n## Progress Log\n- 1.1" + " " * 60_000 + "x\n",
    "blanks in a box": "[" + " " * 60_000 + "x\n- [" + " " * 60_000 + "x\n",
    "open tags": "- [ ] a " + "[depends:" * 7_000,
    "many attributes": "<a" + " b" * 30_000 + "\n",
    "stars": "*" * 60_000 + " x\n" + "* " * 30_000 + "x",
    "underline of a long paragraph": "a\n" * 20_000 + "===\n",
    "many quotes": (">" * 200 + "\n") * 500,
    "many markers": ("- " * 200 + "x\n") * 200,
    "phase words": "# Phase" + " " * 60_000 + "1",
    "heading marks": "# a" + " #" * 30_000 + " a",
    "log words": "## Progress Log\n- Completed Task " + "a, " * 20_000 + "\n- 2025-12-29 " + "*" * 50_000,
    "fields": "# P\n" + "**a**: b | " * 6_000,
    "metadata": "- [ ] a\n  - " + "x " * 30_000 + ":\n  - Files: " + "(" * 30_000 + "," * 30_000,
    "table": "|[ ]|✅|\n" * 20_000,
    "same id": "- [ ] Task 1.1: a\n" * 5_000,
    "unknown dependencies": "".join(f"- [ ] Task 1.{n}: a [depends:x{n}]\n" for n in range(5_000)),
    "one long cycle": "".join(f"- [ ] Task 1.{n}: a [depends:1.{(n + 1) % 5_000}]\n" for n in range(5_000)),
    "all on phase": "## Phase 1: A\n" + "".join(f"- [ ] Task 1.{n}: a [depends:Phase 1]\n" for n in range(3_000)),
    "deep tasks": "".join("  " * n + f"- [ ] {n}\n" for n in range(300)),
    "many phases": "".join(f"### Phase {n}: x\n- [ ] a [parallel:A]\n" for n in range(3_000)),
    "notes below one task": "- [ ] a\n" + "  - Acceptance:\n    - [ ] b\n" * 3_000,
    "done without log": "- [x] a b c\n" * 3_000 + "## Progress Log\n" + '- Completed Task "x"\n' * 3_000,
    "committed phases": "- [x] Task 1.1: a\n" * 2_000 + "## Progress Log\n" + "- Phase 1 complete\n" * 2_000,
    "status": "# P\n**Status**: " + "- " * 3_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_read_in_time(name: str) -> None:
    def read() -> Plan:
        plan = parse(HOSTILE[name])
        show(plan)
        select(plan)
        waves(plan)
        for line in range(1, min(4, plan.document.count + 1)):
            spans(plan, line)
            completion(plan, line, 60_000)
        return plan

    assert readings(read) < 25
    assert read().text == HOSTILE[name]
