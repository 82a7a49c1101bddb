"""The backend `srt` (npm `@anthropic-ai/sandbox-runtime`), for those who want commands to reach a list of hosts.

Only where the person chose it: `sandbox.backend = "srt"`, with `sandbox.network_hosts` in their own configuration. On
Linux it runs bubblewrap with a network that consists of a proxy, which checks names and what they resolve to; writing
such a proxy is not ours to do. A command costs about a second.

srt lets commands read everything that is not denied: so everything is denied but the system's folders and the mounts.
It is a program of node, so it runs with a `PATH` of the system's folders, and below a helper that ends what it leaves.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devloop.sandbox import helper, limits, profile, seccomp
from devloop.sandbox.bubblewrap import outcome
from devloop.sandbox.command import Command, Outcome, State
from devloop.sandbox.helper import job, scratch_folder
from devloop.sandbox.masks import on_host
from devloop.sandbox.output import Sink
from devloop.sandbox.plain import MARK, host_folder

PLACES = (
    *("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin", "/opt/node/bin"),
    *("~/.local/bin", "~/.npm-global/bin", "~/.npm-packages/bin", "~/.volta/bin"),
)
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"
INSTALL = (
    "Install it with `npm install -g @anthropic-ai/sandbox-runtime` (node 22 or newer, bubblewrap, socat, ripgrep), or"
    " say in your config.toml where it lies: sandbox.srt."
)
HARMLESS = frozenset({"write outside", "empty a file outside", "write through a link"})
"""What is denied to readers is an empty folder in memory, and can be written. The canary looks at the host, too."""
MEND = "Look whether bubblewrap, socat, ripgrep and node 22 are installed, or remove sandbox.backend."


@dataclass(frozen=True)
class Program:
    """`node` runs `script`, which belongs to the package in `folder`."""

    node: Path
    script: Path
    folder: Path

    def __str__(self) -> str:
        return str(self.script)


def find(own: Path | None = None) -> Program | str:
    """Where srt lies, or a sentence that says why it can't be used. Never by `PATH`, which can lead into a repository.

    `own`: where the person says that it is.
    """
    candidates = [own] if own is not None else [Path(place).expanduser() / "srt" for place in PLACES]
    for link in candidates:
        if not link.is_absolute() or not link.is_file():
            continue
        script = link.resolve()
        node = next((path for path in _nodes(link, script) if os.access(path, os.X_OK)), None)
        if node is None:
            return f"srt was found ({link}), but no node to run it."
        return Program(node, script, script.parent.parent)
    return "srt is not installed." if own is None else f"There is no srt at {own}."


def _nodes(link: Path, script: Path) -> Iterator[Path]:
    yield link.parent / "node"
    for folder in script.parents:  # PREFIX/lib/node_modules/…: PREFIX/bin
        if folder.name == "node_modules":
            yield folder.parent.parent / "bin" / "node"
    yield from (Path(folder) / "node" for folder in SYSTEM_PATH.split(":"))


class Srt:
    """Runs commands by the srt at `program`, with a network that reaches `hosts` and nothing else."""

    name = "srt"
    remaps = False
    filters = seccomp.NONE

    def __init__(self, program: Program, hosts: Sequence[str] = ()) -> None:
        self.program = program
        self.hosts = tuple(hosts)

    @property
    def label(self) -> str:
        return f"srt ({self.program})"

    @property
    def state(self) -> State:
        return "on"

    def reach(self) -> str:
        """In a sentence, what commands reach."""
        return f"They reach {', '.join(self.hosts)} and no other host." if self.hosts else "They have no network."

    async def run(
        self, command: Command, *, output_file: Path | None = None, on_output: Callable[[bytes], None] | None = None
    ) -> Outcome:
        sink = Sink(command.limits.output_bytes, output_file, on_output)
        mark = secrets.token_hex(12)
        try:
            with self._job(command, mark) as fd:
                ending = await helper.run(command, fd, mark, sink)
        finally:
            sink.close()
        return outcome(ending, sink, sink.text())

    async def dies(self) -> str | None:
        with self._job(helper.DYING, secrets.token_hex(12), parent=None) as fd:
            return await helper.dies(self.label, fd)

    @contextlib.contextmanager
    def _job(self, command: Command, mark: str, **more: Any) -> Iterator[int]:
        with scratch_folder() as scratch, tempfile.NamedTemporaryFile("w", suffix=".json") as settings:
            json.dump(configuration(self, command, scratch), settings)
            settings.flush()
            inner = [*limits.prefix(command.limits, processes=False), *command.argv]
            argv = [
                *(str(self.program.node), str(self.program.script), "--settings", settings.name, "--"),
                *("/usr/bin/env", f"PATH={command.env.get('PATH', '/usr/bin:/bin')}", *inner),
            ]
            env = {**command.env, "PATH": SYSTEM_PATH, "HOME": str(scratch), "TMPDIR": str(scratch), MARK: mark}
            with job(argv, env, host_folder(command), **more) as fd:
                yield fd


def configuration(backend: Srt, command: Command, scratch: Path) -> dict[str, Any]:
    """The settings of srt 0.0.83 for one command."""
    shown = [mount.source for mount in command.mounts]
    written = [scratch, *(mount.source for mount in command.mounts if mount.write)]
    masked = [found[1] for path in command.masks if (found := on_host(command.mounts, path)) is not None]
    hidden = [found[1] for path in command.hidden if (found := on_host(command.mounts, path)) is not None]
    system = [Path(folder) for folder in profile.SYSTEM if Path(folder).is_dir()]
    readable = [*system, *shown, scratch, backend.program.folder]
    if sys.platform == "darwin":
        readable += map(Path, ("/System", "/Library", "/private/etc", "/dev"))
    secret = sorted(profile.secret_paths())
    return {
        "network": {
            "allowedDomains": list(backend.hosts),
            "deniedDomains": [],
            "allowAllUnixSockets": command.unix_sockets,
        },
        "filesystem": {
            "denyRead": ["/", *map(str, secret), *map(str, hidden)],
            "allowRead": list(dict.fromkeys(map(str, readable))),
            "allowWrite": list(dict.fromkeys(map(str, written))),
            "denyWrite": list(dict.fromkeys(map(str, masked))),
        },
    }
