"""Tasks of a proposal in the making: files, what they wait for, and which may run together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from devloop.plan.importing import writing
from devloop.plan.importing.model import DraftTask, Told
from devloop.plan.lines import clean
from devloop.plan.model import Plan
from devloop.plan.problems_tasks import leaves_repository
from devloop.plan.proposing.wanted import WantedTask

_GROUP: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,15}")
_NO_GROUP: Final = ("none", "full", "partial")
GROUP_CODES: Final = frozenset(("parallel-file-conflict", "parallel-depends", "group-conflict", "group-of-one"))
_TASK: Final = re.compile(r"tasks?[ \t]+", re.IGNORECASE)


def normal(text: str) -> str:
    """A title or an id as it is compared."""
    return " ".join(_TASK.sub("", clean(text, 8_000), count=1).casefold().split())


def drafted(wanted: WantedTask, told: Told) -> DraftTask:
    """A task without id and dependencies. Its group is a tag, which `ungrouped` may take away again."""
    files = [(each, file(each)) for each in wanted.files]
    for each, piece in files:
        if not piece:
            told.note("lost", f"{clean(each, 120)} can't be a file of this repository", path=clean(wanted.title, 80))
    return DraftTask(
        wanted.title,
        tags=[f"parallel:{name}"] if (name := group(wanted.group)) else [],
        acceptance=[("", each) for each in wanted.acceptance],
        files=list(dict.fromkeys(piece for _, piece in files if piece)),
        facts=[("Effort", effort)] if (effort := clean(wanted.effort, 40)) else [],
    )


def group(name: str) -> str:
    """The name of a group as a tag takes it; empty for none."""
    found = _GROUP.fullmatch(name.strip())
    return found[0] if found and found[0].lower() not in _NO_GROUP else ""


def file(raw: str) -> str:
    """A piece of a `Files` value; empty for what is no path in the repository."""
    path = raw.strip()
    new = path.lower().endswith("(new)")
    path = path[:-5].strip() if new else path
    path = path.strip("`").strip()
    return "" if leaves_repository(path) else writing.file_piece(path, new=new)


@dataclass
class Names:
    """What names of tasks mean: new ones by title (in order), those that are there by id or title."""

    new: list[DraftTask] = field(default_factory=list)
    known: Callable[[str], DraftTask | None] = lambda name: None
    """A task that is there."""
    phases: Mapping[str, Sequence[DraftTask]] = field(default_factory=dict)
    """By normal name: all tasks of a phase."""

    def find(self, name: str, near: DraftTask | None = None) -> list[DraftTask]:
        """What a name means for the task `near`: of several with one title the last one before it, else the first."""
        wanted = normal(name)
        found = [task for task in self.new if normal(task.title) == wanted] if wanted else []
        if len(found) > 1 and near in self.new:
            before = [task for task in found if self.new.index(task) < self.new.index(near)]
            found = before[-1:] or found
        if found:
            return found[:1]
        known = self.known(name)
        if known is not None:
            return [known]
        return list(self.phases.get(wanted, ()))


def linked(pairs: Iterable[tuple[DraftTask, WantedTask]], names: Names, told: Told) -> None:
    """Let each task wait for what it names; what names nothing is told and left out."""
    for task, wanted in pairs:
        for name in wanted.depends:
            found = [each for each in names.find(name, task) if each is not task]
            task.needs += found
            if not found:
                what = f"“{clean(task.title, 80)}” was to wait for “{clean(name, 80)}”, which is no other task"
                told.note("lost", what)


def ungrouped(draft: Sequence[DraftTask], plan: Plan) -> list[DraftTask]:
    """Tasks of the draft that can't stay in their group as the plan reads them; by id."""
    lines = {problem.line for problem in plan.problems if problem.code in GROUP_CODES}
    odd = {task.id.lower() for task in plan.tasks if task.line in lines}
    return [task for task in draft if task.tags and task.id.lower() in odd]
