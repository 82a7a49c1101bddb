"""Which task is next, what runs beside it, what waits (plan-format §13), and the numbers (§14)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.plan import (
    Plan,
    Reason,
    blocked_by,
    blocking,
    find_task,
    may_run,
    next_task,
    parse,
    ready,
    select,
    statistics,
    waves,
)
from support.turns import often


def plan(*tasks: str, head: str = "## Phase 1: A\n") -> Plan:
    return parse(head + "".join(f"- {task}\n" for task in tasks))


def names(tasks: object) -> list[str]:
    return [task.id for task in tasks]  # type: ignore[attr-defined]


def test_document_order_decides() -> None:
    found = plan("[ ] Task 1.2: b", "[ ] Task 1.1: a")
    assert names(ready(found)) == ["1.2", "1.1"]


def test_background_comes_late_and_optional_last() -> None:
    found = plan("[ ]* Task 1: a", "[ ] Task 2: b [background]", "[ ] Task 3: c")
    assert names(ready(found)) == ["3", "2", "1"]


def test_skipped_satisfies_and_deferred_does_not() -> None:
    found = plan("[-] T1 a", "[>] T2 b", "[ ] T3 c [depends:T1]", "[ ] T4 d [depends:T2]")
    assert names(ready(found)) == ["T3"]
    assert [(entry.id, entry.why) for entry in blocked_by(found, found.tasks[3])] == [("T2", "deferred")]


def test_unknown_marker_is_never_picked_and_satisfies_nothing() -> None:
    found = plan("[?] T1 a", "[ ] T2 b [depends:T1]")
    assert select(found).state == "all_blocked"


def test_dependency_on_a_doubled_id_needs_both() -> None:
    assert names(ready(plan("[x] T1 a", "[ ] T1 b", "[ ] T2 c [depends:t1]"))) == ["T1"]
    assert names(ready(plan("[x] T1 a", "[x] T1 b", "[ ] T2 c [depends:t1]"))) == ["T2"]


def test_archived_ids_satisfy() -> None:
    text = "- [ ] Task 2.1: a [depends:1.1]\n"
    assert select(parse(text)).state == "all_blocked"
    archived = parse(text, archived_ids=frozenset({"1.1"}))
    assert select(archived).state == "found"
    assert not [p for p in archived.problems if p.code == "unknown-dependency"]


def test_phase_as_dependency_means_its_top_level_tasks() -> None:
    found = parse(
        "## Phase 1: A\n- [x] Task 1.1: a\n  - [ ] step\n- [ ] Task 1.2: b\n"
        "## Phase 2: B\n- [ ] Task 2.1: c [depends:Phase 1]\n"
    )
    assert found.tasks[-1].depends_on == ("1.1", "1.2")
    assert names(ready(found)) == ["1.2"]


def test_phase_dependencies_hold_for_every_task_of_the_phase() -> None:
    text = "## Phase 1: A\n- [ ] a\n## Phase 2: B\n**Dependencies**: {}\n- [ ] b\n- [ ] c\n"
    assert names(ready(parse(text.format("Phase 1")))) == ["p1.1"]
    assert names(ready(parse(text.format("None")))) == ["p1.1", "p2.1", "p2.2"]
    assert names(ready(parse(text.format("the database being up")))) == ["p1.1", "p2.1", "p2.2"]
    reasons = may_run(parse(text.format("Phase 1")), parse(text.format("Phase 1")).tasks[1])
    assert [(reason.code, reason.ids) for reason in reasons] == [("pending", ("p1.1",))]


def test_metadata_adds_dependencies_and_prose_does_not() -> None:
    found = plan("[ ] T1 a", "[ ] T2 b\n  - Depends: T1 (the schema)", "[ ] T3 c\n  - Depends on: the weather\n")
    assert [task.depends_on for task in found.tasks] == [(), ("T1",), ()]
    cc_sdd = plan("[ ] 1.1 a", "[ ] 1.2 b", "[ ] 1.3 c\n  - _Depends: 1.1, 1.2_")
    assert cc_sdd.tasks[2].depends_on == ("1.1", "1.2")


def test_ranges() -> None:
    body = ("[ ] Task 1.1: a", "[ ] Task 1.2: b", "[ ] Task 1.2.1: c", "[ ] no id", "[ ] Task 1.3: d")
    for value in ("1.1-1.3", "1.1–1.3", "1.1..1.3", "1.3-1.1", "Task 1.1 - Task 1.3"):
        found = plan(*body, f"[ ] Task 1.9: z [depends:{value}]")
        assert found.tasks[-1].depends_on == ("1.1", "1.2", "1.3"), value
    keys = plan("[ ] P0-1 a", "[ ] P0-2 b", "[ ] P0-3 c [depends:P0-1]", "[ ] T9 d [depends:P0-1 - P0-3]")
    assert [task.depends_on for task in keys.tasks[2:]] == [("P0-1",), ("P0-1", "P0-2", "P0-3")]


def test_cycles_leave_others_alone() -> None:
    found = plan(
        "[ ] T1 a [depends:T2]", "[ ] T2 b [depends:T3]", "[ ] T3 c [depends:T1]", "[ ] T4 d", "[ ] T5 e [depends:T1]"
    )
    assert [task.cycle for task in found.tasks[:3]] == [("T1", "T2", "T3", "T1")] * 3
    assert found.tasks[4].cycle == ()
    assert names(ready(found)) == ["T4"]
    assert [p.code for p in found.problems].count("dependency-cycle") == 3


def test_self_dependency() -> None:
    found = plan("[ ] T1 a [depends:T1]", "[ ] T2 b [depends:T1-T3]", "[ ] T3 c")
    assert [p.code for p in found.problems].count("self-dependency") == 2
    assert names(ready(found)) == ["T3"]
    assert may_run(found, found.tasks[0])[0].code == "cycle"


def test_cycle_through_phases() -> None:
    found = parse(
        "## Phase 1: A\n**Dependencies**: Phase 2\n- [ ] a\n- [ ] b\n## Phase 2: B\n- [ ] c [depends:Phase 1]\n"
    )
    assert all(task.cycle for task in found.tasks)
    assert select(found).state == "all_blocked"


def test_children_with_ids_are_picked_before_their_parent() -> None:
    text = "- [ ] 1. major\n  - [{}] 1.1 first\n  - [ ] 1.2 second\n  - [ ] a step\n"
    first = parse(text.format(" "))
    assert names(ready(first)) == ["1.1", "1.2"]
    assert [reason.code for reason in may_run(first, first.tasks[0])] == ["children"]
    done = parse(text.format("x").replace("[ ] 1.2", "[-] 1.2"))
    assert names(ready(done)) == ["1"]
    assert (first.stats.total, first.stats.subtasks.total, first.stats.leaves.total) == (1, 3, 2)


def test_steps_are_never_picked() -> None:
    found = parse("- [x] T1 a\n  - [ ] step\n")
    assert select(found).state == "all_complete"
    assert [reason.code for reason in may_run(found, found.tasks[1])] == ["step"]


def test_children_of_a_skipped_task_are_not_offered() -> None:
    assert select(parse("- [-] 1. a\n  - [ ] 1.1 b\n- [!] 2. c\n")).state == "all_blocked"


def test_held_tasks_are_not_offered() -> None:
    found = plan("[ ] T1 a", "[~] T2 b", "[ ] T3 c")
    answer = select(found, held=frozenset({"t1", found.tasks[1].key}))
    assert answer.task is not None
    assert (answer.task.id, names(answer.resumable)) == ("T3", [])
    assert select(plan("[ ] T1 a"), held=frozenset({"T1"})).state == "partial"
    assert next_task(found, frozenset({"T1"}))["task"]["id"] == "T3"


def test_parallel_set() -> None:
    found = plan(
        "[ ] T1 a [parallel:A]\n  - Files: x.py",
        "[ ] T2 b [parallel:A]\n  - Files: x.py",
        "[ ] T3 c [parallel:A] [sequential]",
        "[ ] T4 d [parallel:B]",
        "[ ] T5 e [parallel:A]",
        "[ ] T6 f [parallel:A]",
        "[ ] T7 g [parallel:A]",
        "[ ] T8 h [parallel:A]",
    )
    answer = select(found)
    assert names(answer.parallel) == ["T5", "T6", "T7"]
    assert names(select(found, limit=2).parallel) == ["T5"]
    assert next_task(found)["parallel"] == ["T5", "T6", "T7"]


def test_sequential_runs_alone() -> None:
    assert select(plan("[ ] T1 a [parallel:A] [parallel:none]", "[ ] T2 b [parallel:A]")).parallel == ()


def test_waves() -> None:
    found = plan(
        "[ ] T1 a [parallel:A]",
        "[ ] T2 b [parallel:A]",
        "[ ] T3 c [depends:T1, T2]",
        "[x] T4 d",
        "[ ] T5 e [depends:T9]",
        "[!] T6 f",
        "[ ] T7 g [depends:T6]",
        "[ ] T8 h [depends:T3]",
    )
    assert [names(wave) for wave in waves(found)] == [["T1", "T2"], ["T3"], ["T8"]]


def test_blocking_is_transitive() -> None:
    found = plan("[ ] T1 a", "[ ] T2 b [depends:T1]", "[ ] T3 c [depends:T2]", "[ ] T4 d")
    assert names(blocking(found, found.tasks[0])) == ["T2", "T3"]
    assert blocking(found, found.tasks[3]) == ()


@pytest.mark.parametrize(
    ("task", "codes"),
    [
        ("[ ] T1 a", []),
        ("[~] T1 a", []),
        ("[x] T1 a", ["complete"]),
        ("[-] T1 a", ["skipped"]),
        ("[!] T1 a", ["blocked"]),
        ("[>] T1 a", ["deferred"]),
        ("[?] T1 a", ["unknown-marker"]),
        ("[ ] T1 a [depends:T2]", ["pending"]),
        ("[ ] T1 a [depends:T9]", ["unknown"]),
        ("[ ] T1 a [depends:T3, T4]", ["in_progress", "blocked"]),
    ],
)
def test_reasons_not_to_run(task: str, codes: list[str]) -> None:
    found = plan(task, "[ ] T2 b", "[~] T3 c", "[!] T4 d")
    reasons = may_run(found, find_task(found, "T1"))
    assert [reason.code for reason in reasons] == codes
    assert all(isinstance(reason, Reason) and reason for reason in reasons)


def test_statistics_add_up() -> None:
    found = plan("[ ] a", "[x] b", "[X] c", "[~] d", "[/] e", "[!] f", "[-] g", "[>] h", "[?] i")
    tasks = statistics(found).tasks
    assert (tasks.total, tasks.completed, tasks.pending, tasks.in_progress) == (9, 2, 1, 2)
    assert (tasks.blocked, tasks.skipped, tasks.deferred, tasks.unknown) == (1, 1, 1, 1)
    assert (tasks.done, tasks.percentage) == (3, 33)


@settings(max_examples=often(300), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(" x~!->?"), st.lists(st.integers(0, 9), max_size=3), st.sampled_from(["", "A", "B"])),
        max_size=10,
    )
)
def test_waves_respect_what_waits(tasks: list[tuple[str, list[int], str]]) -> None:
    """Walking the waves, everything a task waits for is done before; and selection agrees with readiness."""
    lines = [
        f"[{mark}] T{n} t" + "".join(f" [depends:T{d}]" for d in needs) + (f" [parallel:{group}]" if group else "")
        for n, (mark, needs, group) in enumerate(tasks)
    ]
    found = plan(*lines)
    done = {task.id for task in found.tasks if task.done}
    for wave in waves(found):
        assert len(wave) <= 4
        for task in wave:
            assert set(task.depends_on) <= done
        done |= set(names(wave))
    for task in found.tasks:
        assert (task in ready(found)) == (task.status == "pending" and not may_run(found, task))
