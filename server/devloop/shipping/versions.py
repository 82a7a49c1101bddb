"""Version numbers by Semantic Versioning 2.0.0, and their tags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from devloop.shipping.commits import Bump

_VERSION: Final = re.compile(
    r"(?P<prefix>v?)(?P<major>0|[1-9]\d{0,8})\.(?P<minor>0|[1-9]\d{0,8})\.(?P<patch>0|[1-9]\d{0,8})", re.ASCII
)
_MORE = re.compile(r"[-+]|\.?[A-Za-z]")
"""What begins a pre-release or build part, by SemVer §9 and §10 or by Python's way of writing it (PEP 440)."""


@dataclass(frozen=True, order=True)
class Version:
    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    def next(self, bump: Bump) -> Version:
        """Before 1.0.0 a breaking change raises the minor number: that is how such projects say it (SemVer §4 lets them
        do anything), and 1.0.0 is a person's decision."""
        if bump == "major" and self.major:
            return Version(self.major + 1, 0, 0)
        if bump == "patch":
            return Version(self.major, self.minor, self.patch + 1)
        return Version(self.major, self.minor + 1, 0)


@dataclass(frozen=True)
class Tag:
    name: str
    version: Version

    @property
    def prefix(self) -> str:
        return "v" if self.name.startswith("v") else ""


def parse(text: str) -> Version | None:
    """A whole version without pre-release or build parts, `v` before it or not; None for anything else."""
    found = _VERSION.fullmatch(text.strip())
    return Version(int(found["major"]), int(found["minor"]), int(found["patch"])) if found else None


def release_of(text: str) -> Version | None:
    """The version that a declared one is or leads to: of `2.0.0rc1`, `2.0.0.dev3` and `2.0.0-SNAPSHOT` it is 2.0.0."""
    found = _VERSION.match(text.strip())
    if found is None:
        return None
    rest = text.strip()[found.end() :]
    return parse(found[0]) if not rest or _MORE.match(rest) else None


def newest(tags: Iterable[str]) -> Tag | None:
    """The tag of the highest version; those that name none are passed over."""
    known = [Tag(name, version) for name in tags if (version := parse(name)) is not None]
    return max(known, key=lambda tag: (tag.version, tag.prefix), default=None)
