"""Every protection by name, each with the tests that fail on a build without it (`pytest --without-fix NAME`).

Protections stand in the modules beside this one, a module a part; each has `FIXES: tuple[Fix, ...]`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from fixes.model import Fix

MACHINERY = {"__init__", "model", "build", "running"}


def parts() -> Iterator[tuple[str, tuple[Fix, ...]]]:
    """What each module says of itself, and its protections."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in MACHINERY:
            module = importlib.import_module(f"fixes.{path.stem}")
            yield (module.__doc__ or path.stem).partition("\n")[0].rstrip("."), module.FIXES


def all_fixes() -> dict[str, Fix]:
    """By name, in the order of the modules and of what stands in them."""
    found: dict[str, Fix] = {}
    for _, fixes in parts():
        for fix in fixes:
            if fix.name in found:
                raise ValueError(f"two protections are called {fix.name}")
            found[fix.name] = fix
    return found
