"""Changes that weaken a check, found in a unified diff and shown at the checkpoint (gates §5.6). Pure.

They are made visible, not forbidden: a task may well ask for them. Whoever decides is told file, line and what it is;
where nobody is there to decide, the work waits unless all of them can take nothing away (`guard_severity.py`).
`gates.guard = "block"` makes those that hold a failure.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from devloop.gates import (
    guard_aware,
    guard_files,
    guard_kept,
    guard_lines,
    guard_python,
    guard_settings,
    guard_severity,
    guard_shadows,
    guard_syntax,
    guard_tests,
    guard_types,
    guard_words,
)
from devloop.gates.guard import Guard, GuardKind, Reader, guard
from devloop.gates.guard_files import is_test
from devloop.gates.guard_shadows import NOTHING, Around, Shadows
from devloop.gates.patch import FileDiff, parse

_CODED: Final = re.compile(r"^\s*#.*?coding[:=]\s*([-\w.]+)")
_PLAIN: Final = frozenset({"utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1"})
_SOURCE: Final = re.compile(r"\.(?:py|pyi|[cm]?[jt]sx?|go|rs|java|kt|rb|php|c|cc|cpp|h|cs|swift)$")
_SCRIPT: Final = re.compile(r"\.(?:sh|bash|zsh|fish|ps1|bat|cmd|pl|lua|awk|tcl)$")
_IGNORES_CODE: Final = re.compile(r"\.(?:py|pyi|[cm]?[jt]sx?|go|rs)\b|(?:^|/)(?:tests?|test_\w*|src)\b")


def changes_to_checks(
    diff: str, read: Reader | None = None, before: Reader | None = None, around: Around = NOTHING
) -> tuple[Guard, ...]:
    """What `diff` (unified, as git writes it, `-z` not) does to tests and their configuration, in file order.

    `read(path)` may give a changed file's new text, `before(path)` its old one. With them a line of `pyproject.toml` is
    put into its section exactly (without, a section that the hunk does not show is taken as one that matters), and
    Python tests are compared by their syntax. `around`: the base tree beside the change.
    """
    files = parse(diff)
    added_tests = {name for file in files for line in file.added for name in guard_tests.names(line.text)}
    tests = [file for file in files if guard_files.is_test_named(file.new)]
    new_lines = [line.text for file in tests for line in file.added]
    gone = {name for file in files for line in file.removed for name in guard_tests.names(line.text)}
    shadows = Shadows(files, around)
    were = {path for file in files if not file.new for path in guard_files.with_folders(file.old)}
    found: list[Guard] = []
    for file in files:
        one = [*_configuration(file, read, around), *_stands_before(file, shadows), *_unread(file, read)]
        if file.link and (guard_files.is_of_tests(file.new) or file.new in were):
            one.append(guard("unread", file.new, 0, "a link, or another repository: what it stands for lies elsewhere"))
        if guard_files.is_expected(file.old or file.new) and file.old:
            verb = "deleted" if not file.new else "changed"
            figures = f"(+{len(file.added)} −{len(file.removed)})"
            kind: GuardKind = "changed-test" if _SOURCE.search(file.old) or _SCRIPT.search(file.old) else "snapshot"
            one.append(guard(kind, file.new or file.old, 0, f"{verb} {figures}"))
        if not file.binary:
            one += _weakened(file, gone, read, before)
            one += _aware(file)
            one += guard_tests.weaker(file, added_tests, read, before)
            one += guard_tests.rewritten(file, one, read, before)
            one += guard_tests.within(file)
        if one and file.old == file.new and (one[0].kind == "conftest" or _named(file, around)):
            was, now = before(file.old) if before else None, read(file.new) if read else None
            tame = was is not None and now is not None and guard_severity.only_new_fixtures(was, now, new_lines)
            if tame or (file.new in around.tests and was and now and not guard_kept.lost(was, now)):
                one[0] = dataclasses.replace(one[0], holds=False)
        found += _once(one)
    for kept in (guard_syntax.module_of, guard_python.tests):
        kept.cache_clear()
    return tuple(found)


def _once(guards: Iterable[Guard]) -> list[Guard]:
    """One entry per kind and line, in the order of lines where one file is concerned."""
    return list({(each.kind, each.file, each.line): each for each in reversed(list(guards))}.values())[::-1]


def _named(file: FileDiff, around: Around) -> str:
    """What the configuration of the base makes of a file that it names or takes for a test; "" for nothing."""
    known = (around.named.get(path) or (around.tests.get(path) if file.old else "") for path in (file.old, file.new))
    return next(filter(None, known), "")


def _configuration(file: FileDiff, read: Reader | None, around: Around) -> list[Guard]:
    names = {file.old, file.new} - {""}
    path = file.new or file.old
    verb = "deleted" if not file.new else "added" if not file.old else "changed"
    if file.old and file.new and file.old != file.new:
        verb = f"renamed from {file.old}"
    first = min((line.number for line in (*file.added, *file.removed)), default=0)
    figures = f"{verb} (+{len(file.added)} −{len(file.removed)})"
    if any(map(guard_files.is_conftest, names)):
        return [guard("conftest", path, first, figures)]
    details = [guard(kind, path, line.number, text) for kind, line, text in guard_settings.configuration(file, read)]
    if any(map(guard_files.is_configuration, names)):
        return [guard("configuration", path, first, figures), *details]
    if why := _named(file, around):
        return [guard("configuration", path, first, f"{figures}: {why}"), *details]
    if path.rsplit("/", 1)[-1] == ".gitignore":
        lines = [
            line for line in file.added if _IGNORES_CODE.search(line.text) and not line.text.startswith(("#", "!"))
        ]
        return [guard("configuration", path, line.number, f"leaves code out: {line.text}") for line in lines]
    return details


def _stands_before(file: FileDiff, shadows: Shadows) -> list[Guard]:
    """A new file that is taken for another one: by Python, by what checks types, or as a tool."""
    path = file.new
    if file.old == file.new or not path:
        return []
    verb = f"renamed from {file.old}" if file.old else "added"
    if other := shadows.before(path):
        return [guard("configuration", path, 0, f"{verb}: stands before the module {other}")]
    if other := guard_shadows.stands_in(path):
        return [guard("configuration", path, 0, f"{verb}: types are taken from it, and not from {other}")]
    return []


def _unread(file: FileDiff, read: Reader | None) -> list[Guard]:
    """What no diff shows, or what can't be compared as what it is: newer Python than devloop's own, or too much."""
    path = file.new or file.old
    if file.new and guard_files.is_compiled(path):
        return [guard("unread", path, 0, f"compiled code {'changed' if file.old else 'added'}")]
    if file.binary and (_SOURCE.search(path) or guard_files.is_configuration(path)):
        return [guard("unread", path, 0, "not text: nobody can see in a diff what it holds")]
    for line in file.added[:2] if file.new.endswith(".py") else ():
        coded = _CODED.match(line.text) if line.number < 2 else None
        if coded and coded[1].lower().replace("_", "-") not in _PLAIN:
            return [guard("unread", path, line.number, line.text)]
    text = read(file.new) if read is not None and is_test(file.new) and file.new.endswith(".py") else None
    if text and guard_syntax.module_of(text) is None:
        return [guard("unread", path, 0, "no Python that can be read here: its lines alone were looked at")]
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
                    found.append(guard(kind, file.new, line.number, line.text, holds=not tame))
                    break
    return found


def _all(pattern: re.Pattern[str], text: str) -> list[str]:
    return ["".join(match[0].split()).lower() for match in pattern.finditer(text)]


def _aware(file: FileDiff) -> list[Guard]:
    """Code that asks whether it is being tested, or equals whatever it is compared with; tests that reach further than
    themselves; types that say nothing."""
    if not _SOURCE.search(file.new):
        return []
    found = [guard("test-aware", file.new, line.number, words) for line, words in guard_aware.asking(file)]
    found += [guard("suppression", file.new, line.number, line.text) for line in guard_types.hidden(file)]
    if is_test(file.new):
        found += [guard("test-aware", file.new, line.number, line.text) for line in guard_lines.deciding(file)]
    return found
