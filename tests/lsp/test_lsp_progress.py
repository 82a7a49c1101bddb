"""$/progress for runs and loops, status and events: what begins ends, and nothing is sent that nobody declared."""

from __future__ import annotations

import asyncio
import time

import pytest

from devloop import keys
from support import runs
from support.editor import EVERYTHING, HOLD

CREATE = "window/workDoneProgress/create"
BASE = {"workspace": EVERYTHING["workspace"], "textDocument": EVERYTHING["textDocument"]}


def values(editor, kind=None):
    told = [params["value"] for params in editor.told("$/progress")]
    return [value for value in told if kind in (None, value["kind"])]


def tokens(editors):
    return [token for progress in editors.server.live.progress.values() for token in progress.tokens]


async def joined(editor, **more):
    await editor.initialize(**more)
    await editor.until(lambda: editor.told("devloop/status"), "it has joined")
    return editor


async def test_a_run_has_a_bar_from_its_beginning_to_its_end(service, editors):
    editor = await joined(await editors())
    runs.queued(service)
    (begun,) = await editor.until(lambda: values(editor, "begin"), "it begins")
    assert begun == {
        "kind": "begin",
        "title": "Task 1.2: Second thing",
        "cancellable": True,
        "percentage": 0,
        "message": "queued · 0 tokens · $0.00 · scripted",
    }
    runs.working(service, turn=7)
    (report,) = await editor.until(lambda: values(editor, "report"), "it goes on")
    assert report == {
        "kind": "report",
        "percentage": 16,
        "message": "turn 7 · asking the model · 0 tokens · $0.00 · scripted",
    }
    assert len(tokens(editors)) == 1
    runs.ended(service, outcome="landed")
    assert await editor.until(lambda: values(editor, "end"), "it ends") == [{"kind": "end", "message": "landed"}]
    assert tokens(editors) == []
    created = [params["token"] for method, params in editor.asked if method == CREATE]
    assert {params["token"] for params in editor.told("$/progress")} == set(created)


async def test_no_bar_is_left_of_failed_runs_refused_bars_and_runs_that_end_before_the_editor_answers(service, editors):
    quick, refusing, slow = [await editors() for _ in range(3)]
    held = []
    refusing.refuse = {CREATE}
    slow.answers[CREATE] = HOLD
    for each in (quick, refusing, slow):
        await joined(each)
    for number in range(20):
        runs.queued(service, f"run-{number}", f"1.{number}")
        runs.working(service, f"run-{number}")
    await slow.until(lambda: [m for m, _ in slow.asked].count(CREATE) == 20, "all are asked for")
    for number in range(20):
        runs.ended(service, f"run-{number}", ("failed", "cancelled", "exhausted")[number % 3])
    await quick.until(lambda: len(values(quick, "end")) == 20, "all end")
    held = [number for number, method in slow.numbers if method == CREATE]
    assert values(slow) == []
    for number in held:
        slow.send({"id": number, "result": None})
    await slow.until(lambda: len(values(slow, "end")) == 20, "what began late ends at once")
    assert len(values(slow, "begin")) == 20
    assert values(refusing) == []
    assert tokens(editors) == []


async def test_an_editor_that_comes_in_the_middle_or_leaves_has_its_bars_and_leaves_none(service, editors):
    runs.queued(service)
    runs.working(service, turn=7)
    of_the_daemon = len(service.board._listeners)
    editor = await joined(await editors())
    (begun,) = await editor.until(lambda: values(editor, "begin"), "it begins in the middle")
    assert begun["percentage"] == 16
    await editor.vanish()
    while editors.server.connections:
        await asyncio.sleep(0.001)
    assert editors.server.live.progress == {}
    assert len(service.board._listeners) == of_the_daemon
    runs.ended(service)


async def test_cancelling_a_bar_cancels_its_run(service, editors):
    cancelled = []
    runs.answering(service, cancel=lambda params: cancelled.append(params["run"]) or {"run": params["run"]})
    editor = await joined(await editors())
    runs.queued(service)
    runs.queued(service, "run-2", "1.3", "Third thing")
    await editor.until(lambda: len(values(editor, "begin")) == 2, "both begin")
    wanted = next(p["token"] for p in editor.told("$/progress") if p["value"].get("title") == "Task 1.3: Third thing")
    editor.notify("window/workDoneProgress/cancel", {"token": wanted})
    editor.notify("window/workDoneProgress/cancel", {"token": "no such token"})
    await editor.request("workspace/executeCommand", {"command": "devloop.doctor"})
    assert cancelled == ["run-2"]


async def test_a_loop_has_a_bar_over_its_tasks(service, editors, monkeypatch):
    from devloop.lsp.live import progress

    monkeypatch.setattr(progress, "GAP_S", 0.2)
    cancelled = []
    runs.answering(service, cancel=lambda params: cancelled.append(params["run"]) or {"run": params["run"]})
    editor = await joined(await editors())
    runs.queued(service, "run-1", "1.2", loop="loop-1", loop_limit=3, loop_done=0)
    loop = await editor.until(lambda: [v for v in values(editor, "begin") if v["title"] == "devloop: 3 tasks"], "a bar")
    assert (loop[0]["percentage"], loop[0]["message"]) == (0, "task 1 of 3: 1.2 Second thing")
    runs.ended(service, "run-1")
    runs.queued(service, "run-2", "1.3", "Third thing", loop="loop-1", loop_limit=3, loop_done=1)
    second = {"kind": "report", "percentage": 33, "message": "task 2 of 3: 1.3 Third thing"}
    await editor.until(lambda: second in values(editor), "the second task")
    token = next(p["token"] for p in editor.told("$/progress") if p["value"] == second)
    editor.notify("window/workDoneProgress/cancel", {"token": token})
    await editor.request("workspace/executeCommand", {"command": "devloop.doctor"})
    assert cancelled == ["run-2"]
    runs.ended(service, "run-2", "cancelled")
    ends = await editor.until(
        lambda: [p for p in editor.told("$/progress") if p["token"] == token and p["value"]["kind"] == "end"], "its end"
    )
    assert ends[0]["value"] == {"kind": "end", "message": "the loop has ended"}
    assert tokens(editors) == []


async def test_a_bar_never_goes_back_though_a_run_that_waited_goes_on(service, editors):
    editor = await joined(await editors())
    runs.queued(service)
    await editor.until(lambda: values(editor, "begin"), "it begins")
    runs.waiting(service)
    await editor.until(lambda: values(editor, "report"), "it waits")
    runs.tell(service, "checkpoint.closed", "run-1", number=1, decision="revise")
    runs.working(service, turn=4)
    reports = await editor.until(lambda: [v for v in values(editor, "report") if "turn 4" in v["message"]], "it works")
    assert {each["percentage"] for each in (*values(editor, "report"), *reports)} == {100}


async def test_a_loop_that_reached_its_limit_ends_at_once(service, editors, monkeypatch):
    from devloop.lsp.live import progress

    monkeypatch.setattr(progress, "GAP_S", 600)
    editor = await joined(await editors())
    runs.queued(service, "run-1", loop="loop-1", loop_limit=2, loop_done=1)
    await editor.until(lambda: len(values(editor, "begin")) == 2, "run and loop")
    runs.ended(service, "run-1")
    runs.tell(service, "loop.ended", "run-1", loop="loop-1", state="limit", done=2)
    await editor.until(lambda: len(values(editor, "end")) == 2, "both end")
    assert tokens(editors) == []


@pytest.mark.parametrize(
    ("capabilities", "settings"), [(BASE, {}), ({**BASE, "window": {"workDoneProgress": True}}, {"progress": False})]
)
async def test_nothing_is_sent_to_who_did_not_declare_it_or_does_not_want_it(service, editors, capabilities, settings):
    other = await joined(await editors())
    editor = await editors()
    await editor.initialize(capabilities, initializationOptions=settings)
    runs.queued(service)
    await other.until(lambda: values(other, "begin"), "the other one is told")
    runs.ended(service)
    await other.until(lambda: values(other, "end"), "the other one is told")
    await editor.request("workspace/executeCommand", {"command": "devloop.doctor"})
    sent = {method for method, _ in (*editor.asked, *editor.notifications)}
    assert not sent & {CREATE, "$/progress", "devloop/status", "devloop/event"}


async def test_the_status_is_that_of_the_terminal_and_is_told_when_it_changes(service, editors):
    listed = []
    status = {
        "sandbox": {},
        "model": {"name": "m", "scripted": True, "key": False},
        "runs": listed,
        "budget": {},
    }
    runs.answering(service)
    service.engine.answers["engine/status"] = status
    editor = await joined(await editors())
    first = editor.told("devloop/status")[-1]
    asked = await editor.request("workspace/executeCommand", {"command": "devloop.status"})
    del asked["daemon"]["uptime_s"], first["daemon"]["uptime_s"]
    assert first == asked
    runs.queued(service)  # nothing of the status changed: it is not told again
    await editor.until(lambda: editor.told("devloop/event"), "the event is told")
    await asyncio.sleep(0.3)
    assert len(editor.told("devloop/status")) == 1
    listed.append({"id": "run-1", "state": "working"})
    runs.working(service)
    await editor.until(lambda: len(editor.told("devloop/status")) == 2, "it is told")
    assert editor.told("devloop/status")[-1]["runs"] == [{"id": "run-1", "state": "working"}]


async def test_every_editor_is_told_at_once_that_somebody_signed_in_or_out(service, editors, monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    both = [await joined(await editors()), await joined(await editors())]

    def said():
        return [each.told("devloop/status")[-1]["model"]["key"] for each in both]

    assert said() == [False, False]
    keys.store("sk-" + "Zq8" * 12)
    service.key_news.tell("key")
    await both[0].until(lambda: said() == [True, True], "both know it")
    keys.remove()
    service.key_news.tell("key")
    await both[0].until(lambda: said() == [False, False], "both know it")


async def test_a_storm_of_events_is_told_ten_times_a_second_at_most_and_in_order(service, editors):
    editor = await joined(await editors())
    runs.queued(service)
    await editor.until(lambda: editor.told("devloop/event"), "the first ones")
    editor.notifications.clear()
    began = time.monotonic()
    for number in range(400):
        runs.tell(service, "notice", "run-1", text=str(number))
        runs.tell(service, "turn.progress", "run-1", turn=1, doing="text", tokens=number)
        if number % 10 == 0:
            await asyncio.sleep(0.01)
    runs.ended(service)

    def told():
        return [event for params in editor.told("devloop/event") for event in params["events"]]

    await editor.until(lambda: told() and told()[-1]["kind"] == "run.ended", "all of them")
    assert [each["data"]["text"] for each in told() if each["kind"] == "notice"] == [str(n) for n in range(400)]
    most = (time.monotonic() - began) / 0.1 + 2
    assert len(editor.told("devloop/event")) <= most
    assert len(editor.told("devloop/status")) <= most


async def test_an_editor_that_reads_nothing_holds_up_nobody(service, editors):
    stuck, other = await joined(await editors()), await joined(await editors())
    stuck._task.cancel()
    padding = "x" * 100_000
    for number in range(200):
        runs.tell(service, "notice", "run-1", text=f"{number} {padding}")
        await asyncio.sleep(0.002)
    await other.request("workspace/executeCommand", {"command": "devloop.doctor"})
    await other.until(
        lambda: sum(len(params["events"]) for params in other.told("devloop/event")) == 200, "all for the other"
    )
    sizes = [connection.backlog for connection in editors.server.connections]
    assert max(sizes) < 16 * 1024 * 1024
