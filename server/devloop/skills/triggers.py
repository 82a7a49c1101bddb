"""Which skills fit a task, and why. Pure, and the same for the same task: no model is asked.

A skill without triggers (one that was made for another program) fits where its name, or a phrase that its description
quotes, stands in the task.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from devloop import globs
from devloop.skills import languages
from devloop.skills.definitions import Skill

_WORDS = re.compile(r"[^\W_]+(?:[.+#'][^\W_]+|\+\+|#)*")
_CODE = re.compile(r"`[^`\n]*`")
_QUOTED = re.compile(r"[\"“”']([^\"“”']{4,60})[\"“”']")
_TAGGED = re.compile(r"\[skills?[ \t]*+:[\w, \t-]{1,400}+\]", re.IGNORECASE)
MAX_PHRASE = 4
MAX_TEXT = 8_000

TYPES: Final[dict[str, tuple[str, ...]]] = {
    "feature": ("add", "implement", "create", "build", "introduce", "support", "enable", "feature", "new"),
    "bug": ("fix", "bug", "crash", "broken", "regression", "repair", "defect", "hotfix"),
    "refactor": ("refactor", "refactoring", "clean up", "cleanup", "restructure", "extract", "simplify", "dead code"),
    "test": ("test", "testing", "coverage", "tdd", "unit test"),
    "docs": ("document", "docs", "documentation", "readme", "changelog", "tutorial", "docstring"),
    "spike": ("spike", "explore", "investigate", "research", "prototype", "feasibility", "proof of concept"),
    "review": ("review", "audit", "code review"),
    "plan": ("plan", "break down", "requirement", "user story", "scope", "estimate", "roadmap", "spec"),
    "git": ("commit", "branch", "merge", "rebase", "pull request", "cherry pick"),
    "release": ("release", "deploy", "deployment", "ship", "publish", "rollout"),
    "migration": ("migrate", "migration", "upgrade", "port"),
    "setup": ("bootstrap", "scaffold", "set up", "setup", "initialize", "onboard"),
}
_NO_CODE: Final = frozenset({"docs", "plan", "git", "release", "spike"})
_CODE_ALL_THE_SAME: Final = frozenset({"bug", "refactor", "test", "migration"})


@dataclass(frozen=True)
class Subject:
    """What is known of a task. `languages`: the project's; they count where the task names no file of a language."""

    title: str
    notes: str = ""
    files: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    """Skills that the task asks for by name."""
    languages: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Match:
    """`rank`: smaller is more certain. `explicit`: the task names the skill."""

    name: str
    why: str
    rank: float
    explicit: bool = False


def match(skills: Iterable[Skill], subject: Subject) -> tuple[Match, ...]:
    """The skills that fit, the most certain first; by name where they are equal."""
    known = _Known.of(subject)
    found = [each for skill in skills if (each := _match(skill, subject, known)) is not None]
    return tuple(sorted(found, key=lambda each: (each.rank, each.name)))


def task_types(title: str) -> frozenset[str]:
    phrases = _phrases(title)
    return frozenset(name for name, words in TYPES.items() if any(_normal(word) in phrases for word in words))


@dataclass(frozen=True)
class _Known:
    title: frozenset[str]
    notes: frozenset[str]
    types: frozenset[str]
    languages: frozenset[str]
    own_languages: bool

    @classmethod
    def of(cls, subject: Subject) -> _Known:
        title = _TAGGED.sub(" ", subject.title)
        types = task_types(title)
        own = languages.of_paths(subject.files)
        code = not types & _NO_CODE or bool(types & _CODE_ALL_THE_SAME)
        return cls(
            _phrases(title), _phrases(subject.notes), types, own or (subject.languages if code else own), bool(own)
        )


def _match(skill: Skill, subject: Subject, known: _Known) -> Match | None:
    if skill.name in subject.skills:
        return Match(skill.name, "the task names it", 0, explicit=True)
    if skill.explicit_only:
        return None
    if any(_normal(word) in known.title for word in skill.triggers.not_keywords):
        return None
    return next(_reasons(skill, subject, known), None)


def _reasons(skill: Skill, subject: Subject, known: _Known) -> Iterator[Match]:
    triggers = skill.triggers
    for pattern in triggers.paths:
        for path in subject.files[:200]:
            if _fits(pattern, path):
                yield Match(skill.name, f"{path} matches {pattern}", 1)
    keywords = triggers.keywords if triggers else _own_words(skill)
    by_length = sorted(keywords, key=lambda word: (-len(word), word))
    for word in by_length:
        if _normal(word) in known.title:
            yield Match(skill.name, f"the title says “{word}”", 2 - min(len(word), 50) / 100)
    for each in triggers.task_types:
        if each in known.types:
            yield Match(skill.name, f"it is a {each} task", 3)
    for each in triggers.languages:
        if each in known.languages:
            of = "its files are" if known.own_languages else "the project is"
            yield Match(skill.name, f"{of} {each}", 4)
    for word in by_length:
        if _normal(word) in known.notes:
            yield Match(skill.name, f"the notes say “{word}”", 5)


@lru_cache(maxsize=8192)
def _fits(pattern: str, path: str) -> bool:
    return globs.covers(pattern, path.strip("/").split("/"))


def _own_words(skill: Skill) -> tuple[str, ...]:
    return (skill.name.replace("-", " "), *_QUOTED.findall(skill.description)[:8])


@lru_cache(maxsize=4096)
def _normal(phrase: str) -> str:
    """A phrase as it is looked up: its words in small letters and without the plural."""
    return " ".join(_singular(word) for word in _words(phrase))


def _phrases(text: str) -> frozenset[str]:
    """All runs of up to four words, without the plural; what stands in back-ticks is code and no word of the task."""
    words = [_singular(word) for word in _words(_CODE.sub(" ; ", text[:MAX_TEXT]))]
    return frozenset(
        " ".join(words[at : at + length])
        for length in range(1, MAX_PHRASE + 1)
        for at in range(len(words) - length + 1)
    )


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORDS.findall(text.replace("-", " ").replace("_", " "))]


def _singular(word: str) -> str:
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
