"""Which changes to tests the task itself asks for (`May change tests`). Pure; whether its word counts is decided in
`runs/allowing.py`.

A name is a file, a pattern of files, or one test in a Python file (`path::test`, `path::Class::test`, `path::Class`).
What lies in a test, a `conftest.py` or a snapshot that is named is allowed; it is told all the same. A single test is
one that nothing else in its file uses: no fixture, no helper, no base of another class. Never allowed is
what reaches further than its file: configuration, thresholds, dependencies, code that asks whether it is being tested,
what nobody can read, files that a check runs, a skip that ends or leaves out other tests. A `conftest.py` has to be
named by its own name, because it decides about every test below it. Where it can't be told, it is not allowed.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from devloop import globs
from devloop.gates import guard_files, guard_kept, guard_words, guards
from devloop.gates.guard import Guard
from devloop.gates.guard_syntax import last, module_of
from devloop.gates.patch import parse

KINDS: Final[frozenset[str]] = frozenset(
    (
        *("conftest", "skip", "deleted-test", "emptied-test", "removed-case", "removed-assertion"),
        *("weakened-assertion", "changed-assertion", "changed-test", "snapshot"),
    )
)
"""A kind that is not listed here is never the task's to allow."""
MAX_LINES: Final = 20_000
"""Of a file whose single tests are looked at."""
CUT: Final = 200
"""A text of this length is perhaps not all that stands there."""

_MARK: Final = re.compile(r"(?:\w+\.)*patch\b|(?:(?:pytest\.)?mark|unittest)\.|(?:hypothesis\.)?(?:given|settings)\b")
"""Decorators that concern their own test."""
_FIXTURE: Final = re.compile(r"\bfixture\b")

Reader = Callable[[str], str | None]


def allow(
    listed: Sequence[Guard], names: Sequence[str], files: Mapping[str, str], now: Reader, was: Reader
) -> tuple[Guard, ...]:
    """`listed`, those that the task allows marked `by_task`, and holding nothing.

    `files`: path to path before (the same where it stayed) of every changed file. `now`, `was`: the texts of both, by
    path.
    """
    allowed: set[int] = set()
    for path, old in files.items():
        mine = [at for at, each in enumerate(listed) if each.file == path and each.holds and _may_be(each)]
        if not mine or not guard_files.is_of_tests(path):
            continue
        if all(any(_is_named(each, one) for each in names) for one in {path, old}):
            allowed.update(mine)
        elif old == path:
            outside = _outside(path, list(_tests_in(names, path)), was(path), now(path))
            allowed.update(_inside(mine, listed, outside))
    return tuple(
        dataclasses.replace(each, holds=False, by_task=True) if at in allowed else each
        for at, each in enumerate(listed)
    )


def allows_test(node: str, names: Sequence[str], files: Mapping[str, str]) -> bool:
    """Whether a test that ran before (`path::name`, `path` as it is called now) may be gone or skipped. `files`: as in
    `allow`; a file that did not change has tests that went for another reason."""
    path, _, test = node.partition("::")
    old = files.get(path)
    if old is None or not test or not guard_files.is_of_tests(path):
        return False
    if all(any(_is_named(each, one) for each in names) for one in {path, old}):
        return True
    return old == path and any(
        test == one or test.startswith((f"{one}[", f"{one}::")) for one in _tests_in(names, path)
    )


def _may_be(guard: Guard) -> bool:
    if guard.kind == "skip" and (len(guard.text) >= CUT or guard_words.FAR_SKIP.search(guard.text)):
        return False
    return guard.kind in KINDS


def _is_named(name: str, path: str) -> bool:
    if "::" in name or (guard_files.is_conftest(path) and name.rsplit("/", 1)[-1] != "conftest.py"):
        return False
    return globs.matches(name, path.split("/"))


def _tests_in(names: Iterable[str], path: str) -> Iterator[str]:
    """The single tests of the file that are named."""
    if not path.endswith(".py") or guard_files.is_conftest(path):
        return
    for each in names:
        pattern, _, test = each.partition("::")
        if test and globs.matches(pattern, path.split("/")):
            yield test


def _inside(mine: Sequence[int], listed: Sequence[Guard], outside: Sequence[Guard] | None) -> list[int]:
    """Those of `mine` that are not there without the named tests. What is there only without them was hidden by them:
    then nothing can be told."""
    if outside is None:
        return []
    left = Counter((each.kind, each.text) for each in outside if each.holds and _may_be(each))
    found = []
    for at in mine:
        key = (listed[at].kind, listed[at].text)
        if left[key] > 0:
            left[key] -= 1
        else:
            found.append(at)
    return [] if left.total() else found


def _outside(path: str, tests: Sequence[str], was: str | None, now: str | None) -> Sequence[Guard] | None:
    """What would be found in the file if the named tests were in neither text; None where that can't be told."""
    if not tests or was is None or now is None or was.count("\n") + now.count("\n") > MAX_LINES:
        return None
    old, new = _without(was, tests), _without(now, tests)
    if old is None or new is None or not _stand_alone(was, now, (old, new), tests):
        return None
    if old == new:
        return ()
    lines = difflib.unified_diff(f"{old}\n".split("\n"), f"{new}\n".split("\n"), f"a/{path}", f"b/{path}", lineterm="")
    patch = "\n".join((f"diff --git a/{path} b/{path}", *lines))
    read = parse(patch)
    if len(read) != 1 or (read[0].old, read[0].new) != (path, path) or not read[0].hunks:
        return None
    return guards.changes_to_checks(patch, {path: new}.get, {path: old}.get)


def _without(text: str, tests: Collection[str]) -> str | None:
    text = text.replace("\r\n", "\n")
    module = module_of(text)
    if module is None or "\r" in text:  # a line for Python alone
        return None
    lines = text.split("\n")
    for first, end in sorted(map(guard_kept.lines_of, _named(module, tests)), reverse=True):
        del lines[first : end + 1]
    left = "\n".join(lines)
    return left if module_of(left) is not None else None


def _named(module: ast.Module, tests: Iterable[str]) -> list[guard_kept.Definition]:
    """Each definition with such a name."""
    wanted = {tuple(each.split("::")) for each in tests}

    def within(body: Sequence[ast.stmt], inside: tuple[str, ...]) -> Iterator[guard_kept.Definition]:
        for node in body:
            if isinstance(node, guard_kept.Definition):
                name = (*inside, node.name)
                if name in wanted:
                    yield node
                elif isinstance(node, ast.ClassDef):
                    yield from within(node.body, name)

    return list(within(module.body, ()))


def _stand_alone(was: str, now: str, left: Iterable[str], tests: Collection[str]) -> bool:
    """Whether the named definitions concern themselves alone: nothing that is `left` of the module uses them, no
    decorator came but marks and patches, and their first lines bind nothing for the module."""
    old, new = (_named(module, tests) if (module := module_of(text)) else [] for text in (was, now))
    names = {node.name for node in (*old, *new)}
    rest = [node for text in left if (module := module_of(text)) for node in ast.walk(module)]
    if any(names & {last(node), getattr(node, "arg", None)} for node in rest):
        return False
    known = {ast.unparse(each) for node in old for each in node.decorator_list}
    marks = {ast.unparse(each) for node in new for each in node.decorator_list}
    if any(_FIXTURE.search(each) for each in known | marks) or not all(map(_MARK.match, marks - known)):
        return False
    heads = (part for node in new for part in ast.iter_child_nodes(node) if not isinstance(part, ast.stmt))
    return not any(isinstance(each, ast.NamedExpr) for part in heads for each in ast.walk(part))
