"""Reports of several agents on the same thing, as one. Pure, total, and the same in whatever order they come.

What a model handed in may be of any shape (a result that does not fit is taken as it is the second time): what makes no
finding is left out and counted.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, groupby
from typing import Any, Final

from devloop.redact import cut

SEVERITIES: Final = ("Critical", "High", "Medium", "Low", "Nitpick")
VERDICTS: Final = ("APPROVE", "COMMENT", "REQUEST_CHANGES")
"""From mild to strict."""
_RISKS: Final = {"CLEAN": 0, "LOW": 0, "MEDIUM": 1, "HIGH": 2, "CRITICAL": 2}
_IMPLIED: Final = {"Critical": 2, "High": 2, "Medium": 1, "Low": 1}
"""The least verdict that a finding allows, whatever the reviewer called the whole."""
NEAR: Final = 3
"""Lines apart that two findings in one file may be, to be the same finding."""
MOST: Final = 100
"""Findings of one report (`contracts.MAX_LIST`)."""
_SUMMARY: Final = 1_500
_SMALL: Final = frozenset(
    ("the", "and", "for", "with", "that", "this", "not", "are", "can", "from", "when", "which", "its", "has", "but")
)

Report = Mapping[str, Any]
Finding = dict[str, Any]


def reviews(reports: Sequence[tuple[str, Report]], change: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Reviews (`contracts.Review`) and security reports, by reviewer, as one `Review`.

    The verdict is the strictest one, and never milder than the findings. Of findings that different reviewers make of
    the same thing in the same place the most severe stays, and `by` names everybody who made it; what one reviewer
    says twice stays two findings. In order of severity, then of place. `change`: what was looked at: `what`, `files`,
    `added`, `deleted`.
    """
    reports = sorted(reports, key=lambda each: each[0])
    made = [finding for name, report in reports for finding in _findings(name, report)]
    found = sorted(_distinct(made), key=_rank)
    verdict = max((_verdict(report) for _, report in reports), default=0)
    verdict = max(verdict, *(_IMPLIED.get(finding["severity"], 0) for finding in found), 0)
    lines = [counted(found)] if len(found) <= MOST else [f"{counted(found)}; the {MOST} most severe are listed."]
    lines += [f"{name}: {cut(str(report.get('summary') or 'nothing'), _SUMMARY)}" for name, report in reports]
    return {
        "summary": "\n".join(lines),
        "verdict": VERDICTS[verdict],
        "reviewed": _looked_at(change) if change else "; ".join(_texts(reports, "reviewed")),
        "findings": found[:MOST],
        "good": _texts(reports, "good"),
        "plan_changes": _texts(reports, "plan_changes"),
    }


def counted(findings: Iterable[Report]) -> str:
    """`1 Critical, 2 Low`, or that there are none."""
    severities = [finding["severity"] for finding in findings]
    parts = [f"{severities.count(each)} {each}" for each in SEVERITIES if each in severities]
    return ", ".join(parts) or "No findings"


def place(path: object) -> str:
    """A path as reviewers may spell it, relative to the repository, with `/`; empty for what can't be one."""
    if not isinstance(path, str):
        return ""
    name = posixpath.normpath(path.strip().replace("\\", "/")) if path.strip() else ""
    return "" if name in ("", ".") or name.startswith("../") or name == ".." else name


def _looked_at(change: Mapping[str, Any]) -> str:
    many = "" if change["files"] == 1 else "s"
    lines = f", +{change['added']} -{change['deleted']} lines" if change.get("added") or change.get("deleted") else ""
    return f"{change['what']}: {change['files']} file{many}{lines}"


def _texts(reports: Iterable[tuple[str, Report]], field: str) -> list[str]:
    found: list[str] = []
    for _, report in reports:
        value = report.get(field)
        found += [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str) and each]
    return list(dict.fromkeys(found))[:MOST]


def _verdict(report: Report) -> int:
    if report.get("verdict") in VERDICTS:
        return VERDICTS.index(report["verdict"])
    return _RISKS.get(str(report.get("risk")), 0)


def _findings(name: str, report: Report) -> Iterator[Finding]:
    listed = report.get("findings")
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, Mapping):
            continue
        path, problem = place(each.get("path")), each.get("problem")
        if not path or not isinstance(problem, str) or not problem.strip():
            continue
        severity = each.get("severity") if each.get("severity") in SEVERITIES else "Nitpick"
        by = each.get("by")
        yield {
            "path": path,
            "line": _whole(each.get("line"), 0, 0, 10_000_000),
            "severity": severity,
            "kind": str(each.get("kind") or each.get("category") or "other"),
            "confidence": _whole(each.get("confidence"), 90 if severity == "Critical" else 80, 80, 100),
            "problem": problem,
            "fix": str(each.get("fix") or ""),
            "by": sorted({str(one) for one in by}) if isinstance(by, list) and by else [name],
        }


def _whole(value: object, default: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return default
    return min(max(value, least), most)


def _rank(finding: Report) -> tuple[Any, ...]:
    """The most severe and most certain first; the rest makes the order whole."""
    at = SEVERITIES.index(finding["severity"])
    return (at, finding["path"], finding["line"], -finding["confidence"], finding["kind"], *_words_of(finding))


def _words_of(finding: Report) -> tuple[Any, ...]:
    return finding["problem"], finding["fix"], finding["by"]


def _distinct(findings: list[Finding]) -> Iterator[Finding]:
    """The most alike findings of different reviewers come together first, so that each finds its own."""
    ordered = sorted(findings, key=lambda each: (each["path"], _rank(each)))
    for _, group in groupby(ordered, key=lambda each: each["path"]):
        here = list(group)
        sets = [{number} for number in range(len(here))]
        for _, first, second in sorted(_alike(here)):
            one, other = sets[first], sets[second]
            if one is other or not _people(here, one).isdisjoint(_people(here, other)):
                continue
            one |= other
            for number in other:
                sets[number] = one
        seen: set[int] = set()
        for members in sets:
            if id(members) not in seen:
                seen.add(id(members))
                yield _together([here[number] for number in sorted(members)])


def _people(findings: Sequence[Report], members: Iterable[int]) -> set[str]:
    return {name for number in members for name in findings[number]["by"]}


def _alike(findings: Sequence[Report]) -> Iterator[tuple[float, int, int]]:
    """Pairs that say the same, with how far they are from being one."""
    words = [_words(each["problem"]) for each in findings]
    for first, second in combinations(range(len(findings)), 2):
        one, other = findings[first], findings[second]
        apart = abs(one["line"] - other["line"])
        if apart > NEAR or (apart and 0 in (one["line"], other["line"])):
            continue
        both, all_ = len(words[first] & words[second]), len(words[first] | words[second])
        likeness = both / all_ if all_ else float(one["problem"] == other["problem"])
        if likeness >= (0.25 if apart == 0 and one["kind"] == other["kind"] else 0.34 if apart == 0 else 0.5):
            yield (apart - likeness, first, second)


def _together(members: Sequence[Finding]) -> Finding:
    best = members[0]  # in the order of `_rank`
    fix = next((each["fix"] for each in members if each["fix"]), "")
    by = sorted({name for each in members for name in each["by"]})
    return {**best, "fix": best["fix"] or fix, "confidence": max(each["confidence"] for each in members), "by": by}


def _words(text: str) -> set[str]:
    plain = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return {_stem(word) for word in plain if len(word) > 2 and word not in _SMALL}


def _stem(word: str) -> str:
    """Close enough for English: the same word in another form."""
    for end in ("ing", "ed", "es", "s"):
        if word.endswith(end) and len(word) - len(end) >= 4:
            return word.removesuffix(end)
    return word
