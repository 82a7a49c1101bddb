"""`.devloop/local.md`: one person's settings (state-files §7). Three generations of keys are read as one shape.

Kebab and snake case count alike. A key that nobody knows and a value that does not fit are faults with their line, and
the rest counts. The person's own text is never written again. What of it counts, and how much, `layers` decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic import ValidationError

from devloop import front_matter
from devloop.own_files import Fault, nearest, renamed
from devloop.redact import one_line
from devloop.settings.personal_shape import Local, Section, known_keys

PATH: Final = ".devloop/local.md"
LEGACY_PATH: Final = ".claude/devloop.local.md"


_OLD: Final[dict[str, str]] = {
    "auto-commit": "commits.auto-commit",
    "auto-version": "ship.auto-version",
    "changelog": "ship.changelog",
    "auto-tag": "ship.auto-tag",
    "model-preferences": "models",
    "workflow.branch-pattern": "git.branch-pattern",
    "workflow.commit-format": "commits.format",
    "git.base-branch": "git.main-branch",
    "dod": "definition-of-done",
    "dod.require-tests": "definition-of-done.require-tests",
    "dod.require-docs": "definition-of-done.require-docs",
    "dod.min-coverage": "definition-of-done.min-coverage",
    "commitstyle": "commits.style",
    "commit-style": "commits.style",
    "defaultbranch": "git.main-branch",
    "default-branch": "git.main-branch",
    "autobranch": "git.auto-branch",
    "auto-branch": "git.auto-branch",
    "tokens.fresh-threshold": "fresh-threshold",
    "tokens.context-threshold": "context-threshold",
    "git.auto-commit": "commits.auto-commit",
}
"""Names of older generations, in lower case with dashes, and what they are now."""


@dataclass(frozen=True)
class LocalFile:
    """`said`: what the file sets, by target key (dotted, kebab case), with its line; `notes`: the text below the front
    matter."""

    values: Local
    said: Mapping[str, tuple[Any, int]]
    notes: str
    faults: tuple[Fault, ...]

    @property
    def given(self) -> frozenset[str]:
        return frozenset(self.said)


def read(text: str, path: str = PATH) -> LocalFile:
    """A file of any generation. Never raises: a file that can't be read gives the defaults and says why."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if not plain.startswith(front_matter.FENCE):
        return LocalFile(Local(), {}, plain, ())  # notes only
    try:
        head, body, _ = front_matter.split(plain)
        found = front_matter.read(head)
    except front_matter.Unreadable as problem:
        return LocalFile(Local(), {}, plain, (Fault(path, problem.line, problem.message, code="front-matter"),))
    faults = []
    if found.lenient is not None:
        faults.append(Fault(path, found.lenient.line, found.lenient.message, code="front-matter"))
    flat: dict[str, tuple[Any, int]] = {}
    for key, value, line in _flattened(found.values, found.lines):
        target = target_of(key)
        if target is None:
            faults.append(_unknown(plain, key, line, path))
        elif target in flat:
            told = f"{one_line(key, 60)} says again what line {flat[target][1]} says; that one counts"
            faults.append(Fault(path, line, told, "warning", "setting-twice"))
        else:
            flat[target] = (value, line)
    values, said, wrong_values = _valid(flat, path)
    return LocalFile(values, said, body, tuple(sorted([*faults, *wrong_values], key=lambda each: each.line)))


def _flattened(values: Mapping[str, Any], lines: Mapping[str, int], above: str = "") -> list[tuple[str, Any, int]]:
    found = []
    for key, value in values.items():
        place = f"{above}{key}"
        if isinstance(value, dict) and value:
            found += _flattened({str(name): each for name, each in value.items()}, lines, f"{place}.")
        elif isinstance(value, dict) or (value is None and _normal(place) in _sections()):
            continue  # a heading with nothing under it
        else:
            found.append((place, value, lines.get(place, lines.get(place.split(".", maxsplit=1)[0], 1))))
    return found


def _normal(key: str) -> str:
    return key.replace("_", "-").lower()


@cache
def _sections() -> frozenset[str]:
    return frozenset(
        name.replace("_", "-")
        for name, field in Local.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    )


def target_of(key: str) -> str | None:
    """The target key (dotted, kebab case) that a key of any generation stands for; None for one that is none."""
    name = _normal(key)
    if name in _OLD:
        name = _OLD[name]
    else:
        section, dot, inner = name.partition(".")
        if dot and section in _OLD:
            name = f"{_OLD[section]}.{inner}"
    return name if name in known_keys() else None


def _unknown(text: str, key: str, line: int, path: str) -> Fault:
    """With the key that was probably meant; a fix where only the last word of it differs."""
    told = f"{one_line(key, 60)} is no setting of devloop"
    near = nearest(key, [*known_keys(), *_OLD])
    if near is None:
        return Fault(path, line, told, "warning", "unknown-setting")
    if "_" in key:
        near = near.replace("-", "_")  # as the file writes it
    above, _, last = key.rpartition(".")
    near_above, _, near_last = near.rpartition(".")
    fixes = renamed(text, line, last, near_last) if _normal(above) == _normal(near_above) else ()
    return Fault(path, line, f"{told}; did you mean {near}?", "warning", "unknown-setting", fixes)


def _valid(flat: Mapping[str, tuple[Any, int]], path: str) -> tuple[Local, dict[str, tuple[Any, int]], list[Fault]]:
    faults: list[Fault] = []
    left = dict(flat)
    for _ in range(len(flat) + 1):
        nested: dict[str, Any] = {}
        for key, (value, _) in left.items():
            section, dot, inner = key.partition(".")
            if dot:
                nested.setdefault(section, {})[inner] = value
            else:
                nested[section] = value
        try:
            return Local.model_validate(nested), left, faults
        except ValidationError as problem:
            for error in problem.errors():
                place = [str(part).replace("_", "-") for part in error["loc"]]
                key = ".".join(place[:2]) if ".".join(place[:2]) in left else place[0]
                if key not in left:
                    continue
                text = f"{key}: {error['msg'].removeprefix('Value error, ')}"
                faults.append(Fault(path, left[key][1], one_line(text, 300), code="setting"))
                del left[key]
    return Local(), {}, faults
