"""A review as it is kept: one JSON file each, below the workspace's state directory, never in the repository."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from devloop.daemon.findings.anchors import Anchor
from devloop.files import write_atomic
from devloop.paths import StateDir

log = logging.getLogger(__name__)

FOLDER: Final = "reviews"
MAX_FILE: Final = 8 << 20
MAX_REVIEWS: Final = 200
"""Beyond so many the oldest ones go."""

Severity = Literal["Critical", "High", "Medium", "Low", "Nitpick"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Finding(_Record):
    """`id`: the review's and a number. `found`: whether the file was there, so that the anchor counts."""

    id: str
    path: str
    line: int = 0
    severity: Severity
    kind: str = ""
    confidence: int = 80
    problem: str
    fix: str = ""
    by: tuple[str, ...] = ()
    anchor: Anchor = Anchor()
    found: bool = True
    dismissed: float | None = None
    """When; None: it stands."""


class Review(_Record):
    """`accepted`: a person kept it; else its run waits for that. `files`: path → sha256 of what was looked at."""

    id: str
    run: str
    what: str = ""
    scope: str = ""
    commit: str = ""
    at: float
    accepted: bool = False
    verdict: str = ""
    summary: str = ""
    good: tuple[str, ...] = ()
    added: int = 0
    deleted: int = 0
    count: int = 0
    """Files that were looked at."""
    files: dict[str, str] = {}
    findings: tuple[Finding, ...] = ()

    @property
    def open(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.dismissed is None)


def folder(state: StateDir) -> Path:
    return state.path / FOLDER


def read_all(state: StateDir) -> dict[str, Review]:
    """By id, oldest first. A file that can't be read is logged and left."""
    found: list[Review] = []
    for path in folder(state).glob("*.json"):
        try:
            if path.stat().st_size <= MAX_FILE:
                found.append(Review.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as problem:
            log.warning("a review that was kept can't be read (%s): %s", path.name, type(problem).__name__)
    return {review.id: review for review in sorted(found, key=lambda each: (each.at, each.id))}


def write(state: StateDir, review: Review) -> None:
    folder(state).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(_path(state, review.id), review.model_dump_json(indent=1).encode(), mode=0o600)


def remove(state: StateDir, review: str) -> None:
    _path(state, review).unlink(missing_ok=True)


def _path(state: StateDir, review: str) -> Path:
    return folder(state) / f"{review}.json"
