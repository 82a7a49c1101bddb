"""What may be asked of a sandbox and what it answers. Paths in a `Command` are as seen inside unless said otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

MIB = 1024 * 1024
GIB = 1024 * MIB

State = Literal["on", "degraded", "off"]


@dataclass(frozen=True)
class Mount:
    """The host's `source` (file or folder, links resolved) appears inside at `target`, read-only unless `write`.

    `make`: where the place for it is missing below a mount that can't be written, it is made on the host all the same
    (and removed afterwards). `spare`: a folder of devloop's own on the same file system, where empty folders that masks
    need wait from one command to the next; without it they are made and removed each time.
    """

    source: Path
    target: Path
    write: bool = False
    make: bool = False
    spare: Path | None = None


@dataclass(frozen=True)
class Limits:
    """Caps of one command. Seconds and bytes; None means no cap.

    `memory_bytes` caps each process (its data, not its address space: V8 and the JVM reserve far more than they use)
    and the command as a whole. `processes` counts threads too. `file_bytes` is per file, `scratch_bytes` per temporary
    file system. `disk_reserve_bytes` must stay free where the command can write, and `memory_reserve_bytes` of the
    machine's memory, however it was taken. `output_bytes` reach the caller; who prints more than `flood_bytes` ends.
    """

    wall_s: float = 120.0
    cpu_s: float | None = None
    memory_bytes: int | None = 4 * GIB
    processes: int | None = 512
    file_bytes: int | None = 2 * GIB
    open_files: int | None = 4096
    output_bytes: int = 100 * 1024
    scratch_bytes: int = GIB
    disk_reserve_bytes: int = 256 * MIB
    memory_reserve_bytes: int = 256 * MIB
    flood_bytes: int | None = 64 * MIB


@dataclass(frozen=True)
class Command:
    """One command.

    `masks`: what is there can be read but not changed, what is absent can't be created.
    `hidden`: can't be read either; only paths that exist below a mount matter.
    `env`: the whole environment, nothing is added but what the sandbox itself needs. `HOME` becomes an empty folder.
    `trusted`: devloop's own helper or a command that the person declared; it may run where there is no sandbox.
    `unix_sockets`: it may make Unix sockets, as tests do. `socketpair` works for all.
    """

    argv: tuple[str, ...]
    cwd: Path
    mounts: tuple[Mount, ...] = ()
    masks: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    network: bool = False
    stdin: bytes | None = None
    hidden: tuple[Path, ...] = ()
    trusted: bool = False
    unix_sockets: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    `exit_code` is None when devloop killed it; a command that died of a signal has 128 + its number, and `signal`.
    `output` is stdout and stderr as they came, head and tail when `truncated`; `output_bytes` counts all of it.
    `killed_reason` is None, `timeout`, `memory`, `processes`, `disk` or `output`.
    """

    exit_code: int | None
    signal: int | None
    timed_out: bool
    output: str
    output_bytes: int
    truncated: bool
    duration_s: float
    killed_reason: str | None

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


class Backend(Protocol):
    """A place where commands run."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> State: ...

    @property
    def remaps(self) -> bool:
        """Whether a mount can appear at another path than its own. Where not, a command gets the host's paths."""
        ...

    async def run(
        self, command: Command, *, output_file: Path | None = None, on_output: Callable[[bytes], None] | None = None
    ) -> Outcome:
        """Run it to its end. When this returns or raises, no process of the command is alive.

        `output_file` gets the raw output, up to 16 MiB; `on_output` each piece as it comes.
        Raises `SandboxMissing` when the sandbox could not be set up, `CancelledError` after the kill.
        """
        ...


@dataclass(frozen=True)
class Detection:
    """Which backend to use. `reason` says in a sentence or two for people what runs where; `fix` says what would
    improve it, or is empty. A fix at the state `on`: the sandbox holds and could hold more."""

    backend: Backend
    state: State
    reason: str
    fix: str
