"""Text → Plan, problems, edits; selection; statistics. Pure: no IO, no clock, and reading never raises.

    plan = parse(data)                      any bytes are a plan
    plan = reparse(plan, plan.document.replace((4, 3), (4, 4), "x"))    the same after an edit, fast
    show(plan), next_task(plan)             plain JSON values
    select(plan), ready(plan), may_run(plan, task), find_task(plan, "2.1")
    change(plan, event), apply(data, edits)

The specification of the format is what the names in the docstrings (`plan-format §n`) refer to.
"""

from __future__ import annotations

from typing import Final

from devloop.plan.build import parse
from devloop.plan.candidates import Candidate
from devloop.plan.completion import completion
from devloop.plan.completion_values import Completion
from devloop.plan.document import Document
from devloop.plan.edits import add_note, append_log, apply, apply_to, difference, set_header, set_marker
from devloop.plan.events import Event, change
from devloop.plan.export import next_task, show, task_json
from devloop.plan.find import TaskRef, find_phase, find_task, locate
from devloop.plan.fixes import fix_all, fixes_of
from devloop.plan.format import FormatOptions, format_lines, format_plan, on_type, renumber
from devloop.plan.inline import Span
from devloop.plan.model import (
    Edit,
    FileRef,
    Phase,
    Plan,
    Problem,
    Section,
    Task,
    title_key,
)
from devloop.plan.naming import defining, definition, named, named_at, references
from devloop.plan.numbering import next_id, next_lead, next_phase_id
from devloop.plan.outlook import Outlook, blocking
from devloop.plan.refactor import carry_out, refactorings
from devloop.plan.rename import renamable, rename
from devloop.plan.reparse import patched, reparse
from devloop.plan.replies import reply
from devloop.plan.selection import (
    Reason,
    beside_first,
    blocked_by,
    in_phase,
    may_run,
    ready,
    select,
)
from devloop.plan.spans import span_at, spans
from devloop.plan.splice import spliced
from devloop.plan.stats import Counts, statistics
from devloop.plan.waves import waves

# Where a plan may be, first hit counts (plan-format §1); new plans go to the first.
PLAN_FILES: Final = (
    ".devloop/plan.md",
    ".claude/devloop-plan.md",
    "docs/PLAN.md",
    "docs/plan.md",
    "PLAN.md",
    "plan.md",
)

__all__ = [
    "PLAN_FILES",
    "Candidate",
    "Completion",
    "Counts",
    "Document",
    "Edit",
    "Event",
    "FileRef",
    "FormatOptions",
    "Outlook",
    "Phase",
    "Plan",
    "Problem",
    "Reason",
    "Section",
    "Span",
    "Task",
    "TaskRef",
    "add_note",
    "append_log",
    "apply",
    "apply_to",
    "beside_first",
    "blocked_by",
    "blocking",
    "carry_out",
    "change",
    "completion",
    "defining",
    "definition",
    "difference",
    "find_phase",
    "find_task",
    "fix_all",
    "fixes_of",
    "format_lines",
    "format_plan",
    "in_phase",
    "locate",
    "may_run",
    "named",
    "named_at",
    "next_id",
    "next_lead",
    "next_phase_id",
    "next_task",
    "on_type",
    "parse",
    "patched",
    "ready",
    "refactorings",
    "references",
    "renamable",
    "rename",
    "renumber",
    "reparse",
    "reply",
    "select",
    "set_header",
    "set_marker",
    "show",
    "span_at",
    "spans",
    "spliced",
    "statistics",
    "task_json",
    "title_key",
    "waves",
]
