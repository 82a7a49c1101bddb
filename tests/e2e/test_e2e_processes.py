"""Dead processes, lost sockets, closed streams, other systems: recovered without a question, or said at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from devloop import __version__
from support.programs import PROGRAM, WORK


def test_a_killed_daemon_and_a_killed_engine_are_replaced_without_a_question(place, until):
    place.project()
    run = place.waiting()
    daemon, engine = place.pids()
    os.kill(daemon, signal.SIGKILL)
    assert place("show", run).code == 0
    second, engine = place.pids()
    assert second != daemon
    os.kill(engine, signal.SIGKILL)
    assert place("decide", run, "commit", "--follow").code == 0
    assert place.pids()[0] == second
    assert place.git("log", "-1", "--format=%s") == "First thing"


def test_whoever_follows_a_run_is_told_that_the_daemon_died_and_sees_it_through(place, until):
    place.project()
    place.play([{"calls": [{"name": "run_command", "input": {"command": "sleep 2"}}]}, *WORK])
    follower = place.start("run", "1.1")
    until(lambda: any(r["state"] == "working" for r in place("status", "--json").json["runs"]), "the run works")
    os.kill(place.pids()[0], signal.SIGKILL)
    out, err = follower.communicate(timeout=60)
    assert follower.returncode == 3, err
    assert "The daemon had ended; a new one goes on with the run." in out and "devloop decide run-1.1-1 commit" in out


def test_a_removed_socket_file_is_made_anew_by_the_same_daemon(place):
    place.project()
    daemon, _ = place.pids()
    socket = place.state.path / "daemon.sock"
    socket.unlink()
    assert place.pids()[0] == daemon
    socket.unlink()
    stopped = place("stop", "--json")
    assert stopped.code == 0 and stopped.json["stopped"] is True


def test_what_a_dead_daemon_left_behind_is_no_obstacle(place):
    place.project()
    assert place("stop").code == 0
    state = place.state
    for left in (b'{"pid": 1', json.dumps({"pid": 1, "socket": "/", "version": "0", "started": 0}).encode()):
        state.daemon_file.write_bytes(left)
        (state.path / "daemon.sock").write_bytes(b"junk")
        assert place("status").code == 0
        assert place("stop").code == 0


def test_two_terminals_that_start_at_once_share_one_daemon_and_one_run(place):
    place.project()
    both = [place.start("run", "1.1", "--json") for _ in range(2)]
    told = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [3, 3], told
    runs = [json.loads(out)["run"]["id"] for out, _ in told]
    assert runs == ["run-1.1-1"] * 2
    assert len(place("runs", "--json").json["runs"]) == 1
    logged = (place.state.logs / "daemon.log").read_text()
    assert logged.count(" serves ") == 1


def test_without_a_key_it_says_how_to_set_one_and_that_the_demo_works(place):
    place.project()
    del place.environment["DEVLOOP_SCENARIO"]
    refused = place("run", "1.1", "--json")
    assert refused.code == 4 and refused.error["kind"] == "no_model"
    assert "ANTHROPIC_API_KEY" in refused.error["hint"] and "devloop demo" in refused.error["hint"]
    assert "no key" in place("status").out
    assert "- [ ] Task 1.1" in place.plan.read_text()
    place.play()
    assert place.waiting() == "run-1.1-1"


def test_a_scenario_that_does_not_exist_is_named(place):
    place.project()
    place.environment["DEVLOOP_SCENARIO"] = str(place.tmp / "none.json")
    refused = place("run", "1.1", "--json")
    assert refused.code == 2 and "No such file" in refused.error["message"]
    assert "DEVLOOP_SCENARIO" in refused.error["hint"]


def test_a_wrong_call_is_one_json_object_too(place):
    place.project(trusted=False)
    for call in (("run",), ("nothing",), ("run", "1.1", "--decide", "x"), ("decide", "x")):
        wrong = place(*call, "--json")
        assert wrong.code == 2 and wrong.error["kind"] == "usage" and wrong.error["message"]
    assert place("run").code == 2


def test_following_a_decision_goes_past_the_checkpoint_it_answers(place):
    place.project()
    place.waiting()
    ended = place("decide", "commit", "--follow", "--json")
    assert ended.code == 0
    assert ended.json["run"]["outcome"] == "landed" and ended.json["checkpoint"] is None
    kept = place("explain", "1.1", "--json").json["evidence"]
    assert kept["decided"]["by"] == "person" and kept["decided"]["decision"] == "commit" and kept["decided"]["at"]
    assert kept["commit"] == place.git("rev-parse", "HEAD") and place.git("cat-file", "-t", kept["commit"]) == "commit"
    assert kept["gates"] and all(each["verdict"] == "pass" and each["exit_code"] == 0 for each in kept["gates"])
    told = place("explain", "1.1")
    assert told.code == 0 and f"as {kept['commit']}" in told.out and f"checked on {kept['checked']}" in told.out
    assert "exit code 0" in told.out and "accepted by a person (commit)" in told.out
    nothing = place("explain", "9.9")
    assert nothing.code == 1 and "The plan has no task 9.9, and none of that name was ever run." in nothing.out


def test_closed_streams_are_no_error(place):
    place.project(trusted=False)
    for closed in ("<&-", ">&-", "<&- >&- 2>&-"):
        done = subprocess.run(
            ["/bin/sh", "-c", f'exec "$0" "$@" {closed}', *PROGRAM, "status"],
            cwd=place.root,
            env=place.environment,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0 and b"Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["--version", "--help", "plan show", "plan show --json"])
def test_output_that_can_not_be_written_is_one_sentence(place, command):
    place.project(trusted=False)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*PROGRAM, *command.split()],
            cwd=place.root,
            env=place.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr == "devloop: the output could not be written: No space left on device.\n"


def test_no_home_and_no_locale_are_no_obstacle(place):
    place.project()
    poor = {"PATH": place.environment["PATH"], "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    poor |= {name: value for name, value in place.environment.items() if name.startswith("DEVLOOP_")}
    place.environment = poor
    assert place("plan", "show", program=PROGRAM).code == 0
    assert place("run", "1.1", "--decide", "commit", program=PROGRAM).code == 0


def test_on_windows_plans_can_be_read_and_the_rest_says_where_it_works(place, windows):
    place.project(trusted=False)
    assert place("--version", program=windows).out == f"devloop {__version__}\n"
    assert "Usage: devloop" in place("--help", program=windows).out
    assert "First thing" in place("plan", "show", ".devloop/plan.md", program=windows).out
    assert place("plan", "check", "--json", program=windows).json["errors"] == 0
    for command in (("run", "1.1"), ("doctor",), ("demo", "--yes", "--dir", "d")):
        refused = place(*command, program=windows)
        assert refused.code == 1
        assert "needs a Unix system" in refused.err and "WSL 2" in refused.err
    assert place("run", "1.1", "--json", program=windows).error["kind"] == "unavailable"
    assert not (place.root / "d").exists()
