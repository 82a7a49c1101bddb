"""Running gates: in the sandbox, on a clean checkout, with a report directory that nobody could prepare (gates §5)."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from devloop.errors import SandboxMissing
from devloop.files import write_atomic
from devloop.gates import coverage
from devloop.gates import evidence as evidence_of
from devloop.gates.baseline import fingerprinted
from devloop.gates.discover import ordered, uses_stream
from devloop.gates.environment import Environment
from devloop.gates.evidence import ReportDir
from devloop.gates.model import Finding, Gate, GateResult, Verdict
from devloop.gates.place import Place, Prepared, Unrunnable, editables_elsewhere, prepare
from devloop.gates.sources import Sources
from devloop.gates.stream import Stream
from devloop.gates.stream import read as read_stream
from devloop.gates.verdict import Evidence, Ran, decide
from devloop.gates.witness import listening
from devloop.lists import some
from devloop.redact import printable, tail
from devloop.sandbox import Backend, Mount, Outcome

TAIL_KEPT = 6_000
_KILLED = {
    "memory": "it used too much memory",
    "processes": "it started too many processes",
    "disk": "it filled the disk",
    "output": "it printed without end",
}
Touched = tuple[tuple[str, ...], tuple[str, ...]]
"""Files of the tree that a gate changed or removed, and files that it added."""


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
    return (await _executed(gate, place))[0]


async def _executed(gate: Gate, place: Place) -> tuple[GateResult, Touched]:
    """The result, and what the gate did to the checkout."""
    clock = time.monotonic()
    result = _blank(gate, place.tree)
    touched: Touched = ((), ())
    folder = ReportDir.make(place.reports_root)
    try:
        prepared = prepare(gate, place, folder)
        result = dataclasses.replace(result, tool_version=prepared.tool_version)
        caches = await asyncio.to_thread(evidence_of.clear_caches, place.checkout)
        before = await asyncio.to_thread(evidence_of.manifest, place.checkout)
        streamed = uses_stream(gate)
        async with listening(folder.stream if streamed else None) as heard:
            outcome = await _run(place, prepared)
        witnessed = read_stream(heard.data()) if streamed else None
        after = await asyncio.to_thread(evidence_of.manifest, place.checkout)
        touched = evidence_of.differences(before, after)
        result = await asyncio.to_thread(_judged, result, gate, place, folder, outcome, witnessed, touched)
        result = await asyncio.to_thread(_covered, result, place, prepared, folder)
        if caches:
            told = place.redact(f"caches of tools that the tree brought along were not used: {some(caches, 5)}")
            result = dataclasses.replace(result, notes=(*result.notes, told))
    except Unrunnable as problem:
        result = dataclasses.replace(result, reason=place.redact(str(problem)))
    except SandboxMissing as problem:
        result = dataclasses.replace(result, reason=place.redact(f"{problem.message} {problem.hint}".strip()))
    finally:
        await asyncio.to_thread(folder.remove)
    return dataclasses.replace(result, duration_s=round(time.monotonic() - clock, 3)), touched


def _blank(gate: Gate, tree: str, verdict: Verdict = "error", reason: str = "") -> GateResult:
    return GateResult(
        gate.name,
        gate.kind,
        verdict,
        reason,
        command=gate.command,
        started=time.time(),
        tree=tree,
        required=gate.required,
        strict=gate.strict,
    )


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
            result = _blank(gate, place.tree, "skipped" if blocked else "error", blocked or stale)
        else:
            if on_start is not None:
                on_start(gate)
            result, (touched, added) = await _executed(gate, place)
            if (touched or added) and renew is not None:
                place = dataclasses.replace(place, checkout=await renew())
            elif touched:
                stale = f"gate {gate.name} changed the checkout ({some(touched, 3)}), no clean tree is left"
            if gate.kind == "build" and result.verdict in ("fail", "error"):
                blocked = "build failed"
        if on_end is not None:
            on_end(result)
        results.append(result)
    return tuple(results)


async def _run(place: Place, prepared: Prepared) -> Outcome:
    made = _make_folders(place.checkout, prepared.mount_point)
    try:
        return await place.backend.run(prepared.command)
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
    witnessed: Stream | None,
    touched: Touched,
) -> GateResult:
    sources = Sources(place.checkout.resolve(), place.inside)
    found, digest = evidence_of.gather(gate, folder, sources, result.started, witnessed)
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
        output_tail=tail(output, TAIL_KEPT, ""),
        report_sha256=digest or None,
        notes=_notes(place, found, touched),
    )


def _covered(result: GateResult, place: Place, prepared: Prepared, folder: ReportDir) -> GateResult:
    """The result with its coverage, or with a note that says why it has none."""
    found, note = coverage.read(folder, result.started) if prepared.measured else (None, "")
    notes = [place.redact(each) for each in (*prepared.notes, note) if each]
    return dataclasses.replace(result, coverage=found, notes=(*result.notes, *notes))


def _ran(outcome: Outcome) -> Ran:
    killed = outcome.killed_reason or ""
    return Ran(
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        timed_out=outcome.timed_out,
        killed=_KILLED.get(killed, killed),
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


def _notes(place: Place, found: Evidence, touched: Touched) -> tuple[str, ...]:
    notes = []
    changed, added = touched
    if changed:
        notes.append(f"it changed {len(changed)} file{'s' * (len(changed) != 1)} of the tree: {some(changed, 5)}")
    if added:
        notes.append(f"it left {len(added)} new files in the checkout")
    if found.stream is not None and found.stream.reruns:
        notes.append(f"flaky: passed only after a rerun: {some(found.stream.reruns, 5)}")
    seen, unseen = editables_elsewhere(place)
    if seen:
        notes.append(f"editable installs from elsewhere, read-only as they are: {', '.join(map(str, seen[:5]))}")
    if unseen:
        listed = ", ".join(map(str, unseen[:5]))
        notes.append(
            f"editable installs from elsewhere were not shown to it: {listed}; "
            "list them as sandbox.read_only in your own config.toml if it needs them"
        )
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
