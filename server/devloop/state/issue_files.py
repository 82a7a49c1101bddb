"""Files of issues (state-files §8): what one says, which there are. The public face is `issues`.

Two forms are read: YAML front matter, and `**Status**: …` fields below the heading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from devloop import front_matter
from devloop.errors import NotFound
from devloop.own_files import Fault, read_text
from devloop.redact import one_line
from devloop.state.storing import markdown_files

FOLDER: Final = ".devloop/issues"
LEGACY_FOLDERS: Final = (".claude/issues", ".claude/bugs")
"""Still read; never written."""
Type = Literal["bug", "feature", "task", "chore", "spike"]
Status = Literal["open", "in-progress", "blocked", "done", "wont-do"]
Priority = Literal["low", "medium", "high", "critical"]
PREFIXES: Final[dict[Type, str]] = {
    "bug": "BUG",
    "feature": "FEAT",
    "task": "TASK",
    "chore": "CHORE",
    "spike": "SPIKE",
}
CLOSED: Final = frozenset({"done", "wont-do"})
PRIORITIES: Final[tuple[Priority, ...]] = ("critical", "high", "medium", "low")
NAME = re.compile(r"(?P<prefix>BUG|FEAT|TASK|CHORE|SPIKE)-(?P<number>[0-9]{3,9})\Z")
_FIELD = re.compile(
    r"^\*\*(?P<key>[A-Za-z][A-Za-z -]{0,30})(?:\*\*:|:\*\*)[ \t]*(?P<value>[^\r\n]*?)[ \t]*$", re.MULTILINE
)
_HEADING = re.compile(r"^#[ \t]++(?P<text>[^ \t\r\n](?:[^\r\n]*[^ \t\r\n])?)[ \t]*$", re.MULTILINE)
_WORDS: Final[tuple[tuple[Type, str], ...]] = (
    (
        "bug",
        "bug|broken|breaks?|fix|fixes|crash(?:es|ed)?|error|fails?|failing|failure|wrong|incorrect|regression|"
        "exception|traceback|hangs?|leaks?|doesn'?t work|not working",
    ),
    ("feature", "add|adds|feature|implement|support|new|allow|enable|introduce|want|wish|should be able"),
    ("spike", "spike|investigate|explore|research|evaluate|feasibility|prototype|compare|find out"),
    ("chore", "chore|upgrade|bump|dependenc(?:y|ies)|cleanup|clean up|rename|housekeeping|lint|ci"),
    ("task", "task|refactor|document|docs|write|update|move|change|test|tests"),
)
_DETECT: Final = tuple((kind, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for kind, words in _WORDS)


class Issue(BaseModel):
    """One issue. `path` is relative to the root, `line` where its front matter or heading begins; `legacy`: fields."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    id: str = Field(pattern=r"^(BUG|FEAT|TASK|CHORE|SPIKE)-[0-9]{3,9}$")
    type: Type
    title: str = Field(min_length=1)
    status: Status = "open"
    priority: Priority = "medium"
    created: str = ""
    updated: str = ""
    reporter: str = Field(default="user", pattern=r"^(user|agent:.+)$")
    assignee: str | None = None
    labels: tuple[str, ...] = ()
    related_files: tuple[str, ...] = Field(default=(), alias="related-files")
    related_plan_task: str | None = Field(default=None, alias="related-plan-task")
    estimate: Literal["XS", "S", "M", "L", "XL"] | None = None
    due_date: str | None = Field(default=None, alias="due-date")
    parent: str | None = None
    blocks: tuple[str, ...] = ()
    blocked_by: tuple[str, ...] = Field(default=(), alias="blocked-by")
    resolved: str | None = None
    github: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+#[0-9]+$")

    @field_validator("created", "updated", "due_date", "resolved", mode="before")
    @classmethod
    def _time(cls, value: object) -> object:
        """YAML reads times as times."""
        return value.isoformat() if isinstance(value, date) else "" if value is None else value

    @field_validator("labels", "related_files", "blocks", "blocked_by", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        if value is None:
            return ()
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("title", "related_plan_task", "assignee", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value) if isinstance(value, int | float) else value

    @property
    def is_open(self) -> bool:
        return self.status not in CLOSED


def detect_type(text: str) -> Type:
    """The type that most keywords speak for; on a tie bug, then feature, then task."""
    count = {kind: len(pattern.findall(text)) for kind, pattern in _DETECT}
    best = max(count.values())
    if not best:
        return "task"
    order: tuple[Type, ...] = ("bug", "feature", "task", "chore", "spike")
    return next(kind for kind in order if count[kind] == best)


def parse(text: str, path: str) -> tuple[Issue | None, str, tuple[Fault, ...]]:
    """(the issue, its body, what is wrong). A file without front matter is read by its fields (the old form)."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if not plain.startswith(front_matter.FENCE):
        return _legacy(plain, path)
    try:
        head, body, _ = front_matter.split(plain)
        found = front_matter.read(head)
    except front_matter.Unreadable as problem:
        return None, plain, (Fault(path, problem.line, problem.message),)
    faults = () if found.lenient is None else (Fault(path, found.lenient.line, found.lenient.message, "warning"),)
    issue, wrong = _validated(dict(found.values), found.lines, path)
    return issue, body, (*faults, *wrong)


def _legacy(text: str, path: str) -> tuple[Issue | None, str, tuple[Fault, ...]]:
    lines: dict[str, int] = {}
    values: dict[str, Any] = {}
    for match in _FIELD.finditer(text[:20_000]):
        key = "-".join(match["key"].lower().split())
        if key not in values:
            values[key], lines[key] = match["value"], text.count("\n", 0, match.start()) + 1
    name = Path(path).stem
    heading = _HEADING.search(text)
    title = re.sub(r"^(?:[A-Z]+-[0-9]+)[ \t]*[:–—-]?[ \t]*", "", heading["text"]) if heading else ""
    if not values and not heading:
        return (
            None,
            text,
            (Fault(path, 1, "an issue begins with `---` and front matter, or with a heading and fields"),),
        )
    found = NAME.match(name)
    prefixes = {prefix: kind for kind, prefix in PREFIXES.items()}
    kind = prefixes[found["prefix"]] if found else detect_type(title)
    values = {key: each for key, each in values.items() if each}
    for key in ("status", "priority", "type"):
        if key in values:
            values[key] = "-".join(str(values[key]).lower().replace("'", "").split())
    values["status"] = _OLD_STATUS.get(values.get("status", "open"), values.get("status", "open"))
    values.setdefault("updated", values.get("created", ""))
    values["reporter"] = values.get("reporter", "user")
    if not re.match(r"(user|agent:.+)\Z", values["reporter"]):
        values["reporter"] = "user"
    if values.get("type") not in get_args(Type):
        values["type"] = kind
    issue, wrong = _validated({"id": name, "title": title or name, **values}, lines, path)
    return issue, text, wrong


_OLD_STATUS: Final = {
    "complete": "done",
    "completed": "done",
    "closed": "done",
    "fixed": "done",
    "resolved": "done",
    "implemented": "done",
    "wontfix": "wont-do",
    "wont-fix": "wont-do",
    "rejected": "wont-do",
    "active": "in-progress",
    "in_progress": "in-progress",
    "new": "open",
    "proposed": "open",
    "planned": "open",
}


def _validated(
    values: Mapping[str, Any], lines: Mapping[str, int], path: str
) -> tuple[Issue | None, tuple[Fault, ...]]:
    """The issue. A wrong optional field is a fault and left out; without the required ones there is no issue."""
    left = dict(values)
    if isinstance(left.get("status"), str):
        left["status"] = left["status"].replace("_", "-")
    faults: list[Fault] = []
    for _ in range(20):
        try:
            issue = Issue.model_validate(left)
            break
        except ValidationError as problem:
            for error in problem.errors():
                key = str(error["loc"][0])
                line = lines.get(key, 1)
                faults.append(Fault(path, line, one_line(f"{key}: {error['msg']}", 300)))
                if key in ("id", "title", "type") or key not in left:
                    return None, tuple(faults)
                del left[key]
    else:
        return None, tuple(faults)
    expected = Path(path).stem
    if issue.id != expected:
        faults.append(Fault(path, lines.get("id", 1), f"id: {issue.id} is not the name of the file", "warning"))
    if not issue.id.startswith(PREFIXES[issue.type]):
        text = f"type: {issue.type} does not fit {issue.id}"
        faults.append(Fault(path, lines.get("type", 1), text, "warning"))
    return issue, tuple(faults)


def scan(root: Path) -> tuple[tuple[Issue, ...], tuple[Fault, ...]]:
    """All issues by id, the legacy folders included, and what is wrong in their files."""
    found: dict[str, Issue] = {}
    faults: list[Fault] = []
    for folder in (FOLDER, *LEGACY_FOLDERS):
        for path in markdown_files(root, folder):
            if not NAME.match(Path(path).stem):
                continue
            issue, _, wrong = parse(read_text(root, path) or "", path)
            faults += wrong
            if issue is not None:
                found.setdefault(issue.id, issue)
    return tuple(sorted(found.values(), key=order)), tuple(faults)


def order(issue: Issue) -> tuple[str, int]:
    """By prefix, then by number."""
    prefix, _, number = issue.id.partition("-")
    return prefix, int(number)


def find(root: Path, name: str) -> tuple[str, str]:
    """(path, text) of the issue with this id, however its letters are cased. Raises `NotFound`."""
    wanted = name.strip().upper()
    if NAME.match(wanted):
        for folder in (FOLDER, *LEGACY_FOLDERS):
            path = f"{folder}/{wanted}.md"
            text = read_text(root, path)
            if text is not None:
                return path, text
    raise NotFound(f"There is no issue {one_line(name, 40)!r}.", hint="See `devloop issues`.")


def next_id(root: Path, kind: Type) -> str:
    """The next free number of this prefix: one more than the highest there ever was among the files."""
    prefix = PREFIXES[kind]
    highest = 0
    for folder in (FOLDER, *LEGACY_FOLDERS):
        for path in markdown_files(root, folder, limit=100_000):
            match = NAME.match(Path(path).stem)
            if match and match["prefix"] == prefix:
                highest = max(highest, int(match["number"]))
    return f"{prefix}-{highest + 1:03d}"
