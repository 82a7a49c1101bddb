"""Reports of several agents on the same thing, as one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

SEVERITIES: Final = ("Critical", "High", "Medium", "Low", "Nitpick")
_VERDICTS: Final = ("APPROVE", "COMMENT", "REQUEST_CHANGES")
_RISKS: Final = {"CLEAN": 0, "LOW": 0, "MEDIUM": 1, "HIGH": 2, "CRITICAL": 2}
NEAR: Final = 2
"""Lines apart that two findings of the same kind in one file may be, to be the same finding."""

Report = Mapping[str, Any]


def reviews(reports: Sequence[tuple[str, Report]]) -> dict[str, Any]:
    """Reviews (`contracts.Review`) and security reports, by reviewer, as one `Review`.

    The verdict is the strictest one. Of findings that say the same of the same place the most severe stays, and `by`
    names everybody who found it. In order of severity, then of place.
    """
    verdict = max((_verdict(report) for _, report in reports), default=0)
    found = _distinct(finding for name, report in reports for finding in _findings(name, report))
    found.sort(key=lambda each: (SEVERITIES.index(each["severity"]), each["path"], each["line"]))
    return {
        "summary": "\n".join(f"{name}: {report.get('summary') or 'nothing'}" for name, report in reports),
        "verdict": _VERDICTS[verdict],
        "reviewed": "; ".join(dict.fromkeys(filter(None, (str(each.get("reviewed") or "") for _, each in reports)))),
        "findings": found,
        "good": list(dict.fromkeys(good for _, report in reports for good in report.get("good") or ())),
        "plan_changes": list(dict.fromkeys(each for _, report in reports for each in report.get("plan_changes") or ())),
    }


def _verdict(report: Report) -> int:
    if report.get("verdict") in _VERDICTS:
        return _VERDICTS.index(report["verdict"])
    return _RISKS.get(str(report.get("risk")), 0)


def _findings(name: str, report: Report) -> Iterable[dict[str, Any]]:
    for each in report.get("findings") or ():
        severity = each["severity"] if each["severity"] in SEVERITIES else "Nitpick"
        yield {
            "path": each["path"],
            "line": each["line"],
            "severity": severity,
            "kind": each.get("kind") or each.get("category") or "",
            "confidence": each.get("confidence", 90 if severity == "Critical" else 80),
            "problem": each["problem"],
            "fix": each.get("fix") or "",
            "by": [name],
        }


def _distinct(findings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for finding in findings:
        same = next((other for other in kept if _same(finding, other)), None)
        if same is None:
            kept.append(finding)
            continue
        by = [*same["by"], *(name for name in finding["by"] if name not in same["by"])]
        better = min(same, finding, key=lambda each: (SEVERITIES.index(each["severity"]), -each["confidence"]))
        same.update({**better, "by": by})
    return kept


def _same(one: Report, other: Report) -> bool:
    if one["path"] != other["path"] or abs(one["line"] - other["line"]) > NEAR:
        return False
    words, others = _words(one["problem"]), _words(other["problem"])
    enough = 4 if one["line"] == other["line"] and one["kind"] == other["kind"] else 2
    return len(words & others) * enough >= len(words | others)


def _words(text: str) -> set[str]:
    return {word for word in "".join(c if c.isalnum() else " " for c in text.lower()).split() if len(word) > 2}
