"""Changes of an open plan that nobody saved: they outlive the daemon, are made once, and no file grows."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop import plan as plans
from devloop.daemon import owed, plan_events
from devloop.daemon.documents import Documents
from devloop.daemon.endpoint import announced
from devloop.errors import StaleEdit, Unavailable
from devloop.hello import hello
from support.editor import HOLD, Editor

pytestmark = pytest.mark.usefixtures("loaded")

FINISHED = """# Plan: Demo

## Phase 1: Begin

- [x] Task 1.1: Done before

## Phase 2: Go on

- [ ] Task 2.1: First thing
- [ ] Task 2.2: Second thing

## Progress Log

- 2026-01-02 03:04: Completed Task 1.1
"""


@pytest.fixture
def file(project):
    return project / ".devloop" / "plan.md"


@pytest.fixture
def kept(state):
    return state.path / "owed.json"


# A daemon that is killed


@pytest.fixture
async def edit(project, state, monkeypatch):
    """`await edit()`: an editor that shows the plan, on the daemon's socket, with no pipe between."""
    monkeypatch.setenv("SCRIPTED_EDITORS", "1")
    made = []

    async def begin():
        editor = Editor(*await asyncio.open_unix_connection(announced(state).socket), project)
        made.append(editor)
        editor.send({"id": "hello", "method": "devloop/hello", "params": {**hello("test"), "protocol": "lsp"}})
        await editor.until(lambda: editor.told(""), "the answer to hello")
        await editor.initialize()
        editor.answers["workspace/applyEdit"] = editor.apply
        editor.plan = editor.open()
        await editor.diagnostics(editor.plan, 1)
        return editor

    yield begin
    for each in made:
        await each.vanish()


async def killed(peer, editor, until):
    os.kill(peer.hello["pid"], signal.SIGKILL)
    await until(lambda: peer.closed.is_set() and editor.closed)
    await peer.close()


async def test_a_tick_in_a_buffer_that_nobody_saves_outlives_a_killed_daemon(dial, edit, file, kept, until):
    peer = await dial()
    editor = await edit()
    started = await peer.request("devloop/run", {"task": "1.1"})
    await editor.until(lambda: "[~] Task 1.1" in editor.texts[editor.plan][1], "the started task")
    assert "- [ ] Task 1.1" in file.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    await killed(peer, editor, until)
    assert "- [ ] Task 1.1" in file.read_text()
    peer = await dial()
    assert started["run"] and "- [~] Task 1.1" in file.read_text()
    assert file.read_text().count("Started Task 1.1") == 1
    assert not kept.exists()
    await peer.close()


@pytest.mark.parametrize("answered", [True, False])
async def test_an_archived_phase_is_gone_from_the_file_too(dial, edit, file, kept, until, answered):
    file.write_text(FINISHED)
    peer = await dial()
    editor = await edit()
    if not answered:
        editor.answers["workspace/applyEdit"] = HOLD
    asked = asyncio.create_task(peer.request("devloop/archive", {"phases": None}))
    if answered:
        await asked
        assert "## Phase 1" not in editor.texts[editor.plan][1]
    else:
        await editor.until(lambda: [m for m, _ in editor.asked if m == "workspace/applyEdit"], "the question")
    assert "## Phase 1" in file.read_text()
    await killed(peer, editor, until)
    if not answered:
        with pytest.raises(Unavailable):
            await asked
    file.write_text(file.read_text().replace("# Plan: Demo", "# Plan: Demo\n\n**Status**: In Progress"))
    peer = await dial()
    text = file.read_text()
    assert "Phase 1: Begin" not in text and "**Status**: In Progress" in text and "Task 2.2: Second thing" in text
    assert not kept.exists()
    await peer.close()


async def test_a_save_that_shows_it_settles_what_is_kept(dial, edit, file, kept, until):
    peer = await dial()
    editor = await edit()
    await peer.request("devloop/run", {"task": "1.1"})
    await editor.until(lambda: "[~] Task 1.1" in editor.texts[editor.plan][1], "the started task")
    assert kept.exists()
    text = editor.texts[editor.plan][1]
    file.write_text(text)
    editor.notify("textDocument/didSave", {"textDocument": {"uri": editor.plan}, "text": text})
    await until(lambda: not kept.exists())
    await peer.close()


# One Documents after another


class Buffer:
    """An open plan whose editor does what it is asked to, unless it can't."""

    def __init__(self, path, text, able=True):
        self.path, self.touched, self.document, self.able = path.resolve(), 1.0, plans.Document.of(text), able

    def last_plan(self, archived):
        return None

    async def plan(self):
        return plans.parse(self.document)

    async def apply(self, plan, edits, label):
        if not self.able:
            raise Unavailable("no")
        self.document = plans.apply_to(self.document, edits)
        return True


@pytest.fixture
def daemon(project, state):
    """Documents as each daemon has them, after its start."""

    def begin():
        found = Documents(project, lock=state.path / "plan.lock", owed=state.path / "owed.json")
        found.restore()
        return found

    return begin


async def record(documents, kind, task="1.1"):
    ref = plans.TaskRef.of(plans.find_task(documents.plan()[1], task))
    event = plans.Event(kind, ref, "", datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    return await documents.record(lambda plan: plans.change(plan, event), "test", plan_events.about(event), event)


def shown(documents, buffer):
    documents.open_plans.opened(buffer)
    return buffer


async def test_several_changes_are_made_once_and_in_order(daemon, file, kept):
    first = daemon()
    shown(first, Buffer(file, file.read_text()))
    for kind in ("started", "completed"):
        await record(first, kind)
    await record(first, "started", "1.2")
    file.write_text(file.read_text() + "- 2026-01-01 00:00: Somebody else wrote\n")
    daemon()
    text = file.read_text()
    assert "- [x] Task 1.1" in text and "- [~] Task 1.2" in text and "Somebody else wrote" in text
    assert [text.count(f"{word} Task 1.1") for word in ("Started", "Completed")] == [1, 1]
    daemon()
    assert file.read_text() == text and not kept.exists()


async def test_a_buffer_that_lacked_a_tick_is_read_as_if_it_had_it_after_the_daemon_was_killed(daemon, file):
    before = file.read_text()
    first = daemon()
    shown(first, Buffer(file, before, able=False))
    await record(first, "completed")
    assert "- [x] Task 1.1" in file.read_text()
    await first._owed.kept()
    second = daemon()
    stale = shown(second, Buffer(file, before, able=False))
    assert plans.find_task(second.plan()[1], "1.1").done
    second.closed(stale)
    assert file.read_text().count("Completed Task 1.1") == 1
    assert not plans.find_task(plans.parse(before), "1.1").done


async def test_what_the_person_takes_back_in_the_file_stays_taken_back(daemon, file, kept):
    before = file.read_text()
    first = daemon()
    shown(first, Buffer(file, before, able=False))
    await record(first, "completed")
    await first._owed.kept()
    file.write_text(before)
    second = daemon()
    shown(second, Buffer(file, before))
    assert not plans.find_task(second.plan()[1], "1.1").done
    assert file.read_text() == before and not kept.exists()


async def test_after_a_while_a_buffer_that_is_opened_is_the_persons_word(daemon, file, monkeypatch):
    before = file.read_text()
    first = daemon()
    shown(first, Buffer(file, before))
    await record(first, "completed")
    monkeypatch.setattr("devloop.daemon.documents.REOPENED_S", -1.0)
    second = daemon()
    assert "- [x] Task 1.1" in file.read_text()
    shown(second, Buffer(file, before))
    assert not plans.find_task(second.plan()[1], "1.1").done


async def test_a_task_that_is_gone_is_let_go(daemon, file, kept):
    first = daemon()
    shown(first, Buffer(file, file.read_text()))
    await record(first, "completed")
    file.write_text("# Plan: Another\n\n- [ ] Task 9.9: Thing\n")
    daemon()
    assert file.read_text() == "# Plan: Another\n\n- [ ] Task 9.9: Thing\n"
    assert not kept.exists()


async def test_what_the_disk_prevents_is_owed_on(daemon, file, kept, monkeypatch):
    first = daemon()
    shown(first, Buffer(file, file.read_text()))
    await record(first, "completed")
    monkeypatch.setattr("devloop.daemon.documents.write", no_space)
    daemon()
    assert "- [ ] Task 1.1" in file.read_text() and kept.exists()
    monkeypatch.undo()
    Documents(first.root, lock=kept.with_name("plan.lock"), owed=kept).restore()
    assert "- [x] Task 1.1" in file.read_text() and not kept.exists()


def no_space(*_, **__):
    from devloop.files import storage_error

    raise storage_error(OSError(28, "x"), "full")


async def test_a_change_that_finds_nothing_to_do_is_not_kept(daemon, file, kept):
    documents = daemon()
    shown(documents, Buffer(file, file.read_text().replace("[ ] Task 1.1", "[-] Task 1.1")))
    with pytest.raises(StaleEdit):
        await documents.record(lambda plan: stale(), "test")
    await documents.record(lambda plan: (), "test")
    assert not kept.exists()


def stale():
    raise StaleEdit("gone")


@pytest.mark.parametrize(
    "content",
    [
        b"{ half",
        b"[]",
        b'{"version": 99, "changes": [{}]}',
        b'{"version": 1, "changes": [3, {"path": 1}, {"path": "/x", "about": "", "what": {"event": {"kind": "x"}}}]}',
        b'{"version": 1, "changes": [{"path": "/x", "about": "", "what": {"lines": [[1]]}, "in_file": false}]}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_file_is_passed_over(daemon, file, kept, content):
    before = file.read_text()
    kept.write_bytes(content)
    daemon()
    assert file.read_text() == before


async def test_no_more_is_kept_than_fits(daemon, file, kept, monkeypatch):
    monkeypatch.setattr(owed, "MAX_CHANGES", 3)
    documents = daemon()
    shown(documents, Buffer(file, file.read_text()))
    for task in ("1.1", "1.2", "1.3", "1.4", "1.5"):
        await record(documents, "started", task)
    rows = json.loads(kept.read_text())["changes"]
    assert [row["what"]["event"]["task"]["id"] for row in rows] == ["1.3", "1.4", "1.5"]


LINES = st.lists(st.sampled_from(["a\n", "b\n", "- [ ] c\n", "\n", "\ud800d\r\n", "é"]), max_size=12)


@given(LINES, st.data())
def test_lines_that_were_replaced_are_found_again_and_never_replaced_twice(lines, data):
    document = plans.Document.of("".join(f"{n}{line}" for n, line in enumerate(lines)))
    places = sorted(data.draw(st.lists(st.integers(1, document.count + 1), max_size=4, unique=True)))
    first = {line: document.line(line - 1)[:1] for line in places}
    edits = [plans.Edit(line, 0, line, len(first[line]), "x\ny", expect=first[line]) for line in places]
    change = owed._change(
        json.loads(json.dumps({"path": "/p", "about": "", "what": owed.as_lines(document, edits), "in_file": False}))
    )
    wanted = plans.apply_to(document, edits)
    made = plans.apply_to(document, change.edits_of(plans.parse(document)))
    assert made.text == wanted.text
    moved = plans.Document.of("# Above\n\n" + document.text)
    if lines:
        below = plans.apply_to(moved, change.edits_of(plans.parse(moved)))
        assert below.text == "# Above\n\n" + wanted.text
