"""What comes in on the socket, good and bad, and what every client is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import time

import pytest

from devloop import launch
from devloop.daemon.endpoint import announced
from devloop.daemon.fanout import PROGRESS_INTERVAL_S
from devloop.errors import DevloopError, NotFound, Refused, Unavailable, UsageError
from devloop.rpc import encode, read_message

pytestmark = pytest.mark.usefixtures("loaded")

BAD = {
    "no-number": b"Content-Length: x\r\n\r\n{}",
    "negative": b"Content-Length: -5\r\n\r\n{}",
    "missing": b"Content-Type: a\r\n\r\n{}",
    "oversized": b"Content-Length: 99999999999\r\n\r\n",
    "not-json": b"Content-Length: 3\r\n\r\n{{{",
    "no-object": b"Content-Length: 2\r\n\r\n[]",
    "endless-header": b"A" * 100_000,
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "binary": bytes(range(256)) * 10,
}


async def raw(state):
    return await asyncio.open_unix_connection(str(announced(state).socket))


async def greeted(state):
    """A terminal that says hello and nothing that it has not been asked to say here."""
    reader, writer = await raw(state)
    writer.write(encode({"jsonrpc": "2.0", "id": "hello", "method": "devloop/hello", "params": {"client": "raw"}}))
    async with asyncio.timeout(10):
        assert (await read_message(reader))["id"] == "hello"
    return reader, writer


async def hang_up(writer):
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_message_ends_that_connection_only(dial, state, name):
    peer = await dial()
    reader, writer = await raw(state)
    writer.write(BAD[name])
    writer.write_eof()
    try:
        async with asyncio.timeout(5):
            answer = await reader.read()
    except ConnectionResetError:
        answer = b""
    assert b'"result"' not in answer
    await hang_up(writer)
    assert (await peer.request("devloop/status"))["daemon"]["pid"] == peer.hello["pid"]
    await peer.close()


async def test_half_a_message_and_a_vanished_client_harm_nobody(dial, state):
    peer = await dial()
    for part in (b"Content-Length: 100\r\n\r\n{", b"Content-Len", b""):
        _, writer = await raw(state)
        writer.write(part)
        await hang_up(writer)
    assert (await peer.request("devloop/status"))["daemon"]["pid"] == peer.hello["pid"]
    await peer.close()


async def test_unknown_methods_and_wrong_shapes_are_answered_as_errors(dial, state):
    peer = await dial()
    reader, writer = await greeted(state)
    for number, message in enumerate(
        (
            {"method": "devloop/nothing", "params": {}},
            {"method": "devloop/run", "params": []},
            {"method": 5},
            {"method": "devloop/run", "params": {"task": 7}},
            {"method": "devloop/trust/accept", "params": {"items": "all"}},
            {"method": "devloop/subscribe", "params": {"after": "x"}},
            {"method": "devloop/continue", "params": {"limit": 0}},
            {"method": "devloop/run", "params": {"task": "1.1", "decide": "discard"}},
        ),
        1,
    ):
        writer.write(encode({"jsonrpc": "2.0", "id": number, **message}))
        async with asyncio.timeout(10):
            answer = await read_message(reader)
        assert answer["id"] == number and "error" in answer, answer
        assert "Traceback" not in json.dumps(answer)
    await hang_up(writer)
    await peer.close()


async def test_an_editor_is_told_clearly_that_there_are_no_language_features(dial, state):
    peer = await dial()
    reader, writer = await raw(state)
    writer.write(encode({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"capabilities": {}}}))
    async with asyncio.timeout(5):
        answer = await read_message(reader)
    assert answer["id"] == 0
    assert "language features" in answer["error"]["message"]
    await hang_up(writer)
    await peer.close()


async def test_a_client_that_reads_nothing_is_dropped_and_the_others_hear_everything(dial, state, until):
    heard = []

    async def hear(event):
        heard.append(event)

    good = await dial(handlers={"devloop/event": hear})
    await good.request("devloop/subscribe", {"after": None})
    reader, writer = await greeted(state)  # subscribes and never reads again
    writer.write(encode({"jsonrpc": "2.0", "id": 1, "method": "devloop/subscribe", "params": {"after": None}}))
    await until(lambda: subscribed(reader))
    begun = time.monotonic()
    await good.request("devloop/run", {"task": "1.6"})
    await until(lambda: sum(e["kind"] == "notice" for e in heard) == 1000, 60)
    took = time.monotonic() - begun
    await until(lambda: "disconnected" in (state.logs / "daemon.log").read_text())
    numbers = [event["seq"] for event in heard if event["seq"] is not None]
    assert numbers == sorted(set(numbers))
    progress = [event for event in heard if event["kind"] == "turn.progress"]
    assert 1 <= len(progress) <= took / PROGRESS_INTERVAL_S + 2  # of three thousand
    assert (await good.request("devloop/status"))["daemon"]["pid"] == good.hello["pid"]
    await hang_up(writer)
    await good.close()


def subscribed(reader: asyncio.StreamReader) -> bool:
    return bool(reader._buffer)


async def test_old_events_come_first_then_the_new_ones_none_twice(dial, until):
    first = await dial()
    run = (await first.request("devloop/run", {"task": "1.1"}))["run"]
    await until(lambda: waiting(first, run))
    heard = []

    async def hear(event):
        heard.append(event)

    second = await dial(handlers={"devloop/event": hear})
    last = (await second.request("devloop/subscribe", {"after": 0}))["last"]
    await first.request("devloop/decide", {"run": run, "decision": "stop", "message": None, "checkpoint": 1})
    await until(lambda: any(event["kind"] == "run.ended" for event in heard))
    numbers = [event["seq"] for event in heard if event["seq"] is not None]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > last > 3
    await first.close()
    await second.close()


async def waiting(peer, run):
    return (await peer.request("devloop/show", {"run": run}))["run"]["state"] == "waiting"


async def test_only_the_named_variables_reach_the_engine_and_none_its_environment(
    dial, state, monkeypatch, until, project
):
    monkeypatch.setattr(launch, "subprocess", subprocess)  # what a real one begins with can be read
    secret = "sk-test-" + "a1b2c3d4" * 4
    monkeypatch.setenv("ANTHROPIC_API_KEY", secret)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other-secret-value")
    monkeypatch.setenv("DEVLOOP_MODEL", "claude-x")
    monkeypatch.setenv("SOMETHING", "else")
    peer = await dial()
    await peer.request("devloop/run", {"task": "1.1"})
    status = await peer.request("devloop/status")
    assert status["model"]["key"] is True
    own = (state.path / "environments.txt").read_text()
    assert "ANTHROPIC" not in own and "DEVLOOP_MODEL" not in own
    with open(f"/proc/{peer.hello['pid']}/environ", "rb") as stream:
        assert b"ANTHROPIC" not in stream.read()
    assert not [path for path in state.path.rglob("*.log*") if secret in path.read_text("utf-8", "replace")]
    assert secret not in json.dumps(await peer.request("devloop/doctor"))
    await peer.close()


async def test_a_scenario_of_one_terminal_does_not_meet_the_key_of_another(dial, monkeypatch, project):
    scenario = project / "s.json"
    scenario.write_text("{}")
    monkeypatch.setenv("DEVLOOP_SCENARIO", str(scenario))
    first = await dial()
    assert model_of(await first.request("devloop/doctor"))["message"].startswith("A scripted scenario")
    monkeypatch.delenv("DEVLOOP_SCENARIO")
    second = await dial()  # brings nothing: nothing changes
    assert model_of(await second.request("devloop/doctor"))["message"].startswith("A scripted scenario")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k" * 20)
    third = await dial()
    assert model_of(await third.request("devloop/doctor"))["message"].startswith("A key is set")
    for peer in (first, second, third):
        await peer.close()


def model_of(doctor):
    return next(check for check in doctor["checks"] if check["name"] == "model")


async def test_questions_about_nothing_need_no_engine(dial, state):
    peer = await dial()
    assert (await peer.request("devloop/runs", {}))["runs"] == []
    assert await peer.request("devloop/events", {}) == {"events": [], "last": 0}
    assert (await peer.request("devloop/budget"))["caps"]["day_usd"] == 25.0
    status = await peer.request("devloop/status")
    assert status["engine"] == {"pid": None, "state": "stopped", "problem": None}
    assert status["plan"]["path"] == ".devloop/plan.md"
    assert status["plan"]["total"] == 7
    with pytest.raises(NotFound, match="no run"):
        await peer.request("devloop/show", {"run": "run-9"})
    assert not (state.path / "environments.txt").exists()
    await peer.close()


async def test_a_task_in_hand_is_not_started_twice(dial, until):
    peer = await dial()
    answers = await asyncio.gather(*(peer.request("devloop/run", {"task": "1.1"}) for _ in range(4)))
    assert len({answer["run"] for answer in answers}) == 1
    run = answers[0]["run"]
    await until(lambda: waiting(peer, run))
    again = await peer.request("devloop/run", {"task": "1.1"})
    assert again["attached"] is True and again["state"] == "waiting" and again["run"] == run
    proceed = await peer.request("devloop/continue", {"limit": None, "decide": None})
    assert proceed["run"] == run and proceed["attached"] is True
    assert "waits for a decision" in proceed["message"]
    await peer.close()


async def test_continue_starts_the_next_task_that_nobody_holds(dial, until):
    peer = await dial()
    held = (await peer.request("devloop/run", {"task": "1.1"}))["run"]
    await until(lambda: waiting(peer, held))
    await peer.request("devloop/decide", {"run": held, "decision": "stop", "message": None, "checkpoint": None})
    await until(lambda: ended(peer, held))
    found = await peer.request("devloop/continue", {"limit": 1, "decide": "continue"})
    assert (found["state"], found["task"]) == ("found", "1.2")
    await until(lambda: ended(peer, found["run"]))
    assert (await peer.request("devloop/show", {"run": found["run"]}))["run"]["outcome"] == "accepted"
    await peer.close()


async def test_continue_can_begin_with_a_task(dial, until):
    peer = await dial()
    found = await peer.request("devloop/continue", {"limit": 1, "decide": "continue", "task": "1.2"})
    assert (found["state"], found["task"]) == ("found", "1.2")
    await until(lambda: ended(peer, found["run"]))
    with pytest.raises(DevloopError, match="can't run"):
        await peer.request("devloop/continue", {"limit": 1, "decide": None, "task": "1.7"})
    await peer.close()


def hand_off(project, saved="2999-01-01T00:00:00Z", **more):
    path = project / ".devloop" / "next-action.json"
    value = {"version": "2", "savedAt": saved, "plan": {"name": "x"}, "handoff": "Mind the cache.", **more}
    path.write_text(json.dumps(value))
    return path


async def test_continue_goes_on_from_a_hand_off_and_puts_it_away(dial, until, project, state):
    path = hand_off(project, nextTask={"id": "1.3", "description": "A question"})
    before = path.read_bytes()
    peer = await dial()
    found = await peer.request("devloop/continue", {"limit": 1, "decide": "continue"})
    assert found["task"] == "1.3" and found["hand_off"]["state"] == "valid" and found["hand_off"]["task"] == "1.3"
    assert not path.exists()
    assert [file.read_bytes() for file in (state.path / "hand-offs").iterdir()] == [before]
    await peer.close()


@pytest.mark.parametrize(
    ("more", "task", "told"),
    [
        ({"nextTask": {"id": "1.7", "description": "done"}}, "1.1", "superseded"),
        ({"nextTask": {"id": "9.9", "description": "gone"}}, "1.1", "valid"),
        ({"nextTask": None}, "1.1", "valid"),
    ],
)
async def test_a_hand_off_whose_task_can_not_run_gives_its_words_alone(dial, project, more, task, told):
    path = hand_off(project, **more)
    peer = await dial()
    found = await peer.request("devloop/continue", {"limit": 1, "decide": None})
    assert (found["task"], found["hand_off"]["state"]) == (task, told) and not path.exists()
    await peer.close()


async def test_an_old_hand_off_is_told_and_left_until_it_is_wanted(dial, project, until):
    path = hand_off(project, saved="2020-01-01T00:00:00Z", nextTask={"id": "1.3", "description": "x"})
    peer = await dial()
    found = await peer.request("devloop/continue", {"limit": 1, "decide": None})
    assert found["task"] == "1.1" and found["hand_off"]["state"].startswith("stale:") and path.exists()
    assert "--hand-off" in found["hand_off"]["message"]
    await peer.request("devloop/cancel", {"run": found["run"]})
    await until(lambda: ended(peer, found["run"]))  # while it is open, the next one is that one
    found = await peer.request("devloop/continue", {"limit": 1, "decide": None, "hand_off": True})
    assert found["task"] == "1.3" and not path.exists()
    await peer.close()


async def ended(peer, run):
    return (await peer.request("devloop/show", {"run": run}))["run"]["state"] == "ended"


async def test_a_done_task_is_refused_with_the_way_to_repeat_it(dial):
    peer = await dial()
    with pytest.raises(Refused, match=r"1\.7 can't run") as caught:
        await peer.request("devloop/run", {"task": "1.7"})
    assert "--again" in caught.value.hint
    assert (await peer.request("devloop/run", {"task": "1.7", "again": True}))["run"] == "run-1.7-1"
    await peer.close()


async def test_an_unknown_task_names_what_there_is(dial):
    peer = await dial()
    with pytest.raises(NotFound, match=r"1\.77") as caught:
        await peer.request("devloop/run", {"task": "1.77"})
    assert "1.7" in caught.value.hint
    with pytest.raises(UsageError):
        await peer.request("devloop/run", {"task": ""})
    await peer.close()


async def test_without_a_plan_the_way_to_make_one_is_said(dial, project):
    (project / ".devloop" / "plan.md").unlink()
    peer = await dial()
    with pytest.raises(NotFound, match="no plan") as caught:
        await peer.request("devloop/continue", {"limit": None, "decide": None})
    assert "devloop init" in caught.value.hint
    assert "devloop init" in (await peer.request("devloop/status"))["plan"]["problem"]
    await peer.close()


async def test_a_daemon_refuses_to_stop_while_a_run_works(dial, until):
    peer = await dial()
    run = (await peer.request("devloop/run", {"task": "1.4"}))["run"]
    with pytest.raises(Refused, match=r"run-1\.4-1"):
        await peer.request("devloop/stop", {"force": False})
    assert (await peer.request("devloop/stop", {"force": True})) == {"stopped": True, "runs": [run]}
    await until(peer.closed.is_set)
    with pytest.raises(Unavailable):
        await peer.request("devloop/status")
    await peer.close()
