"""A planner's result as one change of the plan that is there.

First what is new, then the changes of single tasks, in their order. Each is tried on the text as it is by then; one
that does not fit is left out and named. What is done stays to the last character, ids stay, superseded tasks stay
readable.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from devloop.errors import DevloopError, StaleEdit
from devloop.plan import edits
from devloop.plan.build import parse
from devloop.plan.edits import apply_to
from devloop.plan.find import TaskRef, locate
from devloop.plan.importing.model import DraftTask, Told
from devloop.plan.model import Edit, Plan
from devloop.plan.proposing import adding, altering
from devloop.plan.proposing.comparing import edits_between
from devloop.plan.proposing.tasks import GROUP_CODES
from devloop.plan.proposing.wanted import Wanted, WantedChange, read

_STAMPED: Final = r"[ \t]*[-*+][ \t]+[0-9]{4}-[0-9]{2}-[0-9]{2}[ \t][0-9:]{4,8}:[ \t]*"
_DONE: Final = {
    "reword": "reworded",
    "supersede": "superseded",
    "move": "moved",
    "depend": "given other dependencies",
    "parallel": "put into a group",
}


@dataclass(frozen=True)
class Revision:
    """`edits`: all of the change, none where nothing fits; `said`: it in words; `left_out`: what does not fit, and
    why; `notes`: what was taken otherwise than it was meant."""

    text: str
    edits: tuple[Edit, ...]
    said: str = ""
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def applied(plan: Plan, mark: str) -> bool:
    """Whether the plan's log says that this change was made. The text is searched, not only what is read as log: the
    end of a plan may lie in a fence that nobody closed."""
    pattern = re.compile(_STAMPED + re.escape(mark) + r"(?![\w-])")
    return any(pattern.match(line) for line in plan.document)


def revised(plan: Plan, data: Any, *, mark: str, now: datetime, beside: TaskRef | None = None) -> Revision:
    """What a result asks of this plan. Any JSON gives one. A plan whose log has `mark` is changed already.

    `beside`: the task that the result is of; new phases come behind its own.
    """
    wanted, told = read(data), Told()
    if applied(plan, mark):
        return Revision(plan.text, (), "The plan is changed already")
    attempt = _Attempt(plan, wanted, now, told, beside)
    attempt.make()
    told.end()
    notes = (*(note.text for note in told.notes), *(problem.message for problem in told.problems))
    if wanted.more:
        notes = (*notes, f"{wanted.more} more of it were too many or nothing that devloop knows")
    said = attempt.said()
    if not said:
        return Revision(plan.text, (), "", tuple(attempt.left_out), notes)
    changed = _recorded(attempt.plan, f"{mark}: {said}", now)
    return Revision(changed.text, edits_between(plan, changed.text), said, tuple(attempt.left_out), notes)


class _Attempt:
    def __init__(self, plan: Plan, wanted: Wanted, now: datetime, told: Told, beside: TaskRef | None) -> None:
        self.plan, self._wanted, self._now, self._told, self._beside = plan, wanted, now, told, beside
        self.left_out: list[str] = []
        self._new: list[DraftTask] = []
        self._phases = 0
        self._done: Counter[str] = Counter()
        self._kept = [(task.id, task.title, task.marker) for task in plan.tasks if task.done]

    def make(self) -> None:
        self._add()
        for change in self._wanted.changes:
            if change.what != "add":
                self._alter(change)

    def _add(self) -> None:
        beside = None
        if self._beside is not None:
            try:
                beside = locate(self.plan, self._beside)
            except StaleEdit:
                self._told.note("changed", "The task that this comes from is no longer in the plan")
        try:
            added = adding.add(self.plan, self._wanted, beside, self._told)
            self._must_be_sound(added.plan)
        except DevloopError as problem:
            self.left_out.append(f"new tasks: {problem.message}")
            return
        self.plan, self._new, self._phases = added.plan, added.tasks, added.phases

    def _alter(self, change: WantedChange) -> None:
        def name(each: str) -> str:
            return altering.name_of(self.plan, self._new, each)

        try:
            changed = altering.altered(self.plan, change, name, self._now, self._told)
            self._must_be_sound(changed)
        except DevloopError as problem:
            self.left_out.append(f"{change.label}: {problem.message}")
            return
        if changed is self.plan:
            self.left_out.append(f"{change.label}: it is so already")
            return
        self.plan = changed
        self._done[change.what] += 1

    def _must_be_sound(self, changed: Plan) -> None:
        """No problem that was not there, and what was done is what it was."""
        before, after = _problems(self.plan), _problems(changed)
        new = [code for code, count in after.items() if count > before[code]]
        if new:
            raise StaleEdit(f"the plan would have a problem then: {new[0]}")
        left = Counter((task.id, task.title, task.marker) for task in changed.tasks)
        if any(left[each] < count for each, count in Counter(self._kept).items()):
            raise StaleEdit("something that is done would change")

    def said(self) -> str:
        """In words, for the log: only counts, no foreign text."""
        parts = [_many(self._phases, "phase"), _many(len(self._new), "task")]
        added = " and ".join(filter(None, parts))
        told = [f"{added} added"] if added else []
        told += [f"{_many(self._done[what], 'task')} {word}" for what, word in _DONE.items() if self._done[what]]
        return ", ".join(told)


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}" if count else ""


def _problems(plan: Plan) -> Counter[str]:
    """What must not become more: errors, and groups whose tasks can't run together."""
    found = (problem for problem in plan.problems if problem.code != "group-of-one")
    return Counter(each.code for each in found if each.severity == "error" or each.code in GROUP_CODES)


def _recorded(plan: Plan, text: str, now: datetime) -> Plan:
    """Log line, `Updated`, and a status that says that there is work again."""
    if plan.field("Updated"):
        plan = _after(plan, edits.set_header(plan, "Updated", now.strftime("%Y-%m-%d %H:%M")))
    is_open = any(not task.done for task in plan.top_level)
    if is_open and plan.status_text and plan.status in ("review", "complete") and plan.field("Status"):
        plan = _after(plan, edits.set_header(plan, "Status", edits.status_written("in_progress")))
    return _after(plan, edits.append_log(plan, text, now))


def _after(plan: Plan, found: Sequence[Edit]) -> Plan:
    return parse(apply_to(plan.document, tuple(found)), archived_ids=plan.archived_ids)
