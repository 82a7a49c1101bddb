"""What a plan says, as frozen values (plan-format §4 to §14). Lines are 1-based, columns count code points from 0."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from devloop.plan.document import Document
    from devloop.plan.graph import Graph
    from devloop.plan.stats import Stats
    from devloop.plan.tree import Tree

Severity = Literal["error", "warning", "info", "hint"]
Status = Literal["pending", "in_progress", "complete", "blocked", "skipped", "deferred", "unknown"]

MARKERS: Final[dict[str, Status]] = {
    " ": "pending",
    "~": "in_progress",
    "/": "in_progress",
    "x": "complete",
    "X": "complete",
    "!": "blocked",
    "-": "skipped",
    ">": "deferred",
}
DONE: Final = frozenset({"complete", "skipped"})  # what satisfies a dependency
DEFAULT_MARKERS: Final[dict[str, str]] = {
    "pending": " ",
    "in_progress": "~",
    "complete": "x",
    "blocked": "!",
    "skipped": "-",
}


def title_key(title: str) -> str:
    """A name for a task that survives lines inserted above it: a hash of its normalised title (§6)."""
    normal = " ".join(unicodedata.normalize("NFC", title).casefold().split())
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True)
class FileRef:
    """A file that a task names (§8). `lines`: (first, last) or None; `glob`: the path is a pattern."""

    path: str
    new: bool = False
    lines: tuple[int, int] | None = None
    glob: bool = False
    note: str = ""


TEMPLATE_TITLE = "Write the first task here"
"""The title of the one task of `plans/blank.md`: whoever runs it pays for work that nobody described."""


@dataclass(frozen=True)
class Task:
    """A work item. `parent` is set on subtasks; `explicit` says that the id stands in the text.

    `depends_on`: ids it waits for, in the order they were named, ranges and phases resolved, unknown ones as written
    (`unknown`). `cycle`: the ids of a cycle it is part of. `group`: tasks of the same phase and group may run together.
    `skills`: names of skills it asks for, in small letters. `may_change_tests`: files, patterns and single tests
    (`path::name`) whose change its text allows. `details`: child bullets and text that are no metadata.
    `extra`: (key, value) of metadata devloop gives no meaning.
    """

    id: str
    title: str
    line: int
    marker: str = " "
    status: Status = "pending"
    phase: str | None = None
    phase_index: int | None = None
    parent: str | None = None
    parent_line: int | None = None
    explicit: bool = True
    form: str = ""
    depends_on: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    cycle: tuple[str, ...] = ()
    group: str | None = None
    tags: tuple[str, ...] = ()
    story: str | None = None
    agent: str | None = None
    mode: str | None = None
    model: str | None = None
    skills: tuple[str, ...] = ()
    budget_usd: float | None = None
    turns: int | None = None
    timeout_s: float | None = None
    optional: bool = False
    background: bool = False
    sequential: bool = False
    ordered: bool = False
    acceptance: tuple[str, ...] = ()
    files: tuple[FileRef, ...] = ()
    may_change_tests: tuple[str, ...] = ()
    notes: str = ""
    verify: str = ""
    effort: str = ""
    owner: str = ""
    requirements: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()

    @cached_property
    def key(self) -> str:
        return title_key(self.title)

    @property
    def done(self) -> bool:
        return self.status in DONE

    @property
    def pickable(self) -> bool:
        """Top-level tasks and subtasks with an own id; other subtasks are steps of their parent (§13)."""
        return self.parent is None or self.explicit

    @property
    def unwritten(self) -> bool:
        """Whether this is still the template's task, open and to the letter: nobody said what is to be done."""
        return self.status in ("pending", "in_progress") and self.title == TEMPLATE_TITLE

    @property
    def label(self) -> str:
        """How a person would call it: `Task 2.1`, `T001`, or the quoted title when the text has no id."""
        if not self.explicit:
            return 'Task "{}"'.format(self.title.replace('"', "'")) if self.title else f"Task {self.id}"
        return f"Task {self.id}"

    @property
    def verify_command(self) -> str:
        """The command in back-ticks of `Verify`, if there is one."""
        first = self.verify.find("`")
        last = self.verify.find("`", first + 1)
        return self.verify[first + 1 : last].strip() if 0 <= first < last else ""


@dataclass(frozen=True)
class Phase:
    """A phase heading and what belongs to it. `written`: the status its heading shows; `status`: the computed one.

    `parent` is the index (in `Plan.phases`) of the phase it is nested in; `end_line` its last line.
    """

    id: str
    name: str
    line: int
    level: int
    end_line: int = 0
    parent: int | None = None
    goal: str = ""
    complexity: str = ""
    tag: str = ""
    parallelizable: str = ""
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    depends_on: tuple[str, ...] = ()
    depends_text: str = ""
    written: str = ""
    status: str = "empty"


@dataclass(frozen=True)
class Criterion:
    """A condition that is only checked (§9). `parent`: id of the task whose acceptance it is."""

    line: int
    text: str
    done: bool
    marker: str = " "
    section: str = ""
    phase: str | None = None
    parent: str | None = None


@dataclass(frozen=True)
class LogLine:
    """A line of the log. `stamp`: as written; `event`: started, completed, ... or empty; `tasks`: what it names."""

    line: int
    text: str
    stamp: str = ""
    event: str = ""
    tasks: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class Field:
    """`**Key**: value` of the header. `start`, `end`: columns of the value in its line."""

    key: str
    value: str
    line: int
    start: int
    end: int


@dataclass(frozen=True)
class Edit:
    """Replace the text between two positions (lines 1-based, columns code points) by `text`.

    `expect` is the text that has to be there, `context` what the whole first line has to be; else the edit is stale.
    """

    start_line: int
    start: int
    end_line: int
    end: int
    text: str
    expect: str = ""
    context: str | None = None


@dataclass(frozen=True)
class Problem:
    """A diagnostic (§17). `start`, `end`: columns in the line (`end` None: to its end). `related`: (line, message).

    `fixes`: (title, edits) of each way out, the best first. `certain`: the first of them is the one right text and
    loses nothing, so that nobody has to choose it. Fixes that cost more than a look at the line, or touch other lines,
    are found when they are asked for: `devloop.plan.fixes.fixes_of`.
    """

    code: str
    severity: Severity
    line: int
    message: str
    start: int = 0
    end: int | None = None
    related: tuple[tuple[int, str], ...] = ()
    fixes: tuple[tuple[str, tuple[Edit, ...]], ...] = ()
    certain: bool = False


@dataclass(frozen=True, eq=False)
class Plan:
    """A plan, read. `tasks` are in document order, subtasks among them. `status`: canonical (§12), derived when the
    written one (`status_text`) is missing or unknown."""

    document: Document
    name: str
    fields: tuple[Field, ...]
    status: str
    status_text: str
    phases: tuple[Phase, ...]
    tasks: tuple[Task, ...]
    criteria: tuple[Criterion, ...]
    log: tuple[LogLine, ...]
    sections: tuple[Section, ...]
    archived_ids: frozenset[str]
    graph: Graph = field(repr=False)
    tree: Tree = field(repr=False)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Every diagnostic that follows from the text alone (§17), by line. Computed when first asked for."""
        from devloop.plan.problems import find_problems

        return find_problems(self)

    @cached_property
    def stats(self) -> Stats:
        from devloop.plan.stats import statistics

        return statistics(self)

    @property
    def top_level(self) -> tuple[Task, ...]:
        """The tasks that count: no subtasks."""
        return tuple(task for task in self.tasks if task.parent_line is None)

    def field(self, key: str) -> Field | None:
        """The header field with this canonical name (`Status`, `Updated`, ...), if the plan has it."""
        wanted = key.casefold()
        return next((found for found in self.fields if found.key.casefold() == wanted), None)

    @property
    def goal(self) -> str:
        found = self.field("Goal") or self.field("Overview")
        return found.value if found else ""

    @property
    def text(self) -> str:
        return self.document.text

    @property
    def data(self) -> bytes:
        """The bytes the plan was read from."""
        return self.document.data


@dataclass(frozen=True)
class Section:
    """A heading outside containers. `kind`: log, criterion, phase or empty. `last_line`: end of its reach."""

    line: int
    level: int
    text: str
    kind: str
    phase: int | None
    last_line: int = 0
    heading_lines: int = 1
