"""What waits for what (plan-format §7): turning references into tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from devloop.plan import ids
from devloop.plan.near import Near

TASK_WORD = re.compile(r"(?:tasks?)[ \t]+(?=\S)", re.IGNORECASE)
PHASE_WORD = re.compile(r"phases?[ \t]+([0-9]+\.[0-9]+|[0-9]+[a-z]?|[a-z])$", re.IGNORECASE)
RANGE_MARK = re.compile(r"(?:(?<![ \t])[ \t]+)?(?:\.\.|[-–—])[ \t]*")
_NUMBERS = re.compile(r"[0-9]+")
_DOTTED = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,4}$")
_NONE = frozenset(("", "none", "nothing", "n/a", "na", "-", "–", "—", "no", "keine"))
REMARK = re.compile(r"\([^()]*\)")
AND = re.compile(r"(?:(?<![ \t])[ \t]+)?(?:[,;&]|\band\b)[ \t]*", re.IGNORECASE)  # no blank is looked at twice
MAX_EXPANSION = 200  # ids of a range of which neither end exists


class Name(NamedTuple):
    """What the graph has to know of a task."""

    id: str
    explicit: bool
    phase: int | None
    parent: int | None


@dataclass(frozen=True, eq=False)
class Need:
    """One thing that has to be done first. `members`: indexes of the tasks; `unknown`: there is no such thing."""

    text: str
    ids: tuple[str, ...]
    members: tuple[int, ...] = ()
    unknown: bool = False
    reversed: bool = False
    whole_phase: bool = False

    def __contains__(self, index: int) -> bool:
        return index in self._set

    @property
    def _set(self) -> frozenset[int]:
        found: frozenset[int] | None = self.__dict__.get("_cached")
        if found is None:
            found = self.__dict__["_cached"] = frozenset(self.members)
        return found


@dataclass(eq=False)
class Graph:
    """Indexes are positions in `Plan.tasks` and `Plan.phases`. Filled once by `build`, then only read."""

    by_id: Mapping[str, Sequence[int]]
    by_line: Mapping[int, int]
    needs: list[tuple[Need, ...]]
    phase_needs: list[tuple[Need, ...]] = field(default_factory=list)
    phase_of: list[int | None] = field(default_factory=list)
    phase_parent: list[int | None] = field(default_factory=list)
    children: dict[int, list[int]] = field(default_factory=dict)
    cycles: dict[int, tuple[str, ...]] = field(default_factory=dict)
    selfish: frozenset[int] = frozenset()
    resolver: Resolver = field(default_factory=lambda: Resolver((), {}, {}, (), frozenset()), repr=False)

    @cached_property
    def near(self) -> Near:
        """The ids, for a person who mistyped one."""
        return Near(self.by_id)

    def phase_chain(self, index: int) -> Iterable[int]:
        """The phase of a task and the phases around it."""
        phase = self.phase_of[index]
        while phase is not None:
            yield phase
            phase = self.phase_parent[phase]

    def all_needs(self, index: int) -> Iterable[Need]:
        """Own dependencies, then those of the phases it stands in."""
        yield from self.needs[index]
        for phase in self.phase_chain(index):
            yield from self.phase_needs[phase]


class Resolver:
    """Turns the text of a reference into needs; equal texts give the same objects."""

    def __init__(
        self,
        names: Sequence[Name],
        by_id: Mapping[str, Sequence[int]],
        phases: Mapping[str, Sequence[int]],
        phase_parent: Sequence[int | None],
        archived: frozenset[str],
    ) -> None:
        self.names = names
        self.by_id = by_id
        self.phases = phases
        self.phase_parent = phase_parent
        self.archived = frozenset(name.lower() for name in archived)
        self._memo: dict[str, tuple[Need, ...]] = {}
        self._members: dict[int, list[int]] | None = None

    def references(self, text: str) -> tuple[Need, ...]:
        """The needs of a tag's value: everything between commas is a reference, known or not."""
        found: list[Need] = []
        for token in text.split(","):
            bare = token.strip().strip("`").strip()
            if bare:
                found += self._token(bare)
        return tuple(found)

    def prose(self, text: str) -> tuple[Need, ...] | None:
        """The needs of a metadata value, None when it isn't a list of references but prose."""
        bare = REMARK.sub(" ", text[:4000]).strip().strip("*_").rstrip(".").strip()
        if bare.lower() in _NONE:
            return ()
        found: list[Need] = []
        phase = False
        for token in AND.split(bare):
            token = token.strip().strip("`").strip()
            if not token:
                continue
            if phase and token.lower() not in self.by_id and token.lower() in self.phases:
                token = f"Phase {token}"
            phase = PHASE_WORD.match(token) is not None
            name = TASK_WORD.sub("", token, count=1)
            if not phase and not self._looks_like_reference(name):
                return None
            found += self._token(token)
        return tuple(found)

    def _looks_like_reference(self, name: str) -> bool:
        if name.lower() in self.by_id:
            return True
        halves = RANGE_MARK.split(name)
        return all(ids.TID.match(half) and any(char.isdigit() for char in half) for half in halves)

    def _token(self, token: str) -> tuple[Need, ...]:
        key = token.lower()
        found = self._memo.get(key)
        if found is None:
            found = self._memo[key] = self._resolve(TASK_WORD.sub("", token, count=1).strip())
        return found

    def _resolve(self, name: str) -> tuple[Need, ...]:
        known = self._one(name)
        if known is not None:
            return (known,)
        phase = PHASE_WORD.match(name)
        if phase is not None:
            return (self._phase(name, phase[1]),)
        for mark in RANGE_MARK.finditer(name):
            left, right = name[: mark.start()], TASK_WORD.sub("", name[mark.end() :], count=1)
            if left.lower() in self.by_id and right.lower() in self.by_id:
                return (self._range(name, left.lower(), right.lower()),)
        return self._expansion(name) or (Need(name, (name,), unknown=True),)

    def _one(self, name: str) -> Need | None:
        members = self.by_id.get(name.lower())
        if members:
            return Need(name, (self.names[members[0]].id,), tuple(members))
        return Need(name, (name,)) if name.lower() in self.archived else None

    def _phase(self, name: str, phase_id: str) -> Need:
        if phase_id.lower() not in self.phases:
            return Need(name, (name,), unknown=f"phase {phase_id}".lower() not in self.archived)
        members: list[int] = []
        for phase in self.phases[phase_id.lower()]:
            members += self._phase_members().get(phase, ())
        members = sorted(set(members))
        return Need(name, _unique(self.names[at].id for at in members), tuple(members), whole_phase=True)

    def _phase_members(self) -> dict[int, list[int]]:
        """The top-level tasks of every phase, those of nested phases included."""
        if self._members is None:
            self._members = {}
            for index, name in enumerate(self.names):
                phase = name.phase if name.parent is None else None
                while phase is not None:
                    self._members.setdefault(phase, []).append(index)
                    phase = self.phase_parent[phase]
        return self._members

    def _range(self, name: str, left: str, right: str) -> Need:
        first, last, swapped = self.by_id[left][0], self.by_id[right][-1], False
        if first > last:
            first, last, swapped = self.by_id[right][0], self.by_id[left][-1], True
        count = len(_NUMBERS.findall(left))
        members = tuple(
            at
            for at in range(first, last + 1)
            if self.names[at].explicit and len(_NUMBERS.findall(self.names[at].id)) == count
        )
        return Need(name, _unique(self.names[at].id for at in members), members, reversed=swapped)

    def _expansion(self, name: str) -> tuple[Need, ...]:
        """A range of numbers of which an end is missing: the single ids, so that the missing ones are named."""
        for mark in RANGE_MARK.finditer(name):
            left, right = name[: mark.start()], name[mark.end() :]
            if not (_DOTTED.match(left) and _DOTTED.match(right)):
                continue
            head, _, first = left.rpartition(".")
            other, _, last = right.rpartition(".")
            if head != other or not head:
                continue
            low, high = sorted((int(first), int(last)))
            if high - low < MAX_EXPANSION:
                singles = (f"{head}.{number}" for number in range(low, high + 1))
                return tuple(self._one(single) or Need(single, (single,), unknown=True) for single in singles)
        return ()


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
