"""Python that somebody else wrote, as a tree. It is parsed, never run."""

from __future__ import annotations

import ast
import functools
import warnings
from collections import deque
from collections.abc import Iterator
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


def statements(root: ast.AST, *, inner: bool = True) -> Iterator[ast.stmt]:
    """All of a tree, outer ones first; those of functions within it only as `inner`. Expressions hold none."""
    waiting = deque([root])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, ast.expr) and (inner or node is root or not isinstance(node, Function)):
            waiting.extend(ast.iter_child_nodes(node))


def own(statement: ast.stmt) -> Iterator[ast.AST]:
    """What of a statement is in none of those that stand in it."""
    waiting = list(ast.iter_child_nodes(statement))
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.stmt):
            yield node
            waiting += ast.iter_child_nodes(node)
