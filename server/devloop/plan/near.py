"""The name that was probably meant: found among thousands without comparing with each of them.

Two names are near when they become equal by leaving out at most one character of each, so one typed too much, too
little or wrongly, or two in the wrong order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MAX_LENGTH = 40


class Near:
    """`names` in the order in which they are preferred. Only what is asked for is kept: the parts of all names would
    take more room than the names' tasks."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = names
        self._asked: set[str] = set()
        self._by_part: dict[str, str] = {}

    def prepare(self, asked: Iterable[str]) -> None:
        """Look for many names at once, as each `of` does for one: it costs a walk through all that are known."""
        fresh = {name for name in asked if len(name) <= MAX_LENGTH} - self._asked
        wanted = {part for name in fresh for part in _parts(name)}
        if wanted:
            self._asked |= fresh
            for name in self._names:
                if len(name) <= MAX_LENGTH:
                    for part in _parts(name):
                        if part in wanted:
                            self._by_part.setdefault(part, name)

    def of(self, name: str) -> str | None:
        """The nearest known name; None when none is near."""
        if len(name) > MAX_LENGTH:
            return None
        self.prepare((name,))
        return next((self._by_part[part] for part in _parts(name) if part in self._by_part), None)


def _parts(name: str) -> Iterator[str]:
    yield name
    if len(name) > 2:  # shorter ones would be near to everything
        for at in range(len(name)):
            yield name[:at] + name[at + 1 :]
