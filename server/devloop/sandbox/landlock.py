"""The landlock backend: for machines where bubblewrap can't make namespaces. What it gives is *degraded*.

The command may read the system's folders and its mounts, write the writable ones and an empty folder of its own (its
`HOME` and `TMPDIR`), and has no network, Unix sockets included: the filter of system calls sees to that, so without
libseccomp this backend is refused by its canary. Signals reach its own processes only.

What it can't do: other processes are visible (`/proc`), nothing is mounted elsewhere, so a command sees the host's
paths; what is masked is put back after the command instead of being out of its reach; there is no loopback network of
its own, so tests that listen fail. Memory and processes are counted for the command as a whole, but the kernel does
not cap their number.

The system calls are devloop's own (`helper_program.py`), not a package's: landlock holds for the one thread that asks
for it and what that starts, so they are made in a fresh process that sees the standard library alone (`-I -S`).
"""

from __future__ import annotations

import base64
import contextlib
import functools
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from devloop.errors import SandboxMissing
from devloop.sandbox import helper, kept, limits, profile, seccomp
from devloop.sandbox.bubblewrap import outcome
from devloop.sandbox.command import Command, Outcome, State
from devloop.sandbox.helper import job, scratch_folder
from devloop.sandbox.output import Sink
from devloop.sandbox.plain import MARK, host_folder

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
MEANS = "Commands can't write elsewhere and have no network, but they see other processes and the host's paths."


class Landlock:
    """Runs commands under landlock and a filter of system calls. Use one that `detect` has tried."""

    name = "landlock"
    label = "landlock"
    remaps = False

    def __init__(self, filters: seccomp.Filters) -> None:
        self.filters = filters

    @property
    def state(self) -> State:
        return "degraded"

    async def run(
        self, command: Command, *, output_file: Path | None = None, on_output: Callable[[bytes], None] | None = None
    ) -> Outcome:
        sink = Sink(command.limits.output_bytes, output_file, on_output)
        mark = secrets.token_hex(12)
        try:
            with scratch_folder() as scratch, kept.paths(command), self._job(command, scratch, mark) as fd:
                ending = await helper.run(command, fd, mark, sink)
        finally:
            sink.close()
        text = sink.text()
        if ending.reason is None and ending.returncode == limits.REFUSED and "devloop: the command could not" in text:
            raise SandboxMissing(f"The sandbox could not be set up: {text.strip()}")
        return outcome(ending, sink, text)

    async def dies(self) -> str | None:
        mark = secrets.token_hex(12)
        with scratch_folder() as scratch, self._job(helper.DYING, scratch, mark, parent=None) as fd:
            return await helper.dies(self.label, fd)

    def _job(self, command: Command, scratch: Path, mark: str, **more: Any) -> contextlib.AbstractContextManager[int]:
        # Where the person gave the network there is no harm in a Unix socket; elsewhere it leads out.
        rules = self.filters.program(unix=command.unix_sockets and command.network, net=command.network)
        readable = [*_system(), "/proc", *(str(mount.source) for mount in command.mounts if not mount.write)]
        if command.network:
            readable.append(str(profile.RESOLV.resolve()))
        return job(
            [*limits.prefix(command.limits, processes=False), *command.argv],
            {**command.env, "HOME": str(scratch), "TMPDIR": str(scratch), MARK: mark},
            host_folder(command),
            landlock={
                "read": readable,
                "write": [str(scratch), *(str(mount.source) for mount in command.mounts if mount.write)],
                "devices": DEVICES,
                "net": command.network,
                "rules": base64.b64encode(rules or b"").decode(),
            },
            **more,
        )


@functools.cache
def _system() -> tuple[str, ...]:
    """The system's folders, and of `/etc` what is meant for everybody. Rules can't take back what they gave above."""
    found: list[str] = []
    for name in profile.SYSTEM:
        if Path(name).is_dir():
            found += _without(Path(name), profile.secret_paths()) if name == "/etc" else [name]
    return tuple(found)


def _without(folder: Path, secret: frozenset[Path]) -> Iterator[str]:
    """What lies in `folder`, but nothing of `secret`, in as few paths as that takes."""
    inside = [path for path in secret if path.is_relative_to(folder)]
    if not inside:
        yield str(folder)
        return
    for entry in sorted(folder.iterdir()):
        if entry in secret:
            continue
        if not entry.is_symlink() and any(path.is_relative_to(entry) for path in inside):
            yield from _without(entry, secret)
        else:
            yield str(entry)
