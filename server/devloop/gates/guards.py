"""Changes that weaken a check, found in a unified diff and shown at the checkpoint (gates §5.6). Pure.

They are made visible, not forbidden: a task may well ask for them. Whoever decides is told file, line and what it is;
where nobody is there to decide, the work waits unless all of them can take nothing away (`guard_severity.py`).
`gates.guard = "block"` makes those that hold a failure.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from devloop.gates import (
    guard_assertions,
    guard_aware,
    guard_files,
    guard_kept,
    guard_lines,
    guard_placed,
    guard_python,
    guard_settings,
    guard_severity,
    guard_types,
    guard_words,
)
from devloop.gates.guard_files import is_test
from devloop.gates.patch import FileDiff, Line, parse

GuardKind = Literal[
    "configuration",
    "threshold",
    "dependency",
    "conftest",
    "skip",
    "suppression",
    "deleted-test",
    "emptied-test",
    "removed-case",
    "removed-assertion",
    "weakened-assertion",
    "changed-assertion",
    "changed-test",
    "snapshot",
    "test-aware",
    "unread",
]
KINDS: Final[tuple[str, ...]] = get_args(GuardKind)
LONGEST: Final = 10_000
"""Characters that are kept of a line. Less is shown of it, once it is clean (`runs/guarding.py`)."""
Reader = Callable[[str], str | None]

_CODED: Final = re.compile(r"^\s*#.*?coding[:=]\s*([-\w.]+)")
_PLAIN: Final = frozenset({"utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1"})
_SOURCE: Final = re.compile(r"\.(?:py|pyi|[cm]?[jt]sx?|go|rs|java|kt|rb|php|c|cc|cpp|h|cs|swift)$")
_TEST_NAME: Final = re.compile(
    r"^\s*(?:async\s+)?def\s+(test\w*)|^\s*class\s+(Test\w*)|^func\s+(Test\w*)|\b(?:it|test)\(\s*(['\"`].+?['\"`])"
)
_RUST_TEST: Final = re.compile(r"^\s*#\[(?:\w+::)*test\b")
_SCRIPT: Final = re.compile(r"\.(?:sh|bash|zsh|fish|ps1|bat|cmd|pl|lua|awk|tcl)$")
_IGNORES_CODE: Final = re.compile(r"\.(?:py|pyi|[cm]?[jt]sx?|go|rs)\b|(?:^|/)(?:tests?|test_\w*|src)\b")


@dataclass(frozen=True)
class Guard:
    """One change to the checks. `line` is 0-based: in the new file, or in the old one for something removed. `holds`:
    work that nobody attends waits for a person because of it; else it is only shown. `by_task`: the task names what it
    changes, so that it holds nothing."""

    kind: GuardKind
    file: str
    line: int
    text: str
    holds: bool = True
    by_task: bool = False

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line + 1}"

    def to_json(self) -> dict[str, Any]:
        where = {"file": self.file, "line": self.line, "place": self.place}
        return {"kind": self.kind, **where, "text": self.text, "holds": self.holds, "by_task": self.by_task}


def changes_to_checks(diff: str, read: Reader | None = None, before: Reader | None = None) -> tuple[Guard, ...]:
    """What `diff` (unified, as git writes it, `-z` not) does to tests and their configuration, in file order.

    `read(path)` may give a changed file's new text, `before(path)` its old one. With them a line of `pyproject.toml` is
    put into its section exactly (without, a section that the hunk does not show is taken as one that matters), and
    Python tests are compared by their syntax.
    """
    files = parse(diff)
    added_tests = {name for file in files for line in file.added for name in _test_names(line.text)}
    tests = [file for file in files if guard_files.is_test_named(file.new)]
    new_lines = [line.text for file in tests for line in file.added]
    gone = {name for file in files for line in file.removed for name in _test_names(line.text)}
    modules = guard_files.modules_of(path for file in files for path in (file.old, file.new))
    were = {path for file in files if not file.new for path in guard_files.with_folders(file.old)}
    found: list[Guard] = []
    for file in files:
        one = [*_configuration(file, read), *_stands_before(file, modules), *_unread(file)]
        if file.link and (guard_files.is_of_tests(file.new) or file.new in were):
            one.append(
                _guard("unread", file.new, 0, "a link, or another repository: what it stands for lies elsewhere")
            )
        if guard_files.is_expected(file.old or file.new) and file.old:
            verb = "deleted" if not file.new else "changed"
            figures = f"(+{len(file.added)} −{len(file.removed)})"
            kind: GuardKind = "changed-test" if _SOURCE.search(file.old) or _SCRIPT.search(file.old) else "snapshot"
            one.append(_guard(kind, file.new or file.old, 0, f"{verb} {figures}"))
        if not file.binary:
            one += _weakened(file, gone, read, before)
            one += _aware(file)
            one += _tests(file, added_tests, read, before)
            one += _rewritten(file, one, read, before)
            one += _within(file)
        if one and one[0].kind == "conftest" and file.old == file.new:
            was, now = before(file.old) if before else None, read(file.new) if read else None
            if was is not None and now is not None and guard_severity.only_new_fixtures(was, now, new_lines):
                one[0] = dataclasses.replace(one[0], holds=False)
        found += _once(one)
    return tuple(found)


def _once(guards: Iterable[Guard]) -> list[Guard]:
    """One entry per kind and line, in the order of lines where one file is concerned."""
    return list({(each.kind, each.file, each.line): each for each in reversed(list(guards))}.values())[::-1]


def _guard(kind: GuardKind, file: str, line: int, text: str, *, holds: bool = True) -> Guard:
    flat = _flat(text)
    if len(flat) > LONGEST:  # between words: half a secret would not be known for one
        flat = f"{flat[:LONGEST].rpartition(' ')[0]} …".strip()
    return Guard(kind, file, line, flat, holds)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _configuration(file: FileDiff, read: Reader | None) -> list[Guard]:
    names = {file.old, file.new} - {""}
    path = file.new or file.old
    verb = "deleted" if not file.new else "added" if not file.old else "changed"
    if file.old and file.new and file.old != file.new:
        verb = f"renamed from {file.old}"
    first = min((line.number for line in (*file.added, *file.removed)), default=0)
    figures = f"{verb} (+{len(file.added)} −{len(file.removed)})"
    if any(map(guard_files.is_conftest, names)):
        return [_guard("conftest", path, first, figures)]
    details = [_guard(kind, path, line.number, text) for kind, line, text in guard_settings.configuration(file, read)]
    if any(map(guard_files.is_configuration, names)):
        return [_guard("configuration", path, first, figures), *details]
    if path.rsplit("/", 1)[-1] == ".gitignore":
        lines = [
            line for line in file.added if _IGNORES_CODE.search(line.text) and not line.text.startswith(("#", "!"))
        ]
        return [_guard("configuration", path, line.number, f"leaves code out: {line.text}") for line in lines]
    return details


def _stands_before(file: FileDiff, modules: Mapping[str, str]) -> list[Guard]:
    """A new file that is taken for another one: by Python, by what checks types, or as a tool."""
    path = file.new
    if file.old or not path:
        return []
    if other := guard_files.shadows(path) or guard_files.doubles(path, modules):
        return [_guard("configuration", path, 0, f"added: stands before the module {other}")]
    if other := guard_files.stands_in(path):
        return [_guard("configuration", path, 0, f"added: types are taken from it, and not from {other}")]
    return []


def _unread(file: FileDiff) -> list[Guard]:
    """What no diff shows."""
    path = file.new or file.old
    if file.new and guard_files.is_compiled(path):
        return [_guard("unread", path, 0, f"compiled code {'changed' if file.old else 'added'}")]
    if file.binary and (_SOURCE.search(path) or guard_files.is_configuration(path)):
        return [_guard("unread", path, 0, "not text: nobody can see in a diff what it holds")]
    for line in file.added[:2] if file.new.endswith(".py") else ():
        coded = _CODED.match(line.text) if line.number < 2 else None
        if coded and coded[1].lower().replace("_", "-") not in _PLAIN:
            return [_guard("unread", path, line.number, line.text)]
    return []


def _weakened(file: FileDiff, gone: set[str], read: Reader | None, before: Reader | None) -> list[Guard]:
    """New skips and suppressions; one that was only moved within the file is not new. `gone`: names of tests that the
    change takes away somewhere."""
    found = []
    known: set[str] = gone
    now: str | None = None
    if file.old and file.new.endswith(".py") and is_test(file.new) and read is not None and before is not None:
        now = read(file.new)
        known = gone | {name.rsplit(".", 1)[-1] for name in guard_python.tests(before(file.old) or "")}
    fresh = not file.old and guard_files.is_test_named(file.new) and not gone
    pairs: tuple[tuple[GuardKind, re.Pattern[str]], ...] = (
        ("skip", guard_words.SKIP),
        ("suppression", guard_words.SUPPRESSION),
    )
    for kind, pattern in pairs:
        if kind == "skip" and not _SOURCE.search(file.new):
            continue
        left = Counter(match for line in file.removed for match in _all(pattern, line.text))
        for line in file.added:
            for match in _all(pattern, line.text):
                if left[match] > 0:
                    left[match] -= 1
                else:
                    if kind == "skip":
                        tame = guard_severity.skips_only_what_is_new(line.text, line.number, fresh, now, known)
                    else:
                        tame = guard_severity.hides_no_defect(line.text, guard_files.is_only_test(file.new))
                    found.append(_guard(kind, file.new, line.number, line.text, holds=not tame))
                    break
    return found


def _all(pattern: re.Pattern[str], text: str) -> list[str]:
    return ["".join(match[0].split()).lower() for match in pattern.finditer(text)]


def _aware(file: FileDiff) -> list[Guard]:
    """Code that asks whether it is being tested, or equals whatever it is compared with; tests that reach further than
    themselves; types that say nothing."""
    if not _SOURCE.search(file.new):
        return []
    found = [_guard("test-aware", file.new, line.number, words) for line, words in guard_aware.asking(file)]
    found += [_guard("suppression", file.new, line.number, line.text) for line in guard_types.hidden(file)]
    if is_test(file.new):
        found += [_guard("test-aware", file.new, line.number, line.text) for line in guard_lines.deciding(file)]
    return found


def _test_names(text: str) -> list[str]:
    return [next(group for group in match.groups() if group) for match in _TEST_NAME.finditer(text)]


def _tests(file: FileDiff, added: set[str], read: Reader | None, before: Reader | None) -> list[Guard]:
    """Tests and assertions that went or became weaker."""
    if not (is_test(file.old) or is_test(file.new)):
        return []
    if not file.new:
        return [_guard("deleted-test", file.old, 0, f"the file was deleted ({len(file.removed)} lines)")]
    python = file.old.endswith(".py") and file.new.endswith(".py") and bool(file.removed or file.added)
    was = before(file.old) if before is not None and python else None
    now = read(file.new) if read is not None and python else None
    found: list[Guard] = []
    if was is not None and now is not None:
        for kind, number, words in guard_python.changed(was, now):
            found.append(_guard(kind, file.new, number, words))
        found += _gone(file, added | guard_python.renamed(was, now))
    else:
        found += _gone(file, added)
    if file.old and is_test(file.old):
        dead = guard_python.uncalled(now) if now is not None else frozenset()
        for assertion, line, words in guard_assertions.assertions(file, dead):
            old, _, new = words.partition(" → ")
            tame = assertion == "changed-assertion" and guard_severity.asks_no_less(old, new)
            found.append(_guard(assertion, file.new, line.number, words, holds=not tame))
    return found + _constants(file)


def _constants(file: FileDiff) -> list[Guard]:
    found = guard_assertions.constants(file)
    return [_guard("weakened-assertion", file.new, line.number, f"can't fail: {line.text}") for line in found]


def _within(file: FileDiff) -> list[Guard]:
    """Tests of Rust that stand in the module that they test."""
    if is_test(file.new) or not (file.old.endswith(".rs") and file.new.endswith(".rs")):
        return []
    tests = guard_lines.rust_tests(file)
    within = {id(line) for hunk in tests.hunks for line in hunk.lines}
    code = [line.text for hunk in file.hunks for line in hunk.lines if id(line) not in within]
    found = [_guard(kind, file.new, line.number, words) for kind, line, words in guard_assertions.assertions(tests)]
    found += [_guard("deleted-test", file.new, line.number, line.text) for line in _unmarked(tests)]
    found += _constants(tests)
    told = {each.line for each in found}
    kept = guard_lines.lost(tests, [*code, *(hunk.heading for hunk in file.hunks)])
    return [*found, *(_guard("changed-test", file.new, at, words) for at, _, words in kept if at not in told)]


def _rewritten(file: FileDiff, known: Iterable[Guard], read: Reader | None, before: Reader | None) -> list[Guard]:
    """What was there before in tests and is another now, where nothing more exact is `known` of it; and what tests put
    in the place of what they test."""
    text = read(file.new) if read is not None and is_test(file.new) and file.new.endswith(".py") else None
    put = guard_placed.put_in_place(before(file.old) if before is not None and file.old else None, text) if text else []
    return [
        *_changed_tests(file, known, read, before),
        *(_guard("test-aware", file.new, at, words) for at, _, words in put),
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
        _guard("changed-test", file.new, first, words)
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
        found.append(_guard("deleted-test", file.new, 0, f"renamed from {file.old}: no longer found as a test"))
    elif is_test(file.old) and guard_files.is_built_elsewhere(file.old, file.new):
        found.append(_guard("deleted-test", file.new, 0, f"renamed from {file.old}: built for some systems alone"))
    for line in file.removed:
        for name in _test_names(line.text):
            if name not in added:
                found.append(_guard("deleted-test", file.new, line.number, line.text))
    found += [_guard("deleted-test", file.new, line.number, line.text) for line in _unmarked(file)]
    return found


def _unmarked(file: FileDiff) -> list[Line]:
    """Rust tests that lost their attribute: more went than came."""
    gone = [line for line in file.removed if _RUST_TEST.match(line.text)]
    come = [line for line in file.added if _RUST_TEST.match(line.text)]
    return gone[: max(0, len(gone) - len(come))]
