"""Python that somebody else wrote, as a tree. It is parsed, never run."""

from __future__ import annotations

import ast
import warnings
from typing import Final

_MAX: Final = 1024 * 1024


def module_of(text: str) -> ast.Module | None:
    """None for what is no Python, or larger than a file of tests ever is."""
    if len(text) > _MAX:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
