"""What each source says of settings, with the line that says it: `config.toml`, the person's and the team's,
`.devloop/local.md`, the environment (state-files §7). Which of them counts stands in `layers`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from devloop import toml_places
from devloop.errors import DevloopError
from devloop.own_files import Fault, nearest, read_text, renamed
from devloop.paths import settings_file
from devloop.redact import one_line
from devloop.settings import personal
from devloop.settings.meanings import MEANINGS, pattern_of
from devloop.settings.shape import TEAM_FILE

Key = tuple[str, ...]
Kind = Literal["user", "team", "personal", "environment"]

_WHOLE: Final = {"gates": 2, "prices": 2, "setup": 1}
"""Tables that are one value each, and how deep they lie."""
_NAMED: Final = ("gates", "prices", "agents")
"""Sections whose second word is a name of somebody's own."""
_VARIABLES: Final = (
    ("ANTHROPIC_API_KEY", ("model", "api_key")),
    ("ANTHROPIC_BASE_URL", ("model", "base_url")),
    ("DEVLOOP_MODEL", ("model", "name")),
    ("DEVLOOP_SCENARIO", ("model", "scenario")),
    ("DEVLOOP_DATABASE_URL", ("database_url",)),
)
_PERSONAL: Final[Mapping[str, Key]] = {
    "enforcement": ("checkpoints", "enforcement"),
    "fresh_threshold": ("checkpoints", "fresh_threshold"),
    "context_threshold": ("checkpoints", "context_threshold"),
    "models.exploration": ("agents", "engineer:explorer", "model"),
    "models.architecture": ("agents", "engineer:architect", "model"),
    "models.implementation": ("agents", "engineer:default", "model"),
    "models.review": ("agents", "code-reviewer", "model"),
    "models.testing": ("agents", "qa-engineer", "model"),
}
"""Keys of local.md whose settings have other names."""
_TIERS: Final = {"haiku": "fast", "sonnet": "balanced", "opus": "deep"}
_AT_LINE: Final = re.compile(r"\(at line (\d+),")


@dataclass(frozen=True)
class Said:
    """One value that a source gave. `path`: the file, or the variable's name; `line` from 1, 0 for a variable."""

    key: Key
    value: Any
    kind: Kind
    path: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass
class File:
    kind: Kind
    path: str
    text: str = ""
    said: list[Said] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lines: dict[Key, int] = field(default_factory=dict)
    exists: bool = False

    def line(self, key: Key) -> int:
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


def user_file(texts: Mapping[str, str]) -> File:
    """The person's own. `texts`, here and below: what counts instead of a file's own text, by its path."""
    path = settings_file()

    def reading() -> str | None:
        try:
            return path.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None

    return _toml("user", str(path), texts, reading)


def team_file(root: Path, texts: Mapping[str, str]) -> File:
    def reading() -> str | None:
        text = read_text(root, TEAM_FILE)
        return None if text is None else text.encode("utf-8", "surrogateescape").decode("utf-8")

    return _toml("team", TEAM_FILE, texts, reading)


def _toml(kind: Kind, path: str, texts: Mapping[str, str], reading: Callable[[], str | None]) -> File:
    try:
        text = texts[path] if path in texts else reading()
    except DevloopError as problem:
        return File(kind, path, faults=[Fault(path, 1, problem.sentences, code="settings-file")])
    except (OSError, ValueError) as problem:
        return File(kind, path, faults=[Fault(path, 1, f"it was ignored: {problem}", code="settings-file")])
    return _parsed(kind, path, text) if text is not None else File(kind, path)


def _parsed(kind: Kind, path: str, text: str) -> File:
    """A settings file by its text: what it says, each with its line, and what is no setting."""
    text = text.removeprefix("\ufeff")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        found = _AT_LINE.search(str(problem))
        line = int(found[1]) if found else text.count("\n") + 1
        return File(kind, path, text, faults=[Fault(path, line, f"it was ignored: {problem}", code="settings-file")])
    file = File(kind, path, text, lines=toml_places.lines(text), exists=True)
    for key, value in _leaves(data, ()):
        known = _plain(key)
        if pattern_of(known) is None:
            file.faults.append(_unknown(file, key, known))
        else:
            file.said.append(Said(known, value, kind, path, file.line(key)))
    return file


def _leaves(value: dict[str, Any], above: Key) -> Iterator[tuple[Key, Any]]:
    for name, inner in value.items():
        key = (*above, name)
        if isinstance(inner, dict) and len(key) < _WHOLE.get(_plain(key)[0], 4):
            yield from _leaves(inner, key)
        else:
            yield key, inner


def _plain(key: Key) -> Key:
    """Dashes count as underscores, but for names that somebody gave."""
    changed = tuple(part.replace("-", "_") for part in key)
    return (changed[0], key[1], *changed[2:]) if len(key) > 1 and changed[0] in _NAMED else changed


def _unknown(file: File, key: Key, known: Key) -> Fault:
    line, name = file.line(key), one_line(".".join(key), 80)
    if any(each.split(".")[: len(known)] == list(known) for each in MEANINGS):
        return Fault(file.path, line, f"{name} was ignored: it has to be a table, [{name}]", code="setting")
    names = list(MEANINGS)
    if known[0] in _NAMED and len(known) > 2:
        names = [each.replace("*", known[1]) for each in MEANINGS if each.startswith(f"{known[0]}.")]
    near = nearest(".".join(known), names)
    sections = {each.partition(".")[0] for each in MEANINGS}
    if known[0] not in sections and (section := nearest(known[0], sections)):
        told = f"{name} was ignored: there is no section {one_line(key[0], 40)}; did you mean {section}?"
        fixes = renamed(file.text, file.line(key[:1]), key[0], section)
        return Fault(file.path, file.line(key[:1]), told, "warning", "unknown-setting", fixes)
    told = f"{name} was ignored: there is no such setting"
    if near is None:
        return Fault(file.path, line, told, "warning", "unknown-setting")
    above, _, last = near.rpartition(".")
    fixes = renamed(file.text, line, key[-1], last) if above == ".".join(known[:-1]) else ()
    return Fault(file.path, line, f"{told}; did you mean {near}?", "warning", "unknown-setting", fixes)


def personal_file(root: Path, texts: Mapping[str, str]) -> File:
    """`local.md`, else the one in the legacy place, as settings. What it says of nothing (null) is not said."""
    for path in (personal.PATH, personal.LEGACY_PATH):
        try:
            text = texts[path] if path in texts else read_text(root, path)
        except DevloopError as problem:
            return File("personal", path, faults=[Fault(path, 1, problem.sentences)], exists=True)
        if text is None:
            continue
        found = personal.read(text, path)
        file = File("personal", path, text, faults=list(found.faults), exists=True)
        for key, (value, line) in found.said.items():
            if value is not None:
                file.said.append(Said(personal_key(key), _tier(key, value), "personal", path, line))
        return file
    return File("personal", personal.PATH)


def personal_key(key: str) -> Key:
    """The setting that a target key of local.md (dotted, kebab case) means."""
    name = key.replace("-", "_")
    return _PERSONAL.get(name, tuple(name.split(".")))


def _tier(key: str, value: Any) -> Any:
    if key.startswith("models."):
        return _TIERS.get(str(value), value)
    return (value,) if isinstance(value, str) and key in ("auto-skills",) else value


def of_environment(environment: Mapping[str, str]) -> Iterator[Said]:
    for variable, key in _VARIABLES:
        if environment.get(variable):
            yield Said(key, environment[variable], "environment", variable, 0)
