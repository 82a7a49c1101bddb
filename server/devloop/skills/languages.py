"""Which languages a task or a project is in, from names of files alone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from devloop import beneath

OF_SUFFIX: Final[dict[str, tuple[str, ...]]] = {
    ".py": ("python",),
    ".pyi": ("python",),
    ".go": ("go",),
    ".java": ("java",),
    ".kt": ("kotlin",),
    ".ts": ("typescript",),
    ".mts": ("typescript",),
    ".tsx": ("typescript", "react"),
    ".js": ("javascript",),
    ".mjs": ("javascript",),
    ".cjs": ("javascript",),
    ".jsx": ("javascript", "react"),
    ".rs": ("rust",),
    ".rb": ("ruby",),
    ".php": ("php",),
    ".cs": ("csharp",),
    ".swift": ("swift",),
    ".c": ("c",),
    ".h": ("c",),
    ".cc": ("cpp",),
    ".cpp": ("cpp",),
    ".hpp": ("cpp",),
    ".sql": ("sql",),
    ".sh": ("shell",),
}
_OF_MARK: Final[dict[str, str]] = {
    "pyproject.toml": "python",
    "setup.py": "python",
    "setup.cfg": "python",
    "requirements.txt": "python",
    "go.mod": "go",
    "pom.xml": "java",
    "build.gradle": "java",
    "build.gradle.kts": "kotlin",
    "tsconfig.json": "typescript",
    "package.json": "javascript",
    "Cargo.toml": "rust",
    "Gemfile": "ruby",
    "composer.json": "php",
    "Package.swift": "swift",
    "CMakeLists.txt": "cpp",
}
KNOWN: Final = frozenset(
    {*_OF_MARK.values(), *(language for several in OF_SUFFIX.values() for language in several), "react"}
)
MAX_MANIFEST = 256 * 1024


def of_paths(paths: Iterable[str]) -> frozenset[str]:
    """The languages of files; globs count by their suffix."""
    return frozenset(
        language for path in paths for language in OF_SUFFIX.get(PurePosixPath(path).suffix.lower().rstrip("}"), ())
    )


def of_project(root: Path) -> frozenset[str]:
    """The languages of a project, from what lies at its top. Never raises."""
    try:
        names = set(os.listdir(root))  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return frozenset()
    found = {language for mark, language in _OF_MARK.items() if mark in names} | of_paths(names)
    if "package.json" in names and _uses_react(root):
        found.add("react")
    return frozenset(found)


def _uses_react(root: Path) -> bool:
    try:
        data = json.loads(beneath.read(root, "package.json", MAX_MANIFEST))
        listed = {**(data.get("dependencies") or {}), **(data.get("devDependencies") or {})}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return False
    return "react" in listed
