"""Whether everything that stood in a Python module of tests still stands there, and nothing new takes its place. Pure.

What else is found of weakened tests is found by what it looks like: a skip, an assertion that went. A test can be
emptied in ways without number (`if True: return`, `suppress(AssertionError)`, another `EXPECTED`, a name that is bound
anew), so here it is the other way round: a change is listed unless it is one of those that take nothing away:

* layout, comments, documentation strings, annotations of types;
* new tests, and new helpers, constants and imports whose names were neither bound nor used before;
* statements behind all that a test had, assertions that ask for more, more cases of `parametrize` or in a constant,
  imports that went.

Code is parsed, never run; what can't be parsed says nothing here (its gate fails).
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from devloop.gates import guard_severity
from devloop.gates.guard_syntax import Function, last, module_of

Found = tuple[int, int, str]
"""First and last line (0-based, of the new text; of the old one for what is gone), words."""
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_CALLED_BY_TESTERS: Final = re.compile(r"^(?:setup|teardown|pytest|load_tests$|__)|^(?:setUp|tearDown)")
_HARMLESS_CALLS: Final = frozenset(
    ("frozenset", "set", "dict", "list", "tuple", "range", "Path", "object", "len", "str")
)


def lost(before: str, after: str) -> list[Found]:
    """What of `before` is another or gone in `after`, and what is new and may decide about it."""
    old, new = module_of(before), module_of(after)
    if old is None or new is None:
        return []
    try:
        return sorted(_compared(old.body, new.body, _used(old), ""))
    except RecursionError:
        return [(0, 0, "nested too deeply to be compared")]


def _compared(old: Sequence[ast.stmt], new: Sequence[ast.stmt], used: Collection[str], inside: str) -> Iterator[Found]:
    was, now = _definitions(old), _definitions(new)
    twice = Counter(each.name for each in new if isinstance(each, Definition))
    before = Counter(each.name for each in old if isinstance(each, Definition))
    for name, definition in was.items():
        other = now.get(name)
        if other is None:
            if not _is_test(definition):  # a test that went is told of as that
                yield (*lines_of(definition), f"{inside}{name} is gone")
        elif twice[name] > before[name]:
            yield (*lines_of(other), f"{inside}{name} is defined once more")
        else:
            yield from _changed(definition, other, used, inside)
    for name, definition in now.items():
        if name not in was and (why := _why_not(definition, used, inside)):
            yield (*lines_of(definition), f"{inside}{name} is new: {why}")
    yield from _others(old, new, used, inside)


def _changed(was: Definition, now: Definition, used: Collection[str], inside: str) -> Iterator[Found]:
    name = f"{inside}{now.name}"
    if isinstance(was, ast.ClassDef) and isinstance(now, ast.ClassDef):
        heads = [_dumped([*each.decorator_list, *each.bases, *each.keywords]) for each in (was, now)]
        if heads[0] != heads[1]:
            yield (*lines_of(now), f"{name} is another class")
        yield from _compared(was.body, now.body, used, f"{name}.")
        return
    if isinstance(was, ast.ClassDef) or isinstance(now, ast.ClassDef) or type(was) is not type(now):
        yield (*lines_of(now), f"{name} is something else now")
    elif not _same(was, now):
        yield (*lines_of(now), f"{name} does something else")


def _same(was: Function, now: Function) -> bool:
    """Whether a function does all that it did; a test may do more behind that."""
    if not _same_marks(was.decorator_list, now.decorator_list):
        return False
    if _dumped([was.args]) != _dumped([now.args]):
        return False
    old, new = _body(was), _body(now)
    if len(new) < len(old) or not all(map(_asks_no_less, old, new)):
        return False
    more = new[len(old) :]
    stops = any(isinstance(each, ast.Yield | ast.YieldFrom) for part in more for each in ast.walk(part))
    return not more or (was.name.startswith("test") and bool(old) and not stops)


def _asks_no_less(was: ast.stmt, now: ast.stmt) -> bool:
    if _dumped([was]) == _dumped([now]):
        return True
    return isinstance(was, ast.Assert) and isinstance(now, ast.Assert) and guard_severity.holds_both(was.test, now.test)


def _same_marks(was: Sequence[ast.expr], now: Sequence[ast.expr]) -> bool:
    return len(was) == len(now) and all(
        ast.dump(old) == ast.dump(new) or _more_cases(old, new) for old, new in zip(was, now, strict=True)
    )


def _more_cases(was: ast.expr, now: ast.expr) -> bool:
    """Whether two `parametrize` differ only in cases that came."""
    if not (isinstance(was, ast.Call) and isinstance(now, ast.Call) and last(was.func) == "parametrize"):
        return False
    if ast.dump(was.func) != ast.dump(now.func) or len(was.args) != 2 or len(now.args) != 2:
        return False
    if _dumped([was.args[0]]) != _dumped([now.args[0]]) or was.keywords or now.keywords:
        return False
    old, new = was.args[1], now.args[1]
    if not (isinstance(old, ast.List | ast.Tuple) and isinstance(new, ast.List | ast.Tuple)):
        return False
    return not Counter(_dumped(old.elts)) - Counter(_dumped(new.elts))


def _why_not(new: Definition, used: Collection[str], inside: str) -> str:
    """Why a new definition may decide about what was there; "" where it can't."""
    if _CALLED_BY_TESTERS.match(new.name):
        return "what runs tests calls it by itself"
    if new.name in used:
        return "the name was used before"
    if inside and not new.name.startswith("test"):
        return "a class of tests got more than tests"
    marked = (each for decorator in new.decorator_list for each in ast.walk(decorator))
    return "it is used unasked" if any(isinstance(e, ast.keyword) and e.arg == "autouse" for e in marked) else ""


def _others(old: Sequence[ast.stmt], new: Sequence[ast.stmt], used: Collection[str], inside: str) -> Iterator[Found]:
    """Statements that define no function or class. Of imports only what a name means counts."""
    was, now = _imported(old), _imported(new)
    for name, (origin, line) in now.items():
        if name in was and was[name][0] != origin:
            yield line, line, f"{inside}{name} is {origin}, and was {was[name][0]}"
        elif name not in was and (name in used or name == "*"):
            yield line, line, f"{inside}{name} is new: the name was used before"
    plain = [each for each in _body_of(new) if not isinstance(each, Definition | ast.Import | ast.ImportFrom)]
    left = Counter(ast.dump(each) for each in plain)
    for each in _body_of(old):
        if isinstance(each, Definition | ast.Import | ast.ImportFrom):
            continue
        if left[ast.dump(each)] > 0:
            left[ast.dump(each)] -= 1
        elif (more := next((new for new in plain if left[ast.dump(new)] > 0 and _grew(each, new)), None)) is not None:
            left[ast.dump(more)] -= 1
        else:
            yield (*lines_of(each), f"{inside}changed or gone: {text_of(each)}")
    for each in plain:
        if left[ast.dump(each)] > 0:
            left[ast.dump(each)] -= 1
            if not _says_nothing(each) and (inside or not _is_harmless(each, used)):
                yield (*lines_of(each), f"{inside}new: {text_of(each)}")


def _grew(was: ast.stmt, now: ast.stmt) -> bool:
    """Whether the same name stands for the same values and more."""
    if not (isinstance(was, ast.Assign | ast.AnnAssign) and isinstance(now, ast.Assign | ast.AnnAssign)):
        return False
    names = [_dumped(each.targets if isinstance(each, ast.Assign) else [each.target]) for each in (was, now)]
    if names[0] != names[1] or was.value is None or now.value is None:
        return False
    old, new = _values(was.value), _values(now.value)
    return old is not None and new is not None and type(was.value) is type(now.value) and not old - new


def _values(node: ast.expr) -> Counter[str] | None:
    if isinstance(node, ast.Dict):
        keys = ["" if key is None else ast.dump(key) for key in node.keys]
        return Counter(f"{key}: {ast.dump(value)}" for key, value in zip(keys, node.values, strict=True))
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return Counter(_dumped(node.elts))
    return None


def _says_nothing(new: ast.stmt) -> bool:
    """Documentation, or the type of a name."""
    if isinstance(new, ast.AnnAssign):
        return new.value is None and isinstance(new.target, ast.Name)
    return isinstance(new, ast.Expr) and isinstance(new.value, ast.Constant)


def _is_harmless(new: ast.stmt, used: Collection[str]) -> bool:
    """A new constant of a new name."""
    targets = new.targets if isinstance(new, ast.Assign) else [new.target] if isinstance(new, ast.AnnAssign) else []
    names = [each.id for each in targets if isinstance(each, ast.Name)]
    if not targets or len(names) != len(targets) or any(n in used or _CALLED_BY_TESTERS.match(n) for n in names):
        return False
    return all(
        not isinstance(each, ast.Lambda | ast.NamedExpr)
        and not (isinstance(each, ast.Call) and last(each.func) not in _HARMLESS_CALLS)
        for each in ast.walk(new)
    )


def _imported(body: Sequence[ast.stmt]) -> dict[str, tuple[str, int]]:
    found = {}
    for node in body:
        if isinstance(node, ast.Import):
            for each in node.names:
                name = each.asname or each.name.split(".")[0]
                found[name] = (each.name if each.asname else name, node.lineno - 1)
        elif isinstance(node, ast.ImportFrom):
            place = "." * node.level + (node.module or "")
            for each in node.names:
                found[each.asname or each.name] = (f"{place}.{each.name}", node.lineno - 1)
    return found


def _used(module: ast.Module) -> frozenset[str]:
    """Every name that the module binds, reads or asks for as a fixture, and every attribute."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, Definition):
            found.add(node.name)
    return frozenset(found | _imported(module.body).keys())


def _definitions(body: Sequence[ast.stmt]) -> dict[str, Definition]:
    """By name; of two the last one, which counts."""
    return {each.name: each for each in body if isinstance(each, Definition)}


def _is_test(node: Definition) -> bool:
    """Whether it is one or holds some."""
    inner = node.body if isinstance(node, ast.ClassDef) else []
    return node.name.startswith("test") or any(isinstance(e, Function) and e.name.startswith("test") for e in inner)


def _body(node: Function) -> list[ast.stmt]:
    return _body_of(node.body)


def _body_of(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Without documentation."""
    return [each for each in body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]


def _dumped(nodes: Sequence[ast.AST]) -> list[str]:
    return [ast.dump(_bare(node)) for node in nodes]


def _bare(node: ast.AST) -> ast.AST:
    """Without annotations of arguments and results, which nothing in a test asks for."""
    if not any(isinstance(each, ast.arg | Function) for each in ast.walk(node)):
        return node
    made = copy.deepcopy(node)
    for each in ast.walk(made):
        if isinstance(each, ast.arg):
            each.annotation = None
        elif isinstance(each, Function):
            each.returns = None
    return made


def lines_of(node: ast.stmt) -> tuple[int, int]:
    decorators = node.decorator_list if isinstance(node, Definition) else []
    first = min((each.lineno for each in decorators), default=node.lineno)
    return first - 1, (node.end_lineno or node.lineno) - 1


def text_of(node: ast.stmt) -> str:
    return ast.unparse(node).split("\n")[0]
