"""What a refactoring must not change: it is carried out on a copy, and that is read again, before its edits are given
out. Markdown holds surprises (a list that begins anew, a line that continues a paragraph); nobody should meet them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from devloop.errors import UsageError
from devloop.plan.build import parse
from devloop.plan.edits import apply_to
from devloop.plan.model import Edit, Plan, Task


@dataclass(frozen=True)
class Fact:
    """What is to be kept of a task. `waits`: names of what it waits for by its own references, phases left out."""

    id: str
    title: str
    status: str
    waits: frozenset[str] = frozenset()


def facts(plan: Plan, names: Mapping[int, str] | None = None) -> list[Fact]:
    """One per task, in order. `names`: other ids that tasks will have."""
    renamed = names or {}

    def name(at: int) -> str:
        task = plan.tasks[at]
        return renamed.get(at, task.id if task.explicit else f"“{task.title}”").lower()

    found = []
    for at, task in enumerate(plan.tasks):
        waits: set[str] = set()
        for need in plan.graph.needs[at]:
            if need.whole_phase or need.text.lower().startswith("phase"):
                continue
            if need.unknown or not need.members:
                waits.update(text.lower() for text in need.ids)
            else:
                waits.update(name(member) for member in need.members)
        found.append(Fact(renamed.get(at, task.id) if task.explicit else "", task.title, task.status, frozenset(waits)))
    return found


def after(plan: Plan, edits: Iterable[Edit], *, archived: Iterable[str] = ()) -> Plan:
    """The plan with these edits."""
    ids = plan.archived_ids | frozenset(archived)
    return parse(apply_to(plan.document, tuple(edits)), name=plan.name, archived_ids=ids)


def same(expected: Iterable[Fact], changed: Plan, what: Callable[[Fact], Fact] = lambda fact: fact) -> None:
    """Raises `UsageError` when the changed plan says something else of its tasks than expected."""
    wanted, found = Counter(map(what, expected)), Counter(map(what, facts(changed)))
    if wanted != found:
        odd = next(iter([*(wanted - found), *(found - wanted)]))
        name = odd.id or odd.title or "without a title"
        raise UsageError(
            f"That would change more than it should: task {name} would not stay what it is",
            hint="Look at the text around it: indentation, empty lines, references to places such as p1.2",
        )


def without_waits(fact: Fact) -> Fact:
    return replace(fact, waits=frozenset())


def no_new_cycle(plan: Plan, changed: Plan) -> None:
    """Raises `UsageError` when tasks would wait for each other that don't now."""
    before, now = _stuck(plan), _stuck(changed)
    if len(now) > len(before):
        names = sorted({task.id for task in now})[:5]
        raise UsageError(f"Then tasks would wait for each other: {', '.join(names)}")


def _stuck(plan: Plan) -> list[Task]:
    return [task for task in plan.tasks if task.cycle]
