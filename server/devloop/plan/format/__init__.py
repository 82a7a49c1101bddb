"""Formatting plans: whole, in part, while typing; numbering tasks anew. Pure; every result is edits of the text.

format_plan(plan, FormatOptions()), format_lines(plan, 1, 20)
on_type(plan, line, column, "\\n")    with the plan as it is after the character
renumber(plan, "2")
"""

from devloop.plan.format.numbering import renumber
from devloop.plan.format.on_type import Typed, on_type
from devloop.plan.format.options import FormatOptions
from devloop.plan.format.whole import format_lines, format_plan

__all__ = ["FormatOptions", "Typed", "format_lines", "format_plan", "on_type", "renumber"]
