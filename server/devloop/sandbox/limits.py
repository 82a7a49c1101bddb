"""Caps that the kernel enforces on each process, set by a shell that then becomes the command.

`preexec_fn` is unsafe with threads, and setting limits from outside after the start leaves a gap. So `/bin/sh` sets
them (`ulimit` of dash, bash and busybox) and executes the command in its place. It also is the door of a sandbox: with
`door` it says `READY` first and waits for a line on its input. Whoever started it and died meanwhile never answers, and
then the command does not start: bwrap's promise to die with its parent begins only some milliseconds after its start.
"""

from __future__ import annotations

import math
import sys
from typing import Literal

from devloop.sandbox.command import Limits

READY = b"devloop:ready\n"
REFUSED = 125
"""Exit code when a limit could not be set or nobody opened the door; the command was not started."""

# name in `resource`, option of the shell's ulimit, its unit
_OPTIONS = (
    ("RLIMIT_CPU", "t", 1),
    ("RLIMIT_DATA", "d", 1024),
    ("RLIMIT_FSIZE", "f", 512),
    ("RLIMIT_NOFILE", "n", 1),
    ("RLIMIT_CORE", "c", 512),
)


_FIRST_TO_GO = "{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null"
"""When the machine runs out of memory all the same, the kernel ends commands before anything else."""


def prefix(limits: Limits, *, processes: bool, door: Literal["input", "no input"] | None = None) -> list[str]:
    """The words to put before a command so that it runs within `limits`.

    `processes` only where the kernel counts this command alone (a user namespace of its own): elsewhere the count is
    of everything the person runs. Limits never exceed what this process may give (`setrlimit` would fail).
    `door`: wait as described above; afterwards the command reads the rest of that input, or none.
    """
    wanted = {
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_DATA": limits.memory_bytes,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
    }
    lines = [
        f"ulimit -{option} {-(-value // unit)} || exit {REFUSED}"
        for name, option, unit in _OPTIONS
        if (value := _within_hard(name, wanted[name])) is not None
    ]
    if processes and (count := _within_hard("RLIMIT_NPROC", limits.processes)) is not None:
        # dash and busybox call it -p, bash -u
        lines.append(f"ulimit -p {count} 2>/dev/null || ulimit -u {count} || exit {REFUSED}")
    lines.append(_FIRST_TO_GO)
    if door is not None:
        lines.append(f"echo {READY.decode().strip()}; read -r go || exit {REFUSED}; unset go")
    lines.append('exec "$@"' + (" </dev/null" if door == "no input" else ""))
    return ["/bin/sh", "-c", "; ".join(lines), "sh"]


def _within_hard(name: str, wanted: float | None) -> int | None:
    if wanted is None or sys.platform == "win32":
        return None
    import resource

    hard = resource.getrlimit(getattr(resource, name))[1]
    value = math.ceil(wanted)
    return value if hard == resource.RLIM_INFINITY else min(value, hard)
