"""`.devloop/context.json` (state-files §5): what a project is made of. Found by looking at names and manifests only.

Nothing here is run, and no command that a manifest names is: they are suggestions for a person to trust.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from devloop import beneath
from devloop.own_files import Fault
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
from devloop.state.storing import json_lines, parse_json, stamp, validated, write_json

PATH: Final = ".devloop/context.json"
LEGACY_PATH: Final = ".claude/project-context.json"
VERSION: Final = 2
MAX_FILES: Final = 20_000
MAX_DEPTH: Final = 8
MAX_MANIFEST: Final = 512 * 1024
MAX_MEMBERS: Final = 100


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


class _Manifests:
    """Manifests as they are read, each once; what was read is an input."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.read: dict[str, bytes] = {}

    def data(self, name: str) -> bytes:
        if name not in self.read:
            try:
                self.read[name] = beneath.read(self._root, name, MAX_MANIFEST, links=False)
            except OSError:
                return b""
        return self.read[name]

    def table(self, name: str) -> dict[str, Any]:
        """A TOML or JSON manifest; empty when it can't be read."""
        text = self.data(name).decode("utf-8", "replace")
        try:
            value = tomllib.loads(text) if name.endswith(".toml") else json.loads(text or "{}")
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def inputs(self) -> list[dict[str, str]]:
        return [{"path": name, "sha256": hashlib.sha256(data).hexdigest()} for name, data in sorted(self.read.items())]


def detect(root: Path, now: datetime) -> dict[str, Any]:
    """The content of the file for the project at `root`. Blocks; never raises on what a project holds."""
    seen, manifests = _Seen(root), _Manifests(root)
    top = [name for name in seen.manifests if "/" not in name]
    depends = {name for each in seen.manifests[:MAX_MEMBERS] for name in _dependencies(each, manifests)}
    languages = _languages(seen)
    language = languages[0]["name"] if languages else None
    folders = {name.lower(): name for name in sorted(seen.folders, key=lambda x: (-x.count("/"), x), reverse=False)}
    words = {part.lower() for name in seen.folders for part in name.split("/")} | depends
    return {
        "version": VERSION,
        "detected": stamp(now),
        "name": _name(root, manifests),
        "language": language,
        "languageVersion": _version(language, manifests),
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


def _dependencies(name: str, manifests: _Manifests) -> Iterator[str]:
    """The names that a manifest depends on, in lower case."""
    base = Path(name).name
    if base == "pyproject.toml":
        table = manifests.table(name)
        project, tool = _dict(table.get("project")), _dict(table.get("tool"))
        lists = [project.get("dependencies"), *_dict(project.get("optional-dependencies")).values()]
        lists += list(_dict(table.get("dependency-groups")).values())
        for each in lists:
            yield from (
                (_requirement(entry) for entry in each if isinstance(entry, str)) if isinstance(each, list) else ()
            )
        poetry = _dict(tool.get("poetry"))
        yield from (key.lower() for key in _dict(poetry.get("dependencies")))
        for group in _dict(poetry.get("group")).values():
            yield from (key.lower() for key in _dict(_dict(group).get("dependencies")))
        if "pytest" in tool:
            yield "pytest"
    elif base == "package.json":
        table = manifests.table(name)
        for key in ("dependencies", "devDependencies", "peerDependencies", "engines"):
            yield from (entry.lower() for entry in _dict(table.get(key)))
    elif base == "composer.json":
        for key in ("require", "require-dev"):
            yield from (entry.lower() for entry in _dict(manifests.table(name).get(key)))
    elif base == "Cargo.toml":
        for key in ("dependencies", "dev-dependencies"):
            yield from (entry.lower() for entry in _dict(manifests.table(name).get(key)))
    elif base == "requirements.txt":
        for line in manifests.data(name).decode("utf-8", "replace").splitlines():
            if line.strip() and not line.lstrip().startswith(("#", "-")):
                yield _requirement(line)
    elif base in ("go.mod", "Gemfile", "mix.exs", "pom.xml", "build.gradle", "build.gradle.kts"):
        text = manifests.data(name).decode("utf-8", "replace")
        found = re.findall(r"[\w.@-]+(?:/[\w.@-]+)*", text.lower())
        known = (*FRAMEWORKS, *TEST_FRAMEWORKS)
        yield from (each for each in known if any(word == each or word.endswith(f"/{each}") for word in found))


def _requirement(text: str) -> str:
    match = re.match(r"\s*([A-Za-z0-9][\w.-]*)", text)
    return match[1].lower().replace("_", "-") if match else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first(known: tuple[str, ...], names: set[str]) -> str | None:
    found = next((each for each in known if each in names), None)
    return (
        None
        if found is None
        else {"@angular/core": "angular", "@nestjs/core": "nestjs"}.get(
            found, found.removeprefix("@").split("/")[-1] if "/" in found and not found.startswith("@") else found
        )
    )


def _name(root: Path, manifests: _Manifests) -> str:
    for name, place in (("pyproject.toml", "project"), ("package.json", ""), ("Cargo.toml", "package")):
        if (root / name).is_file():
            table = manifests.table(name)
            value = _dict(table.get(place)).get("name") if place else table.get("name")
            if isinstance(value, str) and value:
                return value
    return root.name


def _version(language: str | None, manifests: _Manifests) -> str | None:
    if language == "python":
        wanted = _dict(manifests.table("pyproject.toml").get("project")).get("requires-python")
        text = wanted if isinstance(wanted, str) else manifests.data(".python-version").decode("utf-8", "replace")
    elif language in ("javascript", "typescript"):
        text = str(_dict(manifests.table("package.json").get("engines")).get("node") or "")
    elif language == "go":
        found = re.search(r"^go[ \t]+([0-9.]+)", manifests.data("go.mod").decode("utf-8", "replace"), re.MULTILINE)
        text = found[1] if found else ""
    elif language == "rust":
        package = _dict(manifests.table("Cargo.toml").get("package"))
        text = str(package.get("rust-version") or package.get("edition") or "")
    else:
        text = ""
    found = re.search(r"[0-9]+(?:\.[0-9]+)*", text)
    return found[0] if found else None


def _build_tool(seen: _Seen, manifests: _Manifests) -> str | None:
    if "pyproject.toml" in seen.top:
        backend = str(_dict(manifests.table("pyproject.toml").get("build-system")).get("build-backend") or "")
        for word, tool in BACKENDS:
            if word in backend:
                return tool
    for name, tool in BUILD_FILES:
        if name in seen.top:
            return tool
    depends = set(_dependencies("package.json", manifests)) if "package.json" in seen.top else set()
    return next((tool for tool in ("vite", "esbuild", "webpack", "rollup", "parcel") if tool in depends), None)


def _package_manager(seen: _Seen, manifests: _Manifests, language: str | None) -> str | None:
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


def _workspaces(seen: _Seen, manifests: _Manifests, top: list[str]) -> list[dict[str, Any]]:
    """Folders below the root with a manifest of their own; the nearest manifest to the root counts."""
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(seen.manifests):
        folder, slash, base = name.rpartition("/")
        if not slash or base in ("tsconfig.json", "requirements.txt", "setup.cfg") or folder in found:
            continue
        if any(part in (*TEST_FOLDERS, "fixtures", "examples", "testdata") for part in folder.split("/")):
            continue
        table = manifests.table(name) if base.endswith((".toml", ".json")) else {}
        title = table.get("name") or _dict(table.get("project") or table.get("package")).get("name")
        language = MANIFESTS[base]
        if base == "package.json" and f"{folder}/tsconfig.json" in seen.manifests:
            language = "typescript"
        found[folder] = {
            "path": folder,
            "name": title if isinstance(title, str) else folder.rpartition("/")[2],
            "language": language,
            "manifest": name,
            "gates": _suggestions(base, table),
        }
    return list(found.values())[:MAX_MEMBERS]


def _suggestions(base: str, table: Mapping[str, Any]) -> dict[str, str]:
    if base == "package.json":
        scripts = _dict(table.get("scripts"))
        return {name: f"npm run {name}" for name in ("test", "lint", "typecheck", "build") if name in scripts}
    if base == "pyproject.toml":
        tool = _dict(table.get("tool"))
        known = (("pytest", "test", "pytest"), ("ruff", "lint", "ruff check"), ("mypy", "types", "mypy"))
        return {name: command for key, name, command in known if key in tool}
    return {"go.mod": {"test": "go test ./..."}, "Cargo.toml": {"test": "cargo test"}}.get(base, {})


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
