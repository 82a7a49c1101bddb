"""Tests and assertions that a change takes away, or that ask for less now. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from devloop.gates import (
    guard_assertions,
    guard_enders,
    guard_files,
    guard_kept,
    guard_lines,
    guard_placed,
    guard_python,
    guard_severity,
)
from devloop.gates.guard import Guard, Reader, guard
from devloop.gates.guard_files import is_test
from devloop.gates.patch import FileDiff, Line

_TEST_NAME: Final = re.compile(
    r"^\s*(?:async\s+)?def\s+(test\w*)|^\s*class\s+(Test\w*)|^func\s+(Test\w*)|\b(?:it|test)\(\s*(['\"`].+?['\"`])"
)
_RUST_TEST: Final = re.compile(r"^\s*#\[(?:\w+::)*test\b")


def names(text: str) -> list[str]:
    return [next(group for group in match.groups() if group) for match in _TEST_NAME.finditer(text)]


def weaker(file: FileDiff, added: set[str], read: Reader | None, before: Reader | None) -> list[Guard]:
    """Tests and assertions that went or became weaker."""
    if not (is_test(file.old) or is_test(file.new)):
        return []
    if not file.new:
        return [guard("deleted-test", file.old, 0, f"the file was deleted ({len(file.removed)} lines)")]
    python = file.old.endswith(".py") and file.new.endswith(".py") and bool(file.removed or file.added)
    was = before(file.old) if before is not None and python else None
    now = read(file.new) if read is not None and python else None
    found: list[Guard] = []
    if was is not None and now is not None:
        for kind, number, words in guard_python.changed(was, now):
            found.append(guard(kind, file.new, number, words))
        found += _gone(file, added | guard_python.renamed(was, now))
    else:
        found += _gone(file, added)
    if file.old and is_test(file.old):
        dead = guard_python.uncalled(now) if now is not None else frozenset()
        for assertion, line, words in guard_assertions.assertions(file, dead):
            old, _, new = words.partition(" → ")
            tame = assertion == "changed-assertion" and guard_severity.asks_no_less(old, new)
            found.append(guard(assertion, file.new, line.number, words, holds=not tame))
    return found + _constants(file)


def _constants(file: FileDiff) -> list[Guard]:
    found = guard_assertions.constants(file)
    return [guard("weakened-assertion", file.new, line.number, f"can't fail: {line.text}") for line in found]


def within(file: FileDiff) -> list[Guard]:
    """Tests of Rust that stand in the module that they test."""
    if is_test(file.new) or not (file.old.endswith(".rs") and file.new.endswith(".rs")):
        return []
    tests = guard_lines.rust_tests(file)
    inside = {id(line) for hunk in tests.hunks for line in hunk.lines}
    code = [line.text for hunk in file.hunks for line in hunk.lines if id(line) not in inside]
    found = [guard(kind, file.new, line.number, words) for kind, line, words in guard_assertions.assertions(tests)]
    found += [guard("deleted-test", file.new, line.number, line.text) for line in _unmarked(tests)]
    found += _constants(tests)
    told = {each.line for each in found}
    kept = guard_lines.lost(tests, [*code, *(hunk.heading for hunk in file.hunks)])
    return [*found, *(guard("changed-test", file.new, at, words) for at, _, words in kept if at not in told)]


def rewritten(file: FileDiff, known: Iterable[Guard], read: Reader | None, before: Reader | None) -> list[Guard]:
    """What was there before in tests and is another now, where nothing more exact is `known` of it; and what tests put
    in the place of what they test."""
    text = read(file.new) if read is not None and is_test(file.new) and file.new.endswith(".py") else None
    was = before(file.old) if before is not None and file.old else None
    reaching = [*guard_placed.put_in_place(was, text), *guard_enders.ending(was, text)] if text else []
    return [
        *_changed_tests(file, known, read, before),
        *(guard("test-aware", file.new, at, words) for at, _, words in reaching),
    ]


def _changed_tests(file: FileDiff, known: Iterable[Guard], read: Reader | None, before: Reader | None) -> list[Guard]:
    if not (is_test(file.old) and is_test(file.new)):
        return []
    told = [each.line for each in known if each.holds and each.kind != "suppression"]
    python = file.old.endswith(".py") and file.new.endswith(".py")
    was = before(file.old) if python and before is not None else None
    now = read(file.new) if python and read is not None else None
    if python:
        found = guard_kept.lost(was, now) if was is not None and now is not None else []
    else:
        found = guard_lines.lost(file)
    return [
        guard("changed-test", file.new, first, words)
        for first, last, words in found
        if not any(first <= line <= last for line in told)
    ]


def _gone(file: FileDiff, added: set[str] | frozenset[str]) -> list[Guard]:
    if not file.old:
        return []
    found = []
    if (guard_files.is_test_named(file.old) and not guard_files.is_test_named(file.new)) or (
        is_test(file.old) and not is_test(file.new)
    ):
        found.append(guard("deleted-test", file.new, 0, f"renamed from {file.old}: no longer found as a test"))
    elif is_test(file.old) and guard_files.is_built_elsewhere(file.old, file.new):
        found.append(guard("deleted-test", file.new, 0, f"renamed from {file.old}: built for some systems alone"))
    for line in file.removed:
        for name in names(line.text):
            if name not in added:
                found.append(guard("deleted-test", file.new, line.number, line.text))
    found += [guard("deleted-test", file.new, line.number, line.text) for line in _unmarked(file)]
    return found


def _unmarked(file: FileDiff) -> list[Line]:
    """Rust tests that lost their attribute: more went than came."""
    gone = [line for line in file.removed if _RUST_TEST.match(line.text)]
    come = [line for line in file.added if _RUST_TEST.match(line.text)]
    return gone[: max(0, len(gone) - len(come))]
