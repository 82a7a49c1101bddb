"""`devloop/…` requests on an editor's own connection: the terminal's methods, refused as its commands are."""

from __future__ import annotations

import asyncio

import pytest

from devloop.lsp import requests
from support import runs
from support.editor import Failed

STARTED = {"run": "run-1", "attempt": 1, "state": "queued", "attached": False}
ACTING = {"run", "continue", "decide", "archive", "trust/accept", "stop"}


async def refused(editor, method, params=None):
    with pytest.raises(Failed) as failed:
        await editor.request(method, params)
    return failed.value.error


async def test_everything_the_service_does_is_answered_and_what_acts_needs_trust(service):
    assert service.actions.keys() - requests.ALWAYS == {f"devloop/{name}" for name in ACTING}


async def test_the_plan_is_what_the_buffer_says(editor):
    on_disk = await editor.request("devloop/plan", {})
    assert (on_disk["open"], [task["title"] for task in on_disk["tasks"]][1]) == (False, "Second thing")
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    editor.type(uri, 7, 16, "Quite another thing ")
    found = await editor.request("devloop/plan", {})
    assert found["uri"] == uri
    assert found["open"] is True
    assert found["sha256"] != on_disk["sha256"]
    assert [(task["id"], task["state"], task["title"]) for task in found["tasks"]] == [
        ("1.1", "done", "First thing"),
        ("1.2", "ready", "Quite another thing Second thing"),
        ("1.3", "waiting", "Third thing"),
        ("2.1", "ready", "A task"),
    ]


async def test_the_plan_shows_runs_as_they_go(editor, service):
    assert (await editor.request("devloop/plan"))["current"] is True  # there are no records to be read
    runs.queued(service)
    runs.working(service)
    assert (await task_of(editor, "1.2"))["state"] == "working"
    runs.waiting(service)
    found = await task_of(editor, "1.2")
    assert (found["state"], found["run"]["checkpoint"], found["run"]["asks"]) == ("checkpoint", 1, "decision")
    runs.ended(service, outcome="discarded")
    found = await task_of(editor, "1.2")
    assert (found["state"], found["run"]["outcome"]) == ("ready", "discarded")


async def task_of(editor, name):
    tasks = (await editor.request("devloop/plan", {}))["tasks"]
    return next(task for task in tasks if task["id"] == name)


async def test_without_a_plan_the_answer_says_how_to_make_one(editor):
    (editor.root / ".devloop/plan.md").unlink()
    error = await refused(editor, "devloop/plan")
    assert error["data"]["kind"] == "not_found"
    assert "devloop init" in error["message"]


async def test_requests_and_commands_answer_alike(editor):
    by_command = await editor.request("workspace/executeCommand", {"command": "devloop.status"})
    by_request = await editor.request("devloop/status", {})
    assert by_request.keys() == by_command.keys()
    assert by_request["plan"] == by_command["plan"]


async def test_a_run_begun_by_request_asks_this_editor(editors, service):
    one, other = await editors(), await editors()
    await one.initialize()
    await other.initialize()
    runs.answering(service, start=STARTED, show={"run": {"id": "run-1", "loop": None}})
    answer = await one.request("devloop/run", {"task": "1.2"})
    assert answer["run"] == "run-1"
    runs.queued(service)
    runs.waiting(service)
    await one.until(lambda: any(method == "window/showMessageRequest" for method, _ in one.asked))
    assert not any(method == "window/showMessageRequest" for method, _ in other.asked)


@pytest.mark.parametrize("method", sorted(ACTING))
async def test_nothing_is_done_for_an_editor_that_does_not_trust_the_folder(editors, service, method):
    editor = await editors()
    await editor.initialize(initializationOptions={"trusted": False})
    error = await refused(editor, f"devloop/{method}", {"task": "1.2", "run": "run-1", "decision": "stop"})
    assert error["data"]["kind"] == "refused"
    assert error["message"].startswith("This editor does not trust the folder, so nothing is run or decided from here.")
    assert service.engine.requests == []


async def test_looking_needs_no_trust(editors):
    editor = await editors()
    await editor.initialize(initializationOptions={"trusted": False})
    for method in ("plan", "status", "runs", "budget", "trust"):
        assert await editor.request(f"devloop/{method}", {})


@pytest.mark.parametrize(
    ("method", "params", "code", "message"),
    [
        ("devloop/fly", {}, -32601, "devloop does not know devloop/fly."),
        ("devloop/hello", {}, -32601, "devloop does not know devloop/hello."),
        ("devloop/subscribe", {}, -32601, "devloop does not know devloop/subscribe."),
        ("devloop/plan", [1], -32602, "devloop/plan takes one object."),
        ("devloop/plan", "x", -32602, "devloop/plan takes one object."),
        ("devloop/run", {}, -32602, "Which task?"),
        ("devloop/run", {"task": 7}, -32602, "Which task?"),
        ("devloop/run", {"task": "9.9"}, -32602, "There is no task '9.9'."),
        ("devloop/continue", {"limit": 0}, -32602, "The number of tasks must be 1 or more."),
        ("devloop/trust/accept", {"items": "all"}, -32602, "`items` must be a list"),
    ],
)
async def test_what_can_not_be_asked_is_said_in_a_sentence(editor, method, params, code, message):
    error = await refused(editor, method, params)
    assert error["code"] == code
    assert error["message"].startswith(message)
    assert "Traceback" not in str(error)


async def test_a_request_that_is_no_longer_wanted_is_cancelled(editor, service):
    held = asyncio.Event()

    async def forever(params):
        await held.wait()

    service.actions["devloop/doctor"] = forever
    number, answer = editor.ask("devloop/doctor", {})
    editor.notify("$/cancelRequest", {"id": number})
    with pytest.raises(Failed) as failed:
        await answer
    assert failed.value.error["code"] == -32800


async def test_a_notification_by_such_a_name_is_passed_over(editor):
    editor.notify("devloop/stop", {})
    editor.notify("devloop/plan", {})
    assert (await editor.request("devloop/plan"))["name"] == "Demo"
