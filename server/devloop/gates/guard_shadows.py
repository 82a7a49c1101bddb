"""New files that are taken for other ones: by Python, by what checks types, by node, or as a tool. Pure.

What Python imports is the first of a name on its path. While tests run the root of the tree, `src`, `lib`, what the
project's own configuration adds and the folders of the tests stand there, before all that is installed. So a new module
in one of them is told where another one of the tree, a package that is installed, or one of Python's own has its name.
What a change adds to a package stands before nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from devloop.gates import guard_files
from devloop.gates.patch import FileDiff

_BROUGHT_ALONG: Final = frozenset(("utils", "helpers", "common", "docs", "examples", "scripts", "tools", "benchmarks"))
"""What packages leave beside themselves by mistake: nobody imports these from there."""
_NEVER_IMPORTED: Final = frozenset(("setup", "manage", "noxfile", "fabfile", "conf", "__init__", "__main__", ""))
_INSTALLED_BY_NODE: Final = re.compile(r"(?:^|/)node_modules/(?P<name>(?:@[^/]+/)?[^/]+)/")


@dataclass(frozen=True)
class Around:
    """What surrounds a change. `paths`: all files of the base tree. `installed`: modules of the environment, by the
    name that they are imported by. `roots`: folders that the base's configuration puts on Python's path. `named`,
    `tests`: files that it names, or takes for tests, each with what to say of it (`guard_named.py`)."""

    paths: frozenset[str] = frozenset()
    installed: frozenset[str] = frozenset()
    roots: frozenset[str] = frozenset()
    named: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, str] = field(default_factory=dict)


NOTHING: Final = Around()


class Shadows:
    """One change in its surroundings."""

    def __init__(self, files: Sequence[FileDiff], around: Around) -> None:
        changed = [path for file in files for path in (file.old, file.new) if path.endswith(".py")]
        base = [path for path in around.paths if path.endswith(".py")]
        self._gone = {file.old for file in files if file.old != file.new}
        self._tests_alone = {
            posixpath.dirname(file.new)
            for file in files
            if file.new.endswith("/__init__.py") and not any(line.text.strip() for line in file.added)
        } - {posixpath.dirname(file.new) for file in files if not _is_loaded(file.new) and "/__init__" not in file.new}
        """Packages that are made for tests, and hold nothing else."""
        self._modules = {_module(path): path for path in changed if not guard_files.is_test(path)}
        self._packages = {posixpath.dirname(path) for path in (*changed, *base) if path.endswith("/__init__.py")}
        tested = {self._begin(path) for path in (*changed, *base) if _is_loaded(path)}
        beside = (posixpath.dirname(folder) for folder in tested)
        self._everywhere = {"", "src", "lib", *around.roots, *guard_files.FOLDERS} - {"test", "tests"}
        self._roots = {"", "src", "lib", *around.roots, *tested}
        self._sources = {*self._roots, *self._everywhere, *(posixpath.join(folder, "src") for folder in beside)}
        self._known: dict[str, list[str]] = {}
        """Modules of the base tree by the name that they are imported by."""
        for path in base:
            folder, name = posixpath.split(_module(path))
            if folder in self._sources and name not in _NEVER_IMPORTED:
                self._known.setdefault(name, []).append(path)
        self._installed = around.installed - _BROUGHT_ALONG - guard_files.FOLDERS

    def _begin(self, path: str) -> str:
        """Where pytest begins to import a module of tests: the first folder above it that is no package."""
        folder = posixpath.dirname(path)
        while folder in self._packages:
            folder = posixpath.dirname(folder)
        return folder

    def before(self, path: str) -> str:
        """What a new file at `path` stands before on the import path; "" for nothing."""
        if match := _INSTALLED_BY_NODE.search(path):
            return match["name"]
        if not path.endswith(".py") or guard_files.is_test_named(path) or guard_files.is_conftest(path):
            return guard_files.shadows(path)
        folder, name = posixpath.split(_module(path))
        always = guard_files.shadows(path) or self._double(path)
        if always or folder not in self._roots or _module(path) in self._tests_alone:
            return always
        if name in guard_files.FOLDERS or name in _NEVER_IMPORTED:
            return ""
        own = [each for each in self._known.get(name, ()) if _module(each) != _module(path)]
        if guard_files.is_of_python(name) or (name in self._installed and name not in self._known):
            return name
        met = (each for each in own if self._meets(folder, posixpath.dirname(_module(each))))
        return next((each for each in met if each not in self._gone), "")

    def _meets(self, folder: str, other: str) -> bool:
        """Whether modules of both folders are imported in one session: not of two parts of a tree, each with tests."""
        part = posixpath.dirname(folder) or folder
        return other in self._everywhere or f"{folder}/".startswith(f"{other}/") or f"{other}/".startswith(f"{part}/")

    def _double(self, path: str) -> str:
        """The module of the same change that a new one at `path`, beside tests or at the root, stands before."""
        parts = _module(path).split("/")
        at = next((at for at, part in enumerate(parts[:-1]) if part in ("test", "tests")), -1)
        beside = "/".join((*parts[: max(at, 0)], ""))
        folders = [f"{folder}/" for folder in guard_files.FOLDERS] + [""] * (at >= 0)
        names = ["/".join(parts[begin:]) for begin in range(at + 1, len(parts))] if at >= 0 else ["/".join(parts)]
        wanted = (f"{place}{folder}{name}" for name in names for place in (beside, "") for folder in folders)
        return next((self._modules[each] for each in wanted if self._modules.get(each, path) != path), "")


def _is_loaded(path: str) -> bool:
    return guard_files.is_test_named(path) or guard_files.is_conftest(path)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__")


def stands_in(path: str) -> str:
    """The module in whose place types are taken from a new file at `path`; "" for none."""
    return path[:-1] if path.endswith(".pyi") else ""
