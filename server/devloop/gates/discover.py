"""Which gates a project has: what its base tree configures, and what `.devloop/config.toml` declares (gates §6).

Read from the *base* tree, never from what an agent wrote: the agent's branch can't change its own checks.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import re
import tomllib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from devloop import beneath
from devloop.gates.model import Gate
from devloop.gates.verdict import NOTHING, is_pytest
from devloop.settings import GateSettings
from devloop.trust import Item

ORDER = ("format", "lint", "build", "types", "security", "tests", "other")
"""Cheap first, and what only reads before what runs the tree's own code."""

_SKIPPED_FOLDERS = {"node_modules", "site-packages", "__pycache__", "venv", "build", "dist"}
_UNSCANNED = ",".join(f"./{name}" for name in (".venv", "venv", ".git", ".tox", ".eggs", "node_modules", "__pycache__"))
_MAX_ENTRIES = 50_000
_MAX_CONFIG = 1024 * 1024
_NO_ASSERTS = ("-s", "B101")
"""Every assert is a finding to bandit; where nobody configured it, tests would drown in them."""
_CACHE_OPTIONS = re.compile(
    r"--(?:lf|last-failed|ff|failed-first|nf|new-first|sw|stepwise|cache-\w+)\b|no:cacheprovider"
)


@dataclass(frozen=True)
class Discovery:
    """`reason` tells people where the gates came from, or why there is none. `notes` is information, one line each."""

    gates: tuple[Gate, ...]
    reason: str
    notes: tuple[str, ...] = ()


def discover(
    base: Path, declared: Mapping[str, GateSettings] | None = None, *, installed: Container[str] = ()
) -> Discovery:
    """The gates for the tree checked out at `base`. A declared gate replaces the discovered one of the same name.

    `installed` names the packages at hand (`Environment.packages`): bandit runs, not required, where it is installed
    although nobody configured it. Never raises on what a file holds: what can't be read configures nothing.
    """
    config = _Config.read(base)
    found = {gate.name: gate for gate in _python_gates(base, config, installed)}
    for name, settings in (declared or {}).items():
        found[name] = from_settings(name, settings)
    gates = ordered(found.values())
    notes = _notes(found.values(), installed)
    if not gates:
        return Discovery((), NOTHING, notes)
    names = {origin: [gate.name for gate in gates if gate.origin == origin] for origin in ("discovered", "declared")}
    reason = "; ".join(f"{origin}: {', '.join(listed)}" for origin, listed in names.items() if listed)
    return Discovery(gates, reason, notes)


def _notes(gates: Iterable[Gate], installed: Container[str]) -> tuple[str, ...]:
    if not any(gate.coverage for gate in gates):
        return ()
    told = "coverage is configured: shown as information, never a gate"
    if "pytest" in installed and "pytest-cov" not in installed:
        told = "coverage is configured but not measured: pytest-cov is not installed beside pytest"
    return (told,)


def from_settings(name: str, settings: GateSettings) -> Gate:
    """The gate that a file declares."""
    return Gate(
        name=name,
        kind=settings.kind,
        command=settings.command,
        report=settings.report,
        report_file=settings.report_file,
        required=settings.required,
        timeout_s=settings.timeout,
        strict=settings.strict,
        origin="declared",
    )


def trusted_settings(items: Iterable[Item]) -> dict[str, GateSettings]:
    """The declared gates among trusted items, made from the very tables whose text was trusted.

    Give it what `trust.require` returned; a table that says no valid gate is left out (settings warn about it).
    """
    found: dict[str, GateSettings] = {}
    for item in items:
        if item.kind == "gate" and item.value is not None:
            with contextlib.suppress(ValidationError):
                found[item.name] = GateSettings.model_validate(item.value)
    return found


def ordered(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    return tuple(sorted(gates, key=lambda gate: (ORDER.index(gate.kind), gate.name)))


def _python_gates(base: Path, config: _Config, installed: Container[str]) -> Iterable[Gate]:
    tests, python = _python_files(base)
    if config.pytest or tests:
        cache = () if config.needs_cache else ("-p", "no:cacheprovider")
        yield Gate("pytest", "tests", ("pytest", *cache), "junit", coverage=config.coverage)
    if not python:
        return
    if config.ruff:
        out = "--output-file={out}/ruff.json"
        yield Gate("ruff", "lint", ("ruff", "check", "--no-cache", "--output-format=json", out), "ruff-json")
    if config.ruff_format:
        command = ("ruff", "format", "--check", "--no-cache", "--output-format=json")
        yield Gate("ruff-format", "format", command, "ruff-json")
    if config.mypy:
        targets = () if config.mypy_targets else (".",)
        yield Gate("mypy", "types", ("mypy", "--output=json", f"--cache-dir={os.devnull}", *targets), "mypy-json")
    if config.pyright:
        yield Gate("pyright", "types", ("pyright", "--outputjson"), "pyright-json")
    if config.bandit or "bandit" in installed:
        files = {"pyproject.toml": ("-c", "pyproject.toml"), ".bandit": ("--ini", ".bandit")}
        chosen = files.get(config.bandit, _NO_ASSERTS)
        scan = ("bandit", "-q", "-r", "-x", _UNSCANNED, *chosen, "-f", "json", "-o", "{out}/bandit.json", ".")
        yield Gate("bandit", "security", scan, "bandit-json", required=bool(config.bandit))


def _python_files(base: Path) -> tuple[bool, bool]:
    """Whether there are Python tests, whether there is any Python file. Links and hidden folders are not followed."""
    python = False
    seen = 0
    for _, folders, files in os.walk(base):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _SKIPPED_FOLDERS)
        python = python or any(name.endswith(".py") for name in files)
        if any(re.fullmatch(r"test_.*\.py|.*_test\.py", name) for name in files):
            return True, True
        seen += len(files)
        if seen > _MAX_ENTRIES:
            break
    return False, python


@dataclass(frozen=True)
class _Config:
    """What the tree's configuration files switch on."""

    pytest: bool = False
    needs_cache: bool = False
    ruff: bool = False
    ruff_format: bool = False
    mypy: bool = False
    mypy_targets: bool = False
    pyright: bool = False
    bandit: str = ""
    coverage: Literal["", "config", "addopts"] = ""

    @classmethod
    def read(cls, base: Path) -> _Config:
        pyproject = _toml(base / "pyproject.toml").get("tool", {})
        tool: dict[str, Any] = pyproject if isinstance(pyproject, dict) else {}
        ini = {name: _ini(base / name) for name in ("setup.cfg", "tox.ini", "mypy.ini", ".mypy.ini", "pytest.ini")}
        ruff = next((_toml(base / n) for n in ("ruff.toml", ".ruff.toml") if (base / n).is_file()), tool.get("ruff"))
        mypy = [tool.get("mypy"), *(ini[n].get("mypy") for n in ("mypy.ini", ".mypy.ini", "setup.cfg"))]
        pytest_ini = [
            tool.get("pytest", {}).get("ini_options") if isinstance(tool.get("pytest"), dict) else None,
            tool.get("pytest"),
            ini["pytest.ini"].get("pytest"),
            ini["setup.cfg"].get("tool:pytest"),
            ini["tox.ini"].get("pytest"),
        ]
        files = any((base / name).is_file() for name in ("pytest.ini", ".pytest.ini", "pytest.toml", "conftest.py"))
        spoken = " ".join(str(section) for section in pytest_ini if section)
        return cls(
            pytest=files or any(section is not None for section in pytest_ini),
            needs_cache=bool(_CACHE_OPTIONS.search(spoken)) or "cache_dir" in spoken,
            ruff=ruff is not None,
            ruff_format=isinstance(ruff, dict) and "format" in ruff,
            mypy=any(section is not None for section in mypy),
            mypy_targets=any(
                isinstance(section, dict) and {"files", "packages", "modules"} & set(section) for section in mypy
            ),
            pyright="pyright" in tool or (base / "pyrightconfig.json").is_file(),
            bandit="pyproject.toml" if "bandit" in tool else ".bandit" if (base / ".bandit").is_file() else "",
            coverage=_coverage(base, tool, ini, spoken),
        )


def _coverage(
    base: Path, tool: Mapping[str, Any], ini: Mapping[str, Mapping[str, Any]], spoken: str
) -> Literal["", "config", "addopts"]:
    """Whether coverage is asked for, and by whom; a project that switches pytest-cov off is left alone."""
    if re.search(r"no:(?:pytest_)?cov\b|--no-cov(?![\w-])", spoken):
        return ""
    if re.search(r"--cov(?![\w-])", spoken):
        return "addopts"
    sections = (name for file in ("setup.cfg", "tox.ini") for name in ini[file])
    files = any((base / name).is_file() for name in (".coveragerc", ".coveragerc.toml"))
    return "config" if "coverage" in tool or files or any(s.startswith("coverage:") for s in sections) else ""


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_bounded(path))
    except (OSError, ValueError):
        return {}


def _ini(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string(_bounded(path))
    except (OSError, ValueError, configparser.Error):
        return {}
    return {name: dict(parser[name]) for name in parser.sections()}


def _bounded(path: Path) -> str:
    return beneath.read(path.parent, path.name, _MAX_CONFIG, links=False).decode("utf-8")


def uses_stream(gate: Gate) -> bool:
    """pytest with a JUnit report gets a second witness."""
    return gate.report == "junit" and is_pytest(gate.command)
