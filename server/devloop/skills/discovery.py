"""Which skills there are, where each comes from, and which of two with the same name counts.

Later places override earlier ones: what ships with devloop, the person's own (`skills/` in the configuration
directory), then the repository's `.agents/skills`, `.claude/skills`, `.devloop/skills`. What a repository brings is
inert until a person trusted exactly that folder (`trust.py`): until then it is named, but neither offered nor loaded,
and it does not override anything. Files are read once; what was hashed is what is used.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from devloop import shipped, trust
from devloop.paths import config_root
from devloop.skills.definitions import Problem, Skill, parse
from devloop.trust import SKILL_FILE, SKILL_FOLDERS, Item

Source = Literal["shipped", "user", "repository"]
State = Literal["active", "untrusted", "overridden"]


@dataclass(frozen=True)
class Found:
    """A skill in its place. `path`: its SKILL.md; `files`: everything in its folder. `note`: why it is not active, or
    what it overrides."""

    skill: Skill
    source: Source
    place: str
    path: Path
    files: Mapping[str, bytes]
    sha256: str
    state: State = "active"
    note: str = ""

    @property
    def name(self) -> str:
        return self.skill.name

    @property
    def where(self) -> str:
        """`shipped`, `user`, or the folder in the repository."""
        return self.place if self.source == "repository" else self.source


@dataclass(frozen=True)
class Library:
    """`found`: by name, the active one of a name first. `problems`: what is wrong in any of the files."""

    found: tuple[Found, ...] = ()
    problems: tuple[Problem, ...] = ()

    @functools.cached_property
    def active(self) -> dict[str, Found]:
        return {each.name: each for each in self.found if each.state == "active"}


def discover(root: Path | None, trust_file: Path | None) -> Library:
    """All skills for the workspace at `root` (None: without a workspace's own). Reads files; never raises on them."""
    places = [_of_place(each) for each in ("shipped", "user")]
    if root is not None:
        trusted = {} if trust_file is None else trust.trusted_hashes(trust_file)
        places += [_read(trust.skills_in(root, place), "repository", place, root, trusted) for place in SKILL_FOLDERS]
    candidates = [found for each in places for found in each.found]
    problems = [problem for each in places for problem in each.problems]
    return Library(tuple(_resolved(candidates)), tuple(problems))


def _of_place(source: Literal["shipped", "user"]) -> Library:
    if source == "shipped":
        return shipped_skills()
    folder = config_root() / "skills"
    return _read(trust.skills_in(folder.resolve(), "."), "user", str(folder), folder, None)


@functools.cache
def shipped_skills() -> Library:
    """What ships with devloop; it does not change while a program runs."""
    return read_folder(shipped.folder("skills"))


def read_folder(folder: Path) -> Library:
    """The skills of one folder, as those that ship with devloop."""
    return _read(trust.skills_in(folder.resolve(), "."), "shipped", "skills", folder, None)


def _read(items: Iterable[Item], source: Source, place: str, base: Path, trusted: Mapping[str, str] | None) -> Library:
    """`trusted`: hashes by key; None where nothing has to be trusted."""
    found: list[Found] = []
    problems: list[Problem] = []
    for item in items:
        path = base / item.path / SKILL_FILE
        shown = f"{item.path}/{SKILL_FILE}" if source == "repository" else str(path)
        if item.refused:
            problems.append(Problem("unreadable", "error", 1, f"the skill can't be used: {item.refused}", shown))
            continue
        skill, wrong = parse(item.files.get(SKILL_FILE, b""), item.name)
        problems += [replace(each, path=shown) for each in wrong]
        if skill is None:
            continue
        here = Found(skill, source, place, path, item.files, item.sha256)
        if trusted is not None and trusted.get(item.key) != item.sha256:
            why = "changed since it was trusted" if item.key in trusted else "not trusted yet"
            here = replace(here, state="untrusted", note=f"{why}; `devloop trust` shows it")
        found.append(here)
    return Library(tuple(found), tuple(problems))


def _resolved(candidates: Iterable[Found]) -> Iterator[Found]:
    """Of each name the last one that may be used is active; the others say which one it is and why."""
    by_name: dict[str, list[Found]] = {}
    for each in candidates:
        by_name.setdefault(each.name, []).append(each)
    for name in sorted(by_name):
        usable = [each for each in by_name[name] if each.state == "active"]
        waiting = [each for each in by_name[name] if each.state == "untrusted"]
        if usable:
            winner, losers = usable[-1], usable[:-1]
            beaten = ", ".join(each.where for each in losers)
            note = f"it counts instead of the one in {beaten}: later places override earlier ones" if losers else ""
            later = [each.where for each in waiting if _order(each) > _order(winner)]
            note += f"{'; ' if note and later else ''}" + (
                f"{later[-1]} would override it once trusted" if later else ""
            )
            yield replace(winner, note=note)
            for loser in losers:
                yield replace(loser, state="overridden", note=f"{winner.where} has one of this name and comes later")
        yield from waiting


def _order(found: Found) -> int:
    return {"shipped": 0, "user": 1}.get(found.source, 2 + (*SKILL_FOLDERS, found.place).index(found.place))


def to_json(found: Found) -> dict[str, Any]:
    """What every front-end is told of a skill; `why` is for whoever knows a task."""
    return {
        "name": found.name,
        "description": found.skill.description,
        "when": found.skill.when,
        "when_not": found.skill.when_not,
        "path": str(found.path),
        "source": found.where,
        "state": found.state,
        "note": found.note,
        "triggers": found.skill.triggers.told(),
        "references": sorted(name for name in found.files if name != SKILL_FILE),
        "chars": len(found.skill.body),
    }
