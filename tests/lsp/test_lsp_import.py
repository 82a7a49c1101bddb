"""`devloop/import` from an editor: looking writes nothing; what replaces an open plan goes through its buffer."""

from __future__ import annotations

import pytest

from support import runs
from support.editor import Failed

LIST = {"text": "# Tasks: X\n\n## Phase 1: A\n\n- [ ] T001 First\n- [x] T002 Größe 🎯\n", "source": "specs/x/tasks.md"}


@pytest.fixture
async def shown(editor):
    editor.answers["workspace/applyEdit"] = editor.apply
    editor.uri_of_plan = editor.open()
    await editor.diagnostics(editor.uri_of_plan, 1)
    return editor


async def test_a_proposal_compares_with_the_buffer_and_changes_nothing(shown, project):
    shown.type(shown.uri_of_plan, 0, 2, "Typed ")
    before = shown.texts[shown.uri_of_plan][1]
    answer = await shown.request("devloop/import", LIST)
    assert (answer["kind"], answer["tasks"], answer["written"], answer["exists"]) == ("spec-kit", 2, False, True)
    assert "-# Typed " in answer["patch"]
    assert shown.texts[shown.uri_of_plan][1] == before and not (project / ".devloop/archive").exists()


async def test_an_open_plan_is_replaced_in_its_buffer_and_what_was_typed_is_archived(shown, project):
    on_disk = (project / ".devloop/plan.md").read_text("utf-8")
    shown.type(shown.uri_of_plan, 0, 2, "Typed ")
    before = shown.texts[shown.uri_of_plan][1]
    answer = await shown.request("devloop/import", {**LIST, "write": True, "replace": True})
    assert answer["written"] is True
    assert shown.texts[shown.uri_of_plan][1] == answer["text"]
    assert (project / answer["archived"]).read_text("utf-8") == before
    assert (project / ".devloop/plan.md").read_text("utf-8") == on_disk, "the person saves"
    plan = await shown.request("devloop/plan")
    assert [(task["id"], task["status"]) for task in plan["tasks"]] == [("1.1", "pending"), ("1.2", "complete")]


async def test_it_is_refused_while_a_run_is_open_and_wrong_calls_are_told(shown, service, project):
    await shown.request("devloop/plan")
    runs.queued(service)
    with pytest.raises(Failed) as failed:
        await shown.request("devloop/import", {**LIST, "write": True, "replace": True})
    assert failed.value.error["data"]["kind"] == "refused" and "are open" in failed.value.error["message"]
    assert not (project / ".devloop/archive").exists()
    with pytest.raises(Failed) as failed:
        await shown.request("devloop/import", {"text": 3})
    assert failed.value.error["code"] == -32602
