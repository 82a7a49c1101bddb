"""`.devloop/spikes/TOPIC.md` (state-files §9): the report of a spike. The changes that it asks of the plan are data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, get_args

from pydantic import BaseModel, ConfigDict

from devloop.errors import UsageError
from devloop.own_files import Fault
from devloop.redact import one_line, printable
from devloop.state.storing import update

FOLDER: Final = ".devloop/spikes"
UPDATES: Final = "Plan Updates Required"
FINDINGS: Final[tuple[str, ...]] = (
    "Feasibility",
    "Recommended Approach",
    "Size",
    "Risk",
    "Confidence",
    "Recommendation",
)
Kind = Literal["add", "modify", "reorder", "parallel", "remove", "other"]
_TEXT = r"[^ \t\r\n](?:[^\r\n]*[^ \t\r\n])?"
_SECTION = re.compile(rf"^#{{2,4}}[ \t]++(?P<name>{_TEXT})[ \t]*$")
_TITLE = re.compile(rf"^#[ \t]++(?:Spike(?:[ \t]++Report)?[ \t]*+:?[ \t]*+)?(?P<name>{_TEXT})[ \t]*$", re.IGNORECASE)
_NUMBERED = re.compile(rf"^[ \t]{{0,3}}[0-9]{{1,3}}[.)][ \t]++(?P<text>{_TEXT})[ \t]*$")
_FIELD = re.compile(r"^(?:[-*][ \t]+)?\*\*(?P<key>[^*:]{1,40})(?:\*\*:|:\*\*)[ \t]*+(?P<value>(?:.*[^ \t\n])?)[ \t]*$")
_TASK = re.compile(r"\bTasks?[ \t]+(?P<id>[A-Za-z]{0,8}-?[0-9]+(?:\.[0-9]+)*)", re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})")
Relationship = Literal["new work", "independent", "replaces", "informs"]
_RELATION = re.compile(
    r"(?P<kind>New work|Independent|Replaces|Informs)(?:[ \t]+Tasks?[ \t]+(?P<task>[\w.-]*\w))?", re.IGNORECASE
)
_KINDS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("parallel", re.compile(r"\bparallel", re.IGNORECASE)),
    ("reorder", re.compile(r"\b(?:re-?order|move|swap)\b", re.IGNORECASE)),
    ("remove", re.compile(r"\b(?:remove|drop|delete|skip)\b", re.IGNORECASE)),
    ("modify", re.compile(r"\b(?:modify|change|update|rename|split|extend)\b", re.IGNORECASE)),
    ("add", re.compile(r"\b(?:add|insert|new)\b", re.IGNORECASE)),
)


class Change(BaseModel):
    """One change of the plan. `tasks`: ids that it names; `after`: what a new task comes after; `line`: 1-based."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    text: str
    tasks: tuple[str, ...] = ()
    after: str | None = None
    line: int = 1


class Spike(BaseModel):
    """`sections`: (heading, text) of level 2, in the order of the file; `findings`: fields like Feasibility, Size."""

    model_config = ConfigDict(frozen=True)

    topic: str
    sections: tuple[tuple[str, str], ...] = ()
    findings: dict[str, str] = {}
    plan: str | None = None
    relationship: Relationship | None = None
    relates_to: str | None = None
    changes: tuple[Change, ...] = ()


def parse(text: str, path: str) -> tuple[Spike, tuple[Fault, ...]]:
    """A report. Any text is one; what can't be made a change of the plan is a fault."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    topic, fence = Path(path).stem, ""
    sections: list[tuple[str, list[str]]] = []
    fields: dict[str, str] = {}
    changes: list[Change] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, start=1):
        opened = _FENCE.match(line)
        if opened:
            fence = "" if fence and line.strip().startswith(fence) else fence or opened[1]
        heading = None if fence else _SECTION.match(line)
        if not fence and number < 20 and not sections and (title := _TITLE.match(line)):
            topic = title["name"]
        if heading and line.startswith("## "):
            sections.append((heading["name"].rstrip("#").rstrip(" \t") or heading["name"], []))
            continue
        if sections:
            sections[-1][1].append(line)
        if fence or opened:
            continue
        found = _FIELD.match(line)
        if found:
            fields.setdefault(found["key"].strip(), found["value"])
        item = _NUMBERED.match(line) if sections and sections[-1][0].lower() == UPDATES.lower() else None
        if item:
            change = _change(item["text"], number)
            changes.append(change)
            if change.kind == "other":
                faults.append(Fault(path, number, "this says not what is to change in the plan", "warning"))
    relation = _RELATION.match(fields.get("Relationship", ""))
    named = {key: fields[key] for key in FINDINGS if key in fields}
    spike = Spike(
        topic=topic,
        sections=tuple((name, "\n".join(body).strip("\n")) for name, body in sections),
        findings=named,
        plan=fields.get("Existing Plan"),
        relationship=next(
            (kind for kind in get_args(Relationship) if relation and kind == relation["kind"].lower()), None
        ),
        relates_to=relation["task"] if relation else None,
        changes=tuple(changes),
    )
    return spike, tuple(faults)


def _change(text: str, line: int) -> Change:
    plain = text.replace("**", "")
    first = plain.split(":", 1)[0] if ":" in plain else plain
    kind: Kind = next((name for name, pattern in _KINDS if pattern.search(first)), "other")
    tasks = tuple(dict.fromkeys(match["id"] for match in _TASK.finditer(plain)))
    after = re.search(r"\bafter[ \t]+(?:Task[ \t]+)?([A-Za-z]{0,8}-?[0-9]+(?:\.[0-9]+)*)", plain, re.IGNORECASE)
    return Change(kind=kind, text=plain, tasks=tasks, after=after[1] if after else None, line=line)


def name_of(topic: str) -> str:
    """The file of a topic. Raises `UsageError` for one without a letter or digit."""
    slug = re.sub(r"[^\w]+", "-", topic.lower()).strip("-_")[:60].strip("-_")
    if not slug:
        raise UsageError("A spike needs a topic with words in it.")
    return f"{FOLDER}/{slug}.md"


def render(
    topic: str,
    *,
    questions: Sequence[tuple[str, str]] = (),
    findings: Sequence[tuple[str, str]] = (),
    discoveries: Sequence[str] = (),
    risks: Sequence[str] = (),
    recommendation: str = "",
    steps: Sequence[str] = (),
    plan: str = "",
    relationship: str = "New work",
    changes: Sequence[str] = (),
) -> str:
    """A report with all its sections; an empty one says "None."."""

    def listed(items: Sequence[str], mark: str = "- ") -> list[str]:
        numbered = mark == "1."
        return [f"{n}. {_line(x)}" if numbered else f"- {_line(x)}" for n, x in enumerate(items, start=1)] or ["None."]

    parts = [f"# Spike: {_line(topic)}", "", "## Questions Investigated", ""]
    parts += [f"- **{_line(asked)}** → {_line(answer)}" for asked, answer in questions] or ["None."]
    parts += ["", "## Findings", "", *([f"**{_line(k)}**: {_line(v)}" for k, v in findings] or ["None."])]
    parts += ["", "## Key Discoveries", "", *listed(discoveries), "", "## Risks", "", *listed(risks)]
    parts += ["", "## Recommendation", "", printable(recommendation).strip() or "None."]
    parts += ["", "## Next Steps", "", *listed(steps, "1."), "", f"## {UPDATES}", ""]
    parts += [f"**Existing Plan**: {_line(plan) or 'none'}", f"**Relationship**: {_line(relationship)}", ""]
    return "\n".join([*parts, *listed(changes, "1."), ""])


def _line(text: str) -> str:
    return one_line(text, 500)


def write(root: Path, topic: str, text: str) -> str:
    """Write the report; one of the same topic is overwritten (§9). The path."""
    path = name_of(topic)
    update(root, path, lambda _: text)
    return path
