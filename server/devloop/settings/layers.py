"""Which of the things that are said of a setting counts (state-files §7).

From the weakest to the strongest: defaults, the person's `config.toml`, the team's `.devloop/config.toml`,
`.devloop/local.md`, the environment. How far the two files of the repository count is said by `meanings`. Each
value keeps the file and line that said it, and what lost keeps why.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from devloop.own_files import Fault
from devloop.paths import settings_file
from devloop.redact import one_line
from devloop.settings import personal
from devloop.settings.meanings import MEANINGS, SECRET, Meaning, pattern_of
from devloop.settings.shape import GUARDING, TEAM_FILE, Settings, seconds, value_of
from devloop.settings.sources import File, Key, Kind, Said, of_environment, personal_file, team_file, user_file


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


def load(root: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings for the workspace at `root`. Never raises on what a file holds: the bad part becomes a warning."""
    return explained(root, environment).settings


def explained(
    root: Path, environment: Mapping[str, str] | None = None, texts: Mapping[str, str] | None = None
) -> Known:
    """The same, with who said what and where, and what is wrong in the files. `texts`: what counts instead of a file's
    own text, by path as faults name it: an editor's buffer."""
    typed = texts or {}
    user, team, local = user_file(typed), team_file(root, typed), personal_file(root, typed)
    sources = (
        Source("user", user.path, Path(user.path).is_file()),
        Source("team", TEAM_FILE, (root / TEAM_FILE).is_file()),
        Source("personal", local.path, local.exists),
    )
    given = [*user.said, *team.said, *local.said, *of_environment(os.environ if environment is None else environment)]
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


def check_text(root: Path, path: str, text: str) -> tuple[Fault, ...]:
    """What is wrong in one file of settings while it has this text. `path`: as faults name it."""
    return tuple(fault for fault in explained(root, {}, {path: text}).faults if fault.path == path)


def _is_gate(key: Key) -> bool:
    return key[0] == "gates" and key[1] not in GUARDING


def _misfit(said: Said, file: File) -> list[Fault]:
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
    return f"{said.value} is wider than {told} {limit}; to widen it, write it into {settings_file()}"


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
