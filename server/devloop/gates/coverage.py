"""Coverage of a discovered pytest gate: information beside the verdict, never part of it.

Measured where the base tree configures coverage and pytest-cov is installed beside the pytest that runs. The figures
come out of a process that ran the agent's code, so they are read like any report and decide nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from devloop.gates.environment import Environment
from devloop.gates.evidence import ReportDir, fresh, why
from devloop.gates.model import Coverage, Gate
from devloop.gates.reports.base import Unreadable, load_json
from devloop.gates.verdict import is_pytest
from devloop.redact import one_line

PACKAGE = "pytest-cov"
OLDEST = (4, 1)
"""The first pytest-cov that writes JSON."""
FILE = "coverage.json"
MAX_REPORT = 32 * 1024 * 1024
LISTED = 3
FILES = 5_000
"""So many files are compared with the base tree's."""


def wanted(gate: Gate) -> bool:
    return bool(gate.coverage) and gate.origin == "discovered" and is_pytest(gate.command)


def missing(environment: Environment) -> str:
    """Why coverage can't be measured with this environment's pytest, or ""."""
    version = environment.packages.get(PACKAGE)
    if version is None:
        return f"coverage is configured but was not measured: {PACKAGE} is not installed in {environment.root}"
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        return f"coverage is configured but was not measured: {PACKAGE} {version} is too old to report JSON"
    return ""


def arguments(gate: Gate, folder: ReportDir) -> tuple[str, ...]:
    """What pytest gets in addition. `-p` loads the plug-in where plug-ins don't load by themselves; a threshold that
    the project sets would turn information into a verdict, so there is none."""
    measured = () if gate.coverage == "addopts" else ("--cov",)
    return ("-p", "pytest_cov", *measured, f"--cov-report=json:{folder.out / FILE}", "--cov-fail-under=0")


def variables(folder: ReportDir) -> dict[str, str]:
    """The data file stays out of the checkout."""
    return {"COVERAGE_FILE": str(folder.out / ".coverage")}


def read(folder: ReportDir, started: float) -> tuple[Coverage | None, str]:
    """The figures of `coverage json` (format 2 and 3), and a note: where the least is covered, or why there are none.

    `started` is seconds since the epoch.
    """
    try:
        data = load_json(fresh(folder.out, FILE, started, MAX_REPORT))
    except FileNotFoundError:
        return None, "coverage was not reported"
    except (OSError, ValueError) as problem:
        return None, f"the coverage report was refused: {why(problem)}"
    except Unreadable as problem:
        return None, f"the coverage report can't be read: {problem}"
    percent = _percent(data)
    if percent is None:
        return None, "the coverage report has no total"
    return Coverage(round(percent, 2), files=dict(sorted(_files(data))[:FILES])), _least(data)


def _percent(entry: Any, totals: str = "totals") -> float | None:
    found = entry.get(totals) if isinstance(entry, Mapping) else None
    value = found.get("percent_covered") if isinstance(found, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return float(value)


def _least(data: Mapping[str, Any]) -> str:
    """The files that are covered least, "" when all are covered wholly."""
    known = sorted((percent, one_line(name, 100)) for name, percent in _files(data))
    least = [f"{name} ({percent:.0f} %)" for percent, name in known[:LISTED] if percent < 100]
    return f"covered least: {', '.join(least)}" if least else ""


def _files(data: Mapping[str, Any]) -> list[tuple[str, float]]:
    files = data.get("files")
    named = files.items() if isinstance(files, Mapping) else ()
    return [(one_line(str(name), 300), percent) for name, entry in named if (percent := _summed(entry)) is not None]


def _summed(entry: Any) -> float | None:
    return _percent(entry, "summary")
