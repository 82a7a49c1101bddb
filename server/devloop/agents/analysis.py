"""What an analysis found (`contracts.Analysis`) as counts, as a report and as a plan's tasks. Pure and total: what does
not fit the contract is left out.

The order of tasks: quick wins first, tests before what they are to protect, extract before modify, each one for itself
to be reviewed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from devloop.agents.merging import place
from devloop.redact import cut, one_line, printable

CATEGORIES: Final = ("tests", "architecture", "code quality", "performance", "dependencies", "documentation")
STEPS: Final = ("test", "extract", "modify", "remove")
LEVELS: Final = ("low", "medium", "high")
SIZES: Final = {"low": "S", "medium": "M", "high": "L"}
"""Effort as a plan says it (plan-format, Effort)."""
QUICK, BEFORE, LATER = "Quick wins", "Tests before changes", "Restructuring"
MOST: Final = 100
_TEXT: Final = 2_000


@dataclass(frozen=True)
class Improvement:
    category: str
    path: str
    line: int
    problem: str
    change: str
    step: str
    impact: str
    effort: str

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    @property
    def cheap(self) -> bool:
        return self.effort == "low" and self.impact != "low"


def read(data: Any, categories: Sequence[str] = ()) -> tuple[Improvement, ...]:
    """Those of these categories (none named: of all), in the order in which they were handed in."""
    listed = data.get("findings") if isinstance(data, Mapping) else None
    found = (_improvement(each) for each in (listed if isinstance(listed, list) else ())[:MOST])
    return tuple(each for each in found if each is not None and (not categories or each.category in categories))


def _improvement(each: Any) -> Improvement | None:
    if not isinstance(each, Mapping):
        return None
    path, line = place(each.get("path")), each.get("line")
    problem, change = _text(each, "problem"), _text(each, "change")
    if not path or not problem:
        return None
    return Improvement(
        _one_of(each, "category", CATEGORIES, "code quality"),
        path,
        line if isinstance(line, int) and not isinstance(line, bool) and line > 0 else 0,
        problem,
        change or problem,
        _one_of(each, "step", STEPS, "modify"),
        _one_of(each, "impact", LEVELS, "medium"),
        _one_of(each, "effort", LEVELS, "medium"),
    )


def counted(findings: Iterable[Improvement]) -> dict[str, dict[str, int]]:
    """By category: how many there are, of high impact, and quick wins."""
    found: dict[str, dict[str, int]] = {}
    for each in findings:
        row = found.setdefault(each.category, {"count": 0, "high": 0, "quick": 0})
        row["count"] += 1
        row["high"] += each.impact == "high"
        row["quick"] += each.cheap
    return {category: found[category] for category in CATEGORIES if category in found}


def phases(findings: Sequence[Improvement]) -> list[tuple[str, list[tuple[Improvement, list[Improvement]]]]]:
    """Phases with what is to be done in them, and what each waits for; a phase without anything is left out."""
    waits = {at: _waits_for(findings, at) for at in range(len(findings))}
    quick: set[int] = set()
    for at in sorted(range(len(findings)), key=lambda at: STEPS.index(findings[at].step)):
        if findings[at].cheap and all(other in quick for other in waits[at]):
            quick.add(at)  # nothing that it waits for stands in a later phase
    where = {at: QUICK if at in quick else BEFORE if each.step == "test" else LATER for at, each in enumerate(findings)}
    made = []
    for name in (QUICK, BEFORE, LATER):
        here = sorted((at for at in where if where[at] == name), key=lambda at: _order(findings[at], at))
        if here:
            made.append((name, [(findings[at], [findings[other] for other in waits[at]]) for at in here]))
    return made


def _order(each: Improvement, at: int) -> tuple[int, int, int, int]:
    return STEPS.index(each.step), -LEVELS.index(each.impact), LEVELS.index(each.effort), at


def _waits_for(findings: Sequence[Improvement], at: int) -> list[int]:
    """What is earlier by its step, in the same file: the nearest such step, which waits for those before it."""
    here = findings[at]
    step = STEPS.index(here.step)
    for before in range(step - 1, -1, -1):
        found = [other for other, each in enumerate(findings) if each.path == here.path and each.step == STEPS[before]]
        if found:
            return found
    return []


def draft(findings: Sequence[Improvement], title: str) -> dict[str, Any]:
    """As a planner would hand it in (`contracts.PlanDraft`), with the effort of each task."""
    titles = _titles(findings)
    made = []
    for name, members in phases(findings):
        tasks = [
            {
                "title": titles[id(each)],
                "acceptance": [
                    f"Gone: {one_line(each.problem, 240)}",
                    "A test fails without it"
                    if each.step == "test"
                    else "What the code does is the same as before, and its tests show that",
                ],
                "files": [each.path],
                "depends": [titles[id(other)] for other in waits],
                "effort": SIZES[each.effort],
            }
            for each, waits in members
        ]
        made.append({"name": name, "tasks": tasks})
    return {"summary": title, "title": title, "goal": "Easier to change, without doing anything else", "phases": made}


def _titles(findings: Sequence[Improvement]) -> dict[int, str]:
    """Different for each: dependencies name tasks by title."""
    found: dict[int, str] = {}
    taken: set[str] = set()
    for each in findings:
        base = one_line(each.change, 110).rstrip(".")
        title = base if base.casefold() not in taken else f"{base} ({each.place})"
        number = 2
        while title.casefold() in taken:
            title, number = f"{base} ({each.place}, {number})", number + 1
        taken.add(title.casefold())
        found[id(each)] = title
    return found


def report(data: Mapping[str, Any], findings: Sequence[Improvement], title: str, when: str) -> str:
    """The report as a Markdown file."""
    return "\n".join(_report(data, findings, title, when)) + "\n"


def _report(data: Mapping[str, Any], findings: Sequence[Improvement], title: str, when: str) -> Iterator[str]:
    yield f"# {one_line(title, 200)}"
    yield ""
    yield f"**Date**: {when}"
    yield f"**Health**: {one_line(str(data.get('health') or 'unknown'), 40)}"
    yield ""
    yield from printable(_text(data, "summary")).splitlines()
    yield ""
    yield "| Category | Findings | High impact | Quick wins |"
    yield "|---|---|---|---|"
    for category, row in counted(findings).items():
        yield f"| {category} | {row['count']} | {row['high']} | {row['quick']} |"
    for name, members in phases(findings):
        yield ""
        yield f"## {name}"
        for each, waits in members:
            yield ""
            yield f"### {one_line(each.change, 160)}"
            yield ""
            yield f"- Place: `{each.place.replace('`', '')}`"
            yield f"- Problem: {one_line(each.problem, 1_000)}"
            yield f"- {each.category}; impact {each.impact}, effort {each.effort}"
            for other in waits:
                yield f"- After: {one_line(other.change, 160)}"
    good = data.get("good")
    if isinstance(good, list) and good:
        yield ""
        yield "## Good as it is"
        yield ""
        yield from (f"- {one_line(str(each), 400)}" for each in good[:30])


def _text(each: Mapping[str, Any], name: str) -> str:
    value = each.get(name)
    return cut(value.strip(), _TEXT) if isinstance(value, str) else ""


def _one_of(each: Mapping[str, Any], name: str, known: Sequence[str], default: str) -> str:
    value = each.get(name)
    return value if isinstance(value, str) and value in known else default
