"""What may be typed at a place, also in half-typed text: `¦` marks the place."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devloop.plan import Completion, completion, next_id, next_lead, next_phase_id, parse
from support.turns import often

PHASE = "# P\n\n**Status**: Planning\n\n## Phase 1: A\n\n- [ ] Task 1.1: one\n"
PHASE += "- [x] Task 1.2: two [depends:1.1] [parallel:A]\n"


def complete(text: str) -> Completion:
    before, after = text.split("¦")
    line = before.count("\n") + 1
    return completion(parse(before + after), line, len(before.rpartition("\n")[2]))


def applied(text: str, which: int = 0) -> str:
    """The line after the candidate was taken."""
    found = complete(text)
    line = next(line for line in text.split("\n") if "¦" in line).replace("¦", "")
    return line[: found.start] + found.candidates[which].text + line[found.end :]


@pytest.mark.parametrize(
    ("line", "kind", "prefix"),
    [
        ("- [¦", "marker", ""),
        ("- [¦]", "marker", ""),
        ("- [x¦] Task 1.3: a", "marker", "x"),
        ("- [ ] Task 1.3: a [¦", "tag-name", ""),
        ("- [ ] Task 1.3: a [dep¦", "tag-name", "dep"),
        ("- [ ] Task 1.3: a [d¦ep:1.1]", "tag-name", "d"),
        ("- [ ] Task 1.3: a [depends:¦", "dependency", ""),
        ("- [ ] Task 1.3: a [depends:1.1, ¦", "dependency", ""),
        ("- [ ] Task 1.3: a [depends:1.1,1.¦] b", "dependency", "1."),
        ("- [ ] Task 1.3: a [depends:1¦.1, 1.2] b", "dependency", "1"),
        ("- [ ] Task 1.3: a [depends:1.1-¦]", "dependency", ""),
        ("- [ ] Task 1.3: a [depends:1.1-1¦]", "dependency", "1"),
        ("- [ ] Task 1.3: a [depends:Ph¦]", "dependency", "Ph"),
        ("- [ ] Task 1.3: a [depends:Task 1¦]", "dependency", "1"),
        ("- [ ] Task 1.3: a [parallel:¦]", "group", ""),
        ("- [ ] Task 1.3: a [agent:eng¦", "agent", "eng"),
        ("- [ ] Task 1.3: a [agent:engineer:g¦]", "mode", "g"),
        ("- [ ] Task 1.3: a [model: o¦", "model", "o"),
        ("- [ ] Task 1.3: a [skill:¦", "skill", ""),
        ("- [ ] Task 1.3: a [skill: api-de¦", "skill", "api-de"),
        ("- [ ] Task 1.3: a [skills:a, b¦c, d]", "skill", "b"),
        ("- [ ] Task 1.3: a [budget:¦", "limit", ""),
        ("- [ ] Task 1.3: a [word:¦", "none", ""),
        ("- [ ] Task 1.3: a `[depends:¦`", "none", ""),
        ("- [ ] Task 1.3: a [depends:1.1] ¦", "none", ""),
        ("- [ ] Task 1.3: a¦", "none", ""),
        ("- [ ] ¦", "task-template", ""),
        ("¦", "task-template", ""),
        ("- ¦", "task-template", "- "),
        ("-¦", "task-template", "-"),
        ("text¦", "none", ""),
        ("#¦", "phase-template", "#"),
        ("## Ph¦", "phase-template", "## Ph"),
        ("## Notes¦", "none", ""),
        ("## Phase 2: B [¦", "tag-name", ""),
        ("## Phase 2: B [parallel:f¦", "group", "f"),
        ("\n**Dep¦", "header-key", "Dep"),
        ("\n**Dependencies**: Phase 1, ¦", "dependency", ""),
        ("\n**Parallelizable**: ¦", "header-value", ""),
        ("> - [ ] Task 1.3: a [depends:¦", "none", ""),
        ("```\n- [ ] Task 1.3: a [depends:¦", "none", ""),
        ("<!--\n¦", "none", ""),
        ("## Progress Log\n¦", "none", ""),
        ("## Progress Log\n- Completed ¦", "none", ""),
    ],
)
def test_the_kind_follows_from_the_place(line: str, kind: str, prefix: str) -> None:
    found = complete(f"{PHASE}{line}")
    assert (found.kind, found.prefix) == (kind, prefix)
    assert complete(f"{PHASE}{line}\n\n## Phase 9: Z\n")[:4] == found[:4]


@pytest.mark.parametrize(
    ("line", "kind", "prefix", "subject"),
    [
        ("  - ¦", "meta-key", "", ""),
        ("  * ¦", "meta-key", "", ""),
        ("  more\n  - ¦", "meta-key", "", ""),
        ("  - Files: a.py\n  - ¦", "meta-key", "", ""),
        ("  - **Acc¦", "meta-key", "**Acc", ""),
        ("  - Fi¦les: `a.py`", "meta-key", "Fi", ""),
        ("  - Depends: 1.1 and ¦", "dependency", "", ""),
        ("  - Files: `a.py`, `src/¦", "path", "src/", ""),
        ("  - Files: `a.py`, `src/¦x.py` (new)", "path", "src/", ""),
        ("  - Files: src/a¦", "path", "src/a", ""),
        ("  - Files: a.py (n¦", "none", "", ""),
        ("  - Files:\n    - s¦", "path", "s", ""),
        ("  - Files: a.py,\n    b¦", "path", "b", ""),
        ("  - Agent: `engineer:¦", "mode", "", "engineer"),
        ("  - Agent: ¦", "agent", "", ""),
        ("  - Model: `o¦`", "model", "o", ""),
        ("  - Skills: ¦", "skill", "", ""),
        ("  - Skills: `a`, b¦, c", "skill", "b", "a,c"),
        ("  - Skills:\n    - a¦", "skill", "a", ""),
        ("  - Effort: ¦", "header-value", "", "Effort"),
        ("  - Notes: something ¦", "none", "", ""),
        ("  - this is a sentence¦ without end", "none", "", ""),
        ("  continued ¦", "none", "", ""),
    ],
)
def test_the_kind_below_a_task(line: str, kind: str, prefix: str, subject: str) -> None:
    found = complete(f"{PHASE}{line}")
    assert (found.kind, found.prefix, found.subject) == (kind, prefix, subject)


@pytest.mark.parametrize(
    ("text", "kind", "first"),
    [
        ("# P\n**¦", "header-key", "Created"),
        ("# P\n**St¦**: Done\n", "header-key", "Created"),
        ("# P\n**Created**: x | **¦", "header-key", "Updated"),
        ("# P\n**Status**: Pl¦", "header-value", "Planning"),
        ("# P\n**Status**: ¦In Progress | **Goal**: x", "header-value", "Planning"),
        ("# P\n**Current Phase**: ¦\n## Phase 1: A\n- [x] a\n## Phase 2: B\n- [ ] b\n", "header-value", "Phase 2"),
        ("# P\n**Goal**: w¦", "header-value", None),
        ("¦", "phase-template", "## Phase 1: "),
        ("# P\n\n¦", "phase-template", "## Phase 1: "),
        ("- [ ] a\n¦", "task-template", "- [ ] "),
        ("# P\n\n¦\n## Phase 1: A\n", "none", None),
    ],
)
def test_header_and_empty_places(text: str, kind: str, first: str | None) -> None:
    found = complete(text)
    assert found.kind == kind
    assert (found.candidates[0].text if found.candidates else None) == first


def test_taking_a_candidate_replaces_the_word_the_place_is_in() -> None:
    assert applied(f"{PHASE}- [ ] Task 1.3: a [depends:1¦.1, 1.2]") == "- [ ] Task 1.3: a [depends:1.1, 1.2]"
    assert applied(f"{PHASE}- ¦") == "- [ ] Task 1.3: "
    assert applied(f"{PHASE}* ¦") == "* [ ] Task 1.3: "
    assert applied(f"{PHASE}- [ ] ¦") == "- [ ] Task 1.3: "
    assert applied(f"{PHASE}- [ ]¦") == "- [ ] Task 1.3: "
    assert applied(f"{PHASE}## P¦") == "## Phase 2: "
    assert applied("# P\n**Status**: In ¦Pro | **Goal**: x") == "**Status**: Planning | **Goal**: x"


def test_dependencies_that_would_make_a_cycle_come_last() -> None:
    text = PHASE.replace("Task 1.1: one", "Task 1.1: one [depends:¦]") + "- [ ] Task 1.3: three\n## Phase 2: B\n"
    found = complete(text).candidates
    assert [(candidate.text, candidate.worse) for candidate in found] == [
        ("1.3", False),
        ("1.2", True),
        ("Phase 2", True),
    ]
    assert found[0].detail == "three"


def test_what_the_list_has_already_and_what_does_not_match_is_left_out() -> None:
    names = [one.text for one in complete(f"{PHASE}- [ ] Task 1.3: a [depends:1.1, ¦").candidates]
    assert names == ["1.2"]
    assert [one.text for one in complete(f"{PHASE}- [ ] Task 1.3: a [depends:tw¦").candidates] == ["1.2"]
    assert complete(f"{PHASE}- [ ] Task 1.3: a [depends:zz¦").candidates == ()


def test_groups_are_those_of_the_phase_and_a_new_one() -> None:
    found = complete(f"{PHASE}- [ ] Task 1.3: a [parallel:¦").candidates
    assert [one.text for one in found] == ["A", "B"]
    found = complete(f"{PHASE}## Phase 2: B\n- [ ] Task 2.1: a [parallel:¦").candidates
    assert [one.text for one in found] == ["A"]


def test_keys_and_tags_that_are_there_are_not_offered() -> None:
    keys = [one.text for one in complete(f"{PHASE}  - Files: a.py\n  - ¦").candidates]
    assert "Files" not in keys
    assert "Acceptance" in keys
    tags = [one.text for one in complete(f"{PHASE}- [ ] Task 1.3: a [parallel:A] [depends:1.1] [¦").candidates]
    assert "parallel:" not in tags
    assert "depends:" in tags


def test_a_tag_says_whether_it_is_closed() -> None:
    assert complete(f"{PHASE}- [ ] Task 1.3: a [depends:1¦] b").closed
    assert not complete(f"{PHASE}- [ ] Task 1.3: a [depends:1¦ b").closed


@pytest.mark.parametrize(
    ("text", "name", "lead"),
    [
        ("## Phase 2: A\n- [ ] Task 2.1: a\n- [ ] Task 2.9: b\n", "2.10", "Task 2.10: "),
        ("## Phase 2: A\n- [ ] **Task 2.1**: a\n", "2.2", "**Task 2.2**: "),
        ("## Phase 2: A\n- [ ] 2.1 a\n", "2.2", "2.2 "),
        ("## Phase 2: A\n- [ ] **2.1** a\n", "2.2", "**2.2** "),
        ("## Phase 2: A\n- [ ] 3. a\n", "4", "4. "),
        ("## Phase 2: A\n- [ ] T009 a\n", "T010", "T010 "),
        ("## Phase 1: A\n- [ ] T009 a\n## Phase 2: B\n", "T010", "T010 "),
        ("## Phase 1: A\n- [ ] **P0-1**: a\n## Phase 2: B\n", "P0-2", "**P0-2**: "),
        ("## Phase 1: A\n- [ ] Task 1.7: a\n## Phase 2: B\n", "2.1", "Task 2.1: "),
        ("## Phase 1: A\n- [ ] Task 2.1: a\n## Phase 2: B\n", "2.2", "Task 2.2: "),
        ("## Phase 1: A\n- [ ] Task 1.7: a\n## Phase 2b: B\n", "", ""),
        ("## Phase 2: A\n- [ ] plain\n", "", ""),
        ("## Phase 2: A\n", "2.1", "Task 2.1: "),
        ("## Phase 2: A\n- [ ] [PR-12-1] a\n", "PR-12-2", "[PR-12-2] "),
        ("## Phase 2: A\n- [ ] **Step 3: x**\n", "step-4", "**Step 4**: "),
    ],
)
def test_the_next_id_goes_on_in_the_style_of_the_phase(text: str, name: str, lead: str) -> None:
    plan = parse(text)
    assert next_id(plan, plan.phases[-1]) == name
    assert next_lead(plan, plan.phases[-1]) == lead
    if lead:
        again = parse(f"{text}- [ ] {lead}new\n")
        assert (again.tasks[-1].id, again.tasks[-1].title) == (name, "new")


def test_ids_of_archived_phases_are_not_given_again() -> None:
    archived = frozenset(("2.2", "phase 7"))
    plan = parse("## Phase 2: A\n- [ ] Task 2.1: a\n", archived_ids=archived)
    assert next_id(plan, plan.phases[0]) == "2.3"
    assert next_phase_id(plan) == "8"
    assert next_id(parse("- [ ] 1.1 a\n"), None) == "1.2"


WORDS = """- [ ] |- [|[|]|1. [ ] |Task 1.1: |T001 |[depends:|[depends:1.1, |1.1|-|[agent:a:|[parallel:|[model:|`|#
## Phase 1|## Phase |**|**Status**: |**Current Phase**: |**Dependencies**: |:| |  |    |\t|  - |  - Files: |x
  - Depends: |`a.py`|,|(|~|```|<!--|> |## Progress Log|---|a|\u2028|🚧|- Group A: |\r|  - Agent: |
""".replace("\n", "|")
fragments = st.lists(st.sampled_from([*WORDS.split("|"), "\n", "\n", "\n", "\n\n"]), max_size=40).map("".join)


@settings(max_examples=often(400), deadline=None)
@given(fragments, st.integers(-1, 12), st.integers(-1, 60))
@example("", 1, 0)
@example("- [ ] Task 1.1: a [depends:", 1, 27)
def test_any_place_of_any_text_has_an_answer(text: str, line: int, column: int) -> None:
    plan = parse(text)
    found = completion(plan, line, column)
    whole = plan.document.line(line - 1).rstrip("\r\n") if line > 0 else ""
    at = min(max(column, 0), len(whole))
    assert 0 <= found.start <= at <= found.end <= len(whole)
    assert found.prefix == whole[found.start : at]
    for candidate in found.candidates:
        assert candidate.text or found.kind == "marker"
        assert "\n" not in candidate.text


@settings(max_examples=often(150), deadline=None)
@given(st.lists(st.lists(st.integers(1, 6), max_size=2), min_size=1, max_size=6), st.integers(0, 5))
def test_dependencies_offered_as_good_make_no_cycle(waits: list[list[int]], which: int) -> None:
    lines = [
        f"- [ ] Task 1.{at}: t" + (f" [depends:{', '.join(f'1.{to}' for to in to_)}]" if to_ else "")
        for at, to_ in enumerate(waits, 1)
    ]
    which %= len(lines)
    typed = f"{lines[which]} [depends:"
    text = "\n".join(["## Phase 1: A", *lines[:which], typed, *lines[which + 1 :]])
    before = parse(text)
    for candidate in completion(before, which + 2, len(typed)).candidates:
        after = parse(text.replace(typed, f"{typed}{candidate.text}]"))
        grew = bool(after.tasks[which].cycle) and not before.tasks[which].cycle
        assert not grew or candidate.worse
        if candidate.kind == "task" and candidate.worse:
            assert after.tasks[which].cycle


def test_a_long_plan_is_answered_quickly() -> None:
    lines = ["# P", ""]
    for phase in range(1, 101):
        lines += [f"## Phase {phase}: N", ""]
        for task in range(1, 21):
            lines.append(f"- [ ] Task {phase}.{task}: Write it [depends:{phase}.{max(1, task - 1)}]")
            lines += ["  - Acceptance: it works", "  - Files: `a.py`", "  - Notes: think"]
    lines.append("- [ ] Task 100.21: a [depends:100.1, ")
    plan = parse("\n".join(lines))
    times = []
    for _ in range(5):
        begin = time.process_time()
        found = completion(plan, len(lines), len(lines[-1]))
        times.append(time.process_time() - begin)
    assert len(found.candidates) > 2000
    begin = time.process_time()
    parse("\n".join(lines))
    assert min(times) < (time.process_time() - begin) / 3  # a twentieth of reading the plan
