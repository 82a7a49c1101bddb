"""The worklog: rows, reconciling by hash and by patch, reconstructing, rotating, pending lines."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.state import worklog
from devloop.state.worklog import Commit

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
UPSTREAM = """# Devloop Worklog

**Project**: name
**Last Updated**: 2025-12-29 05:33

---

## Feature (v1.2.0)

**Period**: 2025-12-20 to 2025-12-29
**Plan**: name

### Commits

| Hash | Date | Message | Tasks |
|------|------|---------|-------|
| 5f5bd7c | 2025-12-29 05:33 | feat(auth): add login - Task 1.1 | 1.1 |
| `4aaaaaa` | 2025-12-28 05:33 | fix: a \\| b | 1.0 |

### Tasks Completed

- [x] Task 1.1: Add login (5f5bd7c)
- [ ] Task 1.2: Add logout (pending)

### Notes

mine
"""


def commits(count, begin=0):
    return [
        Commit(f"{n:07x}{'0' * 33}", NOW + timedelta(minutes=n), f"feat: number {n} - Task 1.{n}", f"p{n}")
        for n in range(begin, begin + count)
    ][::-1]


def test_rows_are_read_with_their_cells():
    first, second = worklog.rows(UPSTREAM)
    assert (first.hash, first.date, first.tasks) == ("5f5bd7c", "2025-12-29 05:33", "1.1")
    assert second.hash == "4aaaaaa" and second.message == "fix: a | b"
    assert worklog.check(UPSTREAM) == ()


@pytest.mark.parametrize(
    ("subject", "tasks"),
    [
        ("feat: x - Task 1.1", ("1.1",)),
        ("fix: y (Tasks 2.1, 2.2)", ("2.1", "2.2")),
        ("Tasks 2.1, 2.2 and 3.1: done", ("2.1", "2.2", "3.1")),
        ("Task T001: x", ("T001",)),
        ("add 1.1 things", ()),
        ("Task 1.1 and task 1.1", ("1.1",)),
    ],
)
def test_a_subject_names_its_tasks(subject, tasks):
    assert worklog.tasks_of(subject) == tasks


def test_missing_commits_are_added_newest_first_and_none_twice():
    found = worklog.reconciled(UPSTREAM, commits(3), NOW)
    assert [row.hash for row in worklog.rows(found)][:3] == ["0000002", "0000001", "0000000"]
    assert [row.tasks for row in worklog.rows(found)][:3] == ["1.2", "1.1", "1.0"]
    assert worklog.reconciled(found, commits(3), NOW) == found
    assert "mine" in found and worklog.lacking(found, commits(4)) == tuple(commits(1, 3))


def test_a_rewritten_commit_replaces_its_row():
    text = worklog.reconciled(worklog.new("p", "plan", NOW), commits(2), NOW)
    rebased = Commit("abcdef0" + "1" * 33, NOW, "feat: number 0 - Task 1.0", "p0")
    found = worklog.reconciled(text, [rebased, commits(2)[0]], NOW, patches={"0000000": "p0"})
    assert [row.hash for row in worklog.rows(found)] == ["0000001", "abcdef0"]
    again = worklog.reconciled(found, [rebased, commits(2)[0]], NOW, patches={"0000000": "p0"})
    assert again == found


def test_a_rewritten_commit_that_stands_there_too_leaves_one_row():
    text = worklog.reconciled(worklog.new("p", "plan", NOW), commits(1), NOW)
    rebased = Commit("abcdef0" + "1" * 33, NOW, "again", "p0")
    text = worklog.with_commit(text, commit="abcdef0", when=NOW, message="again", task="1.0")
    found = worklog.reconciled(text, [rebased], NOW, patches={"0000000": "p0"})
    assert [row.hash for row in worklog.rows(found)] == ["abcdef0"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=6), st.booleans(), st.randoms(use_true_random=False))
def test_any_subjects_give_one_row_each_in_the_order_of_time(subjects, windows, order):
    made = [Commit(f"{n + 1:040x}"[::-1], NOW + timedelta(hours=n), text) for n, text in enumerate(subjects)]
    text = worklog.new("p", "plan", NOW)
    text = text.replace("\n", "\r\n") if windows else text
    shuffled = list(made)
    random.Random(order.random()).shuffle(shuffled)
    found = worklog.reconciled(text, shuffled, NOW)
    assert [row.hash for row in worklog.rows(found)] == [each.hash[:7] for each in reversed(made)]
    assert worklog.check(found) == ()
    assert worklog.reconciled(found, made, NOW) == found
    if windows:
        assert found.count("\n") == found.count("\r\n")


def test_history_is_grouped_by_kind_and_holds_only_what_lacks():
    log = [
        *commits(2),
        Commit("f" * 40, NOW, "fix(a)!: b"),
        Commit("e" * 40, NOW, "words"),
        Commit("5f5bd7c" + "0" * 33, NOW, "x"),
    ]
    found = worklog.reconstructed(UPSTREAM, log, NOW)
    history = found[found.index("## Historical Work") :]
    assert "### Features" in history and "### Fixes" in history and "### Other" in history and "5f5bd7c" not in history
    assert worklog.reconstructed(found, log, NOW) == found
    assert worklog.check(found) == ()


def long(sections, rows):
    parts = ["# Devloop Worklog", "", "**Project**: p", "**Last Updated**: 2025-01-01 00:00", "", "---"]
    n = 0
    for section in range(sections):
        parts += [
            "",
            f"## Part {section}",
            "",
            "| Hash | Date | Message | Tasks |",
            "|------|------|---------|-------|",
        ]
        for _ in range(rows):
            n += 1
            parts.append(f"| {n:07x} | 2025-01-01 00:00 | m{n} | 1.1 |")
    return "\n".join([*parts, ""])


@pytest.mark.parametrize(("sections", "rows"), [(6, 100), (1, 600), (2, 400), (60, 10)])
def test_a_long_worklog_is_cut_and_loses_no_row(sections, rows):
    text = long(sections, rows)
    found = worklog.rotated(text, NOW)
    assert found is not None and found.name == f"worklog-{NOW.astimezone():%Y-%m-%d}.md"
    assert len(found.text.split("\n")) <= worklog.MAX_LINES
    kept, moved = worklog.rows(found.text), worklog.rows(found.archived)
    assert {r.hash for r in kept} | {r.hash for r in moved} == {r.hash for r in worklog.rows(text)}
    assert len(kept) + len(moved) == sections * rows and kept
    assert found.text.count("## Archive Reference") == 1 and found.name in found.text


def test_a_short_worklog_is_not_cut_and_references_are_kept():
    assert worklog.rotated(UPSTREAM, NOW) is None
    first = worklog.rotated(long(6, 100), NOW)
    grown = first.text + long(6, 100)[long(6, 100).index("## Part 0") :]
    second = worklog.rotated(grown, NOW + timedelta(days=40))
    assert first.name in second.text and second.name in second.text and second.text.count("## Archive Reference") == 1


def test_pending_lines_are_answered():
    ((line, words),) = worklog.pending(UPSTREAM)
    assert words == "Task 1.2: Add logout"
    assert worklog.settled(UPSTREAM, line, "keep") == UPSTREAM
    done = worklog.settled(UPSTREAM, line, "commit", "abc1234")
    assert "- [x] Task 1.2: Add logout (abc1234)" in done and worklog.pending(done) == ()
    gone = worklog.settled(UPSTREAM, line, "discard")
    assert "logout" not in gone and len(gone.split("\n")) == len(UPSTREAM.split("\n")) - 1
    assert worklog.settled(UPSTREAM, 1, "discard") == UPSTREAM


def test_rows_that_are_wrong_are_told():
    text = UPSTREAM.replace("| 5f5bd7c |", "| 4aaaaaa |").replace(" | 1.1 |", " |")
    lines = [(fault.line, fault.message) for fault in worklog.check(text)]
    assert any(line == 17 and "four cells" in message for line, message in lines)
    assert any(line == 18 and "stands in line 17" in message for line, message in lines)
