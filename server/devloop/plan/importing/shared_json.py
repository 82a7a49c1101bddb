"""What the readers of JSON task lists have in common: statuses, files, models, and what is told of the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from devloop.plan.importing import words
from devloop.plan.importing.json_reading import Object
from devloop.plan.importing.model import MAX_TASKS, DraftTask, Told
from devloop.plan.importing.writing import file_piece
from devloop.plan.lines import clean
from devloop.plan.problems_tasks import leaves_repository

MARKERS: Final = {
    **dict.fromkeys(("pending", "todo", "open", "new", "backlog", "not started", "ready", "draft"), " "),
    **dict.fromkeys(("in progress", "started", "active", "review", "in review", "wip"), "~"),
    **dict.fromkeys(("done", "complete", "completed", "passed", "finished", "closed", "merged"), "x"),
    **dict.fromkeys(("blocked", "deferred", "on hold", "failed"), "!"),
    **dict.fromkeys(("cancelled", "canceled", "skipped", "abandoned", "wont do"), "-"),
}
"""plan-format §21: review counts as in progress, deferred as blocked with a note, cancelled as skipped."""

_MODEL = re.compile(r"[\w.:/-]{1,60}$")


def marker(found: Object, task: DraftTask, *names: str) -> str:
    """The marker of a status, and a note where the plan knows no such status."""
    written = found.text(*names)
    status = re.sub(r"[\s_-]+", " ", written.strip().lower())
    if not status:
        return " "
    mark = MARKERS.get(status)
    if mark is None:
        found.told.problem(f"There is no status {clean(written, 60)!r}; the task counts as not started", path=task.path)
        return " "
    if mark == "!":
        task.notes.append(f"Blocked: the source says {status}")
    if status in ("review", "in review", "deferred", "on hold", "failed"):
        found.told.note("changed", f"{status} became {'in progress' if mark == '~' else 'blocked'}", path=task.path)
    return mark


def files(found: Object, task: DraftTask, *names: str) -> None:
    for path in found.texts(*names):
        path = path.strip()
        piece = "" if leaves_repository(path) else file_piece(path)
        if piece:
            task.files.append(piece)
        else:
            found.told.problem(f"{clean(path, 120)!r} is no path inside the repository; left out", path=task.path)


def model(found: Object, task: DraftTask, *names: str) -> None:
    name = found.text(*names).strip()
    if name and _MODEL.match(name):
        task.tags.append(f"model:{name}")
    elif name:
        found.told.problem(f"{clean(name, 80)!r} is no name of a model; left out", path=task.path)


def fact(found: Object, task: DraftTask, key: str, *names: str) -> None:
    text = found.text(*names).strip()
    if text:
        task.facts.append((key, text))


def noted(found: Object, task: DraftTask, *names: str) -> None:
    text = words.lines(found.text(*names))
    if len(text) > words.MAX_LINES:
        found.told.note("lost", f"Of {len(text)} lines the first {words.MAX_LINES} were kept", path=found.at(names[0]))
    task.notes += text[: words.MAX_LINES]


def limited(rows: list[Object], told: Told) -> list[Object]:
    if len(rows) > MAX_TASKS:
        told.problem(f"There are {len(rows):,} tasks; the first {MAX_TASKS:,} were read")
    return rows[:MAX_TASKS]


def tell_left(rows: Iterable[Object], told: Told) -> None:
    """What was not taken over, once for each key."""
    counts: Counter[str] = Counter(clean(key, 60) for row in rows for key in row.left())
    for key, count in counts.items():
        told.note("lost", f"{key!r} of {count} task{'s' if count > 1 else ''}: a plan has no place for it")


def by_name(tasks: Sequence[DraftTask], told: Told) -> dict[str, DraftTask]:
    """Tasks by the source's id; of several with one id the first."""
    known: dict[str, DraftTask] = {}
    for task in tasks:
        if task.name:
            known.setdefault(task.name.lower(), task)
    return known


def wait_for(task: DraftTask, names: Iterable[str], known: dict[str, DraftTask], told: Told) -> None:
    for name in names:
        other = known.get(name.strip().lower())
        if other is not None:
            task.needs.append(other)
        else:
            task.notes.append(
                words.line(f"The source says that it waits for {clean(name, 60)}, which it does not have")
            )
            told.problem(f"There is no {clean(name, 60)!r} to wait for", path=task.path)
