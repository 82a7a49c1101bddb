"""The filter of system calls that a sandboxed command runs under (security §6.2): built once per process.

It closes what namespaces leave open: keyrings of the user, Unix sockets that lie in a mounted folder, and the parts of
the kernel in which ways out were found again and again. Without libseccomp commands run without it; the state stays
`on`, because the namespaces hold, and the doctor says what is missing.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from devloop import children

PROGRAM = Path(__file__).with_name("seccomp_program.py")
BUILD_S = 20.0
MAX_BYTES = 32 * 1024
"""A pipe takes as much without anybody reading."""

NO_LIBRARY = "sudo apt install libseccomp2` or `sudo dnf install libseccomp"


@dataclass(frozen=True)
class Filters:
    """Programs in the kernel's format, by what they allow: `""`, `"unix"`, `"net"`, `"unix net"`. Empty where none
    could be built; then `problem` says why and `fix` what to do about it."""

    programs: dict[str, bytes]
    problem: str = ""
    fix: str = ""

    def program(self, *, unix: bool, net: bool) -> bytes | None:
        return self.programs.get(" ".join(["unix"] * unix + ["net"] * net))


NONE = Filters({})
_built: list[Filters] = []


async def filters() -> Filters:
    """Those of this machine. What went wrong is not tried again."""
    if not _built:
        _built.append(await build())
    return _built[0]


async def build(interpreter: str = sys.executable) -> Filters:
    """Run the program that builds them, with nothing of this process's environment."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(interpreter, "-I", str(PROGRAM)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    except OSError as problem:
        return Filters({}, f"it could not be built: {problem.strerror}")
    try:
        said, _ = await asyncio.wait_for(process.communicate(), BUILD_S)
    except TimeoutError:
        children.kill(process)
        await process.wait()
        return Filters({}, "building it took too long")
    return _read(process.returncode, said)


def _read(code: int | None, said: bytes) -> Filters:
    if code == 3:
        return Filters({}, "libseccomp is not installed", f"Install libseccomp, e.g. `{NO_LIBRARY}`.")
    if code == 2:
        return Filters({}, "the package pyseccomp is not installed", "Install devloop-server again, with pyseccomp.")
    try:
        programs = {name: base64.b64decode(text) for name, text in json.loads(said).items()}
    except (ValueError, AttributeError):
        return Filters({}, f"it could not be built (exit code {code})", "Update libseccomp.")
    if not programs or not all(program and len(program) <= MAX_BYTES for program in programs.values()):
        return Filters({}, "what was built is no filter", "Update libseccomp.")
    return Filters(programs)


def pipe(program: bytes) -> int:
    """A descriptor to read `program` from, once. A command gets one of its own: readers share a place in a file."""
    read_fd, write_fd = os.pipe()
    try:
        os.write(write_fd, program)
    finally:
        os.close(write_fd)
    return read_fd
