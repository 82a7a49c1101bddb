"""Verdicts (gates §3): the exit code first, the report second, and they must agree. Pure.

`error` means that the tool broke, `unknown` that it ran and nothing can be concluded. Neither is the agent's fault.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from devloop.gates.model import BLOCKING_LEVELS, Gate, GateResult, ReportKind, Verdict
from devloop.gates.reports.base import Report
from devloop.gates.stream import Stream, disagreement

ORDER: tuple[Verdict, ...] = ("pass", "skipped", "unknown", "fail", "error")
"""From harmless to worst."""

PYTEST_CODES = {2: "it was interrupted", 3: "it broke inside", 4: "it was called wrongly"}
NOTHING = "no gates: nothing was discovered; declare one in .devloop/config.toml"


@dataclass(frozen=True)
class Ran:
    """How the process ended. `problem` is set when it could not even start."""

    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    killed: str = ""
    problem: str = ""
    output: str = ""


@dataclass(frozen=True)
class Evidence:
    """What lay in the report directory afterwards.

    `refused`: something was there that can't be believed (a link, older than the start); `unreadable`: no such report.
    """

    state: Literal["none", "fresh", "missing", "refused", "unreadable"] = "none"
    reason: str = ""
    report: Report | None = None
    stream: Stream | None = None
    """None when the gate has no stream, which only pytest has."""


@dataclass(frozen=True)
class Decision:
    verdict: Verdict
    reason: str = ""
    complete: bool = True


def decide(gate: Gate, ran: Ran, evidence: Evidence) -> Decision:
    """The verdict on one run of one gate, without looking at any baseline."""
    broken = _broken(gate, ran)
    if broken:
        return Decision("error", broken)
    if evidence.state in ("refused", "unreadable"):
        return Decision("error", evidence.reason)
    code = ran.exit_code or 0
    if is_pytest(gate.command) and code == 5:
        return Decision("unknown", "no test was collected")
    if gate.report == "none":
        return Decision("pass") if code == 0 else Decision("fail", f"exit code {code}")
    if evidence.state != "fresh" or evidence.report is None:
        if code == 0:
            return Decision("unknown", "exit code 0, but the report that it should write is missing")
        return Decision("error", f"exit code {code} and no report")
    return _agreed(gate, code, evidence.report, evidence.stream, ran.output)


def _broken(gate: Gate, ran: Ran) -> str:
    """Why the tool itself broke, or ""."""
    if ran.problem:
        return ran.problem
    if ran.timed_out:
        return f"it took longer than {gate.timeout_s:g} s and was stopped"
    if ran.killed:
        return f"it was stopped: {ran.killed}"
    if ran.signal is not None:
        return f"it was killed by signal {ran.signal}"
    if ran.exit_code is None:
        return "it did not end by itself"
    if ran.exit_code < 0 or ran.exit_code > 128:
        return f"it was killed by signal {abs(ran.exit_code) & 127}"
    if ran.exit_code in (126, 127):
        return f"exit code {ran.exit_code}: {shlex.join(gate.command[:1])} could not be executed"
    return ""


def _agreed(gate: Gate, code: int, report: Report, stream: Stream | None, output: str) -> Decision:
    """The process ended and a fresh, readable report is there."""
    blocking = sum(1 for finding in report.findings if finding.level in BLOCKING_LEVELS)
    if is_pytest(gate.command):
        if code in PYTEST_CODES and not (code == 2 and stream is not None and stream.collect_errors):
            return Decision("error", f"pytest ended with {code}: {PYTEST_CODES[code]}")
        if stream is not None and (differs := disagreement(stream, report.tests or {}, code)):
            return Decision("unknown", f"counts don't add up: {differs}")
    elif gate.report != "junit" and gate.report != "sarif" and code >= 2:
        return _stopped(gate.report, code, blocking)
    if report.problem or (report.totals and stream is None):
        return Decision("unknown", report.problem or f"counts don't add up: {report.totals}")
    if report.tests is not None:
        return _tests(code, report, stream)
    return _findings(gate, code, report, blocking, output)


def _stopped(kind: ReportKind, code: int, blocking: int) -> Decision:
    """mypy says 2 both for a usage error and for a file that it can't parse; only the latter is in its report."""
    if kind == "mypy-json" and code == 2 and blocking:
        return Decision("fail", "files could not be parsed, so the rest was not checked", complete=False)
    return Decision("error", f"exit code {code}: the tool itself failed")


def _tests(code: int, report: Report, stream: Stream | None) -> Decision:
    counts = report.counts
    assert counts is not None
    bad = counts.failed + counts.errors
    if code == 0 and bad:
        return Decision("error", f"exit code 0, but the report lists {bad} failure{'s' * (bad != 1)}")
    if code != 0 and not bad:
        return Decision("error", f"exit code {code}, but no test of the report failed")
    if stream is not None and stream.collect_errors:
        return Decision("fail", f"{len(stream.collect_errors)} test files could not be collected", complete=False)
    if bad:
        return Decision("fail", f"{counts}")
    if counts.total == 0:
        return Decision("unknown", "no test ran")
    if counts.passed == 0:
        return Decision("unknown", f"all {counts.skipped} tests were skipped")
    return Decision("pass", f"{counts}")


def _findings(gate: Gate, code: int, report: Report, blocking: int, output: str) -> Decision:
    errors = sum(1 for finding in report.findings if finding.level == "error")
    if code == 0 and (errors or (blocking and gate.report in ("ruff-json", "bandit-json"))):
        hint = "; make the command fail on findings" if gate.report == "sarif" else ""
        listed = errors or blocking
        return Decision("error", f"exit code 0, but the report lists {listed} finding{'s' * (listed != 1)}{hint}")
    if code != 0 and not report.findings:
        return Decision("error", f"exit code {code}, but the report lists nothing")
    if report.checked == 0 or (gate.report == "ruff-json" and "No Python files found" in output):
        return Decision("unknown", "nothing was checked: no file matched")
    if code != 0:
        return Decision("fail", f"{len(report.findings)} finding{'s' * (len(report.findings) != 1)}")
    notes = len(report.findings)
    return Decision("pass", f"{notes} note{'s' * (notes != 1)}" if notes else "")


def is_pytest(command: Sequence[str]) -> bool:
    """`pytest …`, `/path/pytest …` or `python -m pytest …`."""
    return tool_of(command) in ("pytest", "py.test")


def tool_of(command: Sequence[str]) -> str:
    """The tool that an argument list starts: `python3 -m mypy .` → `mypy`."""
    if not command:
        return ""
    name = PurePath(command[0]).name
    if name.startswith("python") and len(command) > 2 and command[1] == "-m":
        return command[2]
    return name


def overall(results: Iterable[GateResult]) -> Verdict:
    """The worst verdict of the required gates; no required gate at all is `unknown`, for nothing was checked.

    Only `pass` lets a task be ticked: a required gate that was skipped blocks too.
    """
    required = [result.verdict for result in results if result.required]
    return max(required, key=ORDER.index) if required else "unknown"


def explain(results: Sequence[GateResult]) -> str:
    """One line on `overall` for people."""
    required = [result for result in results if result.required]
    if not required:
        return "no required gate: nothing was checked" if results else NOTHING
    worst = overall(required)
    named = [f"{r.gate}: {r.reason}" if r.reason else r.gate for r in required if r.verdict == worst]
    return f"{worst}: {'; '.join(named)}"
