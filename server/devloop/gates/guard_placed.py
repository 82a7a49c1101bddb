"""What a module of tests puts in the place of what it tests, by its syntax. Pure.

Right code that a new test assigns to a wrong module makes all tests pass that follow. Code is parsed, never run.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection

from devloop.gates.guard_kept import Found, lines_of, text_of
from devloop.gates.guard_syntax import module_of


def put_in_place(before: str | None, after: str) -> list[Found]:
    """What a module of tests, new or not, puts in the place of something that it imports: for all tests that follow,
    also those that were there. What `monkeypatch` and `with patch` do ends with its test."""
    module, known = module_of(after), module_of(before or "")
    if module is None:
        return []
    was = Counter(ast.dump(each) for each in ast.walk(known) if isinstance(each, ast.stmt)) if known else Counter()
    imported = {
        name.asname or name.name.split(".")[0]
        for each in ast.walk(module)
        if isinstance(each, ast.Import | ast.ImportFrom)
        for name in each.names
    }
    return [
        (*lines_of(each), f"for every test: {text_of(each)}")
        for each in ast.walk(module)
        if isinstance(each, ast.stmt) and _puts(each, imported) and not was[ast.dump(each)]
    ]


def _puts(node: ast.stmt, imported: Collection[str]) -> bool:
    match node:
        case ast.Assign() | ast.Delete():
            targets = node.targets
        case ast.AugAssign() | ast.AnnAssign():
            targets = [node.target]
        case ast.Expr(value=ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[target, *_])):
            return _root(target) in imported
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="start", value=ast.Call(func=func)))):
            return "patch" in ast.unparse(func)
        case _:
            return False
    parts = [part for each in targets for part in (each.elts if isinstance(each, ast.Tuple | ast.List) else [each])]
    places = (part for part in parts if isinstance(part, ast.Attribute | ast.Subscript))
    return any(_root(each) in imported and not ast.unparse(each).startswith("os.environ") for each in places)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
