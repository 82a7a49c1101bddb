"""One change to the checks, as it is told. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

GuardKind = Literal[
    "configuration",
    "threshold",
    "dependency",
    "conftest",
    "skip",
    "suppression",
    "deleted-test",
    "emptied-test",
    "removed-case",
    "removed-assertion",
    "weakened-assertion",
    "changed-assertion",
    "changed-test",
    "snapshot",
    "test-aware",
    "unread",
]
KINDS: Final[tuple[str, ...]] = get_args(GuardKind)
LONGEST: Final = 10_000
"""Characters that are kept of a line. Less is shown of it, once it is clean (`runs/guarding.py`)."""
Reader = Callable[[str], str | None]
"""A file's text by its path."""


@dataclass(frozen=True)
class Guard:
    """One change to the checks. `line` is 0-based: in the new file, or in the old one for something removed. `holds`:
    work that nobody attends waits for a person because of it; else it is only shown. `by_task`: the task names what it
    changes, so that it holds nothing."""

    kind: GuardKind
    file: str
    line: int
    text: str
    holds: bool = True
    by_task: bool = False

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line + 1}"

    def to_json(self) -> dict[str, Any]:
        where = {"file": self.file, "line": self.line, "place": self.place}
        return {"kind": self.kind, **where, "text": self.text, "holds": self.holds, "by_task": self.by_task}


def guard(kind: GuardKind, file: str, line: int, text: str, *, holds: bool = True) -> Guard:
    flat = _flat(text)
    if len(flat) > LONGEST:  # between words: half a secret would not be known for one
        flat = f"{flat[:LONGEST].rpartition(' ')[0]} …".strip()
    return Guard(kind, file, line, flat, holds)


def _flat(text: str) -> str:
    return " ".join(text.split())
