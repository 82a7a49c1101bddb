r"""Scanning lines fast: most lines look like one seen before.

Only the beginning of a line decides what it is. `_shape` cuts a line down to that beginning, and a `State` remembers
what a shape does to it. So the usual line costs one regular expression and one dictionary access, and `blocks.step`
runs once for all lines that look alike. A beginning that is not plainly harmless (quotes, fences, tabs, HTML, ...) is
its own shape: the whole line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from devloop.plan.blocks import ROOT, State, Step, step

_shape = re.compile(
    r"""
    \#{1,6}(?=[ \r\n])                                  # a heading: its text doesn't matter
    | [ ]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ ]{1,4}(?![ ]))?  # indentation, at most one marker, and then
      (?: \[[^\]\r\n]\]\*?(?=[ \t\r\n]|\Z)            #   a box, which belongs to the shape
        | [^\s\-+*\#>`~<=_0-9\[]                        #   a character that can only begin text
        | \*\*[^\s*] | \*[^\s*] | `[^\s`] | _[^\s_]     #   emphasis, a code span
        | [0-9]{1,9}[^\s0-9.)] | [0-9]{1,9}[.)][^\s\[]  #   a number that is no marker
      )
    | .*
    """,
    re.VERBOSE | re.DOTALL,
).match


def scan(lines: Sequence[str], before: State = ROOT) -> list[Step]:
    """The steps of `lines`, of which the first follows on `before`."""
    steps: list[Step] = []
    add = steps.append
    row = before
    for match in map(_shape, lines):
        found = row[match[0]]  # type: ignore[index]
        if found is None:
            found = step(row, lines[len(steps)])
        add(found)
        row = found.state
    return steps


def scan_line(line: str, before: State) -> Step:
    """The step of one line."""
    found = before[_shape(line)[0]]  # type: ignore[index]
    return step(before, line) if found is None else found
