"""Archived phases come back through the daemon's documents: the plan first, then the file leaves the archive."""

from __future__ import annotations

import pytest

from devloop import plan as plans
from devloop.daemon import archiving, restoring
from devloop.daemon.documents import Documents
from devloop.errors import NotFound, Refused, UsageError
from devloop.plan import refactor
from devloop.state import archive

PLAN = """# Plan: Example

**Status**: In Progress

## Phase 1: One

**Goal**: first

- [x] Task 1.1: a
  - Acceptance: it works
- [x] Task 1.2: b

## Phase 2: Two

- [x] Task 2.1: c [depends:1.1]

## Phase 10: Ten

- [ ] Task 10.1: d [depends:Phase 2]

## Progress Log

- 2026-01-01 10:00: Completed Task 1.1
"""
FILE = "# Archived Plan: Other\n\n**Original Plan**: Other\n\n---\n\n## Phase 9: Nine\n\n- [x] Task 9.1: z\n"


def told(plan):
    return [(task.id, task.title, task.status, task.acceptance, task.phase) for task in plan.tasks]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("phases", [["1"], ["2"], None])
async def test_what_was_archived_comes_back_to_its_place(project, put, phases, newline):
    put(".devloop/plan.md", PLAN.replace("\n", newline).encode())
    before = plans.parse(PLAN)
    away, after = await archiving.archive(Documents(project), {"phases": phases})
    assert "Task 1.1: a" not in after.text or "Task 2.1: c" not in after.text
    documents = Documents(project)
    for phase in away["phases"]:
        answer, after = await restoring.restore(documents, {"phase": phase})
        assert answer["phases"] == [phase] and answer["file"] in away["files"]
        assert f"Restored Phase {phase} from {answer['file']}" in after.text
        assert not (project / answer["file"]).exists() and "Task" in (project / answer["kept"]).read_text()
    now = plans.parse((project / ".devloop/plan.md").read_bytes())
    assert told(now) == told(before) and [phase.id for phase in now.phases] == ["1", "2", "10"]
    assert now.data.count(b"\r\n") == (now.data.count(b"\n") if newline == "\r\n" else 0)
    assert documents.archived_ids() == frozenset(), "it is done by the plan's word, not the archive's"


async def test_a_name_that_the_plan_uses_meanwhile_is_refused_and_nothing_changes(project, put):
    put(".devloop/plan.md", PLAN)
    away, _ = await archiving.archive(Documents(project), {"phases": ["1"]})
    text = (project / ".devloop/plan.md").read_text().replace("## Phase 2", "- [ ] Task 1.2: new\n\n## Phase 2", 1)
    put(".devloop/plan.md", text)
    with pytest.raises(Refused, match=r"1\.2"):
        await restoring.restore(Documents(project), {"phase": "1"})
    assert (project / ".devloop/plan.md").read_text() == text and (project / away["files"][0]).exists()


async def test_the_newest_file_of_this_plan_is_meant_and_another_only_by_its_name(project, put):
    put(".devloop/plan.md", PLAN)
    put(f"{archive.FOLDER}/other_phase_9_20260101_101010.md", FILE)
    old = FILE.replace("Original Plan**: Other", "Original Plan**: Example").replace("Nine", "Old")
    put(f"{archive.FOLDER}/example_phase_9_20240101_101010.md", old)
    put(f"{archive.FOLDER}/example_phase_9_20250101_101010.md", old.replace("Old", "New"))
    answer, after = await restoring.restore(Documents(project), {"phase": "9"})
    assert answer["file"].endswith("example_phase_9_20250101_101010.md") and "Phase 9: New" in after.text
    put(".devloop/plan.md", PLAN)
    (project / archive.FOLDER / "example_phase_9_20240101_101010.md").unlink()
    with pytest.raises(Refused, match="another plan") as refused:
        await restoring.restore(Documents(project), {"phase": "9"})
    assert "other_phase_9_20260101_101010.md" in (refused.value.hint or "")
    answer, after = await restoring.restore(Documents(project), {"phase": "other_phase_9_20260101_101010.md"})
    assert answer["phases"] == ["9"] and after.text.index("Phase 9") < after.text.index("Phase 10")


async def test_a_file_kept_earlier_stays(project, put):
    put(".devloop/plan.md", PLAN)
    name = "example_phase_9_20250101_101010.md"
    put(f"{archive.FOLDER}/{name}", FILE)
    put(f"{restoring.KEPT}/{name}", "mine")
    answer, _ = await restoring.restore(Documents(project), {"phase": name})
    assert answer["kept"] == f"{restoring.KEPT}/example_phase_9_20250101_101010-2.md"
    assert (project / restoring.KEPT / name).read_text() == "mine"


@pytest.mark.parametrize("params", [{}, {"phase": ""}, {"phase": ["1"]}, {"phase": None}])
async def test_what_names_no_phase_is_refused(project, put, params):
    put(".devloop/plan.md", PLAN)
    with pytest.raises(UsageError):
        await restoring.restore(Documents(project), params)


@pytest.mark.parametrize("wanted", ["7", "../../plan.md", ".devloop/archive/none.md", "\x1b[31m"])
async def test_what_is_not_in_the_archive_is_not_found(project, put, wanted):
    put(".devloop/plan.md", PLAN)
    put(f"{archive.FOLDER}/odd.md", "no phase")
    with pytest.raises(NotFound) as problem:
        await restoring.restore(Documents(project), {"phase": wanted})
    assert "\x1b" not in problem.value.message


def test_a_file_without_a_phase_restores_nothing():
    with pytest.raises(UsageError, match="no phase"):
        refactor.restore(plans.parse(PLAN), b"# Only words\n\n---\n\ntext\n", "x.md", archiving.datetime.now())
