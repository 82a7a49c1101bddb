"""Ways out of a problem, and all that nobody has to choose (plan-format §17).

A fix is *certain* when there is one right text and nothing a person wrote gets lost: the same meaning in devloop's own
form (`[/]`, a range from its larger end, `[parallel:none]` on a task, a field without its asterisks), a box with a slip
in it, a display value that only repeats the markers (`Current Phase`, a glyph of a phase that is done). Never certain:
what would change a task's id, its state, what it waits for, or the status of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

from devloop.plan import edits, events
from devloop.plan.blocks import CODE, QUOTE, ROOT, Fence
from devloop.plan.html import COMMENT
from devloop.plan.items import MAX_LINE
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan, Problem
from devloop.plan.scan import scan

# Fixes that make new tasks; what only repeats the markers is fixed when these are through.
_FIRST: Final = frozenset(("malformed-checkbox", "malformed-header"))
_AFTER: Final = frozenset(("phase-status-drift", "current-phase-drift"))


class Fix(NamedTuple):
    title: str
    edits: tuple[Edit, ...]
    certain: bool = False


def fixes_of(plan: Plan, problem: Problem) -> tuple[Fix, ...]:
    """Every fix of a problem of this plan, the certain one (if there is one) first."""
    known = [Fix(title, changes, problem.certain and at == 0) for at, (title, changes) in enumerate(problem.fixes)]
    more = _LATER.get(problem.code)
    return (*known, *more(plan, problem)) if more is not None else tuple(known)


def certain_fix(problem: Problem) -> Fix | None:
    """The fix that nobody has to choose."""
    return Fix(*problem.fixes[0], True) if problem.certain and problem.fixes else None


def fix_all(plan: Plan, codes: Collection[str] | None = None) -> tuple[Edit, ...]:
    """The edits of all certain fixes (of these codes), by position; where two overlap, those of the first.

    What remains (overlaps, and what only shows now) is found by asking again for the changed plan.
    """
    wanted = [
        (problem.code, fix.edits)
        for problem in plan.problems
        if (codes is None or problem.code in codes) and (fix := certain_fix(problem)) is not None
    ]
    if any(code in _FIRST for code, _ in wanted):
        wanted = [(code, changes) for code, changes in wanted if code not in _AFTER]
    taken: dict[int, list[tuple[int, int]]] = {}
    chosen: list[Edit] = []
    for _, changes in wanted:
        if any(_collides(taken, edit) for edit in changes):
            continue
        for edit in changes:
            for line in range(edit.start_line, edit.end_line + 1):
                taken.setdefault(line, []).append(_columns(edit, line))
        chosen += changes
    return tuple(sorted(chosen, key=lambda edit: (edit.start_line, edit.start)))


def _columns(edit: Edit, line: int) -> tuple[int, int]:
    start = edit.start if line == edit.start_line else 0
    return start, edit.end if line == edit.end_line else MAX_LINE * 1000


def _collides(taken: dict[int, list[tuple[int, int]]], edit: Edit) -> bool:
    for line in range(edit.start_line, edit.end_line + 1):
        start, end = _columns(edit, line)
        if any(first <= end and start <= last for first, last in taken.get(line, ())):
            return True
    return False


# Fixes that are only found when asked for


def _reindented(plan: Plan, problem: Problem) -> Iterator[Fix]:
    """A line that looks like a box: an empty line before it, or another indentation, where that makes it one."""
    document, line = plan.document, problem.line
    text = document.line(line - 1)
    before = document.step(line - 2).state if line > 1 else ROOT
    context = body(text)
    bare = text.lstrip(" \t")
    indent = text[: len(text) - len(bare)]
    columns = [0]
    for width in before.stack:
        columns.append(columns[-1] + width)
    for column in dict.fromkeys(reversed(columns)):
        if column != len(indent.expandtabs(4)) and scan([" " * column + bare], before)[-1].box:
            title = f"Indent it by {column} columns" if column else "Remove its indentation"
            yield Fix(title, (Edit(line, 0, line, len(indent), " " * column, indent, context),))
            break
    if document.step(line - 1).kind != CODE and scan(["\n", text], before)[-1].box:
        edit = Edit(line, 0, line, 0, document.eol, "", context)
        yield Fix("Put an empty line before it", (edit,))


def _logged(plan: Plan, problem: Problem) -> Iterator[Fix]:
    """A log line without a time: nobody knows any more when it was."""
    at = plan.graph.by_line.get(problem.line)
    if at is not None:
        line = events.log_text("completed", plan.tasks[at])
        yield Fix(f"Add “{line}” to the log", edits.append_log(plan, line, ""))


def _closed(plan: Plan, problem: Problem) -> Iterator[Fix]:
    """Close at the end of the file what is open there: that changes the meaning of nothing."""
    document = plan.document
    state = document.open_at_end
    if QUOTE in state.stack:
        return
    if isinstance(state.leaf, Fence):
        fence = " " * sum(state.stack) + state.leaf.char * state.leaf.length
        yield Fix("Close the fence at the end", (edits.insert(document, document.count, [fence]),))
    elif state.leaf == COMMENT:
        yield Fix(
            "Close the comment at the end", (edits.insert(document, document.count, [" " * sum(state.stack) + "-->"]),)
        )


def _own_group(plan: Plan, problem: Problem) -> Iterator[Fix]:
    """Another letter in the task's own tag."""
    at = plan.graph.by_line.get(problem.line)
    box = plan.tree.tasks[at].box if at is not None else None
    if at is None or box is None:
        return
    tag = next((tag for tag in box.tags if tag.known and tag.name == "parallel"), None)
    phase = plan.tasks[at].phase_index
    used = {task.group.upper() for task in plan.tasks if task.group and task.phase_index == phase}
    free = next((letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in used), None)
    if tag is None or free is None:
        return
    line = plan.document.line(problem.line - 1)
    start, end = box.body + tag.start, box.body + tag.end
    edit = Edit(problem.line, start, problem.line, end, f"[parallel:{free}]", line[start:end], body(line))
    yield Fix(f"Move it to group {free}", (edit,))


_LATER: Final[dict[str, Callable[[Plan, Problem], Iterator[Fix]]]] = {
    "checkbox-not-a-task": _reindented,
    "unlogged-completion": _logged,
    "unclosed-fence": _closed,
    "unclosed-comment": _closed,
    "parallel-file-conflict": _own_group,
}
