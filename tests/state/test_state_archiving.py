"""Archiving through the daemon's documents: the file, and the old lines of the log, which go to the worklog."""

from __future__ import annotations

from devloop import plan as plans
from devloop.daemon import archiving
from devloop.daemon.documents import Documents
from devloop.state import archive, checking, worklog

LOG = "".join(f"- 2026-01-{n + 1:02d} 10:00: A note number {n}\n" for n in range(25))
PHASE = "## Phase 1: A\n\n- [x] Task 1.1: one\n\n"
PLAN = f"# Plan: P\n\n{PHASE}## Phase 2: B\n\n- [ ] Task 2.1: two\n\n## Progress Log\n\n{LOG}"


async def test_old_lines_of_the_log_are_kept_in_the_worklog(project, put):
    put(".devloop/plan.md", PLAN)
    put(worklog.PATH, worklog.new("p", "P", worklog.datetime.now().astimezone()))
    answer, after = await archiving.archive(Documents(project), {})
    text = (project / worklog.PATH).read_text()
    assert answer["worklog"] > 0 and text.startswith("# Devloop Worklog") and "## Plan log until" in text
    for n in range(25):
        assert (f"A note number {n}\n" in text) != (f"A note number {n}\n" in after.text), "each line is in one place"
    [kept] = (project / archive.FOLDER).iterdir()
    [phase] = plans.parse(kept.read_bytes()).phases
    assert phase.id == "1" and PHASE.strip() in kept.read_text() and checking.faults(project) == ()


async def test_a_worklog_that_leads_outside_does_not_stop_archiving(project, put, tmp_path):
    put(".devloop/plan.md", PLAN)
    (tmp_path / "out.md").write_text("theirs")
    (project / worklog.PATH).symlink_to(tmp_path / "out.md")
    answer, after = await archiving.archive(Documents(project), {"phases": ["1"]})
    assert answer["phases"] == ["1"] and "Task 1.1" not in after.text.partition("## Progress Log")[0]
    assert (tmp_path / "out.md").read_text() == "theirs"
