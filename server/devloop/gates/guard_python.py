"""What a change does to Python tests, by their syntax: tests that check nothing any more, cases that went. Pure.

Code is parsed, never run; what can't be parsed says nothing here (its gate fails).
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from devloop.gates.guard_syntax import Function, last, module_of

PythonKind = Literal["emptied-test", "weakened-assertion", "removed-case"]
Found = tuple[PythonKind, int, str]
"""Kind, 0-based line of the new text, words."""

_CHECKS: Final = re.compile(r"^(?:assert\w*|fail|raises|warns|expect|verify\w*|check\w*)$")
_SWALLOWS: Final = frozenset({"AssertionError", "Exception", "BaseException"})


@dataclass
class _Test:
    name: str
    line: int
    checks: int = 0
    constant: list[int] = field(default_factory=list)
    swallowed: list[int] = field(default_factory=list)
    ends_early: int | None = None
    empty: bool = False
    cases: dict[str, int] = field(default_factory=dict)
    body: str = ""


def changed(before: str, after: str) -> list[Found]:
    """What tests that both texts have lost. Tests of `after` alone are new; those of `before` alone are told apart
    elsewhere."""
    old, new = tests(before), tests(after)
    found: list[Found] = []
    if any(now.checks < old[name].checks for name, now in new.items() if name in old):
        found += _left_behind(before, after)
    found += _hidden({name.rsplit(".", 1)[-1] for name in old if name not in new}, before, after)
    for name, now in new.items():
        was = old.get(name)
        if was is None:
            continue
        if now.ends_early is not None and was.ends_early is None:
            found.append(("emptied-test", now.ends_early, f"{name} ends before what it checks"))
        elif was.checks and not now.checks:
            found.append(("emptied-test", now.line, f"{name} checks nothing any more ({was.checks} before)"))
        elif now.empty and not was.empty:
            found.append(("emptied-test", now.line, f"{name} does nothing any more"))
        if len(now.swallowed) > len(was.swallowed):
            found.append(("weakened-assertion", now.swallowed[-1], f"{name} catches its own failure"))
        for argument, count in was.cases.items():
            left = now.cases.get(argument)
            if left is not None and left < count:
                found.append(("removed-case", now.line, f"{name}: {left} cases of {argument}, {count} before"))
            elif left is None and count > 1 and not now.cases:
                found.append(("removed-case", now.line, f"{name}: no cases any more, {count} before"))
    return found


def renamed(before: str, after: str) -> frozenset[str]:
    """Names of tests that are gone while the same body stands in `after` under another test's name."""
    old, new = tests(before), tests(after)
    bodies = {test.body for name, test in new.items() if name not in old}
    return frozenset(
        name.rsplit(".", 1)[-1] for name, test in old.items() if name not in new and test.checks and test.body in bodies
    )


def _hidden(gone: set[str], before: str, after: str) -> Iterator[Found]:
    """Tests that are there still, where no test is looked for: in a function, or in a new class that is none of
    tests."""
    was, module = module_of(before) if gone else None, module_of(after) if gone else None
    if was is None or module is None:
        return
    classes = {each.name for each in ast.walk(was) if isinstance(each, ast.ClassDef)}
    for place in ast.walk(module):
        if isinstance(place, Function):
            inner = [each for part in place.body for each in ast.walk(part)]
        elif isinstance(place, ast.ClassDef) and place.name not in classes and not _is_looked_into(place):
            inner = list(place.body)
        else:
            continue
        for each in inner:
            if isinstance(each, Function) and each.name in gone:
                yield "emptied-test", each.lineno - 1, f"{each.name} stands in {place.name}, where nothing runs it"


def _is_looked_into(node: ast.ClassDef) -> bool:
    """Whether pytest looks for tests in a class."""
    made = any(isinstance(each, Function) and each.name in ("__init__", "__new__") for each in node.body)
    return bool(node.bases) or (node.name.startswith("Test") and not made)


def _left_behind(before: str, after: str) -> Iterator[Found]:
    """Functions that check something, that nothing calls, and that were not so before."""
    known = {node.name for node in _uncalled(before)}
    for node in _uncalled(after):
        made = _read(node.name, node)
        if made.checks and node.name not in known:
            yield "weakened-assertion", made.line, f"what {node.name} checks is checked by nobody: nothing calls it"


def uncalled(text: str) -> frozenset[int]:
    """Lines (0-based) of functions at the top of a module of tests that are no tests and that nothing in it names."""
    return frozenset(
        number for node in _uncalled(text) for number in range(node.lineno - 1, node.end_lineno or node.lineno)
    )


def _uncalled(text: str) -> Iterator[Function]:
    module = module_of(text)
    if module is None:
        return
    for node in module.body:
        if isinstance(node, Function) and not node.name.startswith("test") and not node.decorator_list:
            outside = (other for other in module.body if other is not node)
            if not any(node.name in _names(part) for other in outside for part in ast.walk(other)):
                yield node


def _names(node: ast.AST) -> tuple[str, ...]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    return (last(node), getattr(node, "arg", None) or "")


@functools.lru_cache(maxsize=2)
def tests(text: str) -> dict[str, _Test]:
    """The tests of a module by name, `Class.test` in classes; {} for what is no Python."""
    module = module_of(text)
    if module is None:
        return {}
    found = {}
    for prefix, node in _functions(module.body, ""):
        found[prefix + node.name] = _read(prefix + node.name, node)
    return found


def _functions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Function]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield prefix, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")


def _read(name: str, node: Function) -> _Test:
    made = _Test(name, node.lineno - 1)
    try:
        made.body = "\n".join(ast.dump(each) for each in node.body)
        _walk(node, made)
    except RecursionError:
        return made
    real = [each for each in node.body if not _says_nothing(each)]
    made.empty = not real
    for at, each in enumerate(node.body):
        if isinstance(each, ast.Return) and at < len(node.body) - 1:
            made.ends_early = each.lineno - 1
            break
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and last(decorator.func) == "parametrize" and len(decorator.args) > 1:
            values = decorator.args[1]
            if isinstance(values, ast.List | ast.Tuple | ast.Set | ast.Dict):
                count = len(values.keys if isinstance(values, ast.Dict) else values.elts)
                made.cases[ast.unparse(decorator.args[0]).strip("'\"")] = count
    return made


def _walk(node: Function, made: _Test) -> None:
    for each in _reached(node.body):
        if isinstance(each, ast.Assert) or (isinstance(each, ast.Call) and _CHECKS.match(last(each.func))):
            made.checks += 1
        if isinstance(each, ast.Try) and any(map(_swallows, each.handlers)):
            inner = [part for part in _reached(each.body) if isinstance(part, ast.Assert)]
            if inner:
                made.swallowed.append(inner[0].lineno - 1)


def _reached(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """All nodes but those below `if False` and `while 0`."""
    for node in body:
        if isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Constant) and not node.test.value:
            yield from _reached(node.orelse)
            continue
        yield node
        blocks = [value for value in vars(node).values() if isinstance(value, list)]
        inner = {id(part) for block in blocks for part in block if isinstance(part, ast.stmt)}
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ExceptHandler):
                yield from _reached(child.body)
            elif id(child) not in inner:
                yield from ast.walk(child)
        for block in blocks:
            yield from _reached([part for part in block if isinstance(part, ast.stmt)])


def _swallows(handler: ast.ExceptHandler) -> bool:
    """Whether a failed assertion ends there unseen."""
    caught = handler.type
    names = [caught] if not isinstance(caught, ast.Tuple) else caught.elts
    wide = caught is None or any(last(each) in _SWALLOWS for each in names if each is not None)
    return wide and not any(
        isinstance(part, ast.Raise | ast.Assert) for each in handler.body for part in ast.walk(each)
    )


def _says_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
