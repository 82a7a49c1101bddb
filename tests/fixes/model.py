"""What a protection is, and how a build without it is made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """In `file` (below `server/devloop`) the text `old`, which occurs once, gives way to `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Fix:
    """A protection: the `threat` it meets, what it does in one clause (`says`), the `cuts` that take it out, and the
    `tests` (node ids) that fail without it. `tries`: a test of a race meets the moment only sometimes, and may be tried
    so often until it does."""

    name: str
    threat: str
    says: str
    cuts: tuple[Cut, ...]
    tests: tuple[str, ...]
    tries: int = 1
