"""Running gates: in the sandbox, on a clean checkout, with a report directory that nobody could prepare (gates §5)."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import os
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devloop.errors import SandboxMissing
from devloop.files import write_atomic
from devloop.gates import evidence as evidence_of
from devloop.gates.baseline import fingerprinted
from devloop.gates.discover import ordered, uses_stream
from devloop.gates.environment import Environment, Tool, locate
from devloop.gates.evidence import ReportDir
from devloop.gates.model import Finding, Gate, GateResult
from devloop.gates.sources import Sources
from devloop.gates.verdict import Evidence, Ran, decide, tool_of
from devloop.redact import printable
from devloop.sandbox import Backend, Command, Limits, Mount, Outcome, toolchain_mounts

OUTPUT_KEPT = 1024 * 1024
TAIL_KEPT = 6_000
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
        return self.backend.name != "none"

    @property
    def inside(self) -> Path:
        return self.view.resolve() if self.remaps else self.checkout.resolve()


class Unrunnable(Exception):
    """The gate can't be started; the text is the reason for the verdict `error`."""


async def run_gate(
    gate: Gate,
    *,
    checkout: Path,
    view: Path,
    environment: Environment,
    backend: Backend,
    reports_root: Path,
    output_dir: Path,
    tree: str,
    redact: Callable[[str], str],
    variables: Mapping[str, str] | None = None,
    mounts: tuple[Mount, ...] = (),
    own: Environment | None = None,
) -> GateResult:
    """Run one gate; see `Place` for the arguments. Every failure is a verdict; only cancellation is raised."""
    place = Place(
        checkout, view, environment, backend, reports_root, output_dir, tree, redact, variables or {}, mounts, own
    )
    return await run_at(gate, place)


async def run_at(gate: Gate, place: Place) -> GateResult:
    """`run_gate` for a place that is already described."""
    started, clock = time.time(), time.monotonic()
    result = GateResult(
        gate.name,
        gate.kind,
        "error",
        command=gate.command,
        started=started,
        tree=place.tree,
        required=gate.required,
        strict=gate.strict,
    )
    folder = ReportDir.make(place.reports_root)
    try:
        tool = _tool(gate, place)
        command, point = _command(gate, place, folder, tool)
        result = dataclasses.replace(result, tool_version=_version(place.environment, tool))
        before = await asyncio.to_thread(evidence_of.manifest, place.checkout)
        outcome = await _run(place, command, point)
        result = await asyncio.to_thread(_judged, result, gate, place, folder, outcome, before)
    except Unrunnable as problem:
        result = dataclasses.replace(result, reason=place.redact(str(problem)))
    except SandboxMissing as problem:
        result = dataclasses.replace(result, reason=place.redact(f"{problem.message} {problem.hint}".strip()))
    finally:
        await asyncio.to_thread(folder.remove)
    return dataclasses.replace(result, duration_s=round(time.monotonic() - clock, 3))


async def run_gates(
    gates: Sequence[Gate],
    place: Place,
    *,
    renew: Callable[[], Awaitable[Path]] | None = None,
    on_start: Callable[[Gate], None] | None = None,
    on_end: Callable[[GateResult], None] | None = None,
) -> tuple[GateResult, ...]:
    """Run all gates, cheap first, one after the other; a failed build gate skips the rest.

    A gate that wrote into the tree leaves it unfit for the next: `renew` then makes a new clean checkout. Without it
    the rest is `error` when files of the tree were changed or removed, and goes on when files were only added.
    """
    results: list[GateResult] = []
    blocked, stale = "", ""
    for gate in ordered(gates):
        if blocked or stale:
            result = _not_run(gate, place.tree, blocked, stale)
        else:
            if on_start is not None:
                on_start(gate)
            before = await asyncio.to_thread(evidence_of.manifest, place.checkout)
            result = await run_at(gate, place)
            after = await asyncio.to_thread(evidence_of.manifest, place.checkout)
            touched, added = evidence_of.differences(before, after)
            if (touched or added) and renew is not None:
                place = dataclasses.replace(place, checkout=await renew())
            elif touched:
                stale = f"gate {gate.name} changed the checkout ({', '.join(touched[:3])}), no clean tree is left"
            if gate.kind == "build" and result.verdict in ("fail", "error"):
                blocked = "build failed"
        if on_end is not None:
            on_end(result)
        results.append(result)
    return tuple(results)


def tool_version(gate: Gate, environment: Environment, checkout: Path, own: Environment | None = None) -> str:
    """What `GateResult.tool_version` will say, for `baseline.cache_key` before anything runs."""
    tool = None
    if gate.origin == "discovered":
        tool = locate(tool_of(gate.command), environment, checkout=checkout, own=own)
    return _version(environment, tool)


def _version(environment: Environment, tool: Tool | None) -> str:
    """Packages count too: another version of a dependency is another baseline."""
    return f"{tool.version} in {environment.digest}" if tool is not None else f"environment {environment.digest}"


def _not_run(gate: Gate, tree: str, blocked: str, stale: str) -> GateResult:
    return GateResult(
        gate.name,
        gate.kind,
        "skipped" if blocked else "error",
        blocked or stale,
        command=gate.command,
        started=time.time(),
        tree=tree,
        required=gate.required,
        strict=gate.strict,
    )


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


def _command(gate: Gate, place: Place, folder: ReportDir, tool: Tool | None) -> tuple[Command, Path | None]:
    """What the sandbox gets, and the empty folder that has to exist in the checkout as a mount point."""
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
        env["DEVLOOP_GATE_STREAM"] = str(folder.stream)
        if tool is not None:
            env["DEVLOOP_GATE_ROOT"] = str(place.inside)
    command = Command(
        argv=_argv(gate, place, folder, tool),
        cwd=place.inside,
        mounts=mounts,
        env=env,
        limits=Limits(wall_s=gate.timeout_s, memory_bytes=MEMORY, output_bytes=OUTPUT_KEPT),
        trusted=gate.origin == "declared",
    )
    return command, point


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
                f"{pointing[0].name} is installed editable from {pointing[0].path}: without a sandbox the gate would "
                "test your own files and not the work"
            )
    writable = gate.origin == "declared" or gate.kind not in READ_ONLY_KINDS
    mounts = [
        Mount(place.checkout.resolve(), view, write=writable),
        Mount(environment.root, environment.root),
        Mount(folder.out, folder.out, write=True),
        Mount(folder.plugin, folder.plugin),
        *place.mounts,
    ]
    interpreters = [environment.python]
    if tool is not None and tool.environment is not environment:
        mounts.append(Mount(tool.environment.root, tool.environment.root))
        interpreters.append(tool.environment.python)
    if environment.origin != "devloop":
        mounts += [Mount(path, path) for path in _elsewhere(environment, view)]
    mounts += toolchain_mounts(interpreters)
    unique = {mount.target: mount for mount in reversed(mounts)}
    point = None
    if place.remaps and view in environment.root.parents:
        point = place.checkout / environment.root.relative_to(view)
        if point.is_symlink() or (point.exists() and not point.is_dir()):
            raise Unrunnable(f"the tree holds {point.relative_to(place.checkout)}, where the environment belongs")
    return tuple(sorted(unique.values(), key=lambda mount: len(mount.target.parts))), point


def environment_mounts(environment: Environment, view: Path) -> tuple[Mount, ...]:
    """What any command of the project needs to see of its environment: itself, its interpreter, its editable sources."""
    mounts = [Mount(environment.root, environment.root), *toolchain_mounts([environment.python])]
    if environment.origin != "devloop":
        mounts += [Mount(path, path) for path in _elsewhere(environment, view)]
    return tuple(mounts)


def _elsewhere(environment: Environment, view: Path) -> list[Path]:
    """Editable sources outside the project, as far as showing them shows no more than sources."""
    home = Path.home().resolve()
    found = []
    for editable in environment.editables:
        inside = editable.path == view or view in editable.path.parents
        if not inside and editable.path not in (home, *home.parents, *view.parents):
            found.append(editable.path)
    return found


async def _run(place: Place, command: Command, point: Path | None) -> Outcome:
    made = _make_folders(place.checkout, point)
    try:
        return await place.backend.run(command)
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _make_folders(checkout: Path, point: Path | None) -> list[Path]:
    """Make the mount point `point` and answer what had to be made, deepest first."""
    if point is None:
        return []
    missing = [folder for folder in (point, *point.parents) if checkout in folder.parents and not folder.exists()]
    point.mkdir(parents=True, exist_ok=True)
    return missing


def _judged(
    result: GateResult,
    gate: Gate,
    place: Place,
    folder: ReportDir,
    outcome: Outcome,
    before: evidence_of.Manifest,
) -> GateResult:
    sources = Sources(place.checkout.resolve(), place.inside)
    streamed = uses_stream(gate)
    found, digest = evidence_of.gather(gate, folder, sources, result.started, stream=streamed)
    decision = decide(gate, _ran(outcome), found)
    output = printable(place.redact(outcome.output))
    report = found.report
    tests = _tests(found)
    return dataclasses.replace(
        result,
        verdict=decision.verdict,
        reason=place.redact(decision.reason),
        complete=decision.complete,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        counts=report.counts if report is not None else None,
        findings=_findings(found, sources, place.redact),
        tests=tests,
        output_path=str(_keep(output, gate, place.output_dir)),
        output_tail=output[-TAIL_KEPT:],
        report_sha256=digest or None,
        notes=_notes(gate, place, found, before),
    )


def _ran(outcome: Outcome) -> Ran:
    killed = outcome.killed_reason or ""
    return Ran(
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        timed_out=outcome.timed_out,
        killed={"memory": "it used too much memory", "disk": "it filled the disk"}.get(killed, killed),
        output=outcome.output,
    )


def _findings(found: Evidence, sources: Sources, redact: Callable[[str], str]) -> tuple[Finding, ...]:
    if found.report is None:
        return ()
    marked = fingerprinted(found.report.findings, sources.lines)
    return tuple(dataclasses.replace(f, message=printable(redact(f.message)), file=printable(f.file)) for f in marked)


def _tests(found: Evidence) -> Mapping[str, str]:
    """By node id when the stream saw them, else by the names in the report."""
    if found.stream is not None and not found.stream.problem and found.stream.tests:
        return found.stream.tests
    return (found.report.tests if found.report is not None else None) or {}


def _notes(gate: Gate, place: Place, found: Evidence, before: evidence_of.Manifest) -> tuple[str, ...]:
    notes = []
    touched, added = evidence_of.differences(before, evidence_of.manifest(place.checkout))
    if touched:
        notes.append(f"it changed {len(touched)} files of the tree: {', '.join(touched[:5])}")
    if added:
        notes.append(f"it left {len(added)} new files in the checkout")
    if found.stream is not None and found.stream.reruns:
        notes.append(f"flaky: passed only after a rerun: {', '.join(found.stream.reruns[:5])}")
    elsewhere = _elsewhere(place.environment, place.inside) if place.environment.origin != "devloop" else []
    if elsewhere:
        notes.append(f"editable installs from elsewhere, read-only as they are: {', '.join(map(str, elsewhere[:5]))}")
    return tuple(place.redact(note) for note in notes)


def _keep(output: str, gate: Gate, folder: Path) -> Path:
    """The redacted output as a private file; the gate's name comes from a repository and is made harmless."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", gate.name).strip("-")[:60] or "gate"
    if name != gate.name:  # two names must not share a file
        name += f"-{hashlib.sha256(gate.name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    path = folder / f"{name}.log"
    write_atomic(path, output.encode("utf-8", "replace"), mode=0o600)
    return path
