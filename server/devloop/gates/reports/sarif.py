"""A subset of SARIF 2.1.0: runs → results → rule, level, message, first location, partial fingerprints."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from devloop.gates.model import Finding, Level
from devloop.gates.reports.base import Report, Unreadable, capped, load_json, number, text
from devloop.gates.sources import Sources, Unit


def read(data: bytes, sources: Sources) -> Report:
    """§3.14 run, §3.27 result. Suppressed results (§3.27.23) and those that are no failure (`kind`) are left out."""
    document = load_json(data)
    if not isinstance(document, dict) or not str(document.get("version", "")).startswith("2.1"):
        raise Unreadable("the report is no SARIF 2.1")
    findings: list[Finding] = []
    problem = ""
    runs = document["runs"]
    if not runs:
        problem = "the SARIF report holds no run"
    for run in runs:
        driver = run["tool"]["driver"]
        unit: Unit = "characters" if run.get("columnKind") == "unicodeCodePoints" else "utf16"
        for invocation in run.get("invocations") or []:
            if invocation.get("executionSuccessful") is False:
                problem = f"{text(driver.get('name'), 60)} says that it did not run to its end"
        if run.get("results") is None:
            problem = problem or f"{text(driver.get('name'), 60)} wrote no results: it looked at nothing"
        levels = {rule.get("id"): _default(rule) for rule in driver.get("rules") or []}
        for result in run.get("results") or []:
            if result.get("suppressions") or result.get("kind", "fail") != "fail":
                continue
            findings.append(_finding(result, text(driver.get("name") or "sarif", 60), levels, unit, sources))
    return Report(capped(findings), problem=problem)


def _default(rule: dict[str, Any]) -> str:
    return str((rule.get("defaultConfiguration") or {}).get("level") or "warning")


def _finding(result: dict[str, Any], tool: str, levels: dict[Any, str], unit: Unit, sources: Sources) -> Finding:
    rule = result.get("ruleId") or (result.get("rule") or {}).get("id") or "rule"
    level = _level(result.get("level") or levels.get(rule) or "warning")
    message = result.get("message") or {}
    physical = ((result.get("locations") or [{}])[0]).get("physicalLocation") or {}
    file = sources.relative(unquote(text((physical.get("artifactLocation") or {}).get("uri"))))
    region = physical.get("region") or {}
    line = max(0, number(region.get("startLine", 1)) - 1)
    column = sources.column(file, line, number(region.get("startColumn", 1)) - 1, unit)
    partial = result.get("partialFingerprints") or {}
    given = "|".join(f"{key}={text(partial[key], 200)}" for key in sorted(partial))
    return Finding(
        tool, text(rule, 200), level, text(message.get("text") or message.get("markdown")), file, line, column, given
    )


def _level(value: str) -> Level:
    return {"error": "error", "warning": "warning"}.get(value, "note")  # type: ignore[return-value]
