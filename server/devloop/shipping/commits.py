"""Conventional commits (conventionalcommits.org, 1.0.0), read leniently: what follows no convention is a change."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Bump = Literal["major", "minor", "patch"]

_SUBJECT: Final = re.compile(r"(?P<type>[A-Za-z]+)(?:\((?P<scope>[^()\r\n]*)\))?(?P<mark>!)?:[ \t]+(?P<text>\S.*)")
_BREAKING: Final = re.compile(r"^BREAKING[ -]CHANGE:[ \t]*(?P<text>\S.*)", re.MULTILINE)
_ORDER: Final[tuple[Bump, ...]] = ("patch", "minor", "major")
_TASK: Final = re.compile(r"(?<!\s)\s++-\s++Tasks?\s++\S.*$")


@dataclass(frozen=True)
class Change:
    """A commit as a reader of the changelog may care for it. `type` is lower case, "" where none is written;
    `breaking`: what breaks, in words, "" where nothing does."""

    commit: str
    type: str
    scope: str
    text: str
    breaking: str

    @property
    def bump(self) -> Bump | None:
        """None: a release needs no new version for it."""
        if self.breaking:
            return "major"
        if self.type == "feat":
            return "minor"
        return None if self.type in ("docs", "test", "tests", "ci", "chore", "style", "build") else "patch"


def change_of(commit: str, subject: str, body: str = "") -> Change:
    """`Task 1.1`, as devloop and others write it at the end of a subject, is left out: it is no news to a reader."""
    subject = _TASK.sub("", subject.strip())
    found = _SUBJECT.fullmatch(subject)
    broken = _BREAKING.search(body)
    breaking = broken["text"].strip() if broken else ""
    if found is None:
        return Change(commit, "", "", subject, breaking)
    text = found["text"].strip()
    return Change(
        commit, found["type"].lower(), found["scope"] or "", text, breaking or (text if found["mark"] else "")
    )


def bump_of(changes: Iterable[Change]) -> Bump | None:
    """What all of them together make; None when nothing is worth a version."""
    bumps = [change.bump for change in changes]
    return max((bump for bump in bumps if bump), key=_ORDER.index, default=None)
