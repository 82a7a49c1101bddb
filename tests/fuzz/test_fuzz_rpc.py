"""Whatever comes over a connection: it is answered as the protocol says or the connection ends, nobody else notices,
nothing is left behind, and no answer tells how devloop is built."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from devloop import rpc
from devloop.errors import DevloopError, Refused, from_json
from devloop.hello import hello
from devloop.lsp.pipe import frames
from support.fuzz import Part, is_long, parts
from support.rpc_inputs import body, editors, framed, odd, own, value
from support.workspaces import DEVLOOP, Workspace

SHARES = 8
CODES = {-32700, -32600, -32601, -32602, -32603, -32800, -32801, -32803, -32000, -32002}
PLAN = "# Plan: P\n\n## Phase 1: A\n\n- [ ] Task 1.1: a\n- [ ] Task 1.2: b [depends:1.1]\n\n## Progress Log\n"


def proper(message: Any) -> None:
    """An answer is one of JSON-RPC 2.0, and has no traceback and no path of ours in it."""
    assert isinstance(message, dict) and message["jsonrpc"] == "2.0", message
    if "method" in message:
        return
    assert ("result" in message) != ("error" in message), message
    if "error" in message:
        found = message["error"]
        assert found["code"] in CODES and isinstance(found["message"], str), message
        text = json.dumps(found)
        assert "Traceback" not in text and ".py" not in text and "site-packages" not in text, message


# Frames: two readers, one answer


@pytest.mark.parametrize("part", parts(2))
def test_both_readers_find_the_same_messages(part: Part, record_property: Any) -> None:
    loop = asyncio.new_event_loop()
    try:
        part.inputs("frames", 300, 100_000, record_property, lambda random: loop.run_until_complete(same(random)))
    finally:
        loop.close()


async def same(random: Random) -> None:
    data = b"".join(
        framed(random, body(random, odd(random, own(random, 1)) if random.random() < 0.3 else own(random, 1)))
        for _ in range(random.randint(1, 4))
    )
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice((0, 1, 5, 30))))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    reader = asyncio.StreamReader(limit=2**16)
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    source = iter([piece for piece in pieces if piece])
    held = b""

    def read(size: int) -> bytes:
        nonlocal held
        held = held or next(source, b"")
        given, held = held[:size], held[size:]
        return given

    assert await by_streams(reader) == by_blocking(frames.Frames(read))


async def by_streams(reader: asyncio.StreamReader) -> list[Any]:
    found: list[Any] = []
    while True:
        try:
            message = await rpc.read_message(reader)
        except rpc.BrokenBody:
            found.append("broken")
            continue
        except rpc.ProtocolError:
            return found
        if message is None:
            return found
        found.append(message)


def by_blocking(source: frames.Frames) -> list[Any]:
    found: list[Any] = []
    while True:
        try:
            data = source.next()
        except (frames.Broken, frames.Refused):
            return found
        if data is None:
            return found
        try:
            found.append(rpc.parse(data))
        except rpc.BrokenBody:
            found.append("broken")
            with pytest.raises(frames.Refused):
                frames.parse(data)
        else:
            with contextlib.suppress(frames.Refused):  # it looks at more than the other
                assert frames.parse(data) == found[-1]


# A peer


@pytest.mark.parametrize("part", parts(SHARES))
def test_a_peer_answers_every_request_once(part: Part, record_property: Any) -> None:
    def conversation(random: Random) -> None:
        asyncio.run(converse(random))

    part.inputs("conversations of 20 messages between peers", 15, 5_000, record_property, conversation)


async def converse(random: Random) -> None:
    async def fails(params: dict[str, Any]) -> Any:
        raise (Refused("No.", at=object()), RuntimeError("secret"), KeyError("x"), from_json({"kind": 3}))[
            params["n"] % 4
        ]

    async def waits(params: dict[str, Any]) -> Any:
        await asyncio.sleep(0.05)

    async def echo(params: dict[str, Any]) -> Any:
        return params

    async def unsent(params: dict[str, Any]) -> Any:
        return {"a": {1, 2}, "b": float("nan")}

    handlers = {"echo": echo, "fails": fails, "waits": waits, "unsent": unsent}
    ours, theirs = socket.socketpair()
    peer = rpc.Peer(*await asyncio.open_connection(sock=ours), handlers)
    serving = asyncio.create_task(peer.serve())
    asking = asyncio.create_task(peer.request("question", {}))
    reader, writer = await asyncio.open_connection(sock=theirs)
    wanted: set[Any] = set()
    for number in range(20):
        method = random.choice((*handlers, "none", "echo", "echo"))
        params = {"n": random.randrange(4), "x": value(random)}
        message: Any = {"jsonrpc": "2.0", "id": f"r{number}", "method": method, "params": params}
        if random.random() < 0.5:
            message = odd(random, message)
            data = body(random, message)
        else:
            data = json.dumps(message).encode()
            wanted.add(message["id"])
        writer.write(rpc_frame(data))
    for number in range(20):
        writer.write(
            rpc_frame(json.dumps({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": f"r{number}"}}))
        )
    writer.write(rpc_frame(json.dumps({"jsonrpc": "2.0", "id": "last", "method": "echo", "params": {}})))
    got: list[Any] = []
    async with asyncio.timeout(60):
        while "last" not in [each.get("id") for each in got] or not wanted <= {each.get("id") for each in got}:
            data = await rpc.read_message(reader)
            assert data is not None, "the connection ended"
            proper(data)
            got.append(data)
    numbers = [each["id"] for each in got if each.get("id") in wanted]
    assert len(numbers) == len(set(numbers))
    writer.close()
    await asyncio.wait_for(serving, 10)
    with contextlib.suppress(DevloopError):
        await asking  # answered by chance, or lost
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not peer._serving and not peer._waiting


def rpc_frame(data: bytes | str) -> bytes:
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return b"Content-Length: %d\r\n\r\n%s" % (len(data), data)


# The daemon


class Client:
    """A connection with blocking reads. `lsp`: as an editor."""

    def __init__(self, path: str, *, lsp: bool, root: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.frames = frames.Frames(self.socket.recv)
        params = {**hello("fuzz"), **({"protocol": "lsp"} if lsp else {})}
        self.send({"jsonrpc": "2.0", "id": "hello", "method": "devloop/hello", "params": params})
        assert self.until("hello")
        if lsp:
            asked = {"rootUri": root.as_uri(), "capabilities": {}, "processId": None}
            self.send({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": asked})
            assert "result" in self.until("init")
            self.send({"jsonrpc": "2.0", "method": "initialized", "params": {}})
            document = {"uri": (root / ".devloop/plan.md").as_uri(), "languageId": "devloop-plan", "version": 1}
            opened = {"textDocument": {**document, "text": PLAN}}
            self.send({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": opened})

    def send(self, message: Any) -> None:
        self.socket.sendall(rpc_frame(json.dumps(message)))

    def until(self, number: str) -> Any:
        while (data := self.frames.next()) is not None:
            message = json.loads(data)
            proper(message)
            assert message.get("error", {}).get("code") != rpc.INTERNAL_ERROR, message
            if message.get("id") == number and "method" not in message:
                return message
        raise AssertionError("the connection ended")

    def close(self) -> None:
        self.socket.close()


@pytest.fixture(scope="module")
def daemon():
    """A project served by a real daemon, and a client that only looks."""
    import subprocess

    workspace = Workspace(PLAN)
    subprocess.run([*DEVLOOP, "status"], cwd=workspace.root, env=workspace.environment, capture_output=True, check=True)
    found = workspace.daemon
    watcher = Client(found["socket"], lsp=False, root=workspace.root)
    yield workspace, found, watcher
    watcher.close()
    workspace.end()


def held(pid: int) -> tuple[int, int]:
    """Open files and resident kilobytes of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), kilobytes


MESSAGES = 25


@pytest.mark.slow
@pytest.mark.parametrize("part", parts(2))
def test_the_daemon_outlives_every_message_and_everybody_else_is_served(
    daemon: Any, part: Part, record_property: Any
) -> None:
    workspace, found, watcher = daemon
    pid, begin, slowest = found["pid"], held(found["pid"]), 0.0

    def connection(random: Random) -> None:
        nonlocal slowest
        lsp = random.random() < 0.5
        client = Client(found["socket"], lsp=lsp, root=workspace.root)
        uri = json.dumps((workspace.root / ".devloop/plan.md").as_uri())
        for number in range(MESSAGES):
            message: Any = editors(random, number) if lsp else own(random, number)
            if random.random() < 0.15:
                message = odd(random, message)
            if lsp and isinstance(message, dict) and message.get("method") in ("shutdown", "exit"):
                continue
            data = body(random, message).replace(b'"PLAN"', uri.encode())
            client.socket.sendall(rpc_frame(data))
        asked = time.monotonic()
        watcher.send({"jsonrpc": "2.0", "id": "w", "method": "devloop/plan", "params": {}})
        watcher.until("w")
        slowest = max(slowest, time.monotonic() - asked)
        if random.random() < 0.8:
            method = "devloop/plan"
            client.send({"jsonrpc": "2.0", "id": "last", "method": method, "params": {}})
            client.until("last")
        else:  # it leaves in the middle, perhaps of a message
            client.socket.sendall(framed(random, data)[: random.randrange(40)])
        client.close()

    part.inputs(f"connections of {MESSAGES} messages to a daemon", 8, 4_000, record_property, connection)
    assert workspace.daemon["pid"] == pid
    log = workspace.log
    assert "Traceback" not in log, log[log.index("Traceback") - 300 :][:3000]
    deadline = time.monotonic() + 20
    while (now := held(pid))[0] > begin[0] + 6 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert now[0] <= begin[0] + 6, (begin, now)
    assert now[1] <= begin[1] + 150_000, (begin, now)
    if is_long():
        record_property(
            "figure",
            f"daemon after the fuzzing: {now[1] // 1024} MiB ({begin[1] // 1024} before), "
            f"slowest answer to another client {slowest * 1000:.0f} ms",
        )
