"""Ways out of the problems at a place, and all that nobody has to choose. No method of its own."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.features._actions import FIX_ALL, QUICK_FIX, Action, Asked, stale
from devloop.lsp.texts import label
from devloop.plan.fixes import certain_fix, fix_all, fixes_of

if TYPE_CHECKING:
    from devloop.lsp.buffers import Buffer, Snapshot
    from devloop.lsp.connection import Connection
    from devloop.lsp.features._payload import Payload

MOST: Final = 30
"""Problems of one request; a whole plan may be selected."""


def offered(connection: Connection, asked: Asked) -> Iterator[Action]:
    """The fixes of each problem that the editor names or that lies in the range."""
    if not asked.takes(QUICK_FIX):
        return
    count, nth, line = 0, -1, 0
    for problem in _problems(connection, asked.buffer, asked.snapshot, asked.first, asked.last):
        nth, line = (nth + 1 if problem.line == line else 0), problem.line
        matching = _matching(asked, problem)
        if not matching and not _touches(connection, asked, problem):
            continue
        count += 1
        if count > MOST:
            return
        for index, fix in enumerate(fixes_of(asked.plan, problem)):
            payload = asked.payload("fix", line=line, name=problem.code, nth=nth, index=index, title=fix.title[:2_000])
            yield Action(label(fix.title), QUICK_FIX, payload, diagnostics=matching, preferred=fix.certain)


def all_at_once(connection: Connection, asked: Asked) -> Iterator[Action]:
    """All certain fixes: when they are asked for by kind, or, where one of several is at the place, by a person."""
    if asked.named(FIX_ALL):
        certain = sum(certain_fix(problem) is not None for problem in asked.plan.problems)
    elif asked.only is None and asked.invoked and _certain_here(connection, asked):
        certain = sum(certain_fix(problem) is not None for problem in asked.plan.problems)
        certain = certain if certain > 1 else 0
    else:
        return
    if certain:
        many = f"all {certain} problems" if certain > 1 else "the problem"
        yield Action(f"Fix {many} with one right answer", FIX_ALL, asked.payload("fix-all"))


def edits(connection: Connection, buffer: Buffer, snapshot: Snapshot, wanted: Payload) -> tuple[plans.Edit, ...]:
    """Raises `StaleEdit` when there is no such problem or fix."""
    if wanted.do == "fix-all":
        return fix_all(snapshot.plan)
    problems = _problems(connection, buffer, snapshot, wanted.line, wanted.line)
    if wanted.nth < len(problems) and problems[wanted.nth].code == wanted.name:
        fixes = fixes_of(snapshot.plan, problems[wanted.nth])
        if wanted.index < len(fixes) and fixes[wanted.index].title[:2_000] == wanted.title:
            return fixes[wanted.index].edits
    raise stale()


def _problems(connection: Connection, buffer: Buffer, snapshot: Snapshot, first: int, last: int) -> list[plans.Problem]:
    """Those of some lines, in the order of lines, in each line those of the text alone first."""
    known = snapshot.plan.problems
    start = bisect_left(known, first, key=_line)
    found = list(known[start : bisect_left(known, last + 1, start, key=_line)])
    outside = connection.live.outside.problems(buffer, snapshot)
    found += [problem for problem in outside if first <= problem.line <= last]
    return sorted(found, key=_line)


def _line(problem: plans.Problem) -> int:
    return problem.line


def _matching(asked: Asked, problem: plans.Problem) -> tuple[t.Diagnostic, ...]:
    """The editor's diagnostics of a problem: by code and line, by message where a line has several of a code."""
    found = [
        each for each in asked.diagnostics if each.code == problem.code and each.range.start.line == problem.line - 1
    ]
    if len(found) > 1:
        found = [each for each in found if each.message == problem.message]
    return tuple(found)


def _touches(connection: Connection, asked: Asked, problem: plans.Problem) -> bool:
    place = connection.positions.range(asked.snapshot.document, problem.line, problem.start, problem.end)
    return place.start <= asked.range.end and asked.range.start <= place.end


def _certain_here(connection: Connection, asked: Asked) -> bool:
    found = _problems(connection, asked.buffer, asked.snapshot, asked.first, asked.last)
    return any(certain_fix(problem) is not None for problem in found)
