"""The plan's file: found in order, changed without losing anybody's change, kept as it was otherwise."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading

import pytest

from devloop import plan as plans
from devloop.daemon.documents import Documents
from devloop.errors import NotFound, Refused, StaleEdit

APPENDER = """
import sys
from pathlib import Path
from devloop.daemon.documents import Documents
root, name, count = Path(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])
documents = Documents(root, lock=root / "lock")
for number in range(count):
    documents.change(lambda data: data + b"%s %d\\n" % (name, number))
"""


@pytest.fixture
def documents(project):
    return Documents(project, lock=project / "plan.lock")


def test_the_first_place_counts_and_the_others_are_named(project, documents):
    (project / "docs").mkdir()
    (project / "docs" / "PLAN.md").write_text("# Plan: Docs\n")
    (project / "PLAN.md").write_text("# Plan: Top\n")
    found = documents.read()
    assert found.relative == ".devloop/plan.md"
    assert found.others == ("docs/PLAN.md", "PLAN.md")
    (project / ".devloop" / "plan.md").unlink()
    assert documents.read().relative == "docs/PLAN.md"


def test_a_file_that_a_person_named_wins_and_must_exist(project):
    (project / "mine.md").write_text("# Plan: Mine\n")
    assert Documents(project, project / "mine.md").plan()[1].name == "Mine"
    with pytest.raises(NotFound, match=r"nowhere\.md"):
        Documents(project, project / "nowhere.md").read()


def test_bytes_that_are_no_utf8_survive_a_change(project, documents):
    path = project / ".devloop" / "plan.md"
    path.write_bytes(b"\xef\xbb\xbf# Plan\r\n\xff\xfe - [ ] Task 1.1: One\r\n- [ ] Task 1.1: One\r\n")
    after, changed = documents.change(lambda data: data.replace(b"- [ ] Task", b"- [x] Task"))
    assert changed
    assert path.read_bytes().startswith(b"\xef\xbb\xbf# Plan\r\n\xff\xfe - [x]")
    assert after.text.encode("utf-8", "surrogateescape") == path.read_bytes()


def test_mode_and_link_target_stay(project, documents):
    path = project / ".devloop" / "plan.md"
    real = project / "real-plan.md"
    path.rename(real)
    real.chmod(0o640)
    path.symlink_to(real)
    documents.change(lambda data: data + b"x\n")
    assert path.is_symlink() and real.read_bytes().endswith(b"x\n")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_link_out_of_the_repository_is_read_but_never_written(project, documents, short_tmp):
    path = project / ".devloop" / "plan.md"
    outside = short_tmp / "outside.md"
    path.rename(outside)
    path.symlink_to(outside)
    before = outside.read_bytes()
    assert documents.read().data == before
    with pytest.raises(Refused, match="outside the repository"):
        documents.change(lambda data: data + b"x\n")
    assert outside.read_bytes() == before


def test_an_edit_that_changes_nothing_writes_nothing(project, documents):
    path = project / ".devloop" / "plan.md"
    before = path.stat()
    _, changed = documents.change(lambda data: data)
    assert not changed and path.stat().st_mtime_ns == before.st_mtime_ns and path.stat().st_ino == before.st_ino


def test_a_change_that_comes_between_is_kept_and_the_edit_computed_again(project, documents):
    path = project / ".devloop" / "plan.md"
    calls = []

    def edit(data):
        calls.append(data)
        if len(calls) == 1:  # somebody saves meanwhile
            path.write_bytes(data + b"theirs\n")
        return data + b"ours\n"

    documents.change(edit)
    assert len(calls) == 2
    assert path.read_bytes().endswith(b"theirs\nours\n")


def test_a_file_that_never_keeps_still_is_reported_and_theirs_stays(project, documents):
    path = project / ".devloop" / "plan.md"
    count = []

    def edit(data):
        count.append(1)
        path.write_bytes(data + b"theirs\n")
        return data + b"ours\n"

    with pytest.raises(StaleEdit, match="at the same time"):
        documents.change(edit)
    assert len(count) == 3
    assert path.read_bytes().endswith(b"theirs\n" * 3) and b"ours" not in path.read_bytes()


def test_an_edit_waits_for_an_editor_that_has_emptied_the_file(project, documents):
    path = project / ".devloop" / "plan.md"
    whole = path.read_bytes()
    path.write_bytes(b"")
    writer = threading.Timer(0.1, path.write_bytes, [whole])
    writer.start()

    def edit(data):
        if b"Task 1.1" not in data:
            raise StaleEdit("The task is gone.")
        return data.replace(b"[ ] Task 1.1", b"[x] Task 1.1")

    _, changed = documents.change(edit)
    writer.join()
    assert changed and b"[x] Task 1.1" in path.read_bytes()


def test_two_processes_that_change_the_plan_lose_nothing(project):
    writers = [
        subprocess.Popen([sys.executable, "-c", APPENDER, str(project), name, "40"], stderr=subprocess.PIPE)
        for name in ("a", "b")
    ]
    for writer in writers:
        _, err = writer.communicate(timeout=60)
        assert writer.returncode == 0, err
    lines = (project / ".devloop" / "plan.md").read_text().splitlines()
    assert [line for line in lines if line.startswith("a ")] == [f"a {n}" for n in range(40)]
    assert [line for line in lines if line.startswith("b ")] == [f"b {n}" for n in range(40)]


def test_done_tasks_of_archived_phases_satisfy_dependencies(project, documents):
    (project / ".devloop" / "plan.md").write_text("# Plan: P\n\n- [ ] Task 2.1: Go [depends:1.1]\n")
    assert plans.next_task(documents.plan()[1])["state"] == "all_blocked"
    archive = project / ".devloop" / "archive"
    archive.mkdir()
    (archive / "phase-1.md").write_text("## Phase 1: Old\n\n- [x] Task 1.1: Did it\n- [ ] Task 1.2: Never\n")
    assert documents.archived_ids() == {"1.1"}
    assert plans.next_task(documents.plan()[1])["task"]["id"] == "2.1"
    (archive / "phase-1.md").write_text("## Phase 1: Old\n\n- [ ] Task 1.1: Did it not, after all\n")
    assert documents.archived_ids() == frozenset()


def test_a_folder_that_can_not_be_written_is_said_and_nothing_is_lost(project):
    path = project / ".devloop" / "plan.md"
    before = path.read_bytes()
    for folder in (project.parent, project, path.parent):
        folder.chmod(0o555)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from devloop.daemon.documents import Documents\n"
        "from devloop.errors import StorageError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try:\n"
        "    Documents(Path(sys.argv[1])).change(lambda data: data + b'x')\n"
        "except StorageError as problem:\n"
        "    print(problem.message, problem.hint)\n"
    )
    result = subprocess.run([sys.executable, "-c", code, str(project)], capture_output=True, text=True, timeout=30)
    for folder in (project.parent, project, path.parent):
        folder.chmod(0o755)
    assert "plan.md could not be written" in result.stdout, result.stderr
    assert "permission" in result.stdout
    assert path.read_bytes() == before


def test_an_archived_phase_that_was_finished_satisfies_dependencies_on_it(project, documents):
    (project / ".devloop" / "plan.md").write_text("# Plan: P\n\n- [ ] Task 2.1: Go [depends:Phase 1]\n")
    archive = project / ".devloop" / "archive"
    archive.mkdir()
    (archive / "phase-1.md").write_text("## Phase 1: Old\n\n- [x] Task 1.1: Did it\n- [ ] Task 1.2: Open\n")
    assert plans.next_task(documents.plan()[1])["state"] == "all_blocked"
    (archive / "phase-1.md").write_text("## Phase 1: Old\n\n- [x] Task 1.1: Did it\n- [-] Task 1.2: Skipped it\n")
    assert documents.archived_ids() == {"1.1", "1.2", "phase 1"}
    assert plans.next_task(documents.plan()[1])["task"]["id"] == "2.1"
