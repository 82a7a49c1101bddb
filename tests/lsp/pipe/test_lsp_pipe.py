"""The editor's process from start to end: what it loads, what it answers itself, what it passes on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from devloop import __version__
from devloop.files import held_lock
from devloop.lsp.pipe import initialize
from devloop.lsp.pipe.pending import Pending
from devloop.paths import StateDir
from support.pipes import Program, shut_down

ENTRY = [sys.executable, "-m", "devloop.cli.entry"]


def test_only_the_standard_library_is_loaded_before_the_answer(project):
    code = (
        "import os, sys; before = set(sys.modules); write = os.write\n"
        "def spy(number, data):\n"
        "    if number == 1:\n"
        "        new = sorted(set(sys.modules) - before)\n"
        "        write(2, repr(new).encode())\n"
        "        os._exit(0)\n"
        "    return write(number, data)\n"
        "os.write = spy; sys.argv = ['devloop', 'lsp']\n"
        "from devloop.cli.entry import main\nmain()"
    )
    program = Program([sys.executable, "-c", code], cwd=project)
    program.ask("initialize", {"capabilities": {}})
    assert program.exit_code() == 0
    loaded = eval(program.errors)
    program.close()
    ours = {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names}
    assert ours == {
        *("devloop", "devloop.cli", "devloop.cli.entry"),
        *(
            "devloop.lsp",
            "devloop.lsp.pipe",
            "devloop.lsp.pipe.capabilities",
            "devloop.lsp.pipe.frames",
            "devloop.lsp.pipe.initialize",
            "devloop.lsp.pipe.stdio",
        ),
    }
    slow = {"asyncio", "typing", "argparse", "logging", "threading", "socket", "subprocess", "pathlib", "dataclasses"}
    assert not slow & set(loaded)


def test_initialize_is_answered_without_a_daemon_and_passed_on_as_it_was_sent(start, daemons):
    editor = start()
    given = {
        "processId": None,
        "rootUri": None,
        "initializationOptions": {"a": [1, "ü\u2028"]},
        "capabilities": {"general": {"positionEncodings": ["utf-8", "utf-16"]}},
        "clientInfo": {"name": "Test editor"},
    }
    result = editor.initialize(**given)
    assert result["serverInfo"] == {"name": "devloop", "version": __version__}
    assert result == initialize.answer(given)
    told = daemons.until(lambda: [m for m in daemons.record() if m["method"] == "initialize"])
    assert told[0]["params"] == given
    hello = [m for m in daemons.record() if m["method"] == "devloop/hello"][-1]["params"]
    assert (hello["client"], hello["protocol"], hello["version"]) == ("Test editor", "lsp", __version__)
    assert editor.request("echo")["result"] == {}
    assert [m for m in editor.got if "result" in m] == []  # the daemon's own answer was swallowed
    assert editor.notified("window/logMessage")["params"]["message"] == "before the answer"


def test_messages_before_the_daemon_is_there_reach_it_in_order(start, daemons):
    editor = start()
    editor.initialize()
    editor.notify("initialized")
    for number in range(50):
        editor.notify("note", {"number": number})
    assert editor.request("echo", {"last": True})["result"] == {"last": True}
    told = daemons.told(daemons.announced.pid)
    assert [m["method"] for m in told[:2]] == ["initialize", "initialized"]
    assert [m["params"]["number"] for m in told if m["method"] == "note"] == list(range(50))


def test_large_messages_pass_both_ways_unchanged(editor):
    text = "ü😀\u2028\n" * 300_000
    assert editor.request("echo", {"text": text})["result"] == {"text": text}
    editor.request("flood", {"count": 2000, "size": 500})
    drops = [m["params"]["count"] for m in editor.got if m.get("method") == "drop"]
    assert drops == list(range(2000))


def test_two_editors_share_one_daemon_and_leave_alone(editor, start, daemons):
    other = start()
    other.initialize()
    assert other.request("echo", {"other": 1})["result"] == {"other": 1}
    other.process.kill()
    other.process.wait(10)
    assert editor.request("echo", {"n": 2})["result"] == {"n": 2}
    assert len({m["pid"] for m in daemons.record()}) == 1


def test_shutdown_and_exit_end_it_with_0_and_the_daemon_hears_both(editor, daemons):
    assert shut_down(editor) == 0
    daemons.until(lambda: daemons.record()[-1]["method"] == "(gone)")
    assert [m["method"] for m in daemons.record()[-3:-1]] == ["shutdown", "exit"]


def test_exit_without_shutdown_ends_it_with_1(editor):
    editor.notify("exit")
    assert editor.exit_code() == 1


def test_exit_before_initialize_ends_it_with_1(start):
    editor = start()
    editor.notify("exit")
    assert editor.exit_code() == 1


def test_shutdown_is_answered_before_there_is_a_daemon(start, project):
    with held_lock(StateDir.of(project).make().daemon_lock):  # no daemon can come up
        editor = start()
        editor.initialize()
        waiting = editor.ask("echo")
        assert shut_down(editor) == 0
    assert editor.got[0]["id"] == waiting
    assert editor.got[0]["error"]["code"] == -32803


def test_the_end_of_input_is_a_quiet_leave(editor, daemons):
    editor.hang_up()
    assert editor.exit_code() == 0
    assert editor.errors == ""
    daemons.until(lambda: daemons.record()[-1]["method"] == "(gone)")


def test_an_editor_that_does_not_read_any_more_is_left_quietly(editor):
    """A read that was under way when the stream was closed still gets an answer; nothing after it does."""
    editor.process.stdout.close()
    for number in range(99, 120):
        with contextlib.suppress(BrokenPipeError):
            editor.send(id=number, method="echo", params={})
        with contextlib.suppress(subprocess.TimeoutExpired):
            editor.process.wait(1)
            break
    assert editor.process.returncode == 0
    assert editor.errors == ""


def test_it_leaves_when_the_process_of_the_editor_is_gone(start):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    editor = start()
    editor.initialize(processId=other.pid)
    assert editor.request("echo")["result"] == {}
    other.communicate()
    assert editor.exit_code() == 0
    assert editor.errors == ""


def test_a_process_id_that_never_lived_here_ends_nothing(start):
    """An editor in another container names a process that does not exist on this side."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    editor = start()
    editor.initialize(processId=gone.pid)
    assert editor.request("echo")["result"] == {}
    assert not [each for each in os.listdir(f"/proc/{editor.process.pid}/task") if editor_thread(editor, each)]


def editor_thread(editor, task):
    with open(f"/proc/{editor.process.pid}/task/{task}/comm") as stream:
        return stream.read().strip() == "editor"


def test_requests_before_initialize_and_after_shutdown_get_the_protocols_errors(start):
    editor = start()
    editor.notify("textDocument/didOpen", {"textDocument": {}})
    assert editor.request("textDocument/hover")["error"]["code"] == -32002
    editor.initialize()
    assert editor.request("initialize", {"capabilities": {}})["error"]["code"] == -32600
    assert editor.request("echo")["result"] == {}
    assert editor.request("shutdown")["result"] is None
    assert editor.request("echo")["error"]["code"] == -32600
    editor.notify("exit")
    assert editor.exit_code() == 0


def test_initialize_without_params_is_refused_and_may_be_tried_again(start):
    editor = start()
    editor.send(id="x", method="initialize")
    assert editor.answer("x")["error"]["code"] == -32602
    assert "capabilities" in editor.initialize()


@pytest.mark.parametrize("way", ["argument", "workspaceFolders", "rootUri", "rootPath", "folder without a project"])
def test_the_workspace_is_found(way, start, daemons, project, short_tmp):
    away, inner = short_tmp / "a way", project / "src"
    away.mkdir()
    inner.mkdir()
    arguments, given = (), {}
    if way == "argument":
        arguments = ("--root", str(project))
    elif way == "workspaceFolders":
        given["workspaceFolders"] = [{"uri": folder.as_uri(), "name": "f"} for folder in (away, inner)]
    elif way == "rootUri":
        given["rootUri"] = inner.as_uri()
    elif way == "rootPath":
        given["rootPath"] = str(inner)
    else:
        given["rootUri"] = away.as_uri()
        daemons.root = away
    editor = start(*arguments, cwd=short_tmp)
    editor.initialize(**given)
    assert editor.request("echo")["result"] == {}
    assert daemons.announced is not None
    daemons.end()


def test_the_program_itself_answers_and_takes_the_arguments_of_editors(project, short_tmp):
    for arguments in (["lsp"], ["lsp", "--stdio"], ["lsp", f"--root={project}"], ["--root", str(project), "lsp"]):
        program = Program([*ENTRY, *arguments], cwd=short_tmp)
        assert program.initialize()["serverInfo"]["name"] == "devloop"
        program.process.send_signal(signal.SIGKILL)
        program.close()


@pytest.mark.parametrize(
    "arguments",
    [["lsp", "--root", "nowhere"], ["lsp", "--port", "1"], ["lsp", "--tcp", "--stdio"], ["lsp", "--what"]],
    ids=" ".join,
)
def test_a_wrong_call_is_told(arguments, project):
    done = subprocess.run([*ENTRY, *arguments], cwd=project, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_help_knows_it_with_examples(project):
    def helped(*arguments):
        done = subprocess.run([*ENTRY, *arguments, "--help"], cwd=project, capture_output=True, text=True)
        assert done.returncode == 0
        return done.stdout

    assert "lsp" in helped().split()
    assert "devloop lsp --tcp" in helped("lsp").partition("Examples")[2]


def test_the_first_bytes_of_a_daemons_message_tell_what_it_is():
    """As `rpc.encode` writes them; anything else is read whole, with the same answer."""

    def note(message, **spaces):
        return Pending().from_daemon(json.dumps(message, **spaces).encode())

    for spaces in ({"separators": (",", ":")}, {}):
        for number in (0, -7, 10**12, "a", 'a","method":"b', "😀\\", ""):
            assert note({"jsonrpc": "2.0", "id": number, "result": {"method": "x"}}, **spaces) == number
            assert note({"jsonrpc": "2.0", "id": number, "error": {"code": 1, "message": ""}}, **spaces) == number
            assert note({"jsonrpc": "2.0", "id": number, "method": "x", "params": {}}, **spaces) is None
        assert note({"id": 5, "result": None, "jsonrpc": "2.0"}, **spaces) == 5
        assert note({"jsonrpc": "2.0", "method": "x", "params": {"id": 1}}, **spaces) is None
        assert note({"jsonrpc": "2.0", "id": None, "error": {}}, **spaces) is None
