"""New phases and tasks in a plan that is there: where they stand, their ids, and what they wait for.

Nothing that is there is renumbered: ids are how people, runs and the log name tasks. A new phase has the next number,
wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from devloop.errors import DevloopError, UsageError
from devloop.plan.build import parse
from devloop.plan.edits import apply_to
from devloop.plan.extent import last_line
from devloop.plan.find import find_phase, find_task
from devloop.plan.headings import LOG
from devloop.plan.importing import linking, words, writing
from devloop.plan.importing.model import DraftPhase, DraftPlan, DraftTask, Told
from devloop.plan.lines import body, clean
from devloop.plan.model import Phase, Plan, Task
from devloop.plan.numbering import next_id, next_lead, next_phase_id
from devloop.plan.proposing import tasks as making
from devloop.plan.proposing.wanted import Wanted, WantedTask, phase_name
from devloop.plan.refactor.draft import Draft
from devloop.plan.refactor.moving import end_of_text, indent_of, reindented

_LAST_NUMBER = re.compile(r"(.*(?<![0-9]))([0-9]++)$", re.DOTALL)
_OWN_STYLE = ("spec", "key")


@dataclass
class _Place:
    """Where tasks are added: behind a task, else at the end of a phase; `mates` are those that stand there."""

    phase: Phase
    after: Task | None
    tasks: list[DraftTask] = field(default_factory=list)


@dataclass
class Added:
    """`plan`: with what was added; `tasks`: by what they were asked for as."""

    plan: Plan
    tasks: list[DraftTask]
    phases: int


class _Numbers:
    """Ids that nobody has."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._taken = {*plan.graph.by_id, *plan.graph.resolver.archived}
        models = [task for task in plan.top_level if task.explicit]
        self._model = models[-1] if models else None
        self._phases = int(next_phase_id(plan)) - 1

    def phase(self) -> str:
        self._phases += 1
        return str(self._phases)

    def within(self, phase: Phase) -> tuple[str, str]:
        """The id of one more task of a phase, and what its line begins with where that has a style of its own."""
        found = next_id(self._plan, phase)
        if not found:
            head = phase.id if re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", phase.id) else str(self._phases + 1)
            return self._free(f"{head}.", 1, 1), ""
        match = _LAST_NUMBER.match(found)
        assert match is not None
        name = self._free(match[1], int(match[2]), len(match[2]))
        return name, next_lead(self._plan, phase).replace(found, name, 1)

    def of_new(self, phase: str) -> str:
        """The id of one more task of a phase that is new: in the plan's own style where that knows no phases."""
        match = _LAST_NUMBER.match(self._model.id) if self._model and self._model.form in _OWN_STYLE else None
        if match is not None:
            return self._free(match[1], int(match[2]) + 1, len(match[2]))
        return self._free(f"{phase}.", 1, 1)

    def _free(self, head: str, number: int, width: int) -> str:
        while (name := f"{head}{number:0{width}d}").lower() in self._taken:
            number += 1
        self._taken.add(name.lower())
        return name


def add(plan: Plan, wanted: Wanted, beside: Task | None, told: Told) -> Added:
    """The plan with the phases and tasks that are wanted; `beside`: the task that they come from, behind whose phase
    they go, else behind the last one. Raises `UsageError` where the text lets nothing be added."""
    draft = _Draft(plan, wanted, beside, told)
    if not draft.pairs:
        return Added(plan, [], 0)
    for _ in range(3):
        changed = draft.written()
        odd = making.ungrouped([task for task, _ in draft.pairs], changed)
        if not odd:
            break
        for task in odd:
            task.tags = []
            told.note("changed", f"Task {task.id} stands in no group: it can't run beside the others of it")
    changed = draft.written()
    _check(plan, changed, draft)
    return Added(changed, [task for task, _ in draft.pairs], len(draft.phases))


class _Draft:
    def __init__(self, plan: Plan, wanted: Wanted, beside: Task | None, told: Told) -> None:
        self._plan, self._told, self._beside = plan, told, beside
        self._numbers = _Numbers(plan)
        self.phases: list[DraftPhase] = []
        self.places: list[_Place] = []
        self.leads: dict[DraftTask, str] = {}
        self.pairs: list[tuple[DraftTask, WantedTask]] = []
        for phase in wanted.phases:
            self._to_new(self._new_phase(phase.name, phase.goal), phase.tasks)
        for change in wanted.changes:
            if change.what == "add":
                self._to(change.phase, change.after, change.new)
        self._link()

    # Where

    def _new_phase(self, name: str, goal: str) -> DraftPhase:
        anchor = self._anchor()
        level = anchor.level if anchor is not None else 2
        phase = DraftPhase(self._numbers.phase(), words.phase_name("1", name), level=level, goal=goal)
        self.phases.append(phase)
        return phase

    def _to_new(self, phase: DraftPhase, wanted: tuple[WantedTask, ...]) -> None:
        for each in wanted:
            task = self._task(each, self._numbers.of_new(phase.id), "")
            phase.tasks.append(task)

    def _to(self, phase: str, after: str, wanted: WantedTask) -> None:
        """A single task: behind another, in a phase that is named, else in the one where work goes on."""
        behind = self._behind(after)
        if behind is not None and behind.phase_index is not None:
            self._at(self._plan.phases[behind.phase_index], behind, wanted)
            return
        named = self._phase(phase) if phase.strip() else self._anchor()
        if named is not None:
            self._at(named, None, wanted)
            return
        phase = phase_name(phase) or "More"
        name = making.normal(words.phase_name("1", phase))
        fresh = next((each for each in self.phases if making.normal(each.name) == name), None)
        self._to_new(fresh or self._new_phase(phase, ""), (wanted,))

    def _behind(self, name: str) -> Task | None:
        if not name.strip():
            return None
        try:
            task = find_task(self._plan, name)
        except DevloopError:
            self._told.note("lost", f"There is no task “{clean(name, 60)}” to stand behind")
            return None
        while task.parent_line is not None:
            task = self._plan.tasks[self._plan.graph.by_line[task.parent_line]]
        return task

    def _phase(self, name: str) -> Phase | None:
        try:
            return find_phase(self._plan, name.partition(":")[0] if name.lower().startswith("phase") else name)
        except DevloopError:
            return None

    def _anchor(self) -> Phase | None:
        """The phase of the task that asks, else the last one."""
        if self._beside is not None and self._beside.phase_index is not None:
            return self._plan.phases[self._beside.phase_index]
        return self._plan.phases[-1] if self._plan.phases else None

    def _at(self, phase: Phase, after: Task | None, wanted: WantedTask) -> None:
        name, lead = self._numbers.within(phase)
        task = self._task(wanted, name, lead)
        for place in self.places:
            if place.phase is phase and place.after == after:
                place.tasks.append(task)
                return
        self.places.append(_Place(phase, after, [task]))

    def _task(self, wanted: WantedTask, name: str, lead: str) -> DraftTask:
        task = making.drafted(wanted, self._told)
        task.title, task.id = words.title(" ".join(task.title.split())), name
        if not words.lead(name, task.title):
            task.title = words.UNTITLED
        self.leads[task] = lead
        self.pairs.append((task, wanted))
        return task

    # What they wait for

    def _link(self) -> None:
        names = making.Names([task for task, _ in self.pairs], self._known, self._of_phases())
        for (task, _), title in zip(self.pairs, [wanted.title for _, wanted in self.pairs], strict=True):
            task.name = title
        making.linked(self.pairs, names, self._told)
        linking.settle_needs(
            DraftPlan("", phases=[*self.phases, *(DraftPhase("", "", tasks=place.tasks) for place in self.places)]),
            self._told,
        )

    def _known(self, name: str) -> DraftTask | None:
        return known(self._plan, name)

    def _of_phases(self) -> Mapping[str, list[DraftTask]]:
        found: dict[str, list[DraftTask]] = {}
        for phase in self._plan.phases:
            found.setdefault(f"phase {phase.id.lower()}", [DraftTask(phase.name, id=f"Phase {phase.id}")])
        for new in self.phases:
            found[f"phase {new.id}"] = found[making.normal(new.name)] = new.tasks
        return found

    # The text

    def written(self) -> Plan:
        draft = Draft(self._plan)
        for place in sorted(self.places, key=lambda each: each.after.line if each.after else 0, reverse=True):
            at, lines = self._tasks_at(place)
            draft.insert(at, lines)
        if self.phases:
            at = self._end_of_phases()
            whole = DraftPlan("", phases=self.phases)
            every = [line for phase in self.phases for line in writing.phase_lines(phase, whole)]
            lines = [line for n, line in enumerate(every) if line or n == 0 or every[n - 1]]
            behind = at < self._plan.document.count and body(self._plan.document.line(at)).strip()
            above = at > 0 and body(self._plan.document.line(at - 1)).strip()
            draft.insert(at, [*lines[0 if above else 1 :], *([""] if behind else [])])
        return parse(apply_to(self._plan.document, draft.edits()), archived_ids=self._plan.archived_ids)

    def _tasks_at(self, place: _Place) -> tuple[int, list[str]]:
        plan, document = self._plan, self._plan.document
        index = next(at for at, phase in enumerate(plan.phases) if phase.line == place.phase.line)
        mates = [task for task in plan.top_level if task.phase_index == index]
        behind = place.after or (mates[-1] if mates else None)
        after = last_line(document, behind.line) if behind is not None else end_of_text(plan, index)
        indent = indent_of(document.line(behind.line - 1)) if behind is not None else ""
        loose = len(mates) > 1 and not body(document.line(mates[1].line - 2)).strip()
        lines: list[str] = []
        for task in place.tasks:
            lines += [*([""] if loose or (behind is None and not lines) else []), *self._lines(task)]
        follows = after < document.count and body(document.line(after)).strip()
        if behind is None and follows:
            lines.append("")
        return after, reindented(lines, "", indent)

    def _lines(self, task: DraftTask) -> list[str]:
        lead = self.leads[task]
        own = f"{lead}{task.title}"
        return writing.task_lines(task, own if lead and words.reads(own, task.id, task.title) else "")

    def _end_of_phases(self) -> int:
        """The line behind which new phases stand."""
        plan = self._plan
        anchor = self._anchor()
        if anchor is None:
            return self._end_of_tasks()
        end = anchor.end_line
        for section, tree in zip(plan.sections, plan.tree.sections, strict=True):
            if anchor.line < section.line <= end and tree.heading.kind == LOG:
                end = section.line - 1
        while end > anchor.line and not body(plan.document.line(end - 1)).strip():
            end -= 1
        return end

    def _end_of_tasks(self) -> int:
        """In a plan without phases: behind its last task, else above its log, else at its end."""
        plan = self._plan
        if plan.top_level:
            return last_line(plan.document, plan.top_level[-1].line)
        logs = [
            section.line
            for section, tree in zip(plan.sections, plan.tree.sections, strict=True)
            if tree.heading.kind == LOG
        ]
        end = logs[0] - 1 if logs else plan.document.count
        while end > 0 and not body(plan.document.line(end - 1)).strip():
            end -= 1
        return end


def known(plan: Plan, name: str) -> DraftTask | None:
    """A task that is there, as others name it; None where there is none, several, or nobody could name it."""
    try:
        task = find_task(plan, name)
    except DevloopError:
        return None
    if not task.explicit or len(plan.graph.by_id[task.id.lower()]) > 1:
        return None
    return DraftTask(task.title, id=task.id)


def _check(plan: Plan, changed: Plan, draft: _Draft) -> None:
    """All that was there is there still, and what was added reads as it was meant."""
    before = [(task.id if task.explicit else "", task.title, task.marker) for task in plan.tasks]
    new = {(task.id, task.title, " ") for task, _ in draft.pairs}
    after = [(task.id if task.explicit else "", task.title, task.marker) for task in changed.tasks]
    if [each for each in after if each not in new] != before or not new <= set(after):
        raise UsageError(
            "the text around the place would not let them be tasks, or would change what others say",
            hint="Look at indentation, fences and comments there",
        )
