"""What a planner asks for, read from its result with distrust: any JSON becomes this, and nothing raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from devloop.plan.lines import clean

MAX_TEXT: Final = 8_000
MAX_LIST: Final = 100
MAX_TASKS: Final = 500
"""Of one proposal."""
_NUMBERED: Final = re.compile(r"\A[ \t]*+(?:phase[ \t]++[0-9][0-9A-Za-z.]{0,8}[ \t]*+[:.)–—-][ \t]*+)++", re.IGNORECASE)
"""Phases are numbered here; a name that begins with a number of its own would have two."""
_NO_TAGS: Final = str.maketrans("[]", "()")
"""A task's tag in a heading has no effect and is a problem."""
KINDS: Final = ("add", "reword", "supersede", "move", "depend", "parallel")


@dataclass(frozen=True)
class WantedTask:
    """`depends`: titles or ids."""

    title: str = ""
    acceptance: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    group: str = ""
    effort: str = ""


@dataclass(frozen=True)
class WantedPhase:
    name: str
    goal: str = ""
    tasks: tuple[WantedTask, ...] = ()


@dataclass(frozen=True)
class WantedChange:
    """`what` is one of `KINDS`. `task`, `after`: ids; `new`: what it says of a new task, or anew of one; `by`: titles
    or ids of what takes its place."""

    what: str
    task: str = ""
    phase: str = ""
    after: str = ""
    new: WantedTask = WantedTask()
    by: tuple[str, ...] = ()
    why: str = ""

    @property
    def label(self) -> str:
        """How a person is told of it."""
        name = clean(self.task, 60)
        name = name if name.lower().startswith("task") else f"task {name}"
        title = clean(self.new.title, 80) or "Untitled"
        return f"add “{title}”" if self.what == "add" else f"{self.what} {name}"


@dataclass(frozen=True)
class Wanted:
    """`more`: how much of it was too much and is not here."""

    title: str = ""
    goal: str = ""
    phases: tuple[WantedPhase, ...] = ()
    changes: tuple[WantedChange, ...] = ()
    more: int = 0


def read(data: Any) -> Wanted:
    """Of `{"title", "goal", "phases": [{"name", "goal", "tasks": […]}], "changes": [{"what", …}]}`, as much as is
    there."""
    data = data if isinstance(data, Mapping) else {}
    phases, changes, left, more = [], [], MAX_TASKS, 0
    for each in _maps(data, "phases"):
        tasks = [_task(task) for task in _maps(each, "tasks")]
        more += max(0, len(tasks) - left)
        tasks = tasks[:left]
        left -= len(tasks)
        if tasks:
            phases.append(WantedPhase(phase_name(_text(each, "name")), _text(each, "goal"), tuple(tasks)))
    for each in _maps(data, "changes"):
        what = _text(each, "what")
        if what in KINDS:
            words = {name: _text(each, name) for name in ("task", "phase", "after", "why")}
            changes.append(WantedChange(what, new=_task(each), by=_texts(each, "by"), **words))
        else:
            more += 1
    return Wanted(_text(data, "title"), _text(data, "goal"), tuple(phases), tuple(changes), more)


def phase_name(raw: str) -> str:
    """The name of a new phase, without a number or tags of its own."""
    return _NUMBERED.sub("", raw).translate(_NO_TAGS)


def _task(data: Mapping[Any, Any]) -> WantedTask:
    title, group = _text(data, "title"), _text(data, "group")
    acceptance, files, depends = (_texts(data, name) for name in ("acceptance", "files", "depends"))
    return WantedTask(title, acceptance, files, depends, group, _text(data, "effort"))


def _text(data: Mapping[Any, Any], name: str) -> str:
    value = data.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _texts(data: Mapping[Any, Any], name: str) -> tuple[str, ...]:
    value = data.get(name)
    listed = value if isinstance(value, list | tuple) else ()
    return tuple(each[:MAX_TEXT] for each in listed[:MAX_LIST] if isinstance(each, str) and each.strip())


def _maps(data: Mapping[Any, Any], name: str) -> list[Mapping[Any, Any]]:
    value = data.get(name)
    listed = value if isinstance(value, list | tuple) else ()
    return [each for each in listed[:MAX_LIST] if isinstance(each, Mapping)]
