"""Changes that devloop makes to a plan which is open: in the buffer, never against it, and never lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from devloop import plan as plans
from support.editor import HOLD


@pytest.fixture
def record(service):
    """Record an event of a task, as the engine does. Answers with the plan's text and whether it changed."""

    async def make(kind, task="1.2", text=""):
        ref = plans.TaskRef.of(plans.find_task(service.documents.plan()[1], task))
        event = plans.Event(kind, ref, text, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
        return await service.documents.record(lambda plan: plans.change(plan, event), "devloop")

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
