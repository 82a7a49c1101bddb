"""Headings that stand for tasks become tasks, with what is below them (plan-format §21, heading style).

`### Task 0.1 — Title ✅` becomes `- [x] Task 0.1: Title`. Its text, lists and code are indented below it; lines such as
`**Files**: …` and headings such as `#### Acceptance Criteria` become metadata. Plain bullets stay notes: only a person
knows which of them are work. Headings with tasks below them as headings, and those of a log or of criteria, stay.
"""

from __future__ import annotations

import re
from collections import Counter

from devloop.errors import UsageError
from devloop.plan import headings, items
from devloop.plan.blocks import ITEM, RULE, TEXT
from devloop.plan.headings import CRITERION, LOG, PHASE
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan
from devloop.plan.refactor import check
from devloop.plan.refactor.draft import Draft

_LEAD = re.compile(
    r"(?P<word>Task|Step|Milestone)[ \t]+(?P<number>[0-9]+(?:\.[0-9]+){0,4})"
    r"(?:[ \t]*[:.)]|[ \t]*[–—]|[ \t]+-(?=[ \t]|$))?[ \t]*(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_MARKER = {"complete": "x", "in_progress": "~", "": " "}


def convertible(plan: Plan) -> tuple[int, ...]:
    """The lines of the headings that can become tasks."""
    found = []
    for at, section in enumerate(plan.tree.sections):
        if section.heading.task_like and section.kind not in (LOG, CRITERION) and _inside(plan, at) is not None:
            found.append(section.line)
    return tuple(found)


def from_headings(plan: Plan, line: int | None = None) -> tuple[Edit, ...]:
    """Convert all headings that stand for tasks, or the one in this line. Raises `UsageError` when there is none."""
    wanted = [found for found in convertible(plan) if line is None or found == line]
    if not wanted:
        raise UsageError("No heading here stands for a task" if line else "No heading stands for a task")
    draft = Draft(plan)
    for at, section in enumerate(plan.tree.sections):
        if section.line in wanted:
            _convert(plan, draft, at)
    edits = draft.edits()
    _check(plan, edits, len(wanted))
    return edits


def _inside(plan: Plan, at: int) -> list[int] | None:
    """The headings below this one, None when one of them is more than a part of the task."""
    end = plan.sections[at].last_line
    found = []
    for number in range(at + 1, len(plan.tree.sections)):
        section = plan.tree.sections[number]
        if section.line > end:
            break
        if section.heading.task_like or section.heading.kind in (LOG, PHASE) or section.heading_lines != 1:
            return None
        found.append(number)
    return found


def _convert(plan: Plan, draft: Draft, at: int) -> None:
    section = plan.tree.sections[at]
    draft.rewrite(section.line, _line(section.heading.text))
    if section.heading_lines > 1:
        draft.remove(section.line + 1, section.line + section.heading_lines - 1)
    inner = {plan.tree.sections[number].line: plan.tree.sections[number] for number in _inside(plan, at) or ()}
    depth, listed, held = 2, False, False  # columns; whether lists, or everything, belong to the metadata above
    document = plan.document
    for line in range(section.line + section.heading_lines, _end(plan, at) + 1):
        text, step = body(document.line(line - 1)), document.step(line - 1)
        if not text.strip():
            continue
        root = not step.state.stack
        if line in inner:
            criteria = inner[line].heading.kind == CRITERION
            depth, listed, held = (4, True, True) if criteria else (2, False, False)
            if criteria:
                draft.rewrite(line, "  - Acceptance:")
                continue
            draft.rewrite(line, f"  {_expanded(text)}")
            continue
        known = items.meta(text.strip()) if root and step.kind == TEXT else None
        if known is not None and known.key and text.lstrip().startswith(("**", "_")):
            draft.rewrite(line, f"  - {text.strip()}")
            depth, listed, held = 4, not known.value, False
            continue
        starts = step.kind == ITEM and not step.matched
        after_blank = not body(document.line(line - 2)).strip()
        if not held and ((starts and not listed) or (root and after_blank)):
            depth, listed = 2, False
        draft.rewrite(line, " " * depth + _expanded(text))


def _end(plan: Plan, at: int) -> int:
    """The last line that belongs to the task: empty lines and rules at the end stay where they are."""
    document, section = plan.document, plan.tree.sections[at]
    end = plan.sections[at].last_line
    head = section.line + section.heading_lines - 1
    while end > head:
        step = document.step(end - 1)
        if body(document.line(end - 1)).strip() and not (step.kind == RULE and not step.state.stack):
            break
        end -= 1
    return end


def _expanded(text: str) -> str:
    """The line with tabs in its indentation as blanks: behind other indentation they would have another width."""
    bare = text.lstrip(" \t")
    return " " * len(text[: len(text) - len(bare)].expandtabs(4)) + bare


def _line(text: str) -> str:
    """The task's line: number, title, and `[x]` for a heading that says done."""
    found = _LEAD.match(headings.clean(text))
    if found is None:
        raise UsageError(f"{text[:80]!r} names no task")
    head = headings.heading(2, f"Phase 1: {found['rest']}").phase  # its status marks are those of a phase
    title, written = (head.name, head.written) if head is not None else (found["rest"], "")
    if head is not None and head.tag:
        title += f" [parallel:{head.tag}]"
    word, number = found["word"].capitalize(), found["number"]
    if word == "Step" and number.isdecimal() and "*" not in title and title:
        lead = f"**Step {number}: {title}**"
    else:
        lead = f"{word} {number}: {title}" if title else f"{word} {number}"
    return f"- [{_MARKER[written]}] {lead}"


def _check(plan: Plan, edits: tuple[Edit, ...], count: int) -> None:
    changed = check.after(plan, edits)
    before = Counter(map(check.without_waits, check.facts(plan)))
    now = Counter(map(check.without_waits, check.facts(changed)))
    criteria, kept = Counter(one.text for one in plan.criteria), Counter(one.text for one in changed.criteria)
    # Boxes of a list of criteria below a heading were taken for tasks.
    lost, gained = Counter(fact.title for fact in (before - now).elements()), kept - criteria
    if lost - gained or criteria - kept or len(changed.tasks) != len(plan.tasks) + count - lost.total():
        raise UsageError(
            "That would change more than the headings",
            hint="Convert them one by one, or look at the text around them",
        )
