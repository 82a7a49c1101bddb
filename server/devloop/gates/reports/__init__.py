"""Readers of reports. Every report is untrusted: it was written by a process that ran the agent's code.

`read(kind, data, sources)` gives a `Report` or raises `Unreadable` with one sentence for people.
"""

from __future__ import annotations

from collections.abc import Callable

from devloop.gates.model import ReportKind
from devloop.gates.reports import json_tools, junit, sarif
from devloop.gates.reports.base import MAX_REPORT, Report, Unreadable
from devloop.gates.sources import Sources

__all__ = ["MAX_REPORT", "Report", "Unreadable", "read"]

_READERS: dict[str, Callable[[bytes, Sources], Report]] = {
    "junit": junit.read,
    "ruff-json": json_tools.read_ruff,
    "mypy-json": json_tools.read_mypy,
    "pyright-json": json_tools.read_pyright,
    "bandit-json": json_tools.read_bandit,
    "sarif": sarif.read,
}


def read(kind: ReportKind, data: bytes, sources: Sources) -> Report:
    """Parse `data`. Raises `Unreadable` on anything that is no such report; never anything else."""
    if len(data) > MAX_REPORT:
        raise Unreadable(f"the report is larger than {MAX_REPORT // (1024 * 1024)} MiB")
    if not data.strip() and kind != "mypy-json":
        raise Unreadable("the report is empty")
    try:
        return _READERS[kind](data, sources)
    except Unreadable:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError) as problem:
        raise Unreadable(f"the report is no {kind}: {type(problem).__name__}: {problem}") from problem
