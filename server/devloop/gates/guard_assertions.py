"""Assertions that went, changed or became weaker, by the lines of a diff: Python, JavaScript, Go, Rust. Pure."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Container
from typing import Final, Literal

from devloop.gates.patch import FileDiff, Hunk, Line

AssertionKind = Literal["removed-assertion", "changed-assertion", "weakened-assertion"]

ASSERT: Final = re.compile(
    r"^\s*assert\b|\bself\.(?:assert\w+|fail)\s*\(|\bpytest\.(?:raises|warns)\s*\(|\bexpect\s*\(|\bassert\w*[.(!]"
    r"|\bt\.(?:Error|Fatal)|\brequire\.\w+\("
)
_EXACT: Final = re.compile(
    r"==|\bis\s+(?:True|False|None)\b|assertEqual|assert\w*Equals?\(|assertIs\(|assertDictEqual|assertListEqual|assert_eq!"
    r"|\.to(?:Be|BeNull|BeUndefined|Equal|StrictEqual|HaveLength|MatchSnapshot|MatchInlineSnapshot)\(|\.(?:deepE|strictE|e)qual\("
    r"|assert_called_(?:once_)?with|\.toHaveBeenCalledWith\(|\b(?:assert|require)\.(?:Equal|JSONEq)\("
)
_PARTLY: Final = re.compile(
    r"[<>]=?|\bin\b|!=|approx|isclose|allclose|assert(?:Not)?(?:In|Greater\w*|Less\w*|AlmostEqual|Regex)\b|assert_ne!"
    r"|\.to(?:Contain\w*|Match\w*|BeCloseTo|BeGreater\w*|BeLess\w*|HaveProperty|HaveBeenCalledTimes)\(|startswith|endswith"
    r"|\b(?:assert|require)\.(?:Contains|InDelta|ElementsMatch|Regexp)\("
)
CONSTANT: Final = re.compile(
    r"^\s*assert\s+(?:True|1|not\s+False|not\s+None|\"[^\"]+\"|'[^']+')\s*(?:,.*)?(?:#.*)?$|^\s*assert\s*\(\s*(?:True|1)\s*\)"
    r"|^\s*assert\b.*\bor\s+(?:True|1)\b|assertTrue\(\s*(?:True|1)\s*[,)]|assertEqual\(\s*(\w+)\s*,\s*\1\s*[,)]"
    r"|expect\(\s*(?:true|1)\s*\)\.toBe\w*\(\s*+(?:true|1)?\s*+\)|\bassert(?:\.ok)?[!(]+\s*true\s*\)|assert\.True\(\w+,\s*true\)"
)
_RAISES: Final = re.compile(r"(?:raises|assertRaises(?:Regex)?|warns)\s*\(\s*([\w.]+)")
_BROAD: Final = frozenset({"Exception", "BaseException", "Warning"})
_TOLERANCES: Final = (
    (re.compile(r"\b(?:rel|abs|rel_tol|abs_tol|rtol|atol|delta|tolerance|msg_delta)\s*=\s*([\d.eE+-]+)"), 1),
    (re.compile(r"\bplaces\s*=\s*(\d+)"), -1),
    (re.compile(r"assertAlmostEqual\(.*,\s*(\d+)\s*\)"), -1),
    (re.compile(r"toBeCloseTo\(.*,\s*(\d+)\s*\)"), -1),
    (re.compile(r"\bInDelta\(.*,\s*([\d.eE+-]+)\s*\)"), 1),
    (re.compile(r"<=?\s*([\d.]+(?:e-?\d+)?)\s*(?:[,;)]|$)"), 1),
    (re.compile(r">=?\s*([\d.]+(?:e-?\d+)?)\s*(?:[,;)]|$)"), -1),
)
"""Numbers that widen a check when they grow (1) or shrink (-1)."""
_ALIKE: Final = 0.5


def assertions(file: FileDiff, dead: Container[int] = ()) -> list[tuple[AssertionKind, Line, str]]:
    """Assertions of the old file that the new one has no longer, each with its line and what stands there now.

    A line that only moved is none, unless it moved to a line of the new file that nothing runs (`dead`). One that has a
    counterpart in its hunk is changed, or weakened; one that has none is changed where the file got as many others,
    else removed.
    """
    alive = [line for line in file.added if line.number not in dead and ASSERT.search(line.text)]
    moved = Counter(_flat(line.text) for line in alive)
    found: list[tuple[AssertionKind, Line, str]] = []
    alone: list[Line] = []
    spare = 0
    for hunk in file.hunks:
        gone, come = _of(hunk, moved, dead)
        for line in gone:
            other = _counterpart(line, come)
            if other is None:
                alone.append(line)
                continue
            come.remove(other)
            kind: AssertionKind = "weakened-assertion" if weaker(line.text, other.text) else "changed-assertion"
            found.append((kind, line, f"{_flat(line.text)} → {_flat(other.text)}"))
        spare += len(come)
    rest: AssertionKind = "changed-assertion" if spare >= len(alone) else "removed-assertion"
    found += [(rest, line, _flat(line.text)) for line in alone]
    return sorted(found, key=lambda each: each[1].number)


def constants(file: FileDiff) -> list[Line]:
    """Added assertions that can't fail."""
    before = Counter(_flat(line.text) for line in file.removed)
    return [line for line in file.added if CONSTANT.search(line.text) and not before[_flat(line.text)]]


def _of(hunk: Hunk, moved: Counter[str], dead: Container[int]) -> tuple[list[Line], list[Line]]:
    gone, come = [], []
    for line in hunk.lines:
        if line.sign == "-" and ASSERT.search(line.text):
            if moved[_flat(line.text)] > 0:
                moved[_flat(line.text)] -= 1
            else:
                gone.append(line)
    stayed = {_flat(line.text) for line in hunk.lines if line.sign == "-"}
    for line in hunk.lines:
        if line.number in dead:
            continue
        if line.sign == "+" and ASSERT.search(line.text) and _flat(line.text) not in stayed:
            come.append(line)
    return gone, come


def _counterpart(line: Line, others: list[Line]) -> Line | None:
    def alike(other: Line) -> float:
        return difflib.SequenceMatcher(None, _flat(line.text)[:300], _flat(other.text)[:300]).ratio()

    best = max(others[:40], key=alike, default=None)
    return best if best is not None and alike(best) >= _ALIKE else None


def weaker(old: str, new: str) -> bool:
    """Whether `new` lets more pass than `old`, as far as the two lines tell."""
    if strength(new) < strength(old):
        return True
    was, now = _RAISES.search(old), _RAISES.search(new)
    if was and now and now[1] in _BROAD and was[1] not in _BROAD:
        return True
    if "match=" in old and "match=" not in new and was and now:
        return True
    for pattern, direction in _TOLERANCES:
        before, after = pattern.findall(old), pattern.findall(new)
        pairs = zip(before, after, strict=False)
        if any(direction * (_number(b) - _number(a)) > 0 for a, b in pairs):
            return True
    return False


def strength(line: str) -> int:
    """3: says what it has to be; 2: says something of it; 1: that there is something; 0: nothing."""
    if CONSTANT.search(line):
        return 0
    bare = re.sub(r"(['\"]).*?\1", "", line)
    if re.search(r"\b(?:approx|isclose|allclose)\b", bare):
        return 2
    if re.search(r"\bis\s+not\s+None\b|toBe(?:Truthy|Defined)\(|assertIsNotNone|assertTrue\(\s*[\w.]+\s*\)", bare):
        return 1
    if _EXACT.search(bare):
        return 3
    return 2 if _PARTLY.search(bare) or _RAISES.search(bare) else 1


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _flat(text: str) -> str:
    return " ".join(text.split())
