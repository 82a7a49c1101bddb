"""Looks at names and manifests of a project for what `.devloop/context.json` says of it (state-files §5).

Nothing here is run, and no command that a manifest names is: they are suggestions for a person to trust.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from devloop.state.context import VERSION
from devloop.state.manifests import Manifests, dependencies, mapping, name_of, suggestions, version_of
from devloop.state.stacks import (
    BACKENDS,
    BUILD_FILES,
    CONFIG_FOLDERS,
    DOCS_FOLDERS,
    FEATURES,
    FRAMEWORKS,
    LANGUAGES,
    LOCKS,
    MANIFESTS,
    PACKAGE_MANAGERS,
    SKIPPED_FOLDERS,
    SOURCE_FOLDERS,
    TEST_DEFAULTS,
    TEST_FOLDERS,
    TEST_FRAMEWORKS,
)
from devloop.state.storing import stamp

MAX_FILES: Final = 20_000
MAX_DEPTH: Final = 8
MAX_MEMBERS: Final = 100


def detect(root: Path, now: datetime) -> dict[str, Any]:
    """The content of the file for the project at `root`. Blocks; never raises on what a project holds."""
    seen, manifests = _Seen(root), Manifests(root)
    top = [name for name in seen.manifests if "/" not in name]
    depends = {name for each in seen.manifests[:MAX_MEMBERS] for name in dependencies(each, manifests)}
    languages = _languages(seen)
    language = languages[0]["name"] if languages else None
    folders = {name.lower(): name for name in sorted(seen.folders, key=lambda x: (-x.count("/"), x), reverse=False)}
    words = {part.lower() for name in seen.folders for part in name.split("/")} | depends
    return {
        "version": VERSION,
        "detected": stamp(now),
        "name": name_of(root, manifests),
        "language": language,
        "languageVersion": version_of(language, manifests),
        "framework": _first(FRAMEWORKS, depends),
        "testFramework": _first(TEST_FRAMEWORKS, depends)
        or ("pytest" if (root / "pytest.ini").is_file() or (root / "conftest.py").is_file() else None)
        or TEST_DEFAULTS.get(language or ""),
        "buildTool": _build_tool(seen, manifests),
        "packageManager": _package_manager(seen, manifests, language),
        "features": {
            "hasTests": any(part in TEST_FOLDERS for name in seen.folders for part in name.split("/")),
            "hasDocker": any(name.startswith(("Dockerfile", "docker-compose", "compose.y")) for name in seen.top),
            "hasCI": (root / ".github" / "workflows").is_dir()
            or bool(seen.top & {".gitlab-ci.yml", ".circleci", "Jenkinsfile", "azure-pipelines.yml", ".travis.yml"}),
            "hasMakefile": bool(seen.top & {"Makefile", "makefile", "GNUmakefile"}),
            **{name: any(word in words for word in known) for name, known in FEATURES.items()},
        },
        "paths": {
            "source": _folder(SOURCE_FOLDERS, folders),
            "tests": _folder(TEST_FOLDERS, folders),
            "docs": _folder(DOCS_FOLDERS, folders),
            "config": _folder(CONFIG_FOLDERS, folders) or (".config" if ".config" in seen.top else None),
        },
        "languages": languages,
        "workspaces": _workspaces(seen, manifests, top),
        "inputs": manifests.inputs(),
    }


def _languages(seen: _Seen) -> list[dict[str, Any]]:
    counts = Counter(seen.extensions)
    by_language: dict[str, str] = {}
    for name in sorted(seen.manifests, key=lambda each: (each.count("/"), each)):
        by_language.setdefault(MANIFESTS[Path(name).name], name)
    if "javascript" in by_language:
        by_language.setdefault("typescript", by_language["javascript"])
    total = sum(counts.values())
    if not total:
        return [{"name": name, "share": 0.0, "manifest": path} for name, path in by_language.items()]
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0] not in by_language, item[0]))
    return [
        {"name": name, "share": round(count / total, 3), "manifest": by_language.get(name)} for name, count in ordered
    ]


class _Seen:
    """One walk over the names of a project: bounded, links are not followed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.extensions: Counter[str] = Counter()
        self.folders: set[str] = set()
        self.manifests: list[str] = []
        self.top = {entry.name for entry in _listing(root)}
        self._walk()

    def _walk(self) -> None:
        waiting: list[tuple[str, int]] = [("", 0)]
        left = MAX_FILES
        while waiting and left > 0:
            folder, depth = waiting.pop()
            for entry in _listing(self.root / folder):
                left -= 1
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_symlink():
                    continue
                if entry.is_dir():
                    if entry.name not in SKIPPED_FOLDERS and not entry.name.startswith(".") and depth < MAX_DEPTH:
                        self.folders.add(name)
                        waiting.append((name, depth + 1))
                elif entry.is_file():
                    kind = LANGUAGES.get(os.path.splitext(entry.name)[1].lower())  # noqa: PTH122 - for each file
                    if kind:
                        self.extensions[kind] += 1
                    if entry.name in MANIFESTS:
                        self.manifests.append(name)


def _listing(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _first(known: tuple[str, ...], names: set[str]) -> str | None:
    found = next((each for each in known if each in names), None)
    return (
        None
        if found is None
        else {"@angular/core": "angular", "@nestjs/core": "nestjs"}.get(
            found, found.removeprefix("@").split("/")[-1] if "/" in found and not found.startswith("@") else found
        )
    )


def _build_tool(seen: _Seen, manifests: Manifests) -> str | None:
    if "pyproject.toml" in seen.top:
        backend = str(mapping(manifests.table("pyproject.toml").get("build-system")).get("build-backend") or "")
        for word, tool in BACKENDS:
            if word in backend:
                return tool
    for name, tool in BUILD_FILES:
        if name in seen.top:
            return tool
    depends = set(dependencies("package.json", manifests)) if "package.json" in seen.top else set()
    return next((tool for tool in ("vite", "esbuild", "webpack", "rollup", "parcel") if tool in depends), None)


def _package_manager(seen: _Seen, manifests: Manifests, language: str | None) -> str | None:
    if "package.json" in seen.top:
        wanted = manifests.table("package.json").get("packageManager")
        if isinstance(wanted, str) and language in ("javascript", "typescript"):
            return wanted.split("@")[0] or None
    own = {"python": 4, "javascript": 9, "typescript": 9}
    first = LOCKS[: own["python"]] if language == "python" else LOCKS[own["python"] :]
    for name, tool in (*first, *LOCKS):
        if name in seen.top:
            return tool
    return PACKAGE_MANAGERS.get(language or "") if any("/" not in name for name in seen.manifests) else None


def _folder(names: tuple[str, ...], folders: Mapping[str, str]) -> str | None:
    for name in names:
        if name in folders:
            return folders[name]
    return None


def _workspaces(seen: _Seen, manifests: Manifests, top: list[str]) -> list[dict[str, Any]]:
    """Folders below the root with a manifest of their own; the nearest manifest to the root counts."""
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(seen.manifests):
        folder, slash, base = name.rpartition("/")
        if not slash or base in ("tsconfig.json", "requirements.txt", "setup.cfg") or folder in found:
            continue
        if any(part in (*TEST_FOLDERS, "fixtures", "examples", "testdata") for part in folder.split("/")):
            continue
        table = manifests.table(name) if base.endswith((".toml", ".json")) else {}
        title = table.get("name") or mapping(table.get("project") or table.get("package")).get("name")
        language = MANIFESTS[base]
        if base == "package.json" and f"{folder}/tsconfig.json" in seen.manifests:
            language = "typescript"
        found[folder] = {
            "path": folder,
            "name": title if isinstance(title, str) else folder.rpartition("/")[2],
            "language": language,
            "manifest": name,
            "gates": suggestions(base, table),
        }
    return list(found.values())[:MAX_MEMBERS]
