"""Files that say which version this is, and the same files with another one. Text is changed, never rewritten: order,
comments and line ends stay."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from typing import Any, Final

PATHS: Final = ("pyproject.toml", "package.json", "Cargo.toml", "VERSION")
"""Where a version is looked for, in the project's root. What reads it from git or from another file needs no change."""
_TOML_TABLES: Final = {"pyproject.toml": ("project", "tool.poetry"), "Cargo.toml": ("package", "workspace.package")}
_ASSIGNED: Final = re.compile(
    r"^(?P<before>[ \t]*version[ \t]*=[ \t]*)(?P<quote>[\"'])(?P<value>[^\"'\n]*)(?P=quote)", re.MULTILINE
)
_TABLE: Final = re.compile(r"^[ \t]*\[(?P<name>[^\[\]\n]+)\][ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """Where a version stands: `start` and `end` are offsets of the bare version in the file's text."""

    path: str
    version: str
    start: int
    end: int


def find(path: str, text: str) -> Place | None:
    """The version that a file declares; None where it declares none, or is not what its name says."""
    if path in _TOML_TABLES:
        return _in_toml(path, text)
    if path == "package.json":
        return _in_json(path, text)
    if path == "VERSION" and len(text) < 100 and (bare := text.strip()):
        start = text.index(bare)
        return Place(path, bare, start, start + len(bare))
    return None


def name_in(path: str, text: str) -> str:
    """What the project calls itself there; "" where it does not."""
    try:
        data = json.loads(text) if path.endswith(".json") else tomllib.loads(text) if path in _TOML_TABLES else {}
    except ValueError:
        return ""
    tables = [_table(data, name) for name in _TOML_TABLES.get(path, ("",))]
    return next((name for table in tables if isinstance(name := table.get("name"), str)), "")


def computed(path: str, text: str) -> bool:
    """Whether the version is made elsewhere when it is built (`dynamic` of pyproject.toml)."""
    try:
        project = tomllib.loads(text).get("project") if path == "pyproject.toml" else None
    except ValueError:
        return False
    return isinstance(project, dict) and "version" in (project.get("dynamic") or ())


def with_version(text: str, place: Place, version: str) -> str:
    return f"{text[: place.start]}{version}{text[place.end :]}"


def _in_toml(path: str, text: str) -> Place | None:
    try:
        data = tomllib.loads(text)
    except ValueError:
        return None
    for name in _TOML_TABLES[path]:
        declared = _table(data, name).get("version")
        if not isinstance(declared, str):
            continue
        for header in _TABLE.finditer(text):
            if "".join(header["name"].split()) != name:
                continue
            after = _TABLE.search(text, header.end())
            found = _ASSIGNED.search(text, header.end(), after.start() if after else len(text))
            if found is not None and found["value"] == declared:
                return Place(path, declared, found.start("value"), found.end("value"))
    return None


def _table(data: Any, name: str) -> dict[str, Any]:
    """The table of that dotted name ("": the whole); an empty one where there is none."""
    for part in filter(None, name.split(".")):
        data = data.get(part) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _in_json(path: str, text: str) -> Place | None:
    """The key of the outermost object only: dependencies have versions, too."""
    try:
        data = json.loads(text)
    except ValueError:
        return None
    declared = data.get("version") if isinstance(data, dict) else None
    if not isinstance(declared, str):
        return None
    depth = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', text):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "}]":
            depth -= 1
        elif depth == 1 and token[0] == '"version"':
            found = re.compile(r'\s*:\s*"([^"\\]*)"').match(text, token.end())
            if found is not None and found[1] == declared:
                return Place(path, declared, found.start(1), found.end(1))
    return None
