"""Whether a sandbox really holds: tried, never assumed (security §6.2).

A probe runs inside and reports what it could do; the host looks whether it is true. That it can write where it may and
answers with a number only this run knows shows that it ran at all: a `bwrap` that silently does nothing fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from devloop.errors import SandboxMissing
from devloop.sandbox import limits, profile
from devloop.sandbox.bubblewrap import Bubblewrap
from devloop.sandbox.command import MIB, Command, Limits, Mount
from devloop.sandbox.toolchain import toolchain_mounts

WALL_S = 10.0
DEATH_S = 2.0
VIEW = Path("/devloop-canary")

PROBE = r"""
import glob, json, os, socket, sys
secret, port, view, outside, host_pid = json.loads(sys.argv[1])
said = {"secret": secret, "done": []}
def can(name, action):
    try:
        action()
    except OSError:
        return
    said["done"].append(name)
def connect():
    socket.create_connection(("127.0.0.1", port), 1).close()
def writable(path):
    if not os.access(path, os.W_OK):
        raise OSError
can("write inside", lambda: open(view + "/inside", "w").write(secret))
can("write outside", lambda: open(outside, "w").write("x"))
can("write to /usr", lambda: writable("/usr"))
can("write to /etc", lambda: writable("/etc"))
can("write through a link", lambda: open(view + "/link", "w").write("x"))
can("create what is masked", lambda: os.mkdir(view + "/masked/x"))
can("connect", connect)
can("see the host's processes", lambda: os.kill(host_pid, 0))
names = set()
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        names |= {item.split(b"=", 1)[0] for item in open(path, "rb").read().split(b"\0") if item}
    except OSError:
        pass
said["variables"] = sorted(name.decode("utf-8", "replace") for name in names)
print(json.dumps(said))
"""
ALLOWED = {"write inside"}
VARIABLES = {"PATH", "HOME", "PWD", "LC_CTYPE"}


async def try_out(backend: Bubblewrap) -> str | None:
    """None when the sandbox holds, else one sentence that says what is wrong with it."""
    try:
        return await _probe(backend) or await _children_die(backend)
    except SandboxMissing as problem:
        return problem.message
    except OSError as problem:
        return f"{backend.program} could not be started: {problem.strerror or problem}."


async def _probe(backend: Bubblewrap) -> str | None:
    with tempfile.TemporaryDirectory(prefix="devloop-canary-") as name:
        base = await asyncio.to_thread(Path(name).resolve)
        inside, outside = base / "inside", base / "outside"
        inside.mkdir()
        outside.write_text("untouched")
        (inside / "link").symlink_to(outside)
        secret = secrets.token_hex(16)
        async with _listener() as (port, connections):
            arguments = json.dumps([secret, port, str(VIEW), str(outside), os.getpid()])
            result = await backend.run(
                Command(
                    argv=(sys.executable, "-I", "-S", "-c", PROBE, arguments),
                    cwd=VIEW,
                    mounts=(Mount(inside, VIEW, write=True), *toolchain_mounts([Path(sys.executable)])),
                    masks=(VIEW / "masked",),
                    env={"PATH": "/usr/bin:/bin", "HOME": str(profile.DEFAULT_HOME)},
                    limits=Limits(wall_s=WALL_S, memory_bytes=512 * MIB, scratch_bytes=MIB),
                )
            )
        said = _last_line(result.output)
        if said is None or said.get("secret") != secret:
            return f"{backend.program} ran, but not the command it was given (exit code {result.exit_code})."
        done = set(said.get("done", [])) | ({"connect"} if connections else set())
        if outside.read_text() != "untouched":
            done.add("write outside")
        if escaped := sorted(done - ALLOWED):
            return f"{backend.program} does not hold: a command inside could {' and '.join(escaped)}."
        if leaked := set(said.get("variables", [])) - VARIABLES:
            return f"{backend.program} leaks environment variables into the sandbox, {sorted(leaked)[0]} for one."
        if not _wrote(inside, secret):
            return f"{backend.program} does not show a command the folder it should work in."
        if (inside / "masked").exists():
            return f"{backend.program} left a mount point behind."
        return None


async def _children_die(backend: Bubblewrap) -> str | None:
    """A child in a session of its own must end with bwrap: the pipe that it holds open closes."""
    read_fd, write_fd = os.pipe()
    command = Command(
        argv=("/bin/sh", "-c", "setsid sleep 30 & echo up; sleep 30"),
        cwd=Path("/"),
        env={"PATH": "/usr/bin:/bin"},
        limits=Limits(scratch_bytes=MIB),
    )
    argv = [*profile.arguments(command, []), "--", *limits.prefix(command.limits, processes=True), *command.argv]
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_fd, "rb", 0)
    )
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                str(backend.program), *argv, stdin=asyncio.subprocess.DEVNULL, stdout=write_fd, stderr=write_fd, env={}
            )
        finally:
            os.close(write_fd)
        try:
            first = await asyncio.wait_for(reader.readline(), WALL_S)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()
        if first != b"up\n":
            return f"{backend.program} did not run a command: {first.decode('utf-8', 'replace').strip()}."
        await asyncio.wait_for(reader.read(), DEATH_S)
        return None
    except TimeoutError:
        return f"{backend.program} leaves processes behind when it is killed."
    finally:
        transport.close()


@contextlib.asynccontextmanager
async def _listener() -> Any:
    """A live loopback port, and how often somebody connected."""
    connections: list[int] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], connections
    finally:
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
