"""Where a gate runs, and the command that its sandbox gets: arguments, environment, mounts."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from devloop.gates import coverage
from devloop.gates.discover import uses_stream
from devloop.gates.environment import Environment, Tool, locate
from devloop.gates.evidence import ReportDir
from devloop.gates.model import Gate
from devloop.gates.verdict import tool_of
from devloop.sandbox import Backend, Command, Limits, Mount, toolchain_mounts
from devloop.sandbox.profile import is_system

OUTPUT_KEPT = 1024 * 1024
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
MEMORY = 8 * 1024**3
READ_ONLY_KINDS = frozenset({"lint", "types", "security", "format"})
_TO_FILE = 'exec "$@" > "$0"'


@dataclass(frozen=True)
class Place:
    """Where gates run. `checkout` holds the tree under test; inside the sandbox it is seen at `view`.

    `view` is the person's own checkout: there editable installs point, and there they now find the tree under test
    instead of the person's files. `environment` is mounted read-only. `reports_root` holds the report directories,
    `output_dir` the kept output. `variables` and `mounts` are what the person's configuration allows to see.
    """

    checkout: Path
    view: Path
    environment: Environment
    backend: Backend
    reports_root: Path
    output_dir: Path
    tree: str
    redact: Callable[[str], str]
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    own: Environment | None = None

    @property
    def remaps(self) -> bool:
        """Whether the backend can show the checkout at another path."""
        return self.backend.remaps

    @property
    def inside(self) -> Path:
        return self.view.resolve() if self.remaps else self.checkout.resolve()


class Unrunnable(Exception):
    """The gate can't be started; the text is the reason for the verdict `error`."""


@dataclass(frozen=True)
class Prepared:
    """`mount_point` is the empty folder that has to exist in the checkout; None when no mount needs one."""

    command: Command
    mount_point: Path | None
    tool_version: str
    measured: bool = False
    """Whether coverage is measured."""
    notes: tuple[str, ...] = ()


def tool_version(gate: Gate, environment: Environment, checkout: Path, own: Environment | None = None) -> str:
    """What `GateResult.tool_version` will say, for `baseline.cache_key` before anything runs."""
    tool = None
    if gate.origin == "discovered":
        tool = locate(tool_of(gate.command), environment, checkout=checkout, own=own)
    return _version(environment, tool)


def _version(environment: Environment, tool: Tool | None) -> str:
    """Packages count too: another version of a dependency is another baseline."""
    return f"{tool.version} in {environment.digest}" if tool is not None else f"environment {environment.digest}"


def _tool(gate: Gate, place: Place) -> Tool | None:
    """The interpreter and module for a discovered gate; None for a declared one, which names its own program."""
    if gate.origin == "declared":
        program = gate.command[0]
        if "/" not in program and shutil.which(program, path=_path(place, None)) is None:
            raise Unrunnable(f"{program} is not installed in {place.environment.root} or {':'.join(SYSTEM_PATH)}")
        return None
    name = tool_of(gate.command)
    tool = locate(name, place.environment, checkout=place.checkout, own=place.own)
    if tool is None:
        raise Unrunnable(f"{name} is not installed in {place.environment.root}")
    return tool


def prepare(gate: Gate, place: Place, folder: ReportDir) -> Prepared:
    """What the sandbox gets. Raises `Unrunnable`."""
    tool = _tool(gate, place)
    unmeasured = coverage.missing(tool.environment) if tool is not None and coverage.wanted(gate) else ""
    measured = tool is not None and coverage.wanted(gate) and not unmeasured
    mounts, point = _mounts(gate, place, folder, tool)
    env = {
        "PATH": _path(place, tool),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "CI": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        **place.variables,
    }
    if not place.remaps:  # a sandbox brings an empty home of its own
        env["HOME"] = env["TMPDIR"] = str(folder.scratch)
    if place.environment.origin != "devloop":
        env["VIRTUAL_ENV"] = str(place.environment.root)
    if uses_stream(gate):
        env["PYTHONPATH"] = str(folder.plugin)
        folder.tell_plugin(place.inside if tool is not None else None)
    argv = _argv(gate, place, folder, tool)
    if measured:
        argv = (*argv, *coverage.arguments(gate, folder))
        env |= coverage.variables(folder)
    command = Command(
        argv=argv,
        cwd=place.inside,
        mounts=mounts,
        env=env,
        limits=Limits(wall_s=gate.timeout_s, memory_bytes=MEMORY, output_bytes=OUTPUT_KEPT),
        trusted=gate.origin == "declared",
        unix_sockets=True,
    )
    notes = (unmeasured,) if unmeasured else ()
    return Prepared(command, point, _version(place.environment, tool), measured, notes)


def _argv(gate: Gate, place: Place, folder: ReportDir, tool: Tool | None) -> tuple[str, ...]:
    given = gate.command
    argv = (*tool.argv, *given[1:]) if tool is not None else given
    if tool is not None and tool.environment is not place.environment:
        interpreter = {"mypy": "--python-executable", "pyright": "--pythonpath"}.get(tool_of(given))
        if interpreter is not None:
            argv = (*argv, interpreter, str(place.environment.python))
    names_place = any("{out}" in argument for argument in given) or gate.report_file is not None
    if uses_stream(gate):
        argv = (*argv, "-p", folder.module)
        if not names_place:
            argv = (*argv, "-o", "junit_family=xunit2", "--junit-prefix=", f"--junitxml={folder.out / gate.file}")
    argv = tuple(argument.replace("{out}", str(folder.out)) for argument in argv)
    if gate.report not in ("none", "junit") and not names_place:
        return ("/bin/sh", "-c", _TO_FILE, str(folder.out / gate.file), *argv)
    return argv


def _path(place: Place, tool: Tool | None) -> str:
    folders = [str(place.environment.bin), *SYSTEM_PATH]
    if tool is not None and tool.environment is not place.environment:
        folders.append(str(tool.environment.bin))
    return os.pathsep.join(folders)


def _mounts(gate: Gate, place: Place, folder: ReportDir, tool: Tool | None) -> tuple[tuple[Mount, ...], Path | None]:
    """Outer paths first, so that what lies deeper ends up on top: the environment over the checkout over the rest."""
    environment, view = place.environment, place.inside
    if not place.remaps:
        pointing = environment.editables_in(place.view)
        if pointing:
            raise Unrunnable(
                f"{pointing[0].name} is installed editable from {pointing[0].path}: without the full sandbox the gate "
                "would test your own files and not the work"
            )
    writable = gate.origin == "declared" or gate.kind not in READ_ONLY_KINDS
    mounts = [
        Mount(place.checkout.resolve(), view, write=writable),
        Mount(folder.out, folder.out, write=True),
        Mount(folder.plugin, folder.plugin),
        *place.mounts,
        *environment_mounts(environment),
    ]
    if tool is not None and tool.environment is not environment:
        mounts.append(Mount(tool.environment.root, tool.environment.root))
        mounts += toolchain_mounts([tool.environment.python])
    unique = {mount.target: mount for mount in reversed(mounts)}
    point = None
    if place.remaps and view in environment.root.parents:
        point = place.checkout / environment.root.relative_to(view)
        if point.is_symlink() or (point.exists() and not point.is_dir()):
            raise Unrunnable(f"the tree holds {point.relative_to(place.checkout)}, where the environment belongs")
    return tuple(sorted(unique.values(), key=lambda mount: len(mount.target.parts))), point


def environment_mounts(environment: Environment) -> tuple[Mount, ...]:
    """What any command of the project needs to see: its environment and the interpreter. Not the sources of editable
    installs: a line in site-packages can name any folder, so the person lists what commands may see."""
    return (Mount(environment.root, environment.root), *toolchain_mounts([environment.python]))


def editables_elsewhere(place: Place) -> tuple[list[Path], list[Path]]:
    """Editable sources outside the project: those that the gate sees, by the person's own mounts, and the others."""
    environment, view = place.environment, place.inside
    seen: list[Path] = []
    unseen: list[Path] = []
    if environment.origin != "devloop":
        shown = [mount.target for mount in (*place.mounts, *environment_mounts(environment))]
        for path in (editable.path for editable in environment.editables):
            if not path.is_relative_to(view):
                visible = not place.remaps or is_system(path) or any(path.is_relative_to(target) for target in shown)
                (seen if visible else unseen).append(path)
    return seen, unseen
