"""What an import gives, and the plan in the making that the readers of JSON fill."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Outcome = Literal["kept", "changed", "lost"]
KINDS: Final = ("spec-kit", "kiro", "headings", "bullets", "prd", "task-master", "devloop-json", "plan")
"""What can be imported (plan-format §21): two kinds of task list, headings that stand for tasks, phases with plain
bullets, three shapes of JSON, and a plan that is one already."""

MAX_CHARS: Final = 8 * 1024 * 1024
MAX_TASKS: Final = 20_000
MAX_TOLD: Final = 200  # notes and problems each; what comes after is counted


@dataclass(frozen=True)
class Note:
    """Something that was kept, changed or lost. `line`: of the source, 0 for none; `path`: place in JSON."""

    kind: Outcome
    text: str
    line: int = 0
    path: str = ""


@dataclass(frozen=True)
class ImportProblem:
    """Something wrong with the source; the import went on without it. `line` and `path` as in `Note`."""

    message: str
    line: int = 0
    path: str = ""


@dataclass(frozen=True)
class Imported:
    """`text`: a plan, always; `tasks`: how many it has, steps included; `problems`: what is wrong with the source."""

    kind: str
    text: str
    tasks: int
    notes: tuple[Note, ...] = ()
    problems: tuple[ImportProblem, ...] = ()


@dataclass
class Told:
    """Collects notes and problems; each text once, not more than a person would read."""

    notes: list[Note] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)
    unsaid: int = 0

    def note(self, kind: Outcome, text: str, *, line: int = 0, path: str = "") -> None:
        if len(self.notes) < MAX_TOLD:
            self.notes.append(Note(kind, text, line, path))
        else:
            self.unsaid += 1

    def problem(self, message: str, *, line: int = 0, path: str = "") -> None:
        if len(self.problems) < MAX_TOLD:
            self.problems.append(ImportProblem(message, line, path))
        else:
            self.unsaid += 1

    def end(self) -> None:
        if self.unsaid:
            self.problems.append(ImportProblem(f"There is more of this kind: {self.unsaid} times nothing was said"))
            self.unsaid = 0


@dataclass(eq=False)
class DraftTask:
    """A task in the making; all texts as the source has them. `name`: the source's id, empty for none; `id`: the one it
    gets (`linking.settle`). `inherited`: what it waits for because a task around it does."""

    title: str
    name: str = ""
    path: str = ""
    marker: str = " "
    explicit: bool = True
    optional: bool = False
    needs: list[DraftTask] = field(default_factory=list)
    inherited: list[DraftTask] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)  # without brackets
    acceptance: list[tuple[str, str]] = field(default_factory=list)  # (mark or empty, text)
    files: list[str] = field(default_factory=list)  # pieces of a `Files` value
    requirements: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verify: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)  # further metadata: (key, value)
    children: list[DraftTask] = field(default_factory=list)
    id: str = ""


@dataclass(eq=False)
class DraftPhase:
    """`id` empty: tasks outside of all phases, under a plain heading when `name` says one. `waits_for`: what all of its
    tasks wait for."""

    id: str
    name: str
    level: int = 2
    tag: str = ""
    goal: str = ""
    path: str = ""
    waits_for: list[DraftTask] = field(default_factory=list)
    tasks: list[DraftTask] = field(default_factory=list)


@dataclass(eq=False)
class DraftPlan:
    """`overview`: paragraphs; `facts`: (key, value) that have no place in a plan; `log`: (stamp, text)."""

    name: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    overview: list[str] = field(default_factory=list)
    phases: list[DraftPhase] = field(default_factory=list)
    criteria: list[tuple[str, bool, str]] = field(default_factory=list)  # (section, done, text)
    facts: list[tuple[str, str]] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)

    def all_tasks(self) -> list[DraftTask]:
        """In document order, steps behind their task."""
        found: list[DraftTask] = []
        waiting = [task for phase in reversed(self.phases) for task in reversed(phase.tasks)]
        while waiting:
            task = waiting.pop()
            found.append(task)
            waiting += reversed(task.children)
        return found
