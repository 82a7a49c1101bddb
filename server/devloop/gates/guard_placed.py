"""What a module of tests puts in the place of what it tests, by its syntax. Pure.

Right code that a new test assigns to a wrong module makes all tests pass that follow. So whatever such a module changes
of something that it did not make itself is told: by assignment, by a function that sets, in a namespace (`vars(app)`,
`sys.modules`), under another name for it, as an argument of a function of its own. What `monkeypatch` and `with patch`
do ends with its test and is no such change. What the module had before at its top is not a new test's to change
either: other tests stand there, and what they compare with. Code is parsed, never run.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final

from devloop.gates.guard_kept import Definition, Found, lines_of, text_of
from devloop.gates.guard_syntax import Function, last, module_of, own, statements

_SETS: Final = frozenset(
    f"{mark}{way}{mark}" for way in ("setattr", "delattr", "setitem", "delitem") for mark in ("", "__")
)
_ADDS: Final = frozenset(
    (
        *("update", "setdefault", "pop", "popitem", "clear", "__ior__", "__setitem__", "__delitem__"),
        *("append", "extend", "insert", "remove", "add", "discard", "sort", "reverse"),
    )
)
_SAME: Final = frozenset(("list", "tuple", "iter", "next", "reversed", "enumerate", "zip", "filter", "getattr", "vars"))
"""Functions whose result holds on to what they are given."""
_PARTS: Final = frozenset(("get", "values", "items", "__getitem__", "__getattribute__"))
_IMPORTS: Final = frozenset(("import_module", "__import__", "reload"))
_LASTING: Final = frozenset(("exec", "reload", "MonkeyPatch", "load_profile", "syspath_prepend"))
"""What does something to the whole session wherever it is called."""
_BUILT_IN: Final = frozenset(("__builtins__", "object", "type", "dict", "list"))
_OWN: Final = frozenset(("globals", "locals", "vars"))
_PATCH: Final = re.compile(r"(?:^|\.)patch(?:\.(?:object|multiple|dict))?$")
_CALLED: Final = frozenset(("pytest_plugins", "load_tests"))


def put_in_place(before: str | None, after: str) -> list[Found]:
    """What a module of tests, new or not, puts in the place of something that it imports: for all tests that follow,
    also those that were there."""
    module, known = module_of(after), module_of(before or "")
    if module is None:
        return []
    try:
        was = Counter(map(_key, statements(known))) if known else Counter()
        return [
            (*lines_of(each), f"for every test: {text_of(each)}")
            for each in _Module(module, _bound(known) if known else frozenset()).told()
            if not was[_key(each)]
        ]
    except RecursionError:
        return [(0, 0, "nested too deeply to be looked at")]


class _Module:
    """A module of tests: which of its names stand for what it did not make. `names`: what was at its top
    before; what is not at the top itself may change nothing of them."""

    def __init__(self, module: ast.Module, names: Collection[str]) -> None:
        self._module = module
        self._own_names = frozenset(names)
        every = list(statements(module))
        methods = {id(e) for part in every if isinstance(part, ast.ClassDef) for e in part.body}
        functions = [each for each in every if isinstance(each, Function) and id(each) not in methods]
        self._functions = {each.name: each for each in functions}
        self._fixtures = {
            each.name for each in functions if any("fixture" in ast.unparse(d) for d in each.decorator_list)
        }
        self._given: set[tuple[str, str]] = set()
        """Functions and their parameters that get something foreign."""
        self._giving: set[str] = set()
        """Functions that give something foreign back; as fixtures, parameters of their name."""
        self._patches: set[str] = set()

    def told(self) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for _ in range(2):  # what a function is given may be known only after the first time
            found = list(self._scope(self._module, frozenset(_BUILT_IN - {"object", "type", "dict", "list"})))
            if not (self._given or self._giving or self._patches):
                break
        return found

    def _scope(self, scope: ast.Module | Function, outside: Collection[str]) -> Iterator[ast.stmt]:
        foreign = set(outside)
        if isinstance(scope, Function):
            foreign -= self._own_names & _locals(scope) if self._own_names else frozenset()
            names = [each.arg for each in ast.walk(scope.args) if isinstance(each, ast.arg)]
            foreign |= {
                name for name in names if (scope.name, name) in self._given or name in self._giving & self._fixtures
            }
        every = [each for each in statements(scope, inner=False) if each is not scope]
        for each in every:
            self._bind(each, foreign, self._reached(scope, each, foreign))
        stopped = {ast.unparse(each) for each in _stopped(every)}
        lasting = isinstance(scope, Function) and _outlives_its_module(scope)
        for each in every:
            nodes = list(own(each))
            called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
            reached = self._reached(scope, each, foreign)
            if (
                any(self._changes(node, reached, stopped) or _passes_on(node, called) for node in nodes)
                or (isinstance(each, ast.Global) and not reached.isdisjoint(each.names))
                or (lasting and any(map(_patches, nodes)))
                or (isinstance(each, Function) and each.name in _CALLED)
            ):
                yield each
            for node in nodes:
                self._follow(node, foreign)
            if isinstance(each, ast.Return) and each.value is not None and isinstance(scope, Function):
                self._giving |= {scope.name} if self._stands_for(each.value, foreign) else set()
            if isinstance(each, Function):
                yield from self._scope(each, foreign | self._own_names if scope is self._module else foreign)

    def _reached(self, scope: ast.AST, node: ast.stmt, foreign: set[str]) -> set[str]:
        """Names whose change by `node` is told. Of the module's own what stands at its top may change all."""
        inside = isinstance(node, Definition) or node.col_offset > 0
        return foreign | self._own_names if inside and scope is self._module else foreign

    def _bind(self, node: ast.stmt, foreign: set[str], reached: set[str]) -> None:
        """Names that `node` makes stand for something foreign, or for a patch."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            foreign |= {each.asname or each.name.split(".")[0] for each in node.names}
        for target, value in _bindings(node):
            names = [e.id for e in ast.walk(target) if isinstance(e, ast.Name) and isinstance(e.ctx, ast.Store)]
            if self._stands_for(value, reached):
                foreign |= set(names)
            if isinstance(value, ast.Call) and "patch" in ast.unparse(value.func):
                self._patches.add(ast.unparse(target))

    def _stands_for(self, node: ast.expr, foreign: Collection[str]) -> bool:
        """Whether it is something foreign or a part of it, and nothing that was made of it."""
        match node:
            case ast.Name():
                return node.id in foreign
            case ast.Attribute() | ast.Subscript() | ast.Starred() | ast.NamedExpr() | ast.Await():
                return self._stands_for(node.value, foreign)
            case ast.Tuple() | ast.List() | ast.Set():
                return any(self._stands_for(each, foreign) for each in node.elts)
            case ast.Dict() | ast.BoolOp():
                return any(self._stands_for(each, foreign) for each in node.values)
            case ast.IfExp():
                return self._stands_for(node.body, foreign) or self._stands_for(node.orelse, foreign)
            case ast.Call(func=ast.Attribute(attr=attr, value=value)) if attr in _PARTS:
                return self._stands_for(value, foreign)
            case ast.Call(func=func):
                name = last(func)
                if name in _IMPORTS or (isinstance(func, ast.Name) and name in self._giving):
                    return True
                return name in _SAME and any(self._stands_for(each, foreign) for each in node.args)
        return False

    def _changes(self, node: ast.AST, foreign: Collection[str], stopped: Collection[str]) -> bool:
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                return self._root_is(node, foreign) and not ast.unparse(node).startswith("os.environ")
            case ast.Name(id=name, ctx=ast.Store()):
                return name in _CALLED
            case ast.Attribute(attr="_setattr" | "_setitem"):  # where a monkeypatch keeps what it takes back
                return True
            case ast.Call():
                return self._call_changes(node, foreign, stopped)
        return False

    def _call_changes(self, node: ast.Call, foreign: Collection[str], stopped: Collection[str]) -> bool:
        func, name = node.func, last(node.func)
        if (
            name in _SETS | _LASTING
            and isinstance(func, ast.Attribute)
            and not self._root_is(func, {*foreign, *_BUILT_IN})
        ):
            return False
        if name in _LASTING:
            return True
        if name in _SETS:
            owner = [func.value] if isinstance(func, ast.Attribute) and name.startswith("__") else []
            return any(self._root_is(each, foreign) for each in (*owner, *node.args[:1]))
        if not isinstance(func, ast.Attribute):
            return name == "eval" and bool(node.args) and isinstance(node.args[0], ast.Constant)
        if name in _ADDS:
            return self._is_shared(func.value, foreign) or (
                bool(node.args) and ast.unparse(func.value) == "dict" and self._is_shared(node.args[0], foreign)
            )
        if name in ("start", "__enter__"):
            patched = ast.unparse(func.value)
            is_patch = isinstance(func.value, ast.Call) and "patch" in ast.unparse(func.value.func)
            return (is_patch or patched in self._patches) and patched not in stopped
        return False

    def _is_shared(self, node: ast.expr, foreign: Collection[str]) -> bool:
        """A namespace or a constant of something foreign: `vars(app)`, `sys.modules`, `app.RATES`."""
        if not self._root_is(node, foreign):
            return False
        name = last(node)
        if isinstance(node, ast.Call):
            return last(node.func) in ("vars", "globals")
        return name == "__dict__" or name.isupper() or ast.unparse(node) in _NAMESPACES or name == "modules"

    def _root_is(self, node: ast.AST, names: Collection[str]) -> bool:
        while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[_, *_]) if name in _SAME | _IMPORTS:
                    return name in _IMPORTS or any(self._root_is(each, names) for each in node.args)
                case _:
                    node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Name) and node.id in names

    def _follow(self, node: ast.AST, foreign: Collection[str]) -> None:
        """What a function of the module is given."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._functions:
            called = self._functions[node.func.id]
            names = [each.arg for each in (*called.args.posonlyargs, *called.args.args)]
            pairs = [*zip(names, node.args, strict=False), *((each.arg or "", each.value) for each in node.keywords)]
            self._given |= {(called.name, name) for name, value in pairs if self._stands_for(value, foreign)}


_NAMESPACES: Final = frozenset(("sys.modules", "sys.path", "sys.meta_path", "sys.path_hooks"))


def _bound(module: ast.Module) -> frozenset[str]:
    """What a module defines or binds at its top, imports left out, and what gives all of it."""
    found = {each.name for each in module.body if isinstance(each, Definition)}
    rest = (each for each in module.body if not isinstance(each, Definition))
    return _OWN | found | {name for each in rest for name in _stored(each)}


def _locals(function: Function) -> set[str]:
    declared = {name for each in statements(function) if isinstance(each, ast.Global) for name in each.names}
    arguments = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    return arguments | ({name for each in function.body for name in _stored(each)} - declared)


def _stored(node: ast.AST) -> Iterator[str]:
    return (e.id for e in ast.walk(node) if isinstance(e, ast.Name) and isinstance(e.ctx, ast.Store))


def _key(statement: ast.stmt) -> str:
    parts = (ast.dump(each) for each in ast.iter_child_nodes(statement) if not isinstance(each, ast.stmt))
    name = statement.name if isinstance(statement, Function) else ""
    return "\n".join((type(statement).__name__, name, *parts))


def _bindings(statement: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(statement, ast.Assign):
        yield from ((each, statement.value) for each in statement.targets)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield statement.target, statement.value
    elif isinstance(statement, ast.For | ast.AsyncFor):
        yield statement.target, statement.iter
    for node in own(statement):
        if isinstance(node, ast.NamedExpr):
            yield node.target, node.value
        elif isinstance(node, ast.comprehension):
            yield node.target, node.iter


def _stopped(statements: Collection[ast.stmt]) -> Iterator[ast.expr]:
    """What `self.addCleanup(….stop)` ends with the test."""
    for each in statements:
        match each:
            case ast.Expr(value=ast.Call(func=func, args=[ast.Attribute(attr="stop", value=value), *_])):
                if last(func) in ("addCleanup", "addfinalizer", "callback"):
                    yield value


def _outlives_its_module(function: Function) -> bool:
    """Whether it is a fixture that stays until the session ends, or may."""
    marked = [each for each in function.decorator_list if isinstance(each, ast.Call) and last(each.func) == "fixture"]
    scopes = [option.value for each in marked for option in each.keywords if option.arg == "scope"]
    return any(not isinstance(s, ast.Constant) or s.value in ("session", "package") for s in scopes)


def _passes_on(node: ast.AST, called: Collection[int]) -> bool:
    """Whether it hands a function on that sets, under whatever other name."""
    return isinstance(node, ast.Name) and node.id in ("setattr", "delattr", "exec") and id(node) not in called


def _patches(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    environment = bool(node.args) and ast.unparse(node.args[0]).strip("'\"") == "os.environ"
    return last(node.func) in _SETS or (bool(_PATCH.search(ast.unparse(node.func))) and not environment)
