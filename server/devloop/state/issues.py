"""`.devloop/issues/*.md` (state-files §8): one file per issue, with views that are written again after each change.

Two forms are read: YAML front matter, and `**Status**: …` fields below the heading. Only the first is written; in a
file that is there only the lines of changed fields change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from devloop import front_matter
from devloop.errors import NotFound, StaleEdit, UsageError
from devloop.own_files import Fault, read_text
from devloop.redact import one_line, printable
from devloop.state.storing import markdown_files, update, with_newlines

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
_HEADING = re.compile(r"^#[ \t]+(?P<text>[^\r\n]+?)[ \t]*$", re.MULTILINE)
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
    return tuple(sorted(found.values(), key=_order)), tuple(faults)


def _order(issue: Issue) -> tuple[str, int]:
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


# Writing


def render(issue: Issue, body: str) -> str:
    """An issue as a file."""
    fields = issue.model_dump(by_alias=True, exclude_none=True)
    lines = [front_matter.FENCE]
    for key, value in fields.items():
        if isinstance(value, tuple | list):
            if value:
                lines.append(f"{key}: [{', '.join(_scalar(str(each)) for each in value)}]")
        elif value != "" or key in ("created", "updated"):
            lines.append(f"{key}: {_scalar(str(value))}")
    return "\n".join([*lines, front_matter.FENCE, "", body.strip("\n"), ""])


_PLAIN = re.compile(r"[A-Za-z_./][\w ./@()+-]*\Z|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\Z", re.ASCII)
_RESERVED: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"})


def _scalar(text: str) -> str:
    """A YAML scalar: plain where that can't be misread, else in JSON's quotes, which YAML has too."""
    text = one_line(text, 2_000)
    if _PLAIN.match(text) and text == text.strip() and text.lower() not in _RESERVED:
        return text
    text = text.encode("utf-8", "replace").decode()
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in quoted)


def create(
    root: Path,
    title: str,
    now: datetime,
    *,
    kind: Type | None = None,
    priority: Priority = "medium",
    body: str = "",
    labels: Sequence[str] = (),
    reporter: str = "user",
) -> Issue:
    """Write a new issue and the views. The number is taken by making the file: two at a time never get the same.

    Raises `UsageError` for an empty title, `StorageError` where nothing can be written.
    """
    title = one_line(title, 200)
    if not title:
        raise UsageError("An issue needs a title.", hint='devloop new "what it is about"')
    kind = kind or detect_type(f"{title} {body}")
    when = now.strftime("%Y-%m-%dT%H:%M:%S")
    for _ in range(50):
        issue = Issue(
            id=next_id(root, kind),
            type=kind,
            title=title,
            priority=priority,
            created=when,
            updated=when,
            reporter=reporter,
            labels=tuple(labels),
        )
        text = render(issue, _body(issue, printable(body)))
        path = f"{FOLDER}/{issue.id}.md"
        if update(root, path, partial(_if_new, text)):
            write_views(root)
            return issue
    raise StaleEdit("Others are making issues at the same time.", hint="Try again.")


def _body(issue: Issue, text: str) -> str:
    parts = [f"# {issue.id}: {issue.title}", "", "## Description", "", text.strip() or issue.title, ""]
    if issue.type == "bug":
        for heading in ("Steps to Reproduce", "Expected Behavior", "Actual Behavior"):
            parts += [f"## {heading}", "", ""]
    else:
        parts += ["## Acceptance Criteria", "", ""]
    return "\n".join([*parts, "## Notes"])


def set_fields(text: str, path: str, changes: Mapping[str, str | None]) -> str:
    """The file with these front matter fields; all other lines stay. The old form gets front matter first."""
    newline = "\r\n" if "\r\n" in text else "\n"
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    issue, body, faults = parse(text, path)
    if issue is None:
        first = faults[0]
        raise UsageError(f"{first.path}:{first.line}: {first.message}", hint="Put the file right first.")
    if not plain.startswith(front_matter.FENCE):
        plain = render(issue, body)
    head, body, _ = front_matter.split(plain)
    lines = head.split("\n") if head else []
    for key, value in changes.items():
        at = next((n for n, line in enumerate(lines) if re.match(rf"{re.escape(key)}[ \t]*:", line)), None)
        line = f"{key}: {'null' if value is None else _scalar(value)}"
        if at is None:
            lines.append(line)
        else:
            end = at + 1
            while end < len(lines) and re.match(r"[ \t]+\S|-[ \t]", lines[end]):  # the rest of a list
                end += 1
            lines[at:end] = [line]
    new = "\n".join([front_matter.FENCE, *lines, front_matter.FENCE, body])
    return new.replace("\n", newline)


def set_status(root: Path, name: str, status: Status, now: datetime, *, note: str = "", by: str = "user") -> Issue:
    """Change an issue's status, note it in its text, write the views. Raises `NotFound`, `UsageError`."""
    path, _ = find(root, name)
    target = f"{FOLDER}/{Path(path).name}"  # one in a legacy folder is copied, never changed there
    when = now.strftime("%Y-%m-%dT%H:%M:%S")
    changes: dict[str, str | None] = {"status": status, "updated": when}
    if status in CLOSED:
        changes["resolved"] = when

    def edit(before: str | None) -> str:
        text = before if before is not None else find(root, name)[1]
        if "resolved" not in changes and re.search(r"^resolved[ \t]*:", text, re.MULTILINE):
            changes["resolved"] = None
        new = set_fields(text, path, changes)
        if status in CLOSED:
            lines = [f"- **Resolved in**: {when}", f"- **Resolved by**: {by}"]
            lines += [f"- **Summary**: {one_line(printable(note), 500)}"] if note else []
            return _in_section(new, "Resolution", lines)
        return _in_section(new, "Notes", [f"- {when}: {one_line(printable(note), 500)}"]) if note else new

    update(root, target, edit)
    write_views(root)
    issue, _, _ = parse(read_text(root, target) or "", target)
    assert issue is not None
    return issue


def _in_section(text: str, heading: str, lines: Sequence[str]) -> str:
    """Lines at the end of a section of level 2, which is made at the end of the file where there is none."""
    newline = "\r\n" if "\r\n" in text else "\n"
    have = text.rstrip("\r\n").split(newline)
    at = next((n for n, line in enumerate(have) if line.strip().lower() == f"## {heading}".lower()), None)
    if at is None:
        return newline.join([*have, "", f"## {heading}", "", *lines, ""])
    end = next((n for n in range(at + 1, len(have)) if have[n].startswith(("# ", "## "))), len(have))
    last = end
    while last > at + 1 and not have[last - 1].strip():
        last -= 1
    gap = [""] if last == at + 1 else []
    return newline.join([*have[:last], *gap, *lines, *([""] if end < len(have) else []), *have[end:], ""])


# Views

GENERATED: Final = "<!-- generated by devloop: edit the issues, not this list -->"


def views(issues: Iterable[Issue]) -> dict[str, str]:
    """The text of each view by file name."""
    known = list(issues)
    is_open = [issue for issue in known if issue.is_open]
    closed = sorted((i for i in known if not i.is_open), key=lambda i: (i.resolved or i.updated, i.id), reverse=True)
    return {
        "index.md": _index(known, is_open, closed),
        "bugs.md": _view("Bugs", [issue for issue in known if issue.type == "bug"]),
        "features.md": _view("Features", [issue for issue in known if issue.type == "feature"]),
        "backlog.md": _view("Backlog", [issue for issue in is_open if issue.type in ("feature", "task")]),
    }


def _index(known: list[Issue], is_open: list[Issue], closed: list[Issue]) -> str:
    counts = ", ".join(
        f"{n} {kind}{'s' if n != 1 else ''}" for kind in PREFIXES if (n := sum(i.type == kind for i in is_open))
    )
    lines = [
        "# Issues",
        "",
        GENERATED,
        "",
        f"**{len(is_open)} open** of {len(known)}{f': {counts}' if counts else ''}",
        "",
        "[Bugs](bugs.md) · [Features](features.md) · [Backlog](backlog.md)",
    ]
    for priority in PRIORITIES:
        members = [issue for issue in is_open if issue.priority == priority]
        if members:
            lines += ["", f"## Open, {priority} priority", "", *map(_line, members)]
    if closed:
        lines += ["", "## Recently resolved", "", *map(_line, closed[:10])]
    return "\n".join([*lines, ""])


def _view(title: str, members: list[Issue]) -> str:
    lines = [f"# {title}", "", GENERATED]
    for heading, chosen in (
        ("Open", [issue for issue in members if issue.is_open]),
        ("Resolved", [issue for issue in members if not issue.is_open]),
    ):
        if chosen:
            ordered = sorted(chosen, key=lambda issue: (PRIORITIES.index(issue.priority), *_order(issue)))
            lines += ["", f"## {heading}", "", *map(_line, ordered)]
    if not members:
        lines += ["", "None."]
    return "\n".join([*lines, ""])


def _line(issue: Issue) -> str:
    title = re.sub(r"([\\\[\]<>`|*_])", r"\\\1", one_line(issue.title, 200))
    state = "" if issue.status == "open" else f", {issue.status}"
    return f"- [{issue.id}]({issue.id}.md): {title} ({issue.priority}{state})"


def _if_new(text: str, before: str | None) -> str | None:
    return text if before is None else None


def _as_before(text: str, before: str | None) -> str:
    return with_newlines(text, before or "")


def write_views(root: Path) -> tuple[str, ...]:
    """Write the views whose text changed; their paths."""
    known, _ = scan(root)
    written = []
    for name, text in views(known).items():
        path = f"{FOLDER}/{name}"
        if update(root, path, partial(_as_before, text)):
            written.append(path)
    return tuple(written)
