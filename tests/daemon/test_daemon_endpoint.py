"""Who may come in, and by which door (security §12): the folder, the socket, the other end, the first message."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.daemon import sessions
from devloop.daemon.connect import connect
from devloop.daemon.endpoint import announced
from devloop.errors import Refused, Unavailable
from devloop.paths import StateDir, state_root
from devloop.rpc import encode, read_message

root_only = pytest.mark.skipif(os.getuid() != 0, reason="only the superuser can become somebody else")
LISTEN = """
import os, sys
from pathlib import Path
from devloop.daemon import endpoint
from devloop.paths import StateDir
os.umask(0)
state = StateDir.of(Path(sys.argv[1])).make()
bound = endpoint.listen(state)
bound.listen()
endpoint.announce(state, bound, "1")
for path in (state.path.parent.parent, state.path.parent, state.path, state.logs, Path(bound.getsockname()).parent,
             Path(bound.getsockname()), state.daemon_file):
    print(oct(path.stat().st_mode & 0o777))
"""


@pytest.mark.parametrize("long", [False, True])
def test_with_no_umask_at_all_nobody_else_gets_in(project, short_tmp, long):
    environment = {**os.environ, "DEVLOOP_STATE_DIR": str(short_tmp / ("s" * (90 if long else 1)))}
    done = subprocess.run(
        [sys.executable, "-c", LISTEN, str(project)], env=environment, capture_output=True, text=True, timeout=30
    )
    assert done.stdout.split() == ["0o700"] * 5 + ["0o600", "0o600"], done.stderr


def test_a_loose_state_directory_is_closed(project):
    folder = StateDir.of(project).make().path
    for each in (folder, folder.parent, state_root()):
        each.chmod(0o777)
    StateDir.of(project).make()
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent, state_root())] == [
        0o700,
        0o755,
        0o755,
    ]


@root_only
@pytest.mark.parametrize("what", ["folder", "parent", "link"])
async def test_a_state_directory_of_somebody_else_is_not_used(project, short_tmp, what):
    """Its owner could exchange the socket, and would be told the key."""
    folder = StateDir.of(project).path
    theirs = folder.parent if what == "parent" else folder
    if what == "link":
        theirs.parent.mkdir(parents=True)
        (short_tmp / "theirs").mkdir()
        theirs.symlink_to(short_tmp / "theirs")
    else:
        theirs.mkdir(parents=True)
    os.chown(theirs, 65534, 65534, follow_symlinks=False)
    with pytest.raises(Refused, match="belongs to another user"):
        await connect(project, deadline_s=1, command=["true"])
    assert announced(StateDir.of(project)) is None


STRANGER = """
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
s.listen()
os.setuid(65534)
s2 = socket.socket(socket.AF_UNIX)
s2.bind(sys.argv[1] + "2")
s2.listen()
print(os.getpid(), flush=True)
while True:
    c, _ = s2.accept()
    print(c.recv(100_000) or b"nothing", flush=True)
"""


@root_only
@pytest.mark.parametrize("way", ["terminal", "editor"])
async def test_a_stranger_who_listens_where_the_daemon_was_is_told_no_key(project, state, short_tmp, monkeypatch, way):
    """A short socket's folder is among temporary files, which are swept; the name stands in `daemon.json` still."""
    secret = "sk-test-" + "a1b2c3d4" * 4
    monkeypatch.setenv("ANTHROPIC_API_KEY", secret)
    place = short_tmp / "devloop-x"
    place.mkdir()
    for each in (place, short_tmp):
        each.chmod(0o777)
    stranger = subprocess.Popen([sys.executable, "-c", STRANGER, str(place / "s")], stdout=subprocess.PIPE, text=True)
    assert stranger.stdout.readline()
    entry = {"pid": stranger.pid, "socket": str(place / "s2"), "version": "1", "started": 1.0}
    state.daemon_file.write_text(json.dumps(entry))
    try:
        if way == "terminal":
            with pytest.raises(Unavailable):
                await connect(project, deadline_s=1, command=["true"])
        else:
            from devloop.lsp.pipe import dial

            assert await asyncio.to_thread(dial._try, state, "test") is None
        heard = await asyncio.to_thread(stranger.stdout.readline)
    finally:
        stranger.kill()
        stranger.wait()
        stranger.stdout.close()
    assert heard == "b'nothing'\n"


async def door(state):
    return await asyncio.open_unix_connection(str(announced(state).socket))


def message(method, params=None, number=1):
    return encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}})


async def test_nothing_is_done_for_a_connection_that_did_not_say_hello(dial, state, project):
    peer = await dial()
    plan = project / ".devloop" / "plan.md"
    before = plan.read_text()
    for first in (
        message("devloop/status"),
        message("devloop/stop", {"force": True}),
        message("devloop/mark", {"task": "1.1", "status": "complete"}),
        encode({"jsonrpc": "2.0", "method": "devloop/hello", "params": {}}),  # nobody would hear the answer
        encode({"jsonrpc": "2.0", "id": None, "method": "devloop/hello", "params": {}}),
        encode({"jsonrpc": "2.0", "id": 1, "result": {}}),
    ):
        reader, writer = await door(state)
        writer.write(first + message("devloop/stop", {"force": True}, 2))
        async with asyncio.timeout(10):
            answer = await read_message(reader)
            assert answer["error"]["code"] == -32600, answer
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert (await peer.request("devloop/status"))["daemon"]["pid"] == peer.hello["pid"]
    assert plan.read_text() == before
    await peer.close()


async def test_a_first_message_is_small_and_soon(dial, state):
    peer = await dial()
    reader, writer = await door(state)
    writer.write(b"Content-Length: %d\r\n\r\n" % (sessions.MAX_FIRST + 1) + b" " * 100)
    async with asyncio.timeout(5):
        assert "error" in (await read_message(reader))
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    await peer.close()


class Crowd:
    """The daemon's door in this process, so that patience and places can be short."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sessions = sessions.Sessions(lambda _: {"devloop/hello": self.hello, "wait": self.wait}, lambda _: None)
        self.made: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def hello(self, params):
        return {"version": "1"}

    async def wait(self, params):
        await asyncio.sleep(3600)

    async def __aenter__(self):
        self.server = await asyncio.start_unix_server(self.sessions.accept, self.path)
        return self

    async def connect(self):
        self.made.append(await asyncio.open_unix_connection(self.path))
        return self.made[-1]

    async def __aexit__(self, *_):
        self.server.close()
        await self.sessions.close()
        for _, writer in self.made:
            writer.transport.abort()


async def ends(reader):
    async with asyncio.timeout(5):
        try:
            while await read_message(reader) is not None:
                pass
        except OSError:
            return True
    return True


async def test_connections_that_say_nothing_keep_nobody_out_for_long(short_tmp, monkeypatch):
    monkeypatch.setattr(sessions, "MAX_STRANGERS", 3)
    monkeypatch.setattr(sessions, "FIRST_MESSAGE_S", 0.4)
    async with Crowd(short_tmp / "c") as crowd:
        silent = [await crowd.connect() for _ in range(3)]
        for number, (_, writer) in enumerate(silent):
            writer.write(b"Content-Length: 100\r\n\r\n{"[: 5 * number])
        reader, _ = await crowd.connect()
        assert await ends(reader)  # no place
        for reader, _ in silent:
            assert await ends(reader)
        reader, writer = await crowd.connect()
        writer.write(message("devloop/hello"))
        assert (await read_message(reader))["result"] == {"version": "1"}


async def test_there_are_so_many_places_and_no_more(short_tmp, monkeypatch):
    monkeypatch.setattr(sessions, "MAX_CLIENTS", 3)
    async with Crowd(short_tmp / "c") as crowd:
        for _ in range(3):
            reader, writer = await crowd.connect()
            writer.write(message("devloop/hello"))
            assert "result" in await read_message(reader)
        last, _ = await crowd.connect()
        assert await ends(last)
        assert len(crowd.sessions) == 3


async def test_one_client_has_so_many_requests_at_once_and_each_by_its_own_name(short_tmp, monkeypatch):
    monkeypatch.setattr("devloop.rpc.MAX_SERVING", 3)
    async with Crowd(short_tmp / "c") as crowd:
        reader, writer = await crowd.connect()
        writer.write(message("devloop/hello"))
        assert "result" in await read_message(reader)
        for number in (2, 3, 2, 4, 5):
            writer.write(message("wait", number=number))
        async with asyncio.timeout(10):
            refused = [(await read_message(reader)) for _ in range(2)]
        assert [(each["id"], each["error"]["code"]) for each in refused] == [(2, -32600), (5, -32600)]
        writer.write(encode({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": True}}))
        writer.write(encode({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": [2]}}))
        for number in (2, 3, 4):
            writer.write(encode({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": number}}))
        async with asyncio.timeout(10):
            assert [(await read_message(reader))["id"] for _ in range(3)] == [2, 3, 4]
