"""Whether a sandbox really holds: tried, never assumed (security §6.2).

A probe runs inside and reports what it could do; the host looks whether it is true. That it can write where it may and
answers with a number only this run knows shows that it ran at all: a `bwrap` that silently does nothing fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import platform
import secrets
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from devloop import children
from devloop.errors import SandboxMissing
from devloop.sandbox import limits, profile
from devloop.sandbox.bubblewrap import Bubblewrap
from devloop.sandbox.command import MIB, Backend, Command, Limits, Mount
from devloop.sandbox.seccomp import Filters
from devloop.sandbox.toolchain import toolchain_mounts

WALL_S = 10.0
DEATH_S = 2.0
VIEW = Path("/devloop-canary")

PROBE = r"""
import ctypes, glob, json, os, socket, sys
secret, tcp, udp, sock, view, outside, host_pid = json.loads(sys.argv[1])
said = {"secret": secret, "done": []}
def can(name, action):
    try:
        action()
    except OSError:
        return
    said["done"].append(name)
def create(folder):
    path = folder + "/devloop-canary-" + secret
    open(path, "x").close()
    os.unlink(path)
def send():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(secret.encode(), ("127.0.0.1", udp))
    raise OSError  # it arrived, or not: the host knows
def speak():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(sock)
def keyring():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(%d, 0, -3, 0) < 0:  # KEYCTL_GET_KEYRING_ID of the session
        raise OSError
can("write inside", lambda: open(view + "/inside", "w").write(secret))
can("write outside", lambda: open(outside, "w").write("x"))
can("empty a file outside", lambda: os.truncate(outside, 0))
can("write to /usr", lambda: create("/usr"))
can("write to /etc", lambda: create("/etc"))
can("write through a link", lambda: open(view + "/link", "w").write("x"))
can("create what is masked", lambda: os.mkdir(view + "/masked/x"))
can("connect", lambda: socket.create_connection(("127.0.0.1", tcp), 1).close())
can("send", send)
can("connect to a Unix socket", speak)
can("see the host's processes", lambda: os.kill(host_pid, 0))
if %d:
    can("use the user's keyring", keyring)
names = set()
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        names |= {item.split(b"=", 1)[0] for item in open(path, "rb").read().split(b"\0") if item}
    except OSError:
        pass
said["variables"] = sorted(name.decode("utf-8", "replace") for name in names)
print(json.dumps(said))
"""
KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219}
VARIABLES = {"PATH", "HOME", "PWD", "LC_CTYPE"}
Trial = Callable[[], Awaitable[str | None]]


class Tried(Backend, Protocol):
    """`label`: how a sentence calls it. `filters`: the system calls that it refuses."""

    @property
    def label(self) -> str: ...

    @property
    def filters(self) -> Filters: ...


async def try_out(
    backend: Tried,
    *,
    allowed: Set[str] = frozenset(),
    variables: Set[str] | None = frozenset(),
    death: Trial | None = None,
) -> str | None:
    """None when the sandbox holds, else one sentence that says what is wrong with it.

    `allowed`: what a command may do there without being found out (a degraded backend says so), `variables` that it
    sees (None: it sees too many to tell, and starts with none of ours). `death`: whether children die with the
    sandbox; by default as for bubblewrap.
    """
    try:
        if death is None:
            assert isinstance(backend, Bubblewrap)
            death = functools.partial(_children_die, backend)
        seen = None if variables is None else VARIABLES | variables
        return await _probe(backend, {"write inside", *allowed}, seen) or await death()
    except SandboxMissing as problem:
        return problem.message
    except OSError as problem:
        return f"{backend.label} could not be started: {problem.strerror or problem}."


async def _probe(backend: Tried, allowed: Set[str], variables: Set[str] | None) -> str | None:
    with tempfile.TemporaryDirectory(prefix="devloop-canary-") as name:
        base = await asyncio.to_thread(Path(name).resolve)
        inside, outside = base / "inside", base / "outside"
        inside.mkdir()
        outside.write_text("untouched")
        (inside / "link").symlink_to(outside)
        secret = secrets.token_hex(16)
        view = VIEW if backend.remaps else inside
        filtered = KEYCTL.get(platform.machine()) if backend.filters.programs else None
        probe = PROBE % (filtered or 0, filtered is not None)
        async with _listeners(inside / "socket", secret) as heard:
            arguments = [secret, heard.tcp, heard.udp, f"{view}/socket", str(view), str(outside), os.getpid()]
            result = await backend.run(
                Command(
                    argv=(sys.executable, "-I", "-S", "-c", probe, json.dumps(arguments)),
                    cwd=view,
                    mounts=(Mount(inside, view, write=True), *toolchain_mounts([Path(sys.executable)])),
                    masks=(view / "masked",),
                    env={"PATH": "/usr/bin:/bin", "HOME": str(profile.DEFAULT_HOME)},
                    limits=Limits(wall_s=WALL_S, memory_bytes=512 * MIB, scratch_bytes=MIB),
                )
            )
            await heard.settle()
        said = _last_line(result.output)
        if said is None or said.get("secret") != secret:
            return f"{backend.label} ran, but not the command it was given (exit code {result.exit_code})."
        done = set(said.get("done", [])) | heard.done
        if not backend.filters.programs:
            done -= {"connect to a Unix socket"}  # it lies in the folder that is shown; only the filter stops that
        if outside.read_text() != "untouched":
            done.add("change a file outside")
        if escaped := sorted(done - allowed):
            return f"{backend.label} does not hold: a command inside could {' and '.join(escaped)}."
        if variables is not None and (leaked := set(said.get("variables", [])) - variables):
            return f"{backend.label} leaks environment variables into the sandbox, {sorted(leaked)[0]} for one."
        if not _wrote(inside, secret):
            return f"{backend.label} does not show a command the folder it should work in."
        if (inside / "masked").exists():
            return f"{backend.label} left a mount point behind."
        return None


async def _children_die(backend: Bubblewrap) -> str | None:
    """A child in a session of its own must end with bwrap."""
    command = Command(
        argv=("/bin/sh", "-c", CHILD),
        cwd=Path("/"),
        env={"PATH": "/usr/bin:/bin"},
        limits=Limits(scratch_bytes=MIB),
    )
    argv = [*profile.arguments(command, []), "--", *limits.prefix(command.limits, processes=True), *command.argv]
    return await dies_with(backend.label, [str(backend.program), *argv])


CHILD = "setsid sleep 30 & echo up; sleep 30"


async def dies_with(label: str, argv: Sequence[str], pass_fds: Sequence[int] = ()) -> str | None:
    """Whether what `argv` starts, `CHILD`, ends when `argv`'s own process is killed: the pipe it holds open closes."""
    read_fd, write_fd = os.pipe()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_fd, "rb", 0)
    )
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=asyncio.subprocess.DEVNULL, stdout=write_fd, stderr=write_fd, env={}, pass_fds=pass_fds
            )
        finally:
            os.close(write_fd)
        try:
            first = await asyncio.wait_for(reader.readline(), WALL_S)
        finally:
            children.kill(process)
            await process.wait()
        if first != b"up\n":
            return f"{label} did not run a command: {first.decode('utf-8', 'replace').strip()}."
        await asyncio.wait_for(reader.read(), DEATH_S)
        return None
    except TimeoutError:
        return f"{label} leaves processes behind when it is killed."
    finally:
        transport.close()


@dataclass
class _Heard:
    """Live ports of the host, and who was heard there."""

    tcp: int
    udp: int
    done: set[str] = field(default_factory=set)

    async def settle(self) -> None:
        """What was sent before now has arrived: a datagram of our own comes after it."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
                own.sendto(b"end", ("127.0.0.1", self.udp))
        except OSError:
            return  # a machine without network, its own included: nothing can have been sent
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), 1)

    def __post_init__(self) -> None:
        self._ended = asyncio.Event()

    def datagram(self, data: bytes, secret: str) -> None:
        if data == secret.encode():
            self.done.add("send")
        else:
            self._ended.set()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, _: Any) -> None:
        self._take(data)


@contextlib.asynccontextmanager
async def _listeners(path: Path, secret: str) -> AsyncIterator[_Heard]:
    """A TCP port, a UDP port and a Unix socket that somebody listens at."""
    heard: _Heard

    def accepting(name: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.done.add(name)
            writer.close()

        return accept

    loop = asyncio.get_running_loop()
    tcp = await asyncio.start_server(accepting("connect"), "127.0.0.1", 0)
    unix = await asyncio.start_unix_server(accepting("connect to a Unix socket"), path)
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Datagrams(lambda data: heard.datagram(data, secret)), ("127.0.0.1", 0)
    )
    heard = _Heard(tcp.sockets[0].getsockname()[1], transport.get_extra_info("sockname")[1])
    try:
        yield heard
    finally:
        transport.close()
        for server in (tcp, unix):
            server.close()
            await server.wait_closed()


def _last_line(output: str) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError, IndexError):
        said = json.loads(output.strip().splitlines()[-1])
        return said if isinstance(said, dict) else None
    return None


def _wrote(inside: Path, secret: str) -> bool:
    with contextlib.suppress(OSError):
        return (inside / "inside").read_text() == secret
    return False
