"""What a skill is: a SKILL.md in the open Agent Skills format, with triggers of our own beside the description.

The format knows `name`, `description`, `license`, `compatibility`, `metadata` and `allowed-tools`. devloop adds
`triggers` (`paths`, `keywords`, `task_types`, `languages`, `not_keywords`), `when` and `when_not`. A file made for
another program is read as it is; what devloop gives no meaning is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from devloop.front_matter import FrontMatter, Unreadable, read, split

Severity = Literal["error", "warning"]

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_NAME = 64
MAX_DESCRIPTION = 1024
MAX_TRIGGERS = 64

STANDARD = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")
WHEN = ("when", "when_to_use", "whenToUse")
WHEN_NOT = ("when_not", "when_not_to_use", "whenNotToUse")
OURS = ("triggers", *WHEN, *WHEN_NOT)
FOREIGN = (
    *("version", "model", "argument-hint", "disable-model-invocation", "user-invocable", "context", "agent", "hooks"),
    *("tags", "author", "category"),
)
"""Keys that other programs read."""
TASK_TYPES = (
    *("feature", "bug", "refactor", "test", "docs", "spike", "review", "plan", "git", "release", "migration"),
    "setup",
)


@dataclass(frozen=True)
class Problem:
    """Something wrong in a file. `line` counts from 1; `path` is set by whoever knows it."""

    code: str
    severity: Severity
    line: int
    message: str
    path: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "line": self.line,
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
        }


@dataclass(frozen=True)
class Triggers:
    """`paths`: globs; `keywords`: words or phrases of a task; `not_keywords`: words that speak against the skill."""

    paths: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    not_keywords: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.paths or self.keywords or self.task_types or self.languages)

    def told(self) -> list[str]:
        """For people: `*.sql`, `schema`, `task: migration`, `language: go`, `not: grammar`."""
        named = (("task", self.task_types), ("language", self.languages), ("not", self.not_keywords))
        return [*self.paths, *self.keywords, *(f"{name}: {each}" for name, all_ in named for each in all_)]


@dataclass(frozen=True)
class Skill:
    """`body` is the text after the front matter, which begins at line `body_line` of the file.

    `explicit_only`: it is loaded when a task names it, never offered. `lines`: where its front matter's keys stand.
    """

    name: str
    description: str
    body: str
    body_line: int = 1
    when: str = ""
    when_not: str = ""
    triggers: Triggers = Triggers()
    explicit_only: bool = False
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)


def tokens(text: str) -> int:
    """An estimate, good enough to compare: a token is about four bytes."""
    return -(-len(text.encode("utf-8", "replace")) // 4)


def parse(data: bytes, folder: str) -> tuple[Skill | None, list[Problem]]:
    """The skill in a SKILL.md that lies in `folder`, and what is wrong with it. Never raises on what a file holds.

    None when it can't be used: no front matter, no name, no description.
    """
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        return None, [Problem("not-utf8", "error", line, "the file is not UTF-8")]
    try:
        head, body, body_line = split(text)
        found = read(head)
    except Unreadable as problem:
        return None, [Problem("front-matter", "error", problem.line, problem.message)]
    problems = list(_of_keys(found))
    name = _text(found, "name") or folder
    description = " ".join(_text(found, "description").split())
    problems += _of_name(found, name, folder)
    problems += _of_description(found, description)
    triggers, wrong = _triggers(found)
    skill = Skill(
        name=name,
        description=description,
        body=body.strip("\n"),
        body_line=body_line + len(body) - len(body.lstrip("\n")),
        when=_first(found, WHEN),
        when_not=_first(found, WHEN_NOT),
        triggers=triggers,
        explicit_only=found.values.get("disable-model-invocation") is True,
        lines=found.lines,
    )
    usable = description and NAME.fullmatch(name) and len(name) <= MAX_NAME and skill.body.strip()
    if not skill.body.strip():
        problems.append(Problem("no-body", "error", body_line, "there is nothing after the front matter"))
    return (skill if usable else None), [*problems, *wrong]


def _text(found: FrontMatter, key: str) -> str:
    value = found.values.get(key)
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else ""


def _first(found: FrontMatter, keys: tuple[str, ...]) -> str:
    for key in keys:
        value = found.values.get(key)
        if isinstance(value, list):
            value = "; ".join(str(each) for each in value if isinstance(each, (str, int, float)))
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return ""


def _of_keys(found: FrontMatter) -> Iterator[Problem]:
    if found.lenient is not None:
        told = f"{found.lenient.message}; put values that hold `: ` in quotes"
        yield Problem("no-yaml", "warning", found.lenient.line, told)
    for key in found.values:
        if key not in STANDARD + OURS + FOREIGN:
            line = found.lines.get(key, 2)
            yield Problem("unknown-key", "warning", line, f"{key!r} means nothing here; own data belongs in `metadata`")
    metadata = found.values.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        yield Problem("metadata", "warning", found.lines.get("metadata", 2), "`metadata` has to be `key: value` lines")


def _of_name(found: FrontMatter, name: str, folder: str) -> Iterator[Problem]:
    line = found.lines.get("name", 2)
    if "name" not in found.values:
        yield Problem("no-name", "error", line, f"`name` is missing; write `name: {folder}`")
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        told = f"the name has to be at most {MAX_NAME} small letters, digits and single hyphens"
        yield Problem("bad-name", "error", line, told)
    elif name != folder:
        yield Problem("name-folder", "error", line, f"the name {name!r} is not that of its folder {folder!r}")


def _of_description(found: FrontMatter, description: str) -> Iterator[Problem]:
    line = found.lines.get("description", 2)
    if not description:
        yield Problem("no-description", "error", line, "`description` is missing: what it is for, and when")
    elif len(description) > MAX_DESCRIPTION:
        told = f"the description has {len(description)} characters, more than {MAX_DESCRIPTION}"
        yield Problem("long-description", "error", line, told)


def _triggers(found: FrontMatter) -> tuple[Triggers, list[Problem]]:
    given, line = found.values.get("triggers"), found.lines.get("triggers", 2)
    if given is None:
        return Triggers(), []
    if isinstance(given, list):
        given = {"keywords": given}
    if not isinstance(given, dict):
        return Triggers(), [Problem("triggers", "error", line, "`triggers` has to be lists under known names")]
    problems: list[Problem] = []
    lists: dict[str, tuple[str, ...]] = {}
    for key, value in given.items():
        values = [value] if isinstance(value, str) else value
        if key not in Triggers.__dataclass_fields__:
            known = ", ".join(Triggers.__dataclass_fields__)
            problems.append(Problem("triggers", "error", line, f"there is no trigger {key!r}; there are {known}"))
        elif not isinstance(values, list) or not all(isinstance(each, str) and each.strip() for each in values):
            problems.append(Problem("triggers", "error", line, f"`triggers.{key}` has to be a list of words"))
        else:
            if len(values) > MAX_TRIGGERS:
                told = f"`triggers.{key}` has more than {MAX_TRIGGERS} entries; the rest is left out"
                problems.append(Problem("triggers", "warning", line, told))
            lists[key] = tuple(each.strip() for each in values[:MAX_TRIGGERS])
    for each in lists.get("task_types", ()):
        if each not in TASK_TYPES:
            told = f"there is no task type {each!r}; there are {', '.join(TASK_TYPES)}"
            problems.append(Problem("triggers", "error", line, told))
    return Triggers(**lists), problems
