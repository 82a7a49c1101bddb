"""Python that somebody else wrote, as a tree. It is parsed, never run."""

from __future__ import annotations

import ast
import functools
import warnings
from typing import Final

_MAX: Final = 1024 * 1024
Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.lru_cache(maxsize=2)
def module_of(text: str) -> ast.Module | None:
    """None for what is no Python, or larger than a file of tests ever is. Before and after are asked for by turns: the
    last two are kept until `module_of.cache_clear()`, and nobody changes them."""
    if len(text) > _MAX:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def last(node: ast.AST | None) -> str:
    """The last part of a name: `mark` of `pytest.mark`; "" for what is no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
