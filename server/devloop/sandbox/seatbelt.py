"""The macOS backend: `sandbox-exec` with a profile of our own. Written after Apple's published profiles and tested as
text; not run by the developers yet, so it is *degraded* and its canary decides.

A profile denies everything, then allows. Later rules win over earlier ones, so what is masked comes last. Paths are
those behind all links: Seatbelt compares real paths (`/tmp` is `/private/tmp`).
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from devloop.errors import SandboxMissing
from devloop.sandbox import limits, seccomp
from devloop.sandbox.bubblewrap import outcome
from devloop.sandbox.command import Command, Limits, Outcome, State
from devloop.sandbox.masks import on_host
from devloop.sandbox.output import Sink
from devloop.sandbox.plain import MARK, Session, host_folder
from devloop.sandbox.process import supervise

PROGRAM = Path("/usr/bin/sandbox-exec")
SYSTEM = (
    *("/usr", "/bin", "/sbin", "/System", "/Library/Apple", "/Library/Developer", "/Library/Frameworks"),
    *("/opt", "/private/etc", "/private/var/db/timezone", "/private/var/select", "/dev"),
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
ALLOWED = frozenset({"see the host's processes"})
VARIABLES = frozenset({"TMPDIR", MARK, "__CF_USER_TEXT_ENCODING"})
MEANS = "Commands can't write elsewhere and have no network, but they see other processes and the host's paths."


class Seatbelt:
    """Runs commands under `sandbox-exec`. Use one that `detect` has tried."""

    name = "seatbelt"
    remaps = False
    filters = seccomp.NONE

    def __init__(self, program: Path = PROGRAM) -> None:
        self.program = program

    @property
    def label(self) -> str:
        return str(self.program)

    @property
    def state(self) -> State:
        return "degraded"

    async def run(
        self, command: Command, *, output_file: Path | None = None, on_output: Callable[[bytes], None] | None = None
    ) -> Outcome:
        mark = secrets.token_hex(12)
        sink = Sink(command.limits.output_bytes, output_file, on_output)
        try:
            with _scratch() as scratch:
                ending = await supervise(
                    words(self.program, command, scratch),
                    reach=Session(mark),
                    sink=sink,
                    limits=command.limits,
                    env={**command.env, "HOME": str(scratch), "TMPDIR": str(scratch), MARK: mark},
                    cwd=host_folder(command),
                    stdin=command.stdin,
                    writable=[mount.source for mount in command.mounts if mount.write],
                )
        except FileNotFoundError as problem:
            raise SandboxMissing(f"The command could not be started: {problem}.") from problem
        finally:
            sink.close()
        return outcome(ending, sink, sink.text())

    async def dies(self) -> str | None:
        """A shell that is killed leaves what it started in a session of its own; devloop itself finds such by their
        mark, and only its own sudden death leaves them. So this is part of why the state is degraded."""
        return None


def words(program: Path, command: Command, scratch: Path) -> list[str]:
    prefix = limits.prefix(Limits(**{**vars(command.limits), "memory_bytes": None}), processes=False)
    return [str(program), "-p", profile(command, scratch), *prefix, *command.argv]


def profile(command: Command, scratch: Path) -> str:
    """The profile's text, in Seatbelt's language."""
    readable = [*map(Path, SYSTEM), *(mount.source.resolve() for mount in command.mounts), scratch]
    writable = [*(mount.source.resolve() for mount in command.mounts if mount.write), scratch]
    lines = [
        "(version 1)",
        "(deny default)",
        "(allow process-fork)",
        "(allow process-exec)",
        "(allow signal (target same-sandbox))",
        "(allow process-info* (target same-sandbox))",
        "(allow sysctl-read)",
        '(allow file-ioctl (literal "/dev/null"))',
        '(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))',
        "(allow ipc-posix-sem)",
        "(allow file-read-metadata)",  # every path is looked up from / on
        '(allow file-read-data (literal "/"))',
        _rule("allow", "file-read*", "subpath", readable),
        _rule("allow", "file-write-data", "literal", map(Path, DEVICES)),
        _rule("allow", "file-write*", "subpath", writable),
    ]
    if command.network:
        lines += ["(allow network*)", "(allow system-socket)", "(allow mach-lookup)"]
    for mask in command.masks:
        found = on_host(command.mounts, mask)
        if found is not None:
            place = found[0].source.resolve() / found[1].relative_to(found[0].source)
            # also its rename, and that of each folder above it: it would take the path away
            lines.append(_rule("deny", "file-write*", "subpath", [place]))
            above = [folder for folder in place.parents if folder.is_relative_to(found[0].source.resolve())]
            if above:
                lines.append(_rule("deny", "file-write-unlink", "literal", above))
    for path in command.hidden:
        found = on_host(command.mounts, path)
        if found is not None:
            lines.append(_rule("deny", "file-read* file-write*", "subpath", [found[1]]))
    return "\n".join(lines) + "\n"


def _rule(verdict: str, what: str, how: str, paths: Iterable[Path]) -> str:
    places = "".join(f"\n  ({how} {quoted(str(path))})" for path in paths)
    return f"({verdict} {what}{places})"


def quoted(text: str) -> str:
    """A string in the profile's language. A path can hold anything; nothing in it may end the string."""
    if "\0" in text or "\n" in text:
        raise SandboxMissing("Seatbelt can't name a path with a line break in it.")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="devloop-scratch-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
