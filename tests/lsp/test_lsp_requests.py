"""`devloop/…` requests on an editor's own connection: the terminal's methods, refused as its commands are."""

from __future__ import annotations

import asyncio

import pytest

from devloop.lsp import requests
from support import runs
from support.editor import Failed

STARTED = {"run": "run-1", "attempt": 1, "state": "queued", "attached": False}
ACTING = {
    *("run", "continue", "start", "errand", "decide", "archive", "restore", "trust/accept", "trust/revoke", "stop"),
    *("mark", "move", "depends", "land"),
    *("init", "import", "hooks/run", "findings/plan", "findings/fix", "findings/clear"),
}


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
        ("devloop/trust/revoke", {"keys": "all"}, -32602, "`keys` must be a list"),
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


# Changing the plan


@pytest.fixture
async def shown(editor):
    """An editor that shows the plan and does what it is asked to."""
    editor.answers["workspace/applyEdit"] = editor.apply
    editor.uri_of_plan = editor.open()
    await editor.diagnostics(editor.uri_of_plan, 1)
    return editor


def text(editor):
    return editor.texts[editor.uri_of_plan][1]


CHANGES = {
    "mark": ({"task": "1.2", "to": "skip", "reason": "no need"}, "- [-] Task 1.2: Second thing"),
    "move": ({"task": "2.1", "before": "1.2"}, "- [ ] Task 2.1: A task\n- [ ] Task 1.2"),
    "depends": ({"task": "2.1", "on": ["1.3"]}, "- [ ] Task 2.1: A task [depends:1.3]\n"),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_the_open_buffer_is_changed_by_an_edit_that_can_be_undone(shown, name):
    params, expected = CHANGES[name]
    on_disk = (shown.root / ".devloop/plan.md").read_text()
    shown.type(shown.uri_of_plan, 6, 27, ", typed")
    answer = await shown.request(f"devloop/{name}", params)
    assert answer["changed"] is True
    assert answer["task"]["id"] == params["task"]
    assert expected in text(shown)
    assert "First thing, typed" in text(shown)
    assert (shown.root / ".devloop/plan.md").read_text() == on_disk
    (edit,) = [params for method, params in shown.asked if method == "workspace/applyEdit"]
    assert edit["label"].startswith("devloop: ")
    found = await shown.request("devloop/plan")
    assert next(task for task in found["tasks"] if task["id"] == params["task"]) == answer["task"]


@pytest.mark.parametrize("name", CHANGES)
async def test_the_command_does_what_the_request_does(shown, name):
    params, _ = CHANGES[name]
    given = {**params, "uri": shown.uri_of_plan, "task": {"id": params["task"]}}
    if "before" in given:
        given["before"] = {"id": given["before"]}
    command = {"command": f"devloop.{name}", "arguments": [given]}
    answer = await shown.request("workspace/executeCommand", command)
    assert answer["changed"] is True
    assert answer.keys() == {"path", "changed", "task"}
    with pytest.raises(Failed) as failed:
        await shown.request("workspace/executeCommand", {"command": f"devloop.{name}", "arguments": [{}]})
    assert failed.value.error["message"].startswith("Which task?")


async def test_a_closed_plan_is_changed_in_its_file_and_everybody_hears_of_it(editor, service):
    await editor.request("devloop/move", {"task": "1.3", "phase": "2"})
    on_disk = (editor.root / ".devloop/plan.md").read_text()
    assert on_disk.index("Task 2.1") < on_disk.index("Task 1.3")
    assert not [method for method, _ in editor.asked if method == "workspace/applyEdit"]


async def test_a_task_that_changed_since_is_no_longer_meant(shown):
    old = next(task for task in (await shown.request("devloop/plan"))["tasks"] if task["id"] == "1.2")
    shown.replace(shown.uri_of_plan, text(shown).replace("Second thing", "Quite another"))
    told = {name: old[name] for name in ("id", "key", "title", "line")}
    error = await refused(shown, "devloop/mark", {"task": told, "to": "skip", "reason": "x"})
    assert error["code"] == -32801
    assert "no longer what it was" in error["message"]


async def test_what_is_refused_says_why(shown, service):
    await shown.request("devloop/plan")
    runs.queued(service)
    runs.working(service)
    error = await refused(shown, "devloop/mark", {"task": "1.2", "to": "done"})
    assert error["message"] == (
        "Task 1.2 can't be ticked: its run run-1 is working. End it first: devloop cancel run-1."
    )
    error = await refused(shown, "devloop/depends", {"task": "1.1", "on": ["1.3"]})
    assert error["message"].startswith("Then tasks would wait for each other: 1.1 → 1.3 → 1.2 → 1.1.")
    assert (await shown.request("devloop/move", {"task": "1.2", "after": "2.1"}))["task"]["state"] == "working"


async def test_the_library_says_what_would_do_a_task(editor):
    found = await editor.request("devloop/library", {"task": "1.2"})
    said = {agent["name"]: agent["why"] for agent in found["agents"]}
    assert (len(said), said.pop("engineer"), set(said.values())) == (9, "the default", {None})
    assert (found["choice"]["agent"], found["choice"]["confidence"], found["agent_problems"]) == ("engineer", "low", [])
    modes = {agent["name"]: agent["modes"] for agent in found["agents"]}
    assert modes["qa-engineer"] == ["generator", "runner", "bug_tracker", "validator"]
    assert (await editor.request("devloop/library"))["agents"][0]["why"] is None
    assert (await refused(editor, "devloop/library", {"task": 1}))["code"] == -32602
    assert (await refused(editor, "devloop/library", {"task": "8"}))["data"]["kind"] == "not_found"


# News of what is typed


def plans_told(editor):
    return [
        event["data"]
        for params in editor.told("devloop/event")
        for event in params["events"]
        if event["kind"] == "plan.changed"
    ]


async def test_what_is_typed_is_news_for_every_editor_once_the_person_pauses(editors):
    one, other = await editors(), await editors()
    for each in (one, other):
        await each.initialize()
        await each.until(lambda each=each: each.told("devloop/status"), "it takes part")
    uri = one.open()
    await one.diagnostics(uri, 1)
    for at, char in enumerate("ten chars!"):
        one.type(uri, 7, 16 + at, char)
    (told,) = await other.until(lambda: plans_told(other), "the typed text is told")
    found = await other.request("devloop/plan")
    assert (told["path"], told["sha256"]) == (".devloop/plan.md", found["sha256"])
    assert found["tasks"][1]["title"] == "ten chars!Second thing"
    before = found["sha256"]
    one.close_document(uri)
    await other.until(lambda: len(plans_told(other)) == 2, "the file counts again")
    found = await other.request("devloop/plan")
    assert found["sha256"] == plans_told(other)[1]["sha256"] != before
    assert found["tasks"][1]["title"] == "Second thing"
    assert len(plans_told(one)) == 2


async def test_what_an_editor_kept_unsaved_is_news_when_it_opens_it(editor):
    await editor.until(lambda: editor.told("devloop/status"), "it takes part")
    saved = (editor.root / ".devloop/plan.md").read_text()
    editor.open(text=saved.replace("Second thing", "Kept from last time"))
    await editor.until(lambda: plans_told(editor), "it is told")
    assert (await editor.request("devloop/plan"))["tasks"][1]["title"] == "Kept from last time"


async def test_an_undone_change_of_ours_is_news(shown):
    await shown.until(lambda: shown.told("devloop/status"), "it takes part")
    before = text(shown)
    await shown.request("devloop/mark", {"task": "1.2", "to": "skip", "reason": "x"})
    await shown.until(lambda: len(plans_told(shown)) == 1, "the change is told")
    shown.replace(shown.uri_of_plan, before)
    await shown.until(lambda: len(plans_told(shown)) == 2, "that it is undone is told")
    found = await shown.request("devloop/plan")
    assert next(task for task in found["tasks"] if task["id"] == "1.2")["state"] == "ready"
