"""Caps that the kernel enforces on each process, set by a small program that then becomes the command.

`preexec_fn` is unsafe with threads, and setting limits from outside after the start leaves a gap: so `prlimit(1)` of
util-linux, or the shell's `ulimit` where it is missing, runs first and executes the command in its place.
"""

from __future__ import annotations

import functools
import math
import sys
from pathlib import Path

from devloop.sandbox.command import Limits

PRLIMIT = ("/usr/bin/prlimit", "/bin/prlimit")

# name for prlimit(1), name in `resource`, option of the shell's ulimit, unit of that option
_OPTIONS = (
    ("cpu", "RLIMIT_CPU", "t", 1),
    ("data", "RLIMIT_DATA", "d", 1024),
    ("nproc", "RLIMIT_NPROC", "", 1),
    ("fsize", "RLIMIT_FSIZE", "f", 512),
    ("nofile", "RLIMIT_NOFILE", "n", 1),
    ("core", "RLIMIT_CORE", "c", 512),
)


def prefix(limits: Limits, *, processes: bool) -> list[str]:
    """The words to put before a command so that it runs within `limits`.

    `processes` only where the kernel counts this command alone (a user namespace of its own): elsewhere the count is
    of everything the person runs. Limits never exceed what this process may give (`setrlimit` would fail).
    """
    wanted: dict[str, int | float | None] = {
        "cpu": limits.cpu_s,
        "data": limits.memory_bytes,
        "nproc": limits.processes if processes else None,
        "fsize": limits.file_bytes,
        "nofile": limits.open_files,
        "core": 0,
    }
    values = {name: _within_hard(resource, wanted[name]) for name, resource, _, _ in _OPTIONS}
    program = _prlimit()
    if program:
        return [program, *(f"--{name}={value}" for name, value in values.items() if value is not None), "--"]
    return ["/bin/sh", "-c", _ulimits(values) + 'exec "$@"', "sh"]


@functools.cache
def _prlimit() -> str | None:
    return next((path for path in PRLIMIT if Path(path).is_file()), None)


def _within_hard(name: str, wanted: float | None) -> int | None:
    if wanted is None or sys.platform == "win32":
        return None
    import resource

    hard = resource.getrlimit(getattr(resource, name))[1]
    value = math.ceil(wanted)
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _ulimits(values: dict[str, int | None]) -> str:
    parts = [
        f"ulimit -{option} {-(-value // unit) if value else 0}; "
        for name, _, option, unit in _OPTIONS
        if option and (value := values[name]) is not None
    ]
    if values["nproc"] is not None:  # dash and busybox call it -p, bash -u
        parts.append(f"ulimit -p {values['nproc']} 2>/dev/null || ulimit -u {values['nproc']}; ")
    return "".join(parts)
