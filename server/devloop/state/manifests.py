"""What manifests say of a project: read each once, as data; nothing in them is run."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from devloop import beneath
from devloop.state.stacks import FRAMEWORKS, TEST_FRAMEWORKS

MAX_MANIFEST: Final = 512 * 1024


class Manifests:
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


def dependencies(name: str, manifests: Manifests) -> Iterator[str]:
    """The names that a manifest depends on, in lower case."""
    base = Path(name).name
    if base == "pyproject.toml":
        table = manifests.table(name)
        project, tool = mapping(table.get("project")), mapping(table.get("tool"))
        lists = [project.get("dependencies"), *mapping(project.get("optional-dependencies")).values()]
        lists += list(mapping(table.get("dependency-groups")).values())
        for each in lists:
            yield from (
                (_requirement(entry) for entry in each if isinstance(entry, str)) if isinstance(each, list) else ()
            )
        poetry = mapping(tool.get("poetry"))
        yield from (key.lower() for key in mapping(poetry.get("dependencies")))
        for group in mapping(poetry.get("group")).values():
            yield from (key.lower() for key in mapping(mapping(group).get("dependencies")))
        if "pytest" in tool:
            yield "pytest"
    elif base == "package.json":
        table = manifests.table(name)
        for key in ("dependencies", "devDependencies", "peerDependencies", "engines"):
            yield from (entry.lower() for entry in mapping(table.get(key)))
    elif base == "composer.json":
        for key in ("require", "require-dev"):
            yield from (entry.lower() for entry in mapping(manifests.table(name).get(key)))
    elif base == "Cargo.toml":
        for key in ("dependencies", "dev-dependencies"):
            yield from (entry.lower() for entry in mapping(manifests.table(name).get(key)))
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


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def name_of(root: Path, manifests: Manifests) -> str:
    for name, place in (("pyproject.toml", "project"), ("package.json", ""), ("Cargo.toml", "package")):
        if (root / name).is_file():
            table = manifests.table(name)
            value = mapping(table.get(place)).get("name") if place else table.get("name")
            if isinstance(value, str) and value:
                return value
    return root.name


def version_of(language: str | None, manifests: Manifests) -> str | None:
    if language == "python":
        wanted = mapping(manifests.table("pyproject.toml").get("project")).get("requires-python")
        text = wanted if isinstance(wanted, str) else manifests.data(".python-version").decode("utf-8", "replace")
    elif language in ("javascript", "typescript"):
        text = str(mapping(manifests.table("package.json").get("engines")).get("node") or "")
    elif language == "go":
        found = re.search(r"^go[ \t]+([0-9.]+)", manifests.data("go.mod").decode("utf-8", "replace"), re.MULTILINE)
        text = found[1] if found else ""
    elif language == "rust":
        package = mapping(manifests.table("Cargo.toml").get("package"))
        text = str(package.get("rust-version") or package.get("edition") or "")
    else:
        text = ""
    found = re.search(r"[0-9]+(?:\.[0-9]+)*", text)
    return found[0] if found else None


def suggestions(base: str, table: Mapping[str, Any]) -> dict[str, str]:
    if base == "package.json":
        scripts = mapping(table.get("scripts"))
        return {name: f"npm run {name}" for name in ("test", "lint", "typecheck", "build") if name in scripts}
    if base == "pyproject.toml":
        tool = mapping(table.get("tool"))
        known = (("pytest", "test", "pytest"), ("ruff", "lint", "ruff check"), ("mypy", "types", "mypy"))
        return {name: command for key, name, command in known if key in tool}
    return {"go.mod": {"test": "go test ./..."}, "Cargo.toml": {"test": "cargo test"}}.get(base, {})
