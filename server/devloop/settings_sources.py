"""Where settings come from, and which one counts (state-files §7).

From the weakest to the strongest: defaults, the person's `config.toml`, the team's `.devloop/config.toml`,
`.devloop/local.md`, the environment. How far the two files of the repository count is said by `settings_meanings`. Each
value keeps the file and line that said it, and what lost keeps why.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from devloop import paths, personal, toml_places
from devloop.errors import DevloopError
from devloop.own_files import Fault, nearest, read_text, renamed
from devloop.redact import one_line
from devloop.settings import GUARDING, TEAM_FILE, Settings, seconds, value_of
from devloop.settings_meanings import MEANINGS, SECRET, Meaning, pattern_of

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


@dataclass(frozen=True)
class Heard:
    """`lost`: why the value does not count; "" when it does."""

    said: Said
    lost: str = ""


@dataclass(frozen=True)
class Source:
    kind: Kind
    path: str
    exists: bool


@dataclass(frozen=True)
class Known:
    """`heard`: by dotted key, everything that was said of it, the weakest source first. `faults`: what is wrong in the
    files, those of `local.md` included."""

    settings: Settings
    heard: Mapping[str, tuple[Heard, ...]]
    faults: tuple[Fault, ...]
    sources: tuple[Source, ...]

    def winner(self, key: str) -> Said | None:
        """Who said what counts; None for a default. Of lists that are joined, the strongest."""
        return next((each.said for each in reversed(self.heard.get(key, ())) if not each.lost), None)


def user_file() -> Path:
    return paths.settings_file()


def read(root: Path, environment: Mapping[str, str], texts: Mapping[str, str] | None = None) -> Known:
    """Everything that is said about settings. Never raises on what a file holds. `texts`: what counts instead of a
    file's own text, by path as faults name it: an editor's buffer."""
    typed = texts or {}
    own, local = user_file(), _personal(root, typed)
    user = _toml("user", str(own), _typed(typed, str(own), _text(own)))
    team = _toml("team", TEAM_FILE, _typed(typed, TEAM_FILE, _guarded(root, TEAM_FILE)))
    sources = (
        Source("user", str(own), own.is_file()),
        Source("team", TEAM_FILE, (root / TEAM_FILE).is_file()),
        Source("personal", local.path, local.exists),
    )
    given = [*user.said, *team.said, *local.said, *_environment(environment)]
    faults = [*user.faults, *team.faults]
    valid: list[Said] = []
    heard: dict[str, tuple[Heard, ...]] = {}
    for each in given:
        wrong = _misfit(each, user if each.kind == "user" else team) if each.kind in ("user", "team") else []
        faults += wrong
        if wrong:
            name = ".".join(each.key)
            heard[name] = (*heard.get(name, ()), Heard(each, "its setting does not take such a value"))
        else:
            valid.append(each)
    merged: dict[str, Any] = {}
    for key, said in _by_key(valid).items():
        meaning = MEANINGS[pattern_of(key) or ""]
        value, told = _settled(key, meaning, said, faults)
        heard[".".join(key)] = (*heard.get(".".join(key), ()), *told)
        if any(not each.lost for each in told):
            _put(merged, key, value)
    own_gates = sorted({each.key[1] for each in valid if each.kind == "user" and _is_gate(each.key)})
    warnings = tuple(one_line(str(each), 400) for each in faults)
    own_setup = any(each.kind == "user" and each.key == ("setup",) for each in valid)
    settled = _validated({**merged, "own_gates": own_gates, "own_setup": own_setup}, warnings)
    ordered = tuple(sorted([*faults, *local.faults], key=lambda each: (each.path, each.line)))
    return Known(settled, heard, ordered, sources)


# Reading


@dataclass
class _File:
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


def _text(path: Path) -> Callable[[], str | None]:
    def reading() -> str | None:
        try:
            return path.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None

    return reading


def _typed(texts: Mapping[str, str], path: str, reading: Callable[[], str | None]) -> Callable[[], str | None]:
    return (lambda: texts[path]) if path in texts else reading


def _guarded(root: Path, relative: str) -> Callable[[], str | None]:
    def reading() -> str | None:
        text = read_text(root, relative)
        return None if text is None else text.encode("utf-8", "surrogateescape").decode("utf-8")

    return reading


def _toml(kind: Kind, path: str, reading: Callable[[], str | None]) -> _File:
    try:
        text = reading()
    except DevloopError as problem:
        return _File(kind, path, faults=[Fault(path, 1, problem.sentences, code="settings-file")])
    except (OSError, ValueError) as problem:
        return _File(kind, path, faults=[Fault(path, 1, f"it was ignored: {problem}", code="settings-file")])
    return check_toml(kind, path, text) if text is not None else _File(kind, path)


def check_text(root: Path, path: str, text: str) -> tuple[Fault, ...]:
    """What is wrong in one file of settings while it has this text. `path`: as faults name it."""
    return tuple(fault for fault in read(root, {}, {path: text}).faults if fault.path == path)


def check_toml(kind: Kind, path: str, text: str) -> _File:
    """A settings file by its text: what it says, each with its line, and what is no setting."""
    text = text.removeprefix("\ufeff")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        found = _AT_LINE.search(str(problem))
        line = int(found[1]) if found else text.count("\n") + 1
        return _File(kind, path, text, faults=[Fault(path, line, f"it was ignored: {problem}", code="settings-file")])
    file = _File(kind, path, text, lines=toml_places.lines(text), exists=True)
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


def _is_gate(key: Key) -> bool:
    return key[0] == "gates" and key[1] not in GUARDING


def _unknown(file: _File, key: Key, known: Key) -> Fault:
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


def _personal(root: Path, texts: Mapping[str, str]) -> _File:
    """`local.md`, else the one in the legacy place, as settings. What it says of nothing (null) is not said."""
    for path in (personal.PATH, personal.LEGACY_PATH):
        try:
            text = texts[path] if path in texts else read_text(root, path)
        except DevloopError as problem:
            return _File("personal", path, faults=[Fault(path, 1, problem.sentences)], exists=True)
        if text is None:
            continue
        found = personal.read(text, path)
        file = _File("personal", path, text, faults=list(found.faults), exists=True)
        for key, (value, line) in found.said.items():
            if value is not None:
                file.said.append(Said(personal_key(key), _tier(key, value), "personal", path, line))
        return file
    return _File("personal", personal.PATH)


def personal_key(key: str) -> Key:
    """The setting that a target key of local.md (dotted, kebab case) means."""
    name = key.replace("-", "_")
    return _PERSONAL.get(name, tuple(name.split(".")))


def _tier(key: str, value: Any) -> Any:
    if key.startswith("models."):
        return _TIERS.get(str(value), value)
    return (value,) if isinstance(value, str) and key in ("auto-skills",) else value


def _environment(environment: Mapping[str, str]) -> Iterator[Said]:
    for variable, key in _VARIABLES:
        if environment.get(variable):
            yield Said(key, environment[variable], "environment", variable, 0)


# Deciding


def _misfit(said: Said, file: _File) -> list[Fault]:
    """What its setting does not take of a value, so that one typing error loses only itself."""
    nested: dict[str, Any] = {}
    _put(nested, said.key, said.value)
    try:
        Settings.model_validate(nested)
    except ValidationError as problem:
        faults = []
        for error in problem.errors():
            place = tuple(str(part) for part in error["loc"])
            place = said.key if place[0] == "guarding" else place
            told = f"{'.'.join(place)} was ignored: {error['msg'].removeprefix('Value error, ')}"
            faults.append(Fault(said.path, file.line(place), one_line(told, 300), code="setting"))
        return faults
    return []


def _by_key(given: Iterable[Said]) -> dict[Key, list[Said]]:
    found: dict[Key, list[Said]] = {}
    for each in given:
        found.setdefault(each.key, []).append(each)
    return found


def _settled(key: Key, meaning: Meaning, said: list[Said], faults: list[Fault]) -> tuple[Any, tuple[Heard, ...]]:
    """The value that counts, and what became of each; `said` has the weakest source first."""
    if meaning.rule == "union":
        joined = tuple(dict.fromkeys(value for each in said for value in _listed(each.value)))
        return joined, tuple(Heard(each) for each in said)
    own = next((each.value for each in said if each.kind == "user"), None)
    counts: Said | None = None
    lost: dict[int, str] = {}
    for at, each in enumerate(said):
        why = _refused(key, meaning, each, own, counts) if each.kind in ("team", "personal") else ""
        if why:
            lost[at] = why
            secret = ".".join(key) in SECRET
            if meaning.rule != "command":
                told = f"{'.'.join(key)} was ignored: {why}"
                severity: Literal["error", "warning"] = "error" if secret else "warning"
                faults.append(Fault(each.path, each.line, told, severity, "setting-too-wide"))
        else:
            for before, other in enumerate(said[:at]):
                if before not in lost:
                    lost[before] = f"{each.path} counts before {other.path}"
            counts = each
    value = counts.value if counts is not None else None
    return value, tuple(Heard(each, lost.get(at, "")) for at, each in enumerate(said))


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


_OWN: Final = "it may only be set in your own configuration"


def _refused(key: Key, meaning: Meaning, said: Said, own: Any, counts: Said | None) -> str:
    """Why a file of the repository has no say here; "" when it has."""
    match meaning.rule:
        case "own":
            return _OWN
        case "person":
            return "" if said.kind == "personal" else f"{_OWN}, or in {personal.PATH}"
        case "command":
            return "your own counts" if counts is not None and counts.kind == "user" else ""
        case "care":
            present = counts.value if counts is not None else default(key)
            if said.value in meaning.care or said.value == present:
                return ""
            return f"a file of the repository may only ask for more care, here {_or(meaning.care)}"
        case "cap":
            return _wider(said, own if own is not None else default(key), "own" if own is not None else "default")
        case "limit":
            return _wider(said, own, "own") if own is not None else ""
        case _:
            return ""


def _or(values: Iterable[str | bool]) -> str:
    return " or ".join(str(each).lower() if isinstance(each, bool) else str(each) for each in values)


def _wider(said: Said, limit: Any, whose: str) -> str:
    if limit is None or float(seconds(said.value)) <= float(seconds(limit)):
        return ""
    told = "your own" if whose == "own" else "the default"
    return f"{said.value} is wider than {told} {limit}; to widen it, write it into {user_file()}"


def default(key: Key) -> Any:
    """The value of a setting that nobody set; None where there is none."""
    return value_of(Settings(), key)


def _put(merged: dict[str, Any], key: Key, value: Any) -> None:
    for part in key[:-1]:
        merged = merged.setdefault(part, {})
    merged[key[-1]] = value


def _validated(merged: dict[str, Any], warnings: tuple[str, ...]) -> Settings:
    try:
        return Settings.model_validate({**merged, "warnings": warnings})
    except ValidationError as problem:  # each value alone was fine
        told = (f"All settings were ignored: {one_line(str(problem), 300)}",)
        return Settings(warnings=(*warnings, *told))
