"""Packages whose face names more than most processes use: a part is loaded when its first name is."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any


def later(package: str, **parts: str) -> Callable[[str], Any]:
    """The `__getattr__` (PEP 562) of a package: `parts` says which module has which names, separated by spaces.

    No name may be that of a module of the package: the loaded module would stand in its place.
    """
    places = {name: part for part, names in parts.items() for name in names.split()}

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{package}.{places[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return find
