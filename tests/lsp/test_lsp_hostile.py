"""Editors that don't keep to the protocol, and such that stop listening: they harm nobody, and hear what is wrong."""

from __future__ import annotations

import asyncio

import pytest

from support import runs
from support.editor import HOLD, Failed

METHOD_NOT_FOUND, INTERNAL = -32601, -32603
NOTIFICATIONS = {
    "textDocument/didOpen": {"textDocument": {"uri": "file:///a", "languageId": "x", "version": 1, "text": ""}},
    "textDocument/didClose": {"textDocument": {"uri": "file:///a"}},
    "$/setTrace": {"value": "off"},
    "initialized": {},
}
HOVER = {"textDocument": {"uri": "file:///a"}, "position": {"line": 0, "character": 0}}


@pytest.mark.parametrize("method", NOTIFICATIONS)
async def test_a_notification_sent_as_a_request_is_refused_and_the_connection_goes_on(editor, method):
    with pytest.raises(Failed) as refused:
        await editor.request(method, NOTIFICATIONS[method])
    assert refused.value.error["code"] == METHOD_NOT_FOUND
    assert await editor.request("textDocument/hover", HOVER) is None


@pytest.mark.parametrize("method", ["textDocument/hover", "shutdown", "initialize"])
async def test_a_request_sent_as_a_notification_does_nothing(editor, method):
    editor.notify(method, {**HOVER, "capabilities": {}})
    assert await editor.request("textDocument/hover", HOVER) is None


async def test_an_answer_that_can_not_be_sent_is_an_error_and_not_silence(editor):
    deep = []
    for _ in range(400):
        deep = [deep]
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    with pytest.raises(Failed) as failed:
        await editor.request("documentLink/resolve", {"range": place, "data": deep}, seconds=5)
    assert failed.value.error["code"] == INTERNAL
    assert await editor.request("textDocument/hover", HOVER) is None


async def test_nothing_is_sent_or_asked_after_shutdown(editors, service):
    editor, other = await editors(), await editors()
    for each in (editor, other):
        each.answers["window/showMessageRequest"] = HOLD
        await each.initialize()
        each.open()
        await each.until(lambda each=each: each.told("devloop/status"), "it has joined")
    await editor.request("shutdown")
    before = len(editor.notifications), len(editor.asked)
    runs.queued(service, "run-1")
    runs.waiting(service, "run-1")
    service.fanout.publish({"kind": "notice", "run": "run-1", "data": {}, "seq": 1})
    await other.until(lambda: "window/showMessageRequest" in [method for method, _ in other.asked], "the question")
    await other.until(lambda: other.told("devloop/event"), "the event")
    with pytest.raises(Failed):
        await editor.request("textDocument/hover", HOVER)
    assert (len(editor.notifications), len(editor.asked)) == before


async def test_a_change_does_not_wait_for_an_editor_that_shut_down(editors, service, project):
    editor = await editors()
    editor.answers["workspace/applyEdit"] = HOLD
    await editor.initialize()
    await editor.diagnostics(editor.open(), 1)
    await editor.request("shutdown")

    def edits_of(plan):
        from devloop import plan as plans

        return plans.set_marker(plan, plans.find_task(plan, "1.2"), "~")

    async with asyncio.timeout(2):
        await service.documents.record(edits_of, "a change")
    assert "- [~] Task 1.2" in (project / ".devloop" / "plan.md").read_text()
