"""Problems of SKILL.md files, each with file and line: what `devloop skills check` and the editor say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote

from devloop import globs, trust
from devloop.skills import languages
from devloop.skills.definitions import Problem, Skill, parse, tokens
from devloop.skills.discovery import Found
from devloop.trust import SKILL_FILE, SKILL_FOLDERS, Item

MAX_LINES: Final = 500
MAX_TOKENS: Final = 5_000
_LINK = re.compile(r"\]\(\s*+<?([^)\s>]{1,1000}+)>?[^)]{0,1000}+\)")
_FILE = re.compile(r"`((?:references|scripts|assets)/[\w./-]+)`")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_WHEN = re.compile(r"\b(use (?:this |it )?(?:skill )?(?:when|for|if|to)|when(?:ever)? )", re.IGNORECASE)
_WHEN_NOT = re.compile(r"\b(not (?:for|when|if|needed|to)|do(?:n't| not) use|instead)\b", re.IGNORECASE)


def check_skill(folder: str, files: dict[str, bytes] | None = None, *, data: bytes = b"") -> list[Problem]:
    """What is wrong with one skill: its SKILL.md (`data`, or in `files`) in a folder of this name, by line.

    Links are looked up in `files`; None where they are not known.
    """
    text = data or (files or {}).get(SKILL_FILE, b"")
    skill, problems = parse(text, folder)
    if skill is not None:
        problems += [*_body(skill), *_when(skill), *_globs(skill)]
        if files is not None:
            problems += _links(skill, files)
    return sorted(problems, key=lambda each: (each.line, each.code))


def check_path(path: Path) -> list[Problem]:
    """All problems below `path`: a SKILL.md, a skill's folder, a folder of skills, or a project. Paths as given."""
    if path.name == SKILL_FILE and path.is_file():
        return check_path(path.parent)
    if os.path.lexists(path / SKILL_FILE):
        real = path.resolve()
        return _with_path([each for each in trust.skills_in(real.parent, ".") if each.name == real.name], path.parent)
    found: list[Problem] = []
    for place in (*SKILL_FOLDERS, "skills", "."):
        items = list(trust.skills_in(path.resolve(), place))
        found += _with_path(items, path)
        found += duplicates((str(path / item.path / SKILL_FILE), _name(item)) for item in items)
    return found


def clashes(found: Iterable[Found]) -> list[Problem]:
    """Skills that another one of the same name overrides: nothing is wrong, but somebody may wonder."""
    return [
        Problem("overridden", "warning", each.skill.lines.get("name", 1), f"{each.name}: {each.note}", str(each.path))
        for each in found
        if each.state == "overridden"
    ]


def duplicates(named: Iterable[tuple[str, str]]) -> list[Problem]:
    """(path, name) of skills that lie side by side: two of one name can't both be meant."""
    first: dict[str, str] = {}
    problems = []
    for path, name in named:
        if name in first:
            told = f"there is another skill {name!r}: {first[name]}"
            problems.append(Problem("duplicate-name", "error", 2, told, path))
        first.setdefault(name, path)
    return problems


def _name(item: Item) -> str:
    skill, _ = parse(item.files.get(SKILL_FILE, b""), item.name)
    return skill.name if skill is not None else item.name


def _with_path(items: Sequence[Item], base: Path) -> list[Problem]:
    problems: list[Problem] = []
    for item in items:
        path = str(base / item.path / SKILL_FILE)
        if item.refused:
            problems.append(Problem("unreadable", "error", 1, f"the skill can't be used: {item.refused}", path))
        else:
            problems += [replace(each, path=path) for each in check_skill(item.name, dict(item.files))]
    return problems


def _body(skill: Skill) -> Iterator[Problem]:
    count = skill.body.count("\n") + 1
    if count > MAX_LINES:
        told = f"the text has {count} lines, more than {MAX_LINES}; move depth into references/"
        yield Problem("long-body", "error", skill.body_line + MAX_LINES, told)
    if (size := tokens(skill.body)) > MAX_TOKENS:
        told = f"the text has about {size:,} tokens, more than {MAX_TOKENS:,}; move depth into references/"
        yield Problem("long-body", "error", skill.body_line, told)


def _when(skill: Skill) -> Iterator[Problem]:
    """That somebody who sees only the index can tell when to load it, and when not."""
    line = skill.lines.get("description", 2)
    if not skill.when and not _WHEN.search(skill.description):
        yield Problem("no-when", "warning", line, "the description does not say when to use it: “Use when …”")
    text = f"{skill.description}\n{skill.body}"
    if not skill.when_not and not _WHEN_NOT.search(text):
        yield Problem("no-when-not", "warning", line, "nothing says when not to use it: `when_not`, or “Not for …”")
    if not skill.triggers and not skill.explicit_only:
        yield Problem("no-triggers", "warning", line, "without `triggers` it is found by its name alone")


def _globs(skill: Skill) -> Iterator[Problem]:
    line = skill.lines.get("triggers", 2)
    for pattern in skill.triggers.paths:
        if why := bad_glob(pattern):
            yield Problem("bad-glob", "error", line, f"the pattern {pattern!r} {why}")
    for language in skill.triggers.languages:
        if language not in languages.KNOWN:
            known = ", ".join(sorted(languages.KNOWN))
            yield Problem(
                "unknown-language", "warning", line, f"no file is known to be {language!r}; known are {known}"
            )


def bad_glob(pattern: str) -> str:
    """Why a pattern can't match what its writer means; "" when it can."""
    segments = globs.expanded(pattern)
    if pattern.startswith("~") or "\\" in pattern or ".." in pattern.split("/"):
        return "has to be relative to the project, with `/`"
    if pattern.count("[") != pattern.count("]") or pattern.count("{") != pattern.count("}"):
        return "has a bracket without its other half"
    if any("**" in part and part != "**" for parts in segments for part in parts):
        return "has `**` beside other characters; it stands for whole folders"
    if all(set(part) <= {"*"} for parts in segments for part in parts):
        return "matches every file"
    return ""


def _links(skill: Skill, files: dict[str, bytes]) -> Iterator[Problem]:
    """Relative links, and files in back-ticks, that are not there; what stands in fenced code is an example."""
    fence = ""
    for number, line in enumerate(skill.body.split("\n"), start=skill.body_line):
        mark = _FENCE.match(line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark[1]
            continue
        for target in () if fence else (*_LINK.findall(line), *_FILE.findall(line)):
            wanted = unquote(target.partition("#")[0])
            if not wanted or "://" in wanted or wanted.startswith(("mailto:", "/")):
                continue
            inside = str(PurePosixPath(wanted))
            if ".." in PurePosixPath(wanted).parts:
                yield Problem("link-outside", "error", number, f"{target} leads out of the skill's folder")
            elif inside not in files and not any(name.startswith(f"{inside}/") for name in files):
                yield Problem("dead-link", "error", number, f"there is no file {target}")
