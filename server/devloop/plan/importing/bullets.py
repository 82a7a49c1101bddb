"""Phases with plain bullets: each bullet a task. Only on request: whether a bullet is work is for a person to say."""

from __future__ import annotations

import re

from devloop.plan.headings import CRITERION, LOG
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan
from devloop.plan.refactor.draft import Draft
from devloop.plan.tree import DETAIL

_GLYPH = re.compile(r"(?:(?P<done>✅|✔️?|☑️?)|(?P<work>🚧|⏳|🔄)|(?P<open>⬜|☐|🔲|❌))[ \t]*")
_KEY = re.compile(r"\*\*[^*]+\*\*[ \t]*:|\*\*[^*]+:\*\*|Group[ \t]+\w+:", re.IGNORECASE)


def plain_bullets(plan: Plan) -> tuple[int, ...]:
    """The lines of bullets that could be tasks: in a phase, at the margin, neither log nor criteria nor `**Key**:`."""
    found = []
    for line, node in plan.tree.nodes.items():
        if node.line != line or node.kind != DETAIL or node.parent is not None or not node.texts:
            continue
        section = next((each for each in reversed(plan.sections) if each.line < line), None) if plan.phases else None
        if section is None or section.phase is None or section.kind in (LOG, CRITERION) or _KEY.match(node.texts[0]):
            continue
        found.append(line)
    return tuple(sorted(found))


def as_tasks(plan: Plan) -> tuple[Edit, ...]:
    """`- text` becomes `- [ ] text`, `- ✅ text` becomes `- [x] text`; an ordered item a bullet."""
    draft = Draft(plan)
    for line in plain_bullets(plan):
        text = body(plan.document.line(line - 1))
        step = plan.document.step(line - 1)
        bare = text.lstrip(" \t")
        mark = re.match(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]+", bare)
        if mark is None or len(step.state.stack) != 1:
            continue
        start = len(text) - len(bare)
        glyph = _GLYPH.match(bare, mark.end())
        box = "x" if glyph and glyph["done"] else "~" if glyph and glyph["work"] else " "
        bullet = "-" if bare[0].isdigit() else bare[0]
        end = start + (glyph.end() if glyph else mark.end())
        # As wide as before, or what is nested in the item would fall out of it.
        space = " " * max(1, min(4, mark.end() - 1))
        draft.replace(line, start, end, f"{bullet}{space}[{box}] ")
    return draft.edits()
