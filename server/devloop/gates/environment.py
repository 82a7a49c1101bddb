"""The project's own Python environment, and what in it points back into the person's checkout.

Nothing is executed to find out: site-packages is read as files. Gates mount the environment read-only.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import re
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from devloop import beneath

FOLDERS = (".venv", "venv")
_RUN = (
    "import sys; sys.path[:] = [p for p in sys.path if p]; name = sys.argv.pop(1); "
    "import runpy; runpy.run_module(name, run_name='__main__', alter_sys=True)"
)
"""`python -m` without the current folder on the path: a `pytest.py` or `mypy/` in the tree must not become the tool."""

_DIST = re.compile(r"^(?P<name>[A-Za-z0-9._]+?)-(?P<version>[^-]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info$")
_MAX_FILE = 1024 * 1024


@dataclass(frozen=True)
class Editable:
    """An editable install: `path` is the source directory that imports resolve to."""

    name: str
    path: Path


@dataclass(frozen=True)
class Environment:
    """`root` is the environment's directory, links resolved; `python` the interpreter inside it, by its own path.

    `origin`: `project` is .venv or venv in the checkout, `active` the person's VIRTUAL_ENV, `devloop` our own.
    `packages` maps normalised names to versions; `modules` are what lies there by the name that it is imported by.
    """

    root: Path
    python: Path
    origin: Literal["project", "active", "devloop"]
    packages: Mapping[str, str] = field(default_factory=dict)
    editables: tuple[Editable, ...] = ()
    modules: frozenset[str] = frozenset()

    @property
    def bin(self) -> Path:
        return self.python.parent

    @property
    def digest(self) -> str:
        """Changes when a package comes, goes or gets another version."""
        listed = "\n".join(f"{name}=={version}" for name, version in sorted(self.packages.items()))
        return hashlib.sha256(f"{self.root}\n{listed}".encode("utf-8", "surrogateescape")).hexdigest()[:12]

    def editables_in(self, folder: Path) -> tuple[Editable, ...]:
        real = folder.resolve()
        return tuple(e for e in self.editables if e.path == real or real in e.path.parents)


@dataclass(frozen=True)
class Tool:
    """How to start a tool, and whose it is. `version` reads `pytest 9.2.0`."""

    argv: tuple[str, ...]
    version: str
    environment: Environment


def find(
    checkout: Path, active: Path | None = None, *, own: Path | None = None, tracked: Collection[Path] = ()
) -> Environment:
    """The environment for the project in the person's `checkout`: .venv, venv, the active one, else devloop's own.

    `tracked`: candidates of `in_checkout` that the repository brings files of. They are passed over: an environment
    decides what is mounted and run, so it has to be the person's. `own` is devloop's interpreter (default
    `sys.executable`). Never raises: a broken environment is passed over.
    """
    for folder, origin in _candidates(checkout, active):
        python = _python(folder) if folder not in tracked else None
        if python is not None:
            return _read(folder.resolve(), python, origin)
    return own_environment(own)


def in_checkout(checkout: Path, active: Path | None = None) -> dict[Path, tuple[Path, ...]]:
    """Candidates for `find` that a repository could have brought: for each, its paths relative to `checkout`, by the
    name that it is called and by the one that its links lead to."""
    found, root = {}, checkout.resolve()
    for folder, _ in _candidates(checkout, active):
        if _python(folder) is not None:
            names = (folder.parent.resolve() / folder.name, folder.resolve())
            named = [name.relative_to(root) for name in names if root in name.parents]
            if named:
                found[folder] = tuple(dict.fromkeys(named))
    return found


def _candidates(checkout: Path, active: Path | None) -> list[tuple[Path, Literal["project", "active"]]]:
    candidates: list[tuple[Path, Literal["project", "active"]]] = [(checkout / name, "project") for name in FOLDERS]
    return candidates if active is None else [*candidates, (active, "active")]


def own_environment(own: Path | None = None) -> Environment:
    """devloop's own environment."""
    python = own or Path(sys.executable)
    return _read(python.parent.parent.resolve(), python, "devloop")


def locate(tool: str, environment: Environment, *, checkout: Path, own: Environment | None = None) -> Tool | None:
    """How to start `tool`, a distribution's name that is also a module's: in `environment`, else in devloop's own.

    devloop's pytest stands in only for projects that declare no dependency: others would test without their packages.
    """
    fallback = own or own_environment()
    for place in (environment, fallback):
        version = place.packages.get(tool)
        if version is None:
            continue
        if place is not environment and tool == "pytest" and not _stdlib_only(checkout):
            return None
        return Tool((str(place.python), "-c", _RUN, tool), f"{tool} {version}", place)
    return None


def _stdlib_only(checkout: Path) -> bool:
    """Whether the project declares no dependency at all."""
    if any(checkout.glob("*requirements*.txt")) or (checkout / "setup.py").is_file():
        return False
    project: object = {}
    with contextlib.suppress(OSError, ValueError):
        data = tomllib.loads(beneath.read(checkout, "pyproject.toml", _MAX_FILE, links=False).decode("utf-8"))
        project = data.get("project", {})
        if "dependencies" in data.get("tool", {}).get("poetry", {}):
            return set(data["tool"]["poetry"]["dependencies"]) <= {"python"}
    if not isinstance(project, dict):
        return False
    return not project.get("dependencies") and "dependencies" not in project.get("dynamic", [])


def _python(folder: Path) -> Path | None:
    """The interpreter of the virtual environment `folder`; None when it is none or can't run."""
    real = folder.resolve()
    if not (real / "pyvenv.cfg").is_file():
        return None
    for name in ("bin/python", "bin/python3", "Scripts/python.exe"):
        if os.access(real / name, os.X_OK):
            return real / name
    return None


def _read(root: Path, python: Path, origin: Literal["project", "active", "devloop"]) -> Environment:
    packages: dict[str, str] = {}
    modules: set[str] = set()
    editables: dict[Path, Editable] = {}
    for site in _site_packages(root):
        for entry in _entries(site):
            if (name := entry.partition(".")[0]).isidentifier():
                modules.add(name)
            if entry.endswith("-info") and (match := _DIST.match(entry)):
                packages.setdefault(_normal(match["name"]), match["version"])
            if _tells(f"{site}/{entry}"):
                for editable in _editables(site / entry, site):
                    editables.setdefault(editable.path, editable)
    return Environment(root, python, origin, packages, tuple(editables.values()), frozenset(modules))


def _site_packages(root: Path) -> Iterator[Path]:
    for pattern in ("lib/python3*/site-packages", "lib/python3*/dist-packages", "Lib/site-packages"):
        yield from sorted(path for path in root.glob(pattern) if path.is_dir())
    if root == Path("/usr"):
        yield Path("/usr/lib/python3/dist-packages")


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 (hundreds, read before each turn and gate)
    except OSError:
        return []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _tells(entry: str) -> bool:
    """Whether an entry may say something about an editable install. As text: there are hundreds."""
    if entry.endswith(".dist-info"):
        return os.path.lexists(f"{entry}/direct_url.json")
    return entry.endswith((".pth", ".egg-link", ".py"))


def _editables(entry: Path, site: Path) -> Iterable[Editable]:
    """What one entry of site-packages says about editable installs: four ways are in use.

    Path lines of `.pth` files (flit, hatch, pdm, setuptools), `__editable___*_finder.py` with a MAPPING (setuptools),
    `direct_url.json` (PEP 610), `.egg-link` (old setuptools).
    """
    if entry.suffix == ".pth":
        for line in _text(entry).splitlines():
            if line.strip() and not line.startswith(("import ", "import\t", "#")):
                yield from _editable(entry.stem, site / line.strip(), site)
    elif entry.suffix == ".egg-link":
        yield from _editable(entry.stem, site / (_text(entry).splitlines() or [""])[0].strip(), site)
    elif entry.name.startswith("__editable__") and entry.suffix == ".py":
        for value in _finder_paths(_text(entry)):
            yield from _editable(entry.stem, Path(value), site)
    elif entry.suffix == ".dist-info":
        with contextlib.suppress(ValueError, AttributeError, TypeError):
            data = json.loads(_text(entry / "direct_url.json") or "{}")
            if data.get("dir_info", {}).get("editable") and str(data["url"]).startswith("file:"):
                yield from _editable(entry.name.split("-")[0], Path(unquote(urlsplit(data["url"]).path)), site)


def _editable(name: str, path: Path, site: Path) -> Iterable[Editable]:
    with contextlib.suppress(OSError, ValueError):
        real = path.resolve()
        if real.exists() and real != site.resolve() and site.resolve() not in real.parents:
            yield Editable(name, real)


def _finder_paths(source: str) -> Iterator[str]:
    """The paths in a setuptools finder's MAPPING and NAMESPACES; the source is parsed, never executed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id in ("MAPPING", "NAMESPACES") and value is not None:
            with contextlib.suppress(ValueError, TypeError):
                for item in dict(ast.literal_eval(value)).values():
                    yield from [item] if isinstance(item, str) else map(str, item)


def _text(path: Path) -> str:
    try:
        return beneath.read_anywhere(path, _MAX_FILE).decode("utf-8", "replace")
    except OSError:
        return ""
