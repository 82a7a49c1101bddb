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


async def test_a_line_of_megabytes_and_a_burst_of_requests_keep_others_waiting_for_a_moment_only(editors):
    hostile, other = await editors(), await editors()
    for each in (hostile, other):
        await each.initialize()
    uri = hostile.open(".devloop/archive/long.md", "\u00e9" * 3_000_000 + "\n")
    at = {"line": 0, "character": 2_900_000}
    changes = [{"range": {"start": at, "end": at}, "text": "x"}] * 5
    hostile.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": changes})
    many = hostile.open(".devloop/archive/many.md", "# Plan: x\n\n" + "- [ ] Task 1.1: a\n" * 3000)
    waiting = [hostile.ask("textDocument/documentSymbol", {"textDocument": {"uri": many}})[1] for _ in range(100)]
    answered = 0
    while not all(each.done() for each in waiting):
        await other.request("textDocument/hover", HOVER)
        answered += 1
    assert answered > 3  # two when each had to wait for everything that came before it
    del hostile.texts[uri], hostile.texts[many]


async def test_a_plan_that_is_saved_for_the_first_time_is_the_workspaces_plan_from_then_on(editors, service, project):
    plan = project / ".devloop" / "plan.md"
    text = plan.read_text()
    plan.unlink()
    editor = await editors()
    await editor.initialize()
    uri = editor.open(text=text)
    await editor.diagnostics(uri, 1)
    params = {"textDocument": {"uri": uri}}
    assert not await editor.request("textDocument/codeLens", params)
    plan.write_text(text)
    editor.notify("textDocument/didSave", {**params, "text": text})
    assert await editor.request("textDocument/codeLens", params)
    assert service.documents.read().open
    editor.close_document(uri)
    async with asyncio.timeout(20):
        while service.documents.read().open:
            await asyncio.sleep(0.01)


async def test_a_plan_that_takes_precedence_is_the_workspaces_plan_from_then_on(editors, service, project):
    plan = project / ".devloop" / "plan.md"
    text = plan.read_text()
    plan.rename(project / "PLAN.md")
    editor = await editors()
    await editor.initialize()
    old = editor.open("PLAN.md")
    await editor.diagnostics(old, 1)
    assert service.documents.read().open
    plan.write_text(text)
    new = editor.open()
    editor.notify("textDocument/didSave", {"textDocument": {"uri": new}, "text": text})
    assert not await editor.request("textDocument/codeLens", {"textDocument": {"uri": old}})
    assert await editor.request("textDocument/codeLens", {"textDocument": {"uri": new}})


async def test_the_watch_of_an_open_plan_ends_when_it_is_closed(editor):
    def watches():
        return [task for task in asyncio.all_tasks() if "Outside.watch" in repr(task)]

    uri = editor.open()
    await editor.diagnostics(uri, 1)
    async with asyncio.timeout(5):
        while not watches():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        editor.close_document(uri)
        while watches():
            await asyncio.sleep(0.01)


async def test_what_is_told_of_an_open_plan_is_what_its_buffer_says(editor, service, project):
    """The file is what was saved last; a look at it must not tell an older state as news."""
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    version = editor.type(uri, 7, 3, "x", remove=1)
    await editor.diagnostics(uri, version)
    told = []
    end = service.fanout.listen(told.append)
    for _ in range(2):
        service.news.changed(service.documents.read_file())
        async with asyncio.timeout(5):
            await service.news._telling
    end()
    assert [event["data"]["sha256"] for event in told] == [service.documents.read().sha256]
    assert told[0]["data"]["stats"]["done"] == 2


@pytest.mark.parametrize(
    "uri", ["devloop://[::1/run.md", "devloop://run/", "devloop://else/run-1.md", "file:///etc/hosts"]
)
async def test_an_address_of_no_document_is_refused_in_a_sentence(editor, uri):
    with pytest.raises(Failed) as refused:
        await editor.request("workspace/textDocumentContent", {"uri": uri})
    assert "devloop has no document" in refused.value.error["message"]


async def test_words_that_are_changed_while_they_are_passed_on_stay_in_the_plan(editor, service):
    runs.queued(service, "run-1")
    runs.waiting(service, "run-1")
    editor.answers["workspace/applyEdit"] = editor.apply
    uri = editor.open()
    editor.type(uri, 8, 0, "> revise: use the helper\n")

    async def decide(params):
        assert params["message"] == "use the helper"
        version = editor.type(uri, 8, 24, ", and add a test")
        await editor.diagnostics(uri, version)
        return {name: params[name] for name in ("run", "checkpoint", "decision")}

    service.actions["devloop/decide"] = decide
    arguments = [{"run": "run-1", "decision": "revise"}]
    await editor.request("workspace/executeCommand", {"command": "devloop.decide", "arguments": arguments})
    assert "> revise: use the helper, and add a test\n" in editor.texts[uri][1]


async def test_an_editor_that_removes_the_folder_is_asked_nothing_more_and_once_when_it_comes_back(editor, service):
    editor.answers["window/showMessageRequest"] = HOLD
    await editor.until(lambda: editor.told("devloop/status"), "it has joined")
    runs.queued(service, "run-1")
    runs.waiting(service, "run-1")

    def asked():
        return [method for method, _ in editor.asked].count("window/showMessageRequest")

    await editor.until(lambda: asked() == 1, "the question")
    folder = {"uri": service.root.as_uri(), "name": "p"}
    for added, removed in (([], [folder]), ([folder], [])):
        event = {"event": {"added": added, "removed": removed}}
        editor.notify("workspace/didChangeWorkspaceFolders", event)
    await editor.until(lambda: asked() == 2, "the question again")
    await editor.until(lambda: editor.withdrawn, "the first one is withdrawn")
