"""Which of a plan's problems are shown, and their conversions: kept from one version to the next, because a keystroke
changes few of what may be many thousands."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress
from operator import is_not
from typing import Any, Final

from devloop import plan as plans

ORDER: Final = {"error": 0, "warning": 1, "info": 2, "hint": 3}


@dataclass
class Chosen:
    """Of one document in one editor. `items`: by the identity of a problem: itself, its line's text, its diagnostic."""

    items: dict[int, tuple[plans.Problem, str, dict[str, Any]]] = field(default_factory=dict)
    _problems: tuple[plans.Problem, ...] = ()
    _places: list[int] | None = None
    _limit: int = 0

    def of(self, problems: tuple[plans.Problem, ...], limit: int) -> list[plans.Problem]:
        """At most `limit` problems: errors before warnings before hints, each from the top; in the order of lines."""
        if len(problems) <= limit:
            return list(problems)
        if self._places is None or limit != self._limit or not self._alike(problems):
            severest = sorted(range(len(problems)), key=lambda at: ORDER[problems[at].severity])
            self._places, self._limit = sorted(severest[:limit]), limit
        self._problems = problems
        return [problems[at] for at in self._places]

    def _alike(self, problems: tuple[plans.Problem, ...]) -> bool:
        """Whether the same places have to be chosen: every problem that is another one is as severe as it was."""
        before = self._problems
        if problems is before:
            return True
        if len(problems) != len(before):
            return False
        changed = compress(zip(problems, before, strict=True), map(is_not, problems, before))
        return all(now.severity == then.severity for now, then in changed)
