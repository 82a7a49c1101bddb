"""JSON of ruff, mypy, pyright and bandit → findings.

What each counts, measured with non-ASCII lines: ruff rows and columns from 1, characters; mypy lines from 1, columns
from 0; pyright both from 0, UTF-16; bandit lines from 1, columns from 0, bytes of UTF-8.
"""

from __future__ import annotations

from typing import Any

from devloop.gates.model import Finding, Level
from devloop.gates.reports.base import Report, Unreadable, capped, load_json, number, text
from devloop.gates.sources import Sources
from devloop.lists import some


def read_ruff(data: bytes, sources: Sources) -> Report:
    """`ruff check --output-format=json` and `ruff format --check --output-format=json`: one array."""
    items = load_json(data)
    if not isinstance(items, list):
        raise Unreadable("ruff's report is no list")
    findings = []
    for item in items:
        file = sources.relative(text(item["filename"]))
        place = item.get("location") or {"row": 1, "column": 1}
        line = max(0, number(place["row"]) - 1)
        column = sources.column(file, line, number(place["column"]) - 1, "characters")
        rule = text(item.get("code") or "invalid-syntax", 100)
        findings.append(Finding("ruff", rule, _level(item.get("severity")), text(item["message"]), file, line, column))
    return Report(capped(findings))


def read_mypy(data: bytes, sources: Sources) -> Report:
    """`mypy --output json`: one object per line; no line at all means no finding. Other lines are refused.

    mypy's columns on lines with non-ASCII text depend on its version; they are taken as characters and clamped.
    """
    findings: list[Finding] = []
    for raw in data.splitlines():
        if not raw.strip():
            continue
        item = load_json(raw)
        if not isinstance(item, dict):
            raise Unreadable("a line of mypy's report is no object")
        file = sources.relative(text(item["file"]))
        line = max(0, number(item["line"]) - 1)
        column = sources.column(file, line, number(item["column"]), "characters")
        rule = text(item.get("code") or "misc", 100)
        findings.append(Finding("mypy", rule, _level(item.get("severity")), text(item["message"]), file, line, column))
    return Report(capped(findings))


def read_pyright(data: bytes, sources: Sources) -> Report:
    """`pyright --outputjson`: `generalDiagnostics` and `summary` must add up."""
    document = load_json(data)
    findings, errors = [], 0
    for item in document["generalDiagnostics"]:
        file = sources.relative(text(item.get("file")))
        start = item.get("range", {}).get("start", {"line": 0, "character": 0})
        line = number(start["line"])
        column = sources.column(file, line, number(start["character"]), "utf16")
        level = _level(item.get("severity"))
        errors += level == "error"
        rule = text(item.get("rule") or "syntax", 100)
        findings.append(Finding("pyright", rule, level, text(item["message"]), file, line, column))
    summary = document["summary"]
    said = number(summary["errorCount"])
    problem = "" if said == errors else f"pyright's summary says {said} errors, its list holds {errors}"
    return Report(capped(findings), checked=number(summary["filesAnalyzed"]), problem=problem)


def read_bandit(data: bytes, sources: Sources) -> Report:
    """`bandit -f json`: `results`; a file that bandit could not read makes the report inconclusive."""
    document = load_json(data)
    findings = []
    for item in document["results"]:
        file = sources.relative(text(item["filename"]))
        line = max(0, number(item["line_number"]) - 1)
        column = sources.column(file, line, number(item.get("col_offset", 0)), "bytes")
        findings.append(
            Finding("bandit", text(item["test_id"], 100), _severity(item), text(item["issue_text"]), file, line, column)
        )
    unread = [sources.relative(text(item["filename"], 200)) for item in document["errors"]]
    problem = f"bandit could not read {some(unread, 5)}" if unread else ""
    return Report(capped(findings), checked=number(document["metrics"]["_totals"]["loc"]), problem=problem)


def _severity(item: dict[str, Any]) -> Level:
    """bandit's own exit code does not look at severity: every result makes it 1."""
    return "error" if item.get("issue_severity") in ("HIGH", "MEDIUM") else "warning"


def _level(severity: Any) -> Level:
    return {"warning": "warning", "information": "note", "note": "note", "info": "note", "none": "note"}.get(
        str(severity or "error").lower(), "error"
    )  # type: ignore[return-value]
