"""Triggers: phrases of a mode, turned into patterns once and looked for in a task's title. Pure.

A phrase is words; `*` stands for up to three words or none, `(a|b)` for one of several. `starts` counts only where the
title begins, or begins anew behind a colon; `contains` counts anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from devloop.agents.definitions import Agent, Mode

STARTS: Final = 2
CONTAINS: Final = 1

_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|“[^”]*”")
_PATH = re.compile(r"(?<!\S)(?:[\w.@-]+/)+[\w.@*-]*|(?<!\S)[\w-]+\.(?!md\b)[a-z]{1,5}(?=[\s,;:)]|$)")
_DOCUMENT = re.compile(r"\b(readme|changelog|contributing)\b", re.I)
_NOISE = re.compile(
    r"^(?:\W+|(?:please|also|then|now|finally|next|first|final|quickly|properly|carefully|manually|mvp|wip|todo)\b)+"
)
_ANEW = re.compile(r"(?::|;| – | — |(?<=\w)\. )\s*")


@dataclass(frozen=True)
class Hit:
    """A phrase that was found. `rank`: strength, then words; `at`: where in the title."""

    agent: str
    mode: str
    phrase: str
    strength: int
    words: int
    at: int

    @property
    def rank(self) -> tuple[int, int]:
        return self.strength, self.words


@dataclass(frozen=True)
class _Trigger:
    agent: str
    mode: str
    strength: int
    phrase: str
    plain: tuple[str, ...]
    """Words that a title has to hold before the phrase is worth a pattern: making all of them takes 40 ms."""
    words: int


def plain(title: str) -> str:
    """The title as triggers see it: small letters; what is quoted, code or a path says nothing of the kind of work, but
    for the names of documents."""
    text = _QUOTED.sub(lambda found: _kept(found.group()), title)
    text = _PATH.sub(lambda found: _kept(found.group()), text)
    return " ".join(text.lower().replace("*", " ").replace("_", " ").split())


def _kept(quoted: str) -> str:
    named = _DOCUMENT.search(quoted)
    return named.group() if named else "…"


def hits(agents: Sequence[Agent], title: str) -> list[Hit]:
    """Every mode's best phrase in `title`, the best of all first; ties by length, then by place, then by order."""
    text = plain(title)
    begins = _beginnings(text)
    best: dict[tuple[str, str], tuple[tuple[int, int, int, int], Hit]] = {}
    for trigger in _table(tuple(agents)):
        found = _find(trigger, text, begins)
        if found is None:
            continue
        hit = Hit(trigger.agent, trigger.mode, found.group(), trigger.strength, trigger.words, found.start())
        order = (*hit.rank, len(hit.phrase), -hit.at)
        known = best.get((trigger.agent, trigger.mode))
        if known is None or order > known[0]:
            best[trigger.agent, trigger.mode] = (order, hit)
    return [hit for _, hit in sorted(best.values(), key=lambda each: each[0], reverse=True)]


def _beginnings(text: str) -> list[int]:
    places = [0, *(found.end() for found in _ANEW.finditer(text))]
    found = []
    for place in places:
        noise = _NOISE.match(text[place:])
        found.append(place + (noise.end() if noise else 0))
    return found


def _find(trigger: _Trigger, text: str, begins: Sequence[int]) -> re.Match[str] | None:
    if not all(word in text for word in trigger.plain) or (pattern := compiled(trigger.phrase)) is None:
        return None
    if trigger.strength == CONTAINS:
        return pattern.search(text)
    for place in begins:
        if found := pattern.match(text, place):
            return found
    return None


@lru_cache(maxsize=8)
def _table(agents: tuple[Agent, ...]) -> tuple[_Trigger, ...]:
    return tuple(trigger for agent in agents for mode in agent.modes for trigger in _of(agent, mode))


def _of(agent: Agent, mode: Mode) -> list[_Trigger]:
    made = []
    for strength, phrases in ((STARTS, mode.starts), (CONTAINS, mode.contains)):
        for phrase in phrases:
            parts = _parts(phrase)
            plain = tuple(part for part in parts if part != "*" and not part.startswith("("))
            words = sum(part != "*" for part in parts)
            made.append(_Trigger(agent.name, mode.name, strength, phrase, plain, words))
    return made


@lru_cache(maxsize=4096)
def compiled(phrase: str) -> re.Pattern[str] | None:
    """The pattern of a phrase; None when it has no word."""
    parts = _parts(phrase)
    if not any(part != "*" for part in parts):
        return None
    text = ""
    for number, part in enumerate(parts):
        if part == "*":
            text += r"(?:[^\s:;]+ ){0,3}?"
            continue
        options = part[1:-1].split("|") if part.startswith("(") else [part]
        text += "(?:" + "|".join(re.escape(each.strip()) for each in options) + ")"
        if number < len(parts) - 1:
            text += " "
    return re.compile(rf"(?<![\w-]){text}(?![\w-])")


def _parts(phrase: str) -> list[str]:
    return re.findall(r"\*|\([^()]*\)|[^\s()*]+", phrase.lower())
