"""Changes that devloop makes to a plan which is open: in the buffer, never against it, and never lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from devloop import plan as plans
from devloop.daemon import plan_events
from devloop.lsp import applying
from support.editor import HOLD


@pytest.fixture
def record(service):
    """Record an event of a task, as the engine does. Answers with the plan's text and whether it changed."""

    async def make(kind, task="1.2", text=""):
        ref = plans.TaskRef.of(plans.find_task(service.documents.plan()[1], task))
        event = plans.Event(kind, ref, text, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
        return await service.documents.record(
            lambda plan: plans.change(plan, event), "devloop", plan_events.about(event)
        )

    return make


@pytest.fixture
def on_disk(project):
    return (project / ".devloop" / "plan.md").read_text


@pytest.fixture
async def shown(editor):
    """An editor that shows the plan and does what it is asked to."""
    editor.answers["workspace/applyEdit"] = editor.apply
    editor.uri_of_plan = editor.open()
    await editor.diagnostics(editor.uri_of_plan, 1)
    return editor


def text(editor):
    return editor.texts[editor.uri_of_plan][1]


async def test_a_change_goes_to_the_buffer_and_not_to_the_file(shown, record, on_disk):
    before = on_disk()
    after, changed = await record("started")
    assert changed and "- [~] Task 1.2" in text(shown) and "Started Task 1.2" in text(shown)
    assert after.text == text(shown)
    assert on_disk() == before
    assert (await record("started"))[1] is False
    assert len(shown.asked) - len([m for m, _ in shown.asked if m != "workspace/applyEdit"]) == 1


async def test_what_is_typed_counts_before_it_is_saved(shown, service, record):
    version = shown.type(shown.uri_of_plan, 9, 27, " and more")
    await shown.diagnostics(shown.uri_of_plan, version)
    assert plans.find_task(service.documents.plan()[1], "1.3").title == "Third thing and more"
    await record("completed")
    assert "- [ ] Task 1.3: Third thing and more" in text(shown)


async def test_typing_while_a_change_is_asked_for_makes_it_be_asked_again(shown, record):
    def type_first(params):
        shown.answers["workspace/applyEdit"] = shown.apply
        shown.type(shown.uri_of_plan, 0, 0, "x")
        return {"applied": False}

    shown.answers["workspace/applyEdit"] = type_first
    _, changed = await record("started")
    assert changed and text(shown).startswith("x# Plan") and "- [~] Task 1.2" in text(shown)


async def test_an_editor_that_can_not_change_its_text_is_passed_over(editors, record, on_disk):
    editor = await editors()
    await editor.initialize({})
    await editor.diagnostics(editor.open(), 1)
    await record("started")
    assert "- [~] Task 1.2" in on_disk()


@pytest.mark.parametrize("how", ["close", "vanish", "leave"])
async def test_what_nobody_saved_is_written_when_the_buffer_is_gone(shown, record, on_disk, how):
    await record("started")
    await record("completed")
    assert "- [ ] Task 1.2" in on_disk()
    if how == "close":
        shown.close_document(shown.uri_of_plan)
    else:
        await getattr(shown, how)()
    await until(lambda: "- [x] Task 1.2" in on_disk())
    assert on_disk().count("Completed Task 1.2") == 1


async def test_what_was_saved_is_not_written_again(shown, record, project, on_disk):
    await record("completed")
    (project / ".devloop" / "plan.md").write_text(text(shown))
    saved = {"textDocument": {"uri": shown.uri_of_plan}, "text": text(shown)}
    shown.notify("textDocument/didSave", saved)
    shown.type(shown.uri_of_plan, 0, 0, "thrown away")
    (project / ".devloop" / "plan.md").write_text(text(shown).replace("thrown away", "# other\n"))
    shown.close_document(shown.uri_of_plan)
    await shown.request("textDocument/diagnostic", {"textDocument": {"uri": shown.uri_of_plan}})
    assert on_disk().startswith("# other\n") and on_disk().count("Completed Task 1.2") == 1


async def test_an_editor_that_dies_over_the_question_leaves_the_change_to_the_file(shown, record, on_disk):
    shown.answers["workspace/applyEdit"] = HOLD
    waiting = asyncio.create_task(record("started"))
    await shown.until(lambda: shown.asked and shown.asked[-1][0] == "workspace/applyEdit", "the question")
    await shown.vanish()
    assert (await waiting)[1] is True
    assert "- [~] Task 1.2" in on_disk()


async def test_of_two_editors_the_one_that_was_used_last_is_the_truth(editors, shown, record):
    second = await editors()
    await second.initialize()
    second.answers["workspace/applyEdit"] = second.apply
    uri = second.open()
    await second.diagnostics(uri, 1)
    version = shown.type(shown.uri_of_plan, 4, 16, "!")
    await shown.diagnostics(shown.uri_of_plan, version)
    await record("started")
    assert "- [~] Task 1.2" in text(shown) and second.texts[uri][0] == 1
    version = second.type(uri, 4, 16, "?")
    await second.diagnostics(uri, version)
    await record("started")
    assert "- [~] Task 1.2" in second.texts[uri][1]


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def another(editors):
    """A second editor that shows the plan as it is in the file."""
    found = await editors()
    await found.initialize()
    found.answers["workspace/applyEdit"] = found.apply
    found.uri_of_plan = found.open()
    await found.diagnostics(found.uri_of_plan, 1)
    return found


def save(editor, project):
    (project / ".devloop" / "plan.md").write_text(text(editor))
    editor.notify("textDocument/didSave", {"textDocument": {"uri": editor.uri_of_plan}, "text": text(editor)})


def done(service, task="1.2"):
    return plans.find_task(service.documents.plan()[1], task).done


async def test_a_task_stays_done_where_an_editor_that_can_not_change_its_text_shows_an_older_one(
    editors, service, record, on_disk
):
    editor = await editors()
    await editor.initialize({})
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    await record("started")
    await record("completed")
    assert "- [x] Task 1.2" in on_disk() and "- [ ] Task 1.2" in editor.texts[uri][1]
    assert done(service)
    version = editor.type(uri, 9, 27, " and more")
    await editor.diagnostics(uri, version)
    assert done(service) and "Third thing and more" in service.documents.read().text
    version = editor.replace(uri, on_disk().replace("Third thing", "Third"))
    await editor.diagnostics(uri, version)
    assert done(service)
    editor.close_document(uri)
    await until(lambda: service.documents.open_plans.of(service.documents.find()[0].resolve()) is None)
    assert on_disk().count("Completed Task 1.2") == 1


async def test_an_editor_that_opens_the_file_before_another_saved_a_tick_is_given_it(
    editors, shown, service, record, on_disk
):
    await record("started")
    await record("completed")
    second = await another(editors)
    assert "- [ ] Task 1.2" in text(second) and done(service)
    version = second.type(second.uri_of_plan, 4, 16, "!")
    await second.diagnostics(second.uri_of_plan, version)
    await record("started", "1.3")
    assert "- [x] Task 1.2" in text(second) and "- [~] Task 1.3" in text(second)
    assert text(second).count("Completed Task 1.2") == 1
    assert (await record("completed"))[1] is False


@pytest.mark.parametrize("first", ["saves", "leaves"])
async def test_an_editor_that_saves_an_older_text_takes_no_tick_away(
    editors, shown, service, record, project, on_disk, first
):
    second = await another(editors)
    version = shown.type(shown.uri_of_plan, 4, 16, "!")
    await shown.diagnostics(shown.uri_of_plan, version)
    await record("started")
    await record("completed")
    if first == "leaves":
        await shown.vanish()
        await until(lambda: len(editors.server.connections) == 1)
    save(second, project)
    await second.request("textDocument/documentSymbol", {"textDocument": {"uri": second.uri_of_plan}})
    assert "- [ ] Task 1.2" in on_disk()
    assert done(service)
    await shown.vanish()
    await second.vanish()
    await until(lambda: "- [x] Task 1.2" in on_disk())
    assert on_disk().count("Started Task 1.2") == on_disk().count("Completed Task 1.2") == 1


@pytest.mark.parametrize("moves", [True, False])
async def test_an_editor_that_only_says_that_it_changed_its_text_is_not_believed(
    shown, record, on_disk, moves, monkeypatch
):
    monkeypatch.setattr(applying, "CAUGHT_UP_S", 0.1)

    def lie(params):
        if moves:
            shown.type(shown.uri_of_plan, 0, 0, "x")
        return {"applied": True}

    shown.answers["workspace/applyEdit"] = lie
    assert (await record("completed"))[1] is True
    assert "- [x] Task 1.2" in on_disk()


async def test_what_a_person_takes_back_and_saves_stays_taken_back(shown, service, record, project, on_disk):
    before = text(shown)
    await record("completed")
    version = shown.replace(shown.uri_of_plan, before)
    await shown.diagnostics(shown.uri_of_plan, version)
    assert not done(service)
    save(shown, project)
    await shown.leave()
    await asyncio.sleep(0.1)
    assert on_disk() == before


async def test_a_buffer_that_is_closed_before_its_new_text_comes_leaves_the_change_to_the_file(shown, record, on_disk):
    def answer_and_close(params):
        asyncio.get_running_loop().call_soon(shown.close_document, shown.uri_of_plan)
        return {"applied": True}

    shown.answers["workspace/applyEdit"] = answer_and_close
    await record("completed")
    assert on_disk().count("Completed Task 1.2") == 1


async def test_an_editor_that_hangs_is_waited_for_once(shown, record, on_disk, monkeypatch):
    monkeypatch.setattr(applying, "APPLY_S", 0.3)
    shown.answers["workspace/applyEdit"] = HOLD
    await record("started")
    asked = len(shown.asked)
    async with asyncio.timeout(0.2):
        await record("completed")
    assert "- [x] Task 1.2" in on_disk() and len(shown.asked) == asked
    shown.answers["workspace/applyEdit"] = shown.apply
    shown.send({"id": shown.numbers[-1][0], "result": {"applied": False}})  # it is there again
    await shown.request("textDocument/documentSymbol", {"textDocument": {"uri": shown.uri_of_plan}})
    await record("started", "1.3")
    assert "- [x] Task 1.2" in text(shown) and "- [~] Task 1.3" in text(shown)


async def test_nothing_is_kept_of_changes_once_all_have_them(editors, shown, service, record, project):
    second = await another(editors)
    await record("started")
    await record("completed")
    save(second, project)
    await second.request("textDocument/documentSymbol", {"textDocument": {"uri": second.uri_of_plan}})
    await shown.request("textDocument/documentSymbol", {"textDocument": {"uri": shown.uri_of_plan}})
    version = shown.replace(shown.uri_of_plan, text(second))
    await shown.diagnostics(shown.uri_of_plan, version)
    assert done(service)
    assert service.documents.open_plans._owed == {}


async def test_an_open_plan_is_read_once_for_its_editor_and_for_all_others(shown, service, editors):
    (connection,) = editors.server.connections
    buffer = connection.buffers[shown.uri_of_plan]
    found, plan = service.documents.plan()
    assert plan is await buffer.plan() and found.open and found.data.decode() == text(shown)
    version = shown.type(shown.uri_of_plan, 4, 16, "!")
    await shown.diagnostics(shown.uri_of_plan, version)
    found, after = service.documents.plan()
    assert after is await buffer.plan() and after is not plan and found.data.decode() == text(shown)
    assert service.documents._parsed is None


async def test_a_plan_that_was_read_before_is_not_read_again_when_an_editor_opens_it(editors, service):
    _, plan = service.documents.plan()
    editor, other = await editors(), await editors()
    for each in (editor, other):
        await each.initialize()
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    changed = other.open(text=plan.text.replace("First", "Another"))
    await other.diagnostics(changed, 1)
    first, second = (connection.buffers[uri] for connection in editors.server.connections)
    assert {plan} == {await each.plan() for each in (first, second) if each.document.text == plan.text}
    assert "Another" in "".join(each.document.text for each in (first, second))


async def test_the_plan_is_read_anew_where_a_buffer_does_not_say_all(editors, service, record, project):
    editor = await editors()
    await editor.initialize({})
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    (connection,) = editors.server.connections
    await record("completed")
    assert done(service) and service.documents.plan()[1] is not await connection.buffers[uri].plan()
    (project / ".devloop" / "archive").mkdir()
    (project / ".devloop" / "archive" / "phase-0.md").write_text("## Phase 0: Old\n\n- [x] Task 0.1: Did it\n")
    assert connection.buffers[uri].last_plan(service.documents.archived_ids()) is None
