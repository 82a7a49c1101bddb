"""The engine as seen by the daemon: started late, started again, given up with a way out."""

from __future__ import annotations

import os
import signal

import pytest

from devloop.daemon import connect
from devloop.daemon.engine_link import MAX_DEATHS, EngineLink
from devloop.errors import Refused, Unavailable

pytestmark = pytest.mark.usefixtures("loaded")


async def engine_pid(peer):
    return (await peer.request("devloop/status"))["engine"]["pid"]


async def test_a_killed_engine_comes_back_and_its_run_goes_on(dial, until):
    peer = await dial()
    run = (await peer.request("devloop/run", {"task": "1.1"}))["run"]
    await until(lambda: waiting(peer, run))
    pid = await engine_pid(peer)
    os.kill(pid, signal.SIGKILL)

    async def another():
        found = await engine_pid(peer)
        return found not in (None, pid) and found

    assert await until(another)
    answer = await peer.request("devloop/decide", {"run": run, "decision": "stop", "message": None, "checkpoint": 1})
    assert answer == {"run": run, "checkpoint": 1, "decision": "stop"}
    await peer.close()


async def waiting(peer, run):
    return (await peer.request("devloop/show", {"run": run}))["run"]["state"] == "waiting"


async def test_open_runs_make_a_new_daemon_start_the_engine_by_itself(dial, state, until):
    peer = await dial()
    run = (await peer.request("devloop/run", {"task": "1.4"}))["run"]
    os.kill(peer.hello["pid"], signal.SIGKILL)
    await until(peer.closed.is_set)
    again = await dial()
    await until(lambda: (state.path / "environments.txt").read_text().count("\n") == 2)
    shown = await again.request("devloop/show", {"run": run})
    assert shown["run"]["state"] == "working"
    await again.close()
    await peer.close()


async def test_an_engine_that_refuses_is_quoted_and_not_tried_over_and_over(dial, state):
    (state.path / "engine-refuses").touch()
    peer = await dial()
    for _ in range(2):
        with pytest.raises(Refused, match="can't work here") as caught:
            await peer.request("devloop/run", {"task": "1.1"})
        assert caught.value.hint == "Remove the file."
    assert (state.path / "environments.txt").read_text().count("\n") == 2
    status = await peer.request("devloop/status")
    assert status["engine"]["state"] == "stopped"
    assert "can't work here" in status["engine"]["problem"]
    (state.path / "engine-refuses").unlink()
    assert (await peer.request("devloop/run", {"task": "1.1"}))["run"] == "run-1.1-1"
    await peer.close()


async def test_an_engine_that_dies_again_and_again_is_given_up_with_a_way_out(dial, state):
    (state.path / "engine-dies").touch()
    peer = await dial()
    for _ in range(MAX_DEATHS + 1):
        with pytest.raises(Unavailable, match="did not start"):
            await peer.request("devloop/run", {"task": "1.1"})
    (state.path / "engine-dies").unlink()
    with pytest.raises(Unavailable, match="times in 10 minutes") as caught:
        await peer.request("devloop/run", {"task": "1.1"})
    assert "devloop stop" in caught.value.hint and "engine.log" in caught.value.hint
    status = await peer.request("devloop/status")
    assert status["engine"]["state"] == "failed"
    assert "devloop stop" in status["engine"]["problem"]
    await peer.request("devloop/stop", {"force": False})
    await peer.close()
    again = await dial()
    assert (await again.request("devloop/run", {"task": "1.1"}))["run"] == "run-1.1-1"
    await again.close()


async def test_the_pause_before_another_start_grows_and_ends():
    async def never(variables, handlers):
        raise Unavailable("no")

    link = EngineLink(never, {}, first_pause_s=0.2)
    pauses = []
    for _ in range(MAX_DEATHS + 1):
        link._died("it broke")
        pauses.append(link._pause())
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4]
    assert link.state == "failed"
    with pytest.raises(Unavailable, match="6 times"):
        await link.ensure()


async def test_the_daemon_ends_its_engine_with_it(dial, state, until, project):
    peer = await dial()
    await peer.request("devloop/run", {"task": "1.1"})
    pid = await engine_pid(peer)
    await peer.close()
    stopper = await connect(project, start=False)
    await stopper.request("devloop/stop", {"force": True})
    await stopper.close()

    def gone():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    await until(gone)
