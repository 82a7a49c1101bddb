"""Texts of new tasks and phases for completion, in the form the plan has. No method of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from devloop import plan as plans
from devloop.plan.lines import body

NEAR: Final = 40
"""Lines above a place that show how its metadata is written."""
_META: Final = re.compile(
    r"[ \t]+[-+*][ \t]+(?P<mark>\*\*|_)?(?:Acceptance|Files|Notes|Depends|Verify)\b(?P<behind>:?\*\*:?)?", re.IGNORECASE
)
_NUMBERED: Final = re.compile(r"(?P<head>\**(?:Task )?)(?P<phase>[0-9]+)\.(?P<number>[0-9]+)(?P<behind>\D*)\Z")


@dataclass(frozen=True)
class Template:
    """`plain` is the text without and `snippet` the one with places to fill in."""

    label: str
    plain: str
    snippet: str


def escaped(text: str) -> str:
    """Any text as a part of a snippet that stands for itself (LSP 3.18, Snippet Syntax)."""
    return re.sub(r"([\\$}])", r"\\\1", text)


def key_written(key: str, mark: str) -> str:
    """A metadata key with its colon, for the emphasis before it: `**Files**: `, `_Files: `, `Files: `."""
    return f"**{key}**: " if mark == "**" else f"{mark}{key}: "


def mark_near(plan: plans.Plan, line: int) -> str:
    """How the metadata above a place (else anywhere) is emphasised: `**`, `_` or nothing."""
    document = plan.document
    for at in range(min(line - 1, document.count), max(0, line - 1 - NEAR), -1):
        found = _META.match(body(document.line(at - 1)))
        if found is not None:
            return found["mark"] or ""
    return "**"


def tasks(plan: plans.Plan, line: int, lead: str) -> tuple[Template, ...]:
    """A task in one line, and one with metadata; `lead` is what it begins with."""
    bullet = lead[0] if lead.startswith(("*", "+")) else "-"
    mark = mark_near(plan, line)
    metas = [f"  {bullet} {key_written(key, mark)}" for key in ("Acceptance", "Files")]
    name = lead.strip().removesuffix(":")
    first = escaped(lead)
    return (
        Template(f"{name} …", lead, f"{first}${{1:title}}"),
        Template(
            f"{name} … with acceptance and files",
            "\n".join([lead, *metas]),
            f"{first}${{1:title}}\n{escaped(metas[0])}${{2:what has to be true when it is done}}"
            f"\n{escaped(metas[1])}${{3:files}}",
        ),
    )


def phases(plan: plans.Plan, heading: str) -> tuple[Template, ...]:
    """A phase's heading alone, and one with a goal and a first task."""
    name = heading.strip().removesuffix(":")
    lead = f"- [ ] {first_lead(plan)}"
    return (
        Template(f"{name}: …", heading, f"{escaped(heading)}${{1:name}}"),
        Template(
            f"{name}: … with a goal and a task",
            f"{heading}\n\n**Goal**: \n\n{lead}",
            f"{escaped(heading)}${{1:name}}\n\n**Goal**: ${{2:what it is for}}\n\n{escaped(lead)}${{3:title}}",
        ),
    )


def first_lead(plan: plans.Plan) -> str:
    """What the first task of the next phase begins with: `Task 3.1: ` where the others are numbered by phase."""
    following = plans.next_phase_id(plan)
    if not plan.phases:
        return f"Task {following}.1: " if following.isdigit() and not plan.tasks else ""
    lead = plans.next_lead(plan, plan.phases[-1])
    found = _NUMBERED.match(lead)
    return f"{found['head']}{following}.1{found['behind']}" if found is not None and following.isdigit() else lead
