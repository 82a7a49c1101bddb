"""Changes that weaken a check, found in a unified diff and shown at the checkpoint (gates §5.6). Pure.

They are made visible, not forbidden: a task may well ask for them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from devloop.gates.patch import FileDiff, parse

GuardKind = Literal[
    "configuration", "conftest", "skip", "suppression", "deleted-test", "removed-assertion", "changed-assertion"
]

_CONFIG_FILES = re.compile(
    r"(?:^|/)(?:pytest\.ini|\.pytest\.ini|pytest\.toml|\.pytest\.toml|tox\.ini|noxfile\.py|\.?ruff\.toml|\.?mypy\.ini"
    r"|pyrightconfig\.json|\.bandit|bandit\.ya?ml|\.coveragerc|\.pylintrc|\.flake8|sitecustomize\.py|usercustomize\.py"
    r"|tsconfig[^/]*\.json|\.?eslint[^/]*|biome\.jsonc?|jest\.config\.[^/]+|vitest\.config\.[^/]+|\.semgrep[^/]*"
    r"|\.pre-commit-config\.yaml|[^/]+\.pth|Makefile|justfile)$|^\.devloop/|^\.github/workflows/"
)
_SECTIONED = re.compile(r"(?:^|/)(?:pyproject\.toml|setup\.cfg)$")
_SECTION = re.compile(r"^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}")
_HARMLESS = re.compile(
    r"^(?:project(?:\..*)?|build-system|dependency-groups|metadata|options(?:\..*)?|"
    r"tool\.(?:poetry|hatch|pdm|setuptools\w*|flit|uv)(?:\..*)?)$"
)
_HATCH_TEST = re.compile(r"^tool\.hatch\.envs\..*(?:test|script)")
_TEST_FILE = re.compile(
    r"(?:^|/)(?:test_[^/]*\.py|[^/]*_test\.(?:py|go)|tests\.py|[^/]*\.(?:test|spec)\.[cm]?[jt]sx?)$|(?:^|/)__tests__/"
)
_TEST_FOLDER = re.compile(r"(?:^|/)tests?/.*\.(?:py|[cm]?[jt]sx?|go|rs)$")
_SKIP = re.compile(
    r"pytest\.mark\.(?:skip|skipif|xfail)\b|pytest\.(?:skip|xfail|importorskip)\s*\(|unittest\.(?:skip\w*|expectedFailure)\b"
    r"|\bself\.skipTest\s*\(|@(?:skip|skipIf|skipUnless|expectedFailure)\b|raise\s+(?:unittest\.)?SkipTest\b|\bcollect_ignore"
    r"|\b__test__\s*=\s*False|\b(?:it|test|describe)\.(?:skip|todo|only)\b|\bx(?:it|describe)\s*\(|\bt\.Skip\w*\(|#\[ignore"
)
_SUPPRESS = re.compile(
    r"#\s*type:\s*ignore|#\s*noqa|#\s*ruff:\s*noqa|#\s*nosec|#\s*pyright:|#\s*mypy:|#\s*pylint:\s*disable|#\s*fmt:\s*(?:off|skip)"
    r"|#\s*pragma:\s*no\s*cover|@no_type_check|eslint-disable|@ts-(?:ignore|nocheck|expect-error)|biome-ignore|//\s*nolint"
    r"|#!?\[allow\(|nosemgrep",
    re.IGNORECASE,
)
_TEST_NAME = re.compile(
    r"^\s*(?:async\s+)?def\s+(test\w*)|^\s*class\s+(Test\w*)|^func\s+(Test\w*)|\b(?:it|test)\(\s*(['\"`].+?['\"`])"
)
_ASSERT = re.compile(
    r"^\s*assert\b|\bself\.(?:assert\w+|fail)\s*\(|\bpytest\.raises\s*\(|\bexpect\s*\(|\bassert\w*[.(!]|\bt\.(?:Error|Fatal)"
)


@dataclass(frozen=True)
class Guard:
    """One change to the checks. `line` is 0-based: in the new file, or in the old one for something removed."""

    kind: GuardKind
    file: str
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line + 1}"

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "file": self.file, "line": self.line, "place": self.place, "text": self.text}


def changes_to_checks(diff: str, read: Callable[[str], str | None] | None = None) -> tuple[Guard, ...]:
    """What `diff` (unified, as git writes it, `-z` not) does to tests and their configuration, in file order.

    `read(path)` may give a changed file's new text: then a line of `pyproject.toml` is put into its section exactly;
    without it a section that the hunk does not show is taken as one that matters.
    """
    files = parse(diff)
    added_tests = {name for file in files for line in file.added for name in _test_names(line.text)}
    found: list[Guard] = []
    for file in files:
        found += _configuration(file, read)
        if not file.binary:
            found += _weakened(file)
            found += _tests_gone(file, added_tests)
            found += _assertions(file)
    return tuple(found)


def is_test(path: str) -> bool:
    return bool(_TEST_FILE.search(path) or _TEST_FOLDER.search(path))


def _guard(kind: GuardKind, file: str, line: int, text: str) -> Guard:
    return Guard(kind, file, line, _flat(text)[:200])


def _flat(text: str) -> str:
    return " ".join(text.split())


def _configuration(file: FileDiff, read: Callable[[str], str | None] | None) -> list[Guard]:
    names = {file.old, file.new} - {""}
    path = file.new or file.old
    verb = "deleted" if not file.new else "added" if not file.old else "changed"
    if file.old and file.new and file.old != file.new:
        verb = f"renamed from {file.old}"
    first = min((line.number for line in (*file.added, *file.removed)), default=0)
    if any(name.rsplit("/", 1)[-1] == "conftest.py" for name in names):
        return [_guard("conftest", path, first, f"{verb} (+{len(file.added)} −{len(file.removed)})")]
    if any(_CONFIG_FILES.search(name) for name in names):
        return [_guard("configuration", path, first, f"{verb} (+{len(file.added)} −{len(file.removed)})")]
    if any(_SECTIONED.search(name) for name in names):
        return _sectioned(file, path, read(path) if read is not None and file.new else None)
    return []


def _sectioned(file: FileDiff, path: str, text: str | None) -> list[Guard]:
    """One entry per touched section that configures a check."""
    starts: dict[int, str] = {}
    if text is not None:
        current = ""
        for number, content in enumerate(text.split("\n")):
            current = match[1] if (match := _SECTION.match(content)) else current
            starts[number] = current
    found: dict[str, Guard] = {}
    for hunk in file.hunks:
        section: str | None = None
        for line in hunk.lines:
            section = match[1] if (match := _SECTION.match(line.text)) else section
            if line.sign == " " or not line.text.strip():
                continue
            exact = starts.get(line.number) if line.sign == "+" else None
            name = section or exact or starts.get(hunk.new_start) or "?"
            if _HARMLESS.match(name) and not _HATCH_TEST.match(name):
                continue
            shown = f"[{name}] {line.sign}{line.text}" if name != "?" else f"{line.sign}{line.text}"
            found.setdefault(name, _guard("configuration", path, line.number, shown))
    return list(found.values())


def _weakened(file: FileDiff) -> list[Guard]:
    """New skips and suppressions; one that was only moved within the file is not new."""
    found = []
    pairs: tuple[tuple[GuardKind, re.Pattern[str]], ...] = (("skip", _SKIP), ("suppression", _SUPPRESS))
    for kind, pattern in pairs:
        before = Counter(match for line in file.removed for match in _all(pattern, line.text))
        for line in file.added:
            for match in _all(pattern, line.text):
                if before[match] > 0:
                    before[match] -= 1
                else:
                    found.append(_guard(kind, file.new, line.number, line.text))
                    break
    return found


def _all(pattern: re.Pattern[str], text: str) -> list[str]:
    return ["".join(match[0].split()).lower() for match in pattern.finditer(text)]


def _test_names(text: str) -> list[str]:
    return [next(group for group in match.groups() if group) for match in _TEST_NAME.finditer(text)]


def _tests_gone(file: FileDiff, added: set[str]) -> list[Guard]:
    if not file.old or not (is_test(file.old) or is_test(file.new)):
        return []
    if not file.new:
        return [_guard("deleted-test", file.old, 0, f"the file was deleted ({len(file.removed)} lines)")]
    found = []
    if is_test(file.old) and not is_test(file.new):
        found.append(_guard("deleted-test", file.new, 0, f"renamed from {file.old}: no longer found as a test"))
    for line in file.removed:
        for name in _test_names(line.text):
            if name not in added:
                found.append(_guard("deleted-test", file.new, line.number, line.text))
    return found


def _assertions(file: FileDiff) -> list[Guard]:
    """Assertions that went away; when as many came in their place they count as changed."""
    if not file.old or not file.new or not is_test(file.old):
        return []
    added = Counter(_flat(line.text) for line in file.added if _ASSERT.search(line.text))
    gone = []
    for line in file.removed:
        if not _ASSERT.search(line.text):
            continue
        if added[_flat(line.text)] > 0:
            added[_flat(line.text)] -= 1
        else:
            gone.append(line)
    kind: GuardKind = "changed-assertion" if sum(added.values()) >= len(gone) else "removed-assertion"
    return [_guard(kind, file.new, line.number, line.text) for line in gone]
