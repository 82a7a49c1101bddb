"""Every diagnostic, on the smallest plan that has it; and that fixes fix (plan-format §17)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from devloop.plan import Plan, Problem, apply, parse
from devloop.plan.problems_external import stale_plan, unknown_names, unknown_skills
from devloop.plan.problems_tasks import leaves_repository

P = "# P\n"
A = "# P\n## Phase 1: A\n"
LOG = "## Progress Log\n"

# code: (severity, plan, lines that have it)
CASES: dict[str, list[tuple[str, str, list[int]]]] = {
    "duplicate-id": [("warning", P + "- [ ] T1 a\n- [ ] b {#t1}\n- [ ] T1 c\n", [3, 4])],
    "duplicate-phase": [("warning", A + "- [ ] a\n## Phase 1: B\n- [ ] b\n", [4])],
    "unknown-dependency": [
        ("error", P + "- [ ] T1 a [depends:T12]\n", [2]),
        ("error", P + "- [ ] T1 a [depends:Phase 7]\n", [2]),
        ("error", A + "**Dependencies**: Phase 7\n- [ ] a\n", [2]),
        ("error", P + "- [ ] T1 a\n  - Depends: T9\n", [2]),
    ],
    "self-dependency": [("error", P + "- [ ] T1 a [depends:T1]\n", [2])],
    "dependency-cycle": [("error", P + "- [ ] T1 a [depends:T2]\n- [ ] T2 b [depends:T1]\n", [2, 3])],
    "range-reversed": [("warning", P + "- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.3 c [depends:1.2-1.1]\n", [4])],
    "forward-dependency": [("hint", P + "- [ ] T1 a [depends:T2]\n- [ ] T2 b\n", [2])],
    "depends-on-blocked": [("warning", P + "- [!] T1 a\n- [>] T2 b\n- [ ] T3 c [depends:T1,T2]\n", [4, 4])],
    "parallel-file-conflict": [
        ("warning", A + "- [ ] a [parallel:A]\n  - Files: x.py\n- [ ] b [parallel:A]\n  - Files: x.py\n", [5])
    ],
    "parallel-depends": [("warning", A + "- [ ] T1 a [parallel:A]\n- [ ] T2 b [parallel:A] [depends:T1]\n", [4])],
    "group-conflict": [
        (
            "warning",
            A + "**Parallel Groups**:\n- Group A: Tasks 1.1\n\n- [ ] Task 1.1: a [parallel:B]\n- [ ] b [parallel:B]\n",
            [6],
        )
    ],
    "group-of-one": [("hint", A + "- [ ] a [parallel:A]\n", [3])],
    "task-phase-mismatch": [("hint", A + "- [ ] Task 2.1: a\n- [ ] Task 1.1: b\n", [3])],
    "unknown-marker": [("warning", P + "- [?] a\n", [2])],
    "marker-alias": [("info", P + "- [/] a\n- [>] b\n", [2, 3])],
    "malformed-checkbox": [
        ("warning", P + "- [] a\n- [  ] b\n- [x ] c\n- [ x] d\n- [x]e\n", [2, 3, 4, 5, 6]),
        ("warning", P + "-[ ] a\n", [2]),
    ],
    "checkbox-not-a-task": [
        ("hint", P + "- [ ] a\n      - [ ] b\n", [3]),
        ("hint", P + "\n    - [ ] b\n", [3]),
        ("hint", P + "<details>\n- [ ] b\n", [3]),
        ("hint", P + "text\n2. [ ] b\n", [3]),
    ],
    "heading-task": [("info", P + "## Task 0.1 — a\n### Step 3: b\n## Milestone 2\n", [2, 3, 4])],
    "table-tasks": [("hint", P + "| a | b |\n|---|---|\n| ✅ | c |\n\n| no | box |\n", [2])],
    "empty-title": [("warning", P + "- [ ]\n- [ ] Task 1.1\n", [2, 3])],
    "template-task": [
        ("warning", P + "- [ ] Task 1.1: Write the first task here\n- [ ] Write the first task here now\n", [2])
    ],
    "unknown-tag": [("hint", P + "- [ ] a [depend:1.1] [note:x]\n- [ ] b [turns:x]\n", [2, 3])],
    "tag-misplaced": [
        ("warning", A + "- [ ] a [parallel:none]\n- [ ] b [parallel:full]\n", [3, 4]),
        ("warning", P + "## Phase 1: A [depends:2]\n- [ ] a\n", [2]),
    ],
    "unknown-status": [("info", P + "**Status**: Somewhere\n\n- [ ] a\n", [2])],
    "status-drift": [
        ("warning", P + "**Status**: Complete\n\n- [ ] a\n", [2]),
        ("warning", P + "**Status**: Draft\n\n- [x] a\n- [ ] b\n", [2]),
    ],
    "phase-status-drift": [("hint", P + "## Phase 1: A ✅\n- [ ] a\n## Phase 2 🚧\n- [ ] b\n", [2, 4])],
    "current-phase-drift": [
        ("hint", P + "**Current Phase**: Phase 1\n## Phase 1: A\n- [x] a\n## Phase 2: B\n- [ ] b\n", [2]),
        ("hint", P + "**Current Phase**: Done\n## Phase 1: A\n- [ ] a\n", [2]),
    ],
    "plan-complete": [("info", P + "**Status**: In Progress\n\n- [x] a\n- [-] b\n", [2])],
    "unlogged-completion": [("hint", P + "- [x] T1 a\n- [x] b\n- [-] c\n" + LOG + "- Completed Task T1\n", [3])],
    "open-subtasks": [("hint", P + "- [x] a\n  - [ ] b\n  - [x] c\n", [2])],
    "blocked-without-reason": [("hint", P + "- [!] a\n- [!] b\n  - Notes: why\n", [2])],
    "path-outside": [("error", P + "- [ ] a\n  - Files: ../x.py, `/etc/passwd`, a/../../b.py, a/../b.py\n", [2, 2, 2])],
    "unclosed-fence": [("warning", P + "- [ ] a\n\n```\nx\n\ny\n", [4])],
    "unclosed-comment": [("warning", P + "- [ ] a\n\n<!--\nx\n\n", [4])],
    "malformed-header": [
        ("info", P + "Status: Draft\n- **Updated**: 2025-01-01\n\n## Tasks\nStatus: x\n- [ ] a\n", [2, 3]),
    ],
    "bad-date": [("hint", P + "**Created**: yesterday\n**Updated**: 2025-13-01\n\n- [ ] a\n", [2, 3])],
    "long-plan": [
        ("info", P + "text\n\n" * 101 + "- [ ] a\n", [1]),
        ("info", P + "## Phase 1\n- [x] a\n## Phase 2\n- [x] b\n", [1]),
    ],
    "invalid-utf8": [("hint", P + "- [ ] a\udcff\n", [2])],
    "mixed-eol": [("hint", P + "- [ ] a\r\n- [ ] b\r\n", [2])],
    "line-too-long": [("hint", P + "- [ ] " + "a" * 70_000, [2])],
    "no-tasks": [("info", P, [1])],
}
EXTERNAL = {"missing-file", "multiple-plans", "stale-plan", "unknown-agent", "unknown-model"}
SPECIFIED = set(
    re.findall(
        r"\S+",
        """
duplicate-id duplicate-phase unknown-dependency self-dependency dependency-cycle range-reversed
forward-dependency depends-on-blocked parallel-file-conflict parallel-depends group-conflict group-of-one
task-phase-mismatch unknown-marker marker-alias malformed-checkbox checkbox-not-a-task heading-task
table-tasks empty-title template-task unknown-tag tag-misplaced unknown-agent unknown-model unknown-status status-drift
phase-status-drift current-phase-drift plan-complete unlogged-completion open-subtasks blocked-without-reason
missing-file path-outside unclosed-fence unclosed-comment malformed-header bad-date stale-plan long-plan
multiple-plans invalid-utf8 mixed-eol line-too-long no-tasks
""",
    )
)


def test_every_specified_code_is_tested() -> None:
    assert set(CASES) | EXTERNAL == SPECIFIED


@pytest.mark.parametrize(
    ("code", "severity", "text", "lines"),
    [(code, *case) for code, cases in CASES.items() for case in cases],
    ids=[f"{code}-{n}" for code, cases in CASES.items() for n in range(len(cases))],
)
def test_problem(code: str, severity: str, text: str, lines: list[int]) -> None:
    found = [problem for problem in parse(text.encode("utf-8", "surrogateescape")).problems if problem.code == code]
    assert [problem.line for problem in found] == lines
    assert {problem.severity for problem in found} == {severity}
    assert all(problem.message for problem in found)


GOOD = """# Devloop Plan: Good

**Created**: 2025-12-24
**Updated**: 2025-12-24 10:00
**Status**: In Progress
**Current Phase**: Phase 2

## Tasks

### Phase 1: A ✅
**Goal**: start

- [x] Task 1.1: one [parallel:A]
  - Acceptance: works
  - Files: `a.py` (new)
- [x] Task 1.2: two [parallel:A]
  - Files: `b.py`

### Phase 2: B

**Dependencies**: Phase 1

- [~] Task 2.1: three [depends:1.1-1.2] [agent:engineer]
- [ ] Task 2.2: four [depends:2.1, Phase 1]
- [!] Task 2.3: five
  - Notes: waits for a key

## Success Criteria

1. [ ] all

## Progress Log

- 2025-12-24 09:00: Plan created
- 2025-12-24 10:00: Completed Tasks 1.1, 1.2
"""


def test_a_good_plan_has_no_problem() -> None:
    assert parse(GOOD).problems == ()


FIXABLE = {
    "unknown-dependency": P + "- [ ] T12 a\n- [ ] T2 b [depends:T13]\n",
    "range-reversed": CASES["range-reversed"][0][1],
    "unknown-marker": P + "- [?] a\n",
    "marker-alias": P + "- [/] a\n",
    "malformed-checkbox": P + "- [x ] a\n",
    "unknown-tag": P + "- [ ] T1 x\n- [ ] a [depend:T1]\n",
    "unknown-status": CASES["unknown-status"][0][1],
    "status-drift": CASES["status-drift"][0][1],
    "current-phase-drift": CASES["current-phase-drift"][0][1],
    "plan-complete": CASES["plan-complete"][0][1],
    "malformed-header": P + "Status: Draft\n\n- [ ] a\n",
    "duplicate-id": P + "- [ ] Task 1.1: a\n- [ ] Task 1.1: b\n- [ ] Task 1.2: c\n",
}


@pytest.mark.parametrize("code", FIXABLE)
def test_fixes_remove_their_problem_and_bring_no_other(code: str) -> None:
    text = FIXABLE[code]
    plan = parse(text)
    problem = next(problem for problem in plan.problems if problem.code == code)
    assert problem.fixes
    known = {found.code for found in plan.problems}
    for title, edits in problem.fixes:
        after = parse(apply(text.encode(), edits))
        assert title
        assert code not in {found.code for found in after.problems}
        assert {found.code for found in after.problems} <= known


def test_fix_without_space_makes_a_task() -> None:
    text = "-[ ] a\n"
    problem = next(p for p in parse(text).problems if p.code == "malformed-checkbox")
    assert len(parse(apply(text.encode(), problem.fixes[0][1])).tasks) == 1


def test_problems_point_at_their_text() -> None:
    text = P + "- [ ] Task 1.1: a [depends:9.9] b\n- [?] c\n"
    plan = parse(text)
    spans = {p.code: plan.document.line(p.line - 1)[p.start : p.end] for p in plan.problems}
    assert spans["unknown-dependency"] == "[depends:9.9]"
    assert spans["unknown-marker"] == "[?]"


def test_related_lines_are_named() -> None:
    problem = next(p for p in parse(P + "- [ ] T1 a\n- [ ] T1 b\n").problems if p.code == "duplicate-id")
    assert problem.related[0][0] == 2


def test_steps_may_be_numbered_anew_in_each_section() -> None:
    text = "## A\n- [ ] **Step 1: x**\n## B\n- [ ] **Step 1: y**\n- [ ] **Step 1: z**\n"
    assert [p.line for p in parse(text).problems if p.code == "duplicate-id"] == [5]


def test_archived_ids_are_no_problem() -> None:
    plan = parse("- [ ] T2 a [depends:T1, Phase 1]\n", archived_ids=frozenset({"T1", "Phase 1"}))
    assert not [p for p in plan.problems if p.code == "unknown-dependency"]


# What the text alone does not say


def codes(found: tuple[Problem, ...]) -> list[tuple[str, int]]:
    return [(problem.code, problem.line) for problem in found]


def header(status: str, updated: str) -> Plan:
    return parse(f"# P\n**Status**: {status}\n**Updated**: {updated}\n\n- [~] a\n")


def test_stale_plan() -> None:
    now = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
    assert codes(stale_plan(header("In Progress", "2026-01-01 11:00"), now)) == [("stale-plan", 3)]
    assert codes(stale_plan(header("In Progress", "2026-01-01T11:00:00+00:00"), now)) == [("stale-plan", 3)]
    assert stale_plan(header("In Progress", "2026-01-01 13:00"), now) == ()
    west = now.astimezone(timezone(timedelta(hours=-2)))
    assert stale_plan(header("In Progress", "2026-01-01 11:00"), west) == ()
    assert stale_plan(header("Paused", "2020-01-01"), now) == ()
    assert stale_plan(header("In Progress", "soon"), now) == ()
    assert stale_plan(parse("- [ ] a\n"), now) == ()


def test_unknown_names() -> None:
    plan = parse(
        "- [ ] a [agent:engineer] [model:haiku]\n- [ ] b [agent:enginer]\n- [ ] c [agent:engineer:gti] [model:x]\n"
    )
    found = unknown_names(plan, ["engineer", "engineer:git"], ["haiku"])
    assert codes(found) == [("unknown-agent", 2), ("unknown-agent", 3), ("unknown-model", 3)]
    assert "nearest: engineer" in found[0].message
    assert codes(unknown_names(plan, ["engineer", "enginer", "engineer:gti"])) == []


def test_unknown_skills() -> None:
    plan = parse(
        "- [ ] a [skill:go, waits]\n- [ ] b\n  - Skills: `Goo`, go\n- [ ] c\n  - Skills:\n    - nothing-like-it\n"
        "- [x] d [skill:goo]\n"
    )
    waiting, wrong, strange = found = unknown_skills(plan, ["go"], {"waits": "not trusted yet"})
    assert codes(found) == [("untrusted-skill", 1), ("unknown-skill", 3), ("unknown-skill", 6)]
    assert waiting.message == "The skill waits is not used: not trusted yet"
    assert plan.document.line(0)[waiting.start : waiting.end] == "waits"
    assert plan.document.line(2)[wrong.start : wrong.end] == "Goo"
    assert wrong.message == "There is no skill goo; nearest: go"
    assert "  - Skills: `go`, go\n" in apply(plan.data, wrong.fixes[0][1]).decode()
    assert (strange.message, strange.fixes) == ("There is no skill nothing-like-it", ())


@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b", "~/.ssh", "C:\\x", "\\\\host\\x", "a\\..\\..\\b"])
def test_paths_that_leave(path: str) -> None:
    assert leaves_repository(path)


@pytest.mark.parametrize("path", ["a", "a/../b", "./a", "a/./b", "..a", "a..b/c", ""])
def test_paths_that_stay(path: str) -> None:
    assert not leaves_repository(path)
