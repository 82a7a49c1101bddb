"""From a name to the thing and back: definitions and references of tasks and phases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from devloop.plan import tokens
from devloop.plan.events import log_name
from devloop.plan.groups import group_members
from devloop.plan.inline import Span
from devloop.plan.model import Phase, Plan, Task
from devloop.plan.spans import span_at, spans
from devloop.plan.tokens import Named, Token

_NAMING: Final = frozenset(("dependency", "task-reference", "phase-reference", "log-task", "log-phase"))
_TASK: Final = frozenset(("task-id", "task-keyword"))
_PHASE: Final = frozenset(("phase-id", "phase-keyword", "phase-name"))


def named(plan: Plan, span: Span) -> tuple[Named, ...]:
    """What a span names: one task or phase, or the two ends of a range; nothing for other kinds of spans.

    The columns are those of the ids alone. A named thing need not exist.
    """
    if span.kind in ("phase-reference", "log-phase"):
        return (Named("phase", span.end - len(span.value), span.end, span.value),)
    if span.kind not in _NAMING:
        return ()
    if span.value.startswith('"'):
        return (Named("task", span.start, span.end, span.value),)
    found = tokens.named(plan.graph.resolver, Token(span.start, span.end, span.value))
    return found if span.kind == "dependency" or found[0].kind == "task" else ()


def named_at(plan: Plan, line: int, column: int) -> tuple[Task | Phase, ...]:
    """The tasks or phases that are defined or named at a place: several for an id used twice, none for other places.

    Inside a range it is the end of the range the place is nearer to.
    """
    span = span_at(plan, line, column)
    if span is None:
        return ()
    if span.kind in _TASK:
        return (plan.tasks[plan.graph.by_line[line]],)
    if span.kind in _PHASE:
        return tuple(phase for phase in plan.phases if phase.line == line)
    found = named(plan, span)
    return things(plan, _nearest(found, column)) if found else ()


def things(plan: Plan, name: Named) -> tuple[Task | Phase, ...]:
    """The tasks or phases of a name."""
    key = name.id.lower()
    if name.kind == "phase":
        return tuple(plan.phases[at] for at in plan.graph.resolver.phases.get(key, ()))
    if key.startswith('"'):
        return tuple(task for task in plan.tasks if log_name(task) == key)
    return tuple(plan.tasks[at] for at in plan.graph.by_id.get(key, ()))


def definition(plan: Plan, span: Span, column: int | None = None) -> tuple[Span, ...]:
    """Where what a span names is defined: ids of tasks (title or box where there is no id), ids of phases.

    A range leads to all its tasks, or, when a column is given that lies on one of its ends, to that one.
    """
    if span.kind in _TASK | _PHASE:
        found = named_at(plan, span.line, span.start)
        return tuple(place for thing in found if (place := defining(plan, thing)) is not None)
    names = named(plan, span)
    if not names:
        return ()
    if column is not None:
        names = tuple(name for name in names if name.start <= column <= name.end) or names
    targets: Iterable[Task | Phase] = (thing for name in names for thing in things(plan, name))
    if len(names) == 2:
        targets = covered(plan, span)
    return tuple(place for thing in targets if (place := defining(plan, thing)) is not None)


def covered(plan: Plan, span: Span) -> tuple[Task, ...]:
    """The tasks a reference stands for: those of a range or a phase included."""
    if span.kind == "task-reference":
        return tuple(plan.tasks[at] for at in group_members(span.value, plan.graph))
    needs = plan.graph.resolver.references(span.value)
    return tuple(plan.tasks[at] for at in dict.fromkeys(at for need in needs for at in need.members))


def defining(plan: Plan, thing: Task | Phase) -> Span | None:
    """The span that defines a task (its id, else its title, else its box) or a phase (its id)."""
    found = {span.kind: span for span in reversed(spans(plan, thing.line))}
    if isinstance(thing, Phase):
        return found.get("phase-id") or found.get("heading")
    return found.get("task-id") or found.get("title") or found.get("marker")


def references(plan: Plan, thing: Task | Phase) -> tuple[Span, ...]:
    """Every place that names a task or a phase, except its own definition; in document order.

    Spans of ranges are cut down to the end that names it. `kind` tells a dependency from a line of the log
    (`log-task`, `log-phase`). A range or phase that only contains the task does not name it.
    """
    found: list[Span] = []
    phase = isinstance(thing, Phase)
    wanted = {thing.id.lower()} if isinstance(thing, Phase) else {thing.id.lower(), log_name(thing)}
    words = ("phase",) if phase else tuple(name.strip('"') for name in wanted)
    for line in _lines_with(plan, words):
        for span in spans(plan, line):
            for name in named(plan, span):
                if (name.kind == "phase") == phase and name.id.lower() in wanted:
                    found.append(span._replace(start=name.start, end=name.end, value=name.id))
    return tuple(found)


def reference_lines(plan: Plan) -> Iterator[int]:
    """The lines in which a dependency or a list of a group may stand."""
    nodes = plan.tree.nodes
    for line, text in enumerate(plan.document, 1):
        low = text.lower()
        if "depend" in low or "group" in low or (line in nodes and nodes[line].key == "depends"):
            yield line


def _lines_with(plan: Plan, words: tuple[str, ...]) -> Iterator[int]:
    for line, text in enumerate(plan.document, 1):
        low = text.lower()
        if any(word in low for word in words):
            yield line


def _nearest(names: tuple[Named, ...], column: int) -> Named:
    return min(names, key=lambda name: max(name.start - column, column - name.end, 0))
