"""What a module of tests does to end the session that it runs in, by its syntax. Pure.

A session that ends early may end well: `os._exit(0)` leaves an exit code of 0 and no test that failed. Told is what
ends a process wherever it stands (`os._exit`, `pytest.exit`, a signal to itself), under whatever name, and what leaves
by `SystemExit` where no runner of tests catches that: while modules are imported, before and after all tests of a
module or class, or handed to somebody who calls it later. In a test itself `SystemExit` is a failure. Code is parsed,
never run.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from devloop.gates.guard_kept import Definition, Found, lines_of, text_of
from devloop.gates.guard_syntax import Function, last, module_of, own, statements

_MAYBE: Final = re.compile(r"[eE]xit|quit|getattr|kill|abort|signal|interrupt|\bexec|dump_traceback_later")
_HARD: Final = frozenset(("_exit", "abort", "raise_signal", "interrupt_main", "_sigsegv", "_sigabrt", "_fatal_error"))
_PLAIN: Final = frozenset(("exit", "quit"))
_SYSTEM: Final = frozenset(("os", "posix", "nt"))
_MODULES: Final = _SYSTEM | {"sys", "pytest", "_pytest", "signal", "_thread", "builtins", "faulthandler"}
_LIBRARIES: Final = frozenset(("CDLL", "PyDLL"))
_SELF: Final = frozenset(("getpid", "getpgrp", "getpgid"))
_STANDS_IN: Final = frozenset(("setattr", "delattr", "patch", "object", "spy", "hasattr"))
"""Calls that put something in the place of what they name, or only ask about it."""
_FIXTURES: Final = frozenset(
    (
        *("setUpModule", "tearDownModule", "setUpClass", "tearDownClass", "setup_module", "teardown_module"),
        *("setup_class", "teardown_class"),
    )
)
"""What runners call outside of any test."""


def ending(before: str | None, after: str) -> list[Found]:
    """Statements of `after`, a module of tests, that end more than their own test, and that `before` does not have."""
    if not _MAYBE.search(after):
        return []
    module, known = module_of(after), module_of(before or "")
    if module is None:
        return []
    try:
        left = Counter(map(ast.dump, _Module(known).told())) if known and before else Counter[str]()
        left.subtract(Counter(map(ast.dump, found := list(_Module(module).told()))))
        return [(*lines_of(each), f"ends the session: {text_of(each)}") for each in found if left[ast.dump(each)] < 0]
    except RecursionError:
        return [(0, 0, "nested too deeply to be looked at")]


class _Module:
    def __init__(self, module: ast.Module) -> None:
        self._module = module
        self._all = list(statements(module))
        self._functions: dict[str, list[Function]] = {}
        """By name; a class stands for its methods."""
        self._leaving = {"SystemExit"}
        """Names for `SystemExit`."""
        self._modules: dict[str, str] = {}
        """Names of modules that can end a process, by what they are called here."""
        self._names: dict[str, str] = dict.fromkeys(_PLAIN, "exit")
        """Names for what ends it."""
        self._pids: set[str] = set()
        for each in self._all:
            self._bind(each)
        arguments = (part for each in self._all if isinstance(each, Function) for part in ast.walk(each.args))
        for name in _PLAIN.intersection(part.arg for part in arguments if isinstance(part, ast.arg)):
            self._names.pop(name, None)

    def _bind(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import):
            for each in node.names:
                root = each.name.split(".")[0]
                if root in _MODULES:
                    self._modules[each.asname or root] = root
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _MODULES:
            for each in node.names:
                if each.name == "*":
                    self._names |= dict.fromkeys(_HARD, "end")
                elif word := _word(node.module or "", each.name):
                    self._names[each.asname or each.name] = word
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [each.id for each in targets if isinstance(each, ast.Name)]
            word, module = self._stands_for(node.value), self._modules.get(last(node.value), "")
            for name in names:
                self._names.pop(name, None)
                if word:
                    self._names[name] = word
                if module and isinstance(node.value, ast.Name):
                    self._modules[name] = module
                if last(node.value) in self._leaving:
                    self._leaving.add(name)
            if isinstance(node.value, ast.Call) and last(node.value.func) in _LIBRARIES:
                self._modules.update(dict.fromkeys(names, "libc"))
            if isinstance(node.value, ast.Call) and last(node.value.func) in _SELF:
                self._pids.update(names)
        elif isinstance(node, Definition):
            self._names.pop(node.name, None)
            methods = node.body if isinstance(node, ast.ClassDef) else [node]
            self._functions.setdefault(node.name, []).extend(each for each in methods if isinstance(each, Function))
            if isinstance(node, ast.ClassDef) and any(last(each) in self._leaving for each in node.bases):
                self._leaving.add(node.name)

    def told(self) -> Iterator[ast.stmt]:
        outside = {id(each) for each in self._run_outside_of_tests()}
        for each in self._all:
            nodes = list(own(each))
            calls = (node for node in nodes if isinstance(node, ast.Call) and last(node.func) in _STANDS_IN)
            named = {id(part) for call in calls for part in call.args if isinstance(part, ast.Constant)}
            if any(self._ends(node, id(each) in outside) for node in nodes if id(node) not in named) or (
                isinstance(each, ast.Raise) and id(each) in outside and self._leaves(each.exc)
            ):
                yield each

    def _ends(self, node: ast.AST, outside: bool) -> bool:
        if isinstance(node, ast.Constant):
            return node.value == "_exit"
        if isinstance(node, ast.Call):
            word = self._stands_for(node.func)
            handed = (*node.args, *(each.value for each in node.keywords))
            return (
                self._stands_for(node) == "end"
                or (outside and word == "exit")
                or any(isinstance(e, ast.expr) and self._stands_for(e) == "exit" for e in handed)
                or self._is_at_itself(node)
                or (last(node.func) == "throw" and any(map(self._leaves, node.args)))
                or (last(node.func) == "dump_traceback_later" and any(e.arg == "exit" for e in node.keywords))
            )
        word = self._stands_for(node) if isinstance(node, ast.expr) else ""
        return word == "end" or (outside and word == "exit")

    def _leaves(self, raised: ast.expr | None) -> bool:
        return last(raised.func if isinstance(raised, ast.Call) else raised) in self._leaving

    def _stands_for(self, node: ast.expr) -> str:
        """`end` for what ends a process at once, `exit` for what raises `SystemExit`, else ""."""
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return self._names.get(name, "")
            case ast.Attribute(attr="_exit"):
                return "end"
            case ast.Attribute(attr=attr, value=ast.Name(id=name)) if name in self._modules:
                return _word(self._modules[name], attr)
            case ast.Attribute(attr=attr, value=ast.Call(func=func)) if last(func) in _LIBRARIES:
                return _word("libc", attr)
            case ast.Attribute(attr=attr, value=ast.Call(func=func, args=[ast.Constant(value=str(name))])):
                return _word(name, attr) if last(func) in ("__import__", "import_module") else ""
            case ast.Call(func=ast.Name(id="getattr"), args=[ast.Name(id=name), wanted, *_]) if name in self._modules:
                if isinstance(wanted, ast.Constant):
                    return _word(self._modules[name], str(wanted.value))
                return "" if isinstance(wanted, ast.Name) else "end"
        return ""

    def _is_at_itself(self, node: ast.Call) -> bool:
        if last(node.func) not in ("kill", "killpg") or not node.args:
            return False
        target = node.args[0]
        if isinstance(target, ast.Call):
            return last(target.func) in _SELF
        return last(target) in self._pids or (isinstance(target, ast.Constant) and target.value == 0)

    def _run_outside_of_tests(self) -> Iterator[ast.stmt]:
        waiting: list[ast.stmt] = [each for each in self._module.body if not _is_main(each)]
        waiting += [part for name in _FIXTURES for each in self._functions.get(name, ()) for part in each.body]
        seen: set[str] = set()
        while waiting:
            node = waiting.pop()
            yield node
            for part in own(node):
                if isinstance(part, ast.Call) and (name := last(part.func)) not in seen:
                    seen.add(name)
                    waiting += [inner for called in self._functions.get(name, ()) for inner in called.body]
            if not isinstance(node, Function):
                waiting += (each for each in _children(node) if not _is_main(each))


def _children(node: ast.AST) -> Iterator[ast.stmt]:
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.stmt):
            yield each
        elif isinstance(each, ast.ExceptHandler | ast.match_case):
            yield from _children(each)


def _word(module: str, name: str) -> str:
    root = module.partition(".")[0]
    if name in _HARD or (root == "libc" and name in _PLAIN) or (root in _SYSTEM and name.startswith("exec")):
        return "end"
    if root in ("pytest", "_pytest"):
        return "end" if name in ("exit", "Exit") else ""
    return "exit" if name in _PLAIN and root in ("sys", "builtins") else ""


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) == "__name__ == '__main__'"
