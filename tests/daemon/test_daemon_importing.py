"""`devloop/import`: shown first, written whole, never over a plan unasked, never under a run."""

from __future__ import annotations

import os

import pytest

from devloop import plan as plans
from devloop.daemon import importing
from devloop.daemon.documents import Documents
from devloop.errors import Refused, StaleEdit, UsageError

LIST = "# Implementation Plan\n\n- [x] 1. Begin\n- [x] 1.1 One\n- [ ] 1.2 Two\n"
OLD = "# Plan: Old Größe\n\n## Phase 1: A\n\n- [x] Task 9.1: done before\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".git").mkdir()
    return tmp_path


async def write(root, runs=(), **params):
    asked = {"text": LIST, "source": "kiro/x/tasks.md", "write": True, **params}
    return await importing.import_plan(Documents(root), asked, runs)


async def test_a_proposal_writes_nothing(root):
    answer, after = await importing.import_plan(Documents(root), {"text": LIST, "source": "a/b.md"}, [])
    assert after is None and not (root / ".devloop").exists()
    assert (answer["kind"], answer["tasks"], answer["path"]) == ("kiro", 2, ".devloop/plan.md")
    assert (answer["exists"], answer["patch"], answer["written"], answer["archived"]) == (False, "", False, None)
    assert "- [ ] Task 1.2: Two" in answer["text"]


async def test_the_first_plan_is_written_whole_and_git_told(root):
    answer, _ = await write(root)
    assert answer["written"] is True and answer["archived"] is None
    assert (root / ".devloop/plan.md").read_text("utf-8") == answer["text"]
    assert [path.name for path in (root / ".devloop").iterdir()] == ["plan.md"]
    assert ".devloop/local.md" in (root / ".gitignore").read_text()


async def test_a_plan_is_replaced_only_when_that_is_said_and_then_kept(root):
    (root / ".devloop").mkdir()
    path = root / ".devloop/plan.md"
    path.write_text(OLD, "utf-8")
    with pytest.raises(Refused, match="There is a plan already"):
        await write(root)
    assert path.read_text("utf-8") == OLD
    answer, after = await write(root, replace=True)
    assert path.read_text("utf-8") == answer["text"] == after.text
    assert answer["patch"].startswith("--- a/.devloop/plan.md\n+++ b/.devloop/plan.md\n")
    kept = root / answer["archived"]
    assert kept.read_text("utf-8") == OLD and kept.parent == root / ".devloop/archive/replaced"
    assert kept.name.startswith("old-größe_")
    assert Documents(root).archived_ids() == frozenset(), "what was replaced satisfies no dependency"
    again, _ = await write(root, replace=True)
    assert again["patch"] == "" or again["written"], "only the time may differ"


async def test_importing_again_keeps_what_was_done_since(root):
    await write(root)
    path = root / ".devloop/plan.md"
    path.write_text(path.read_text().replace("[ ] Task 1.2", "[x] Task 1.2"))
    answer, _ = await write(root, text=f"{LIST}- [ ] 1.3 Three\n", replace=True)
    assert [(task.id, task.done) for task in plans.parse(path.read_bytes()).tasks] == [
        ("1.1", True),
        ("1.2", True),
        ("1.3", False),
    ]
    assert "marks of 1 tasks" in str(answer["notes"])


async def test_a_plan_elsewhere_is_replaced_where_it_is(root):
    (root / "PLAN.md").write_bytes(OLD.replace("\n", "\r\n").encode())
    answer, _ = await write(root, replace=True)
    assert answer["path"] == "PLAN.md" and not (root / ".devloop/plan.md").exists()
    assert plans.parse((root / "PLAN.md").read_bytes()).tasks[1].title == "Two"


async def test_nothing_is_replaced_under_an_open_run(root):
    (root / "PLAN.md").write_text(OLD)
    with pytest.raises(Refused, match="Runs of this plan are open") as refused:
        await write(root, runs=["run-7"], replace=True)
    assert "run-7" in refused.value.hint
    assert (root / "PLAN.md").read_text() == OLD and not (root / ".devloop").exists()


async def test_a_plan_that_changes_meanwhile_is_not_lost(root, monkeypatch):
    path = root / "PLAN.md"
    path.write_text(OLD)
    real = importing._archive

    def slow(*arguments):
        found = real(*arguments)
        path.write_text(f"{OLD}- [ ] Task 9.2: typed meanwhile\n")
        return found

    monkeypatch.setattr(importing, "_archive", slow)
    with pytest.raises(StaleEdit, match="changed meanwhile"):
        await write(root, replace=True)
    assert "typed meanwhile" in path.read_text()
    assert list((root / ".devloop/archive/replaced").iterdir()) == []


async def test_a_file_without_tasks_is_never_written(root):
    with pytest.raises(Refused, match="no task in it") as refused:
        await write(root, text="# Words\n\nOnly words.\n", replace=True)
    assert "no list of tasks" in refused.value.hint and not (root / ".devloop").exists()


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
async def test_a_folder_that_leads_outside_is_refused(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (root / ".devloop").symlink_to(outside, target_is_directory=True)
    with pytest.raises(Refused, match="leads outside"):
        await write(root)
    assert list(outside.iterdir()) == []


async def test_two_imports_at_once_leave_one_plan(root, monkeypatch):
    documents = Documents(root)
    _, before = importing.proposal(documents, {"text": LIST})
    assert before is None
    importing._create(root, b"first\n")
    with pytest.raises(Refused, match="already"):
        importing._create(root, b"second\n")
    assert (root / ".devloop/plan.md").read_bytes() == b"first\n"

    def no_links(*_, **__):
        raise PermissionError

    (root / ".devloop/plan.md").unlink()
    monkeypatch.setattr("os.link", no_links)
    importing._create(root, b"third\n")
    with pytest.raises(Refused, match="already"):
        importing._create(root, b"fourth\n")
    assert (root / ".devloop/plan.md").read_bytes() == b"third\n"


@pytest.mark.parametrize("params", [{"text": 1}, {}, {"text": "", "as": "word"}, {"text": "", "source": ["x"]}])
async def test_a_wrong_call_is_told(root, params):
    with pytest.raises(UsageError):
        await importing.import_plan(Documents(root), params, [])
