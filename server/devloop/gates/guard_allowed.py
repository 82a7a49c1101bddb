"""Which changes to tests the task itself asks for (`May change tests`). Pure; whether its word counts is decided in
`runs/allowing.py`.

A name is a file, a pattern of files, or one test in a Python file (`path::test`, `path::Class::test`, `path::Class`).
What lies in a test, a `conftest.py` or a snapshot that is named is allowed; it is told all the same. Never allowed is
what reaches further than its file: configuration, thresholds, dependencies, code that asks whether it is being tested,
what nobody can read, files that a check runs, a skip that ends or leaves out other tests. A `conftest.py` has to be
named by its own name, because it decides about every test below it. Where it can't be told, it is not allowed.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from devloop import globs
from devloop.gates import guard_files, guard_kept, guard_words, guards
from devloop.gates.guard_syntax import module_of
from devloop.gates.guards import Guard
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
        if not mine or not _is_of_tests(path):
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
    if old is None or not test or not _is_of_tests(path):
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


def _is_of_tests(path: str) -> bool:
    return guard_files.is_test(path) or guard_files.is_conftest(path) or guard_files.is_expected(path)


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
    if old is None or new is None:
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
    wanted = {tuple(each.split("::")) for each in tests}
    for first, last in sorted(_places(module.body, (), wanted), reverse=True):
        del lines[first : last + 1]
    left = "\n".join(lines)
    return left if module_of(left) is not None else None


def _places(
    body: Sequence[object], inside: tuple[str, ...], wanted: Collection[tuple[str, ...]]
) -> Iterator[tuple[int, int]]:
    """First and last line of each definition with such a name, decorators and all."""
    for node in body:
        if isinstance(node, guard_kept.Definition):
            name = (*inside, node.name)
            if name in wanted:
                yield guard_kept.lines_of(node)
            elif hasattr(node, "bases"):
                yield from _places(node.body, name, wanted)
