"""Editors over loopback, each with the token."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from devloop.lsp.pipe import frames, tcp
from support.pipes import Wire

PIPE = [sys.executable, str(Path(__file__).parent / "fake" / "pipe.py")]


class Dialed(Wire):
    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=20)
        super().__init__(self.socket.recv, self.socket.sendall)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.wait_end()
        self.socket.close()


@pytest.fixture
def listener(project, daemons):
    """The program with --tcp as a process: what it printed."""
    process = subprocess.Popen([*PIPE, "--tcp"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=project)
    said = json.loads(process.stdout.readline())
    said["process"] = process
    yield said
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    assert process.stdout.read() == b""
    errors = process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    assert errors == b""


@pytest.fixture
def dial(listener):
    opened = []

    def one():
        opened.append(Dialed(listener["port"]))
        return opened[-1]

    yield one
    for each in opened:
        each.close()


def test_an_editor_with_the_token_is_served_like_any_other(listener, dial, daemons):
    editor = dial()
    result = editor.initialize(initializationOptions={"token": listener["token"], "other": 1})
    assert result["serverInfo"]["name"] == "devloop"
    assert editor.request("echo", {"n": 1})["result"] == {"n": 1}
    told = next(m for m in daemons.record() if m["method"] == "initialize")
    assert told["params"]["initializationOptions"] == {"other": 1}  # the token goes no further
    assert editor.request("shutdown")["result"] is None
    editor.notify("exit")
    editor.wait_end()
    assert listener["process"].poll() is None


def test_several_editors_at_once_get_their_own_answers_and_leave_alone(listener, dial):
    editors = [dial() for _ in range(5)]
    for each in editors:
        each.initialize(initializationOptions={"token": listener["token"]})
    asked = [(each, each.ask("echo", {"n": number})) for number, each in enumerate(editors)]
    for number, (each, waiting) in enumerate(asked):
        assert each.answer(waiting)["result"] == {"n": number}
    editors[0].raw(b"Content-Length: 10\r\n\r\n{")
    editors[0].close()
    editors[1].raw(b"nonsense\n")
    editors[1].wait_end()
    assert editors[2].request("echo", {"n": 2})["result"] == {"n": 2}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"initializationOptions": None},
        *({"initializationOptions": {"token": t}} for t in ("", "x", 7, None, "\ud800")),
    ],
    ids=repr,
)
def test_without_the_token_it_is_refused_and_closed(dial, daemons, params):
    editor = dial()
    number = editor.ask("initialize", {"capabilities": {}, **params})
    assert editor.answer(number)["error"]["code"] == -32600
    editor.wait_end()
    assert daemons.record() == []


@pytest.mark.parametrize("first", ["request", "notification", "no message", "http", "too much"])
def test_nothing_is_done_before_the_token_was_shown(listener, dial, daemons, first):
    editor = dial()
    initialize = {"jsonrpc": "2.0", "id": 2, "method": "initialize"}
    initialize["params"] = {"capabilities": {}, "initializationOptions": {"token": listener["token"]}}
    data = {
        "request": frames.encode({"jsonrpc": "2.0", "id": 1, "method": "echo", "params": {}}),
        "notification": frames.encode({"jsonrpc": "2.0", "method": "exit"}),
        "no message": frames.framed(b"{"),
        "http": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        "too much": b"Content-Length: 2000000\r\n\r\n" + b" " * 2_000_000,
    }[first]
    with contextlib.suppress(OSError):
        editor.raw(data)
        editor.raw(frames.encode(initialize))
    editor.wait_end()
    assert [m for m in editor.got if "result" in m] == []
    assert daemons.record() == []


@pytest.mark.parametrize("line", ["POST /a:b HTTP/1.1", "PUT http://localhost/ HTTP/1.1", "GET /:8 HTTP/1.1"])
def test_what_a_page_in_a_browser_can_send_is_no_message(listener, dial, daemons, line):
    """Whatever host and origin it is made to name, and even if it had the token: HTTP is not spoken here."""
    initialize = {"jsonrpc": "2.0", "id": 2, "method": "initialize"}
    initialize["params"] = {"capabilities": {}, "initializationOptions": {"token": listener["token"]}}
    body = json.dumps(initialize)
    head = f"{line}\r\nHost: localhost:{listener['port']}\r\nOrigin: null\r\nContent-Length: {len(body)}\r\n\r\n"
    editor = dial()
    with contextlib.suppress(OSError):
        editor.raw((head + body).encode())
    editor.wait_end()
    assert [m for m in editor.got if "result" in m] == []
    assert daemons.record() == []


def test_it_listens_on_loopback_only(listener):
    assert listener["host"] == "127.0.0.1"
    listening = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()
    ]
    port = f":{listener['port']:04X}"
    assert [row[1] for row in listening if row[1].endswith(port) and row[3] == "0A"] == [f"0100007F{port}"]


def test_strangers_are_bounded_in_number_and_time(monkeypatch, project):
    monkeypatch.setattr(tcp, "MAX_STRANGERS", 2)
    monkeypatch.setattr(tcp, "ADMISSION_S", 0.3)
    listener = tcp.Listener(root=str(project))
    thread = threading.Thread(target=listener.serve, daemon=True)
    thread.start()
    silent = [Dialed(listener.port) for _ in range(2)]
    third = Dialed(listener.port)
    third.wait_end(5)  # no place for it
    for each in silent:
        each.raw(b"Content-")
        each.wait_end(5)
    late = Dialed(listener.port)
    assert late.initialize(initializationOptions={"token": listener.token})["serverInfo"]
    for each in (*silent, third, late):
        each.close()
    listener.close()


def test_a_port_in_use_is_told(listener, project):
    command = [sys.executable, "-m", "devloop.cli.entry", "lsp", "--tcp", "--port", str(listener["port"])]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("devloop lsp: 127.0.0.1:")
    assert len(done.stderr.splitlines()) == 1
