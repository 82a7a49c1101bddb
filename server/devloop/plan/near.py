"""The name that was probably meant: found among thousands without comparing with each of them.

Two names are near when they become equal by leaving out at most one character of each, so one typed too much, too
little or wrongly, or two in the wrong order. Looking up costs the length of the name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MAX_LENGTH = 40


class Near:
    """`names` in the order in which they are preferred."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_part: dict[str, str] = {}
        for name in names:
            if len(name) <= MAX_LENGTH:
                for part in _parts(name):
                    self._by_part.setdefault(part, name)

    def of(self, name: str) -> str | None:
        """The nearest known name; None when none is near."""
        if len(name) > MAX_LENGTH:
            return None
        return next((self._by_part[part] for part in _parts(name) if part in self._by_part), None)


def _parts(name: str) -> Iterator[str]:
    yield name
    if len(name) > 2:  # shorter ones would be near to everything
        for at in range(len(name)):
            yield name[:at] + name[at + 1 :]
