"""`.devloop/context.json` (state-files §5): what a project is made of. `detecting.py` finds that out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from devloop import beneath
from devloop.own_files import Fault
from devloop.state.manifests import MAX_MANIFEST
from devloop.state.storing import json_lines, parse_json, validated, write_json

PATH: Final = ".devloop/context.json"
LEGACY_PATH: Final = ".claude/project-context.json"
VERSION: Final = 2


class Language(BaseModel):
    """`share`: part of the source files, 0 to 1."""

    model_config = ConfigDict(frozen=True)

    name: str
    share: float = Field(ge=0, le=1)
    manifest: str | None = None


class Workspace(BaseModel):
    """A member of a monorepo. `gates`: commands that its manifest suggests, by name."""

    model_config = ConfigDict(frozen=True)

    path: str
    name: str
    language: str | None = None
    manifest: str
    gates: dict[str, str] = {}


class Input(BaseModel):
    """A file that was looked into: when its hash differs, what is said here may be old."""

    model_config = ConfigDict(frozen=True)

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Context(BaseModel):
    """The file. `version` is this shape's, `languageVersion` that of the language; version 1 had only the latter,
    under the name `version`."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    version: int = Field(default=VERSION, ge=2)
    detected: str
    name: str = ""
    language: str | None = None
    language_version: str | None = Field(default=None, alias="languageVersion")
    framework: str | None = None
    test_framework: str | None = Field(default=None, alias="testFramework")
    build_tool: str | None = Field(default=None, alias="buildTool")
    package_manager: str | None = Field(default=None, alias="packageManager")
    features: dict[str, bool] = {}
    paths: dict[str, str | None] = {}
    languages: tuple[Language, ...] = ()
    workspaces: tuple[Workspace, ...] = ()
    inputs: tuple[Input, ...] = ()


def stale(root: Path, context: Context) -> bool:
    """Whether an input changed or is gone, or a manifest came that was not looked at."""
    for each in context.inputs:
        try:
            if hashlib.sha256(beneath.read(root, each.path, MAX_MANIFEST, links=False)).hexdigest() != each.sha256:
                return True
        except OSError:
            return True
    known = {each.path for each in context.inputs}
    readable = ("pyproject.toml", "package.json", "Cargo.toml", "go.mod", "composer.json", "requirements.txt")
    return any(name not in known and (root / name).is_file() for name in readable)


def read(text: str, path: str = PATH) -> tuple[Context | None, tuple[Fault, ...]]:
    """The file in version 2 or 1 (where `version` is the language's)."""
    value, faults = parse_json(text, path)
    if value is None:
        return None, faults
    if not isinstance(value.get("version"), int):
        value = {**value, "languageVersion": value.get("version"), "version": VERSION}
        value.setdefault("detected", "")
        if isinstance(value.get("languageVersion"), float):
            value["languageVersion"] = str(value["languageVersion"])
    context, faults = validated(Context, value, text, path)
    if context is not None and context.version > VERSION:
        line = json_lines(text).get(("version",), 1)
        return context, (Fault(path, line, "a newer devloop wrote this; it is read, not written", "warning"),)
    return context, faults


def write(root: Path, content: dict[str, Any]) -> bool:
    """Write the file; what differs only in the time of detection is not written."""
    from devloop.own_files import read_text

    before = parse_json(read_text(root, PATH) or "", PATH)[0]
    if before is not None and {**before, "detected": content["detected"]} == content:
        return False
    return write_json(root, PATH, content, version_key="version", version=VERSION)


def environment(context: Context) -> dict[str, str]:
    """What upstream's session hook exports, for scripts that read it."""
    values = {
        "LANGUAGE": context.language,
        "FRAMEWORK": context.framework,
        "TEST_FRAMEWORK": context.test_framework,
        "TYPE": "monorepo" if context.workspaces else "single",
        "NAME": context.name,
    }
    return {f"FEATURE_DEV_PROJECT_{key}": value for key, value in values.items() if value}
