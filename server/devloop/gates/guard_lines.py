"""Tests in other languages than Python, by the lines of a diff: JavaScript, Go, Rust. Pure.

As for Python (`guard_kept.py`), a change is told unless it takes nothing away: layout, comments, new tests, statements
behind all that a test had, data. A statement that came in before one that was there may end the test or decide what it
sees; so may one at the top of a file that is neither an import nor a definition.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from devloop.gates.patch import FileDiff, Hunk, Line

Found = tuple[int, int, str]
"""First and last line (0-based, of the new text; of the old one for what is gone), words."""

_COUNTS: Final = re.compile(r"^(?!\s*(?://|/?\*|import\b|use\s|export\b.*\bfrom\b|#\s)).*\w")
"""No comment, no import and more than brackets."""
_ENDS: Final = re.compile(r"^\s*+(?:return(?:\s++(?:true|null|undefined|nil))?\s*+;?\s*+$|process\.exit\(|os\.Exit\()")
_TEST: Final = re.compile(
    r"(?:it|test|describe|suite|context|bench|t\.Run)\b(?:\.(?:each|concurrent|sequential|for)\b)*\s*[(`]"
    r"|(?:async\s+)?(?:func|fn)\s|(?:#\[(?:\w+::)*test\b)"
)
_DEFINES: Final = re.compile(
    r"(?:export\s|import\b|(?:const|let|var|type|function|class|interface|enum|declare|namespace|package|struct|trait|impl"
    r"|use|mod|pub|fn|func|static|unsafe|async\s+(?:function|fn)|macro_rules!|abstract\s+class)\b|#\[(?:derive|rstest|case)\b)"
)
_DATA: Final = re.compile(r"[\[{('\"`\d-]|[\w.'\"]++\s*+:\s*+[^=\s].*,$|[\w.'\"-]+,$|\.\.\.\w+,$|\.\w")
_MEMBER: Final = re.compile(
    r"(?:(?:readonly|public|private|static|pub)\s+)*\w+\??\s*:\s*[^=;()]+[;,]?$"
    r"|(?!(?:return|throw|break|continue|goto|go|defer|await|yield|use|delete)\b)\w+\s+[\w.*\[\]]+\s*(?://.*)?$"
    r"|(?:(?:async|static|get|set)\s+)*(?!(?:if|for|while|switch|with|catch|do|loop|match)\b)\w+\([^()]*\)\s*\{$"
)
"""Of a type or a class: `name: string;`, `name string`, `name(one, two) {`."""
_ENDS_EARLY: Final = re.compile(r"^\(|\breturn\b|\bskip\b|[\])}'\"`]\s*[.(](?=.*[^,]$)")
_INNER_DEFINITION: Final = re.compile(
    r"(?:use|type|interface|struct|enum|trait|impl|class|async\s+fn)\b|#\[(?:derive|case)\b"
)
_ATTRIBUTE: Final = re.compile(r"\s*(?:#\[|//|$)")
_OWN_NAMES: Final = frozenset(("main", "new", "default", "from"))
_CLOSES: Final = re.compile(r"[\])}]|end\b")
_IMPORT: Final = re.compile(r"^\s*(?:import|export)\b(?P<names>[^'\"]*)\bfrom\s*(?P<place>['\"][^'\"]+['\"])")
_USE: Final = re.compile(r"^\s*(?:pub\s+)?use\s+(?P<place>[\w:]+::)(?P<names>\w+|\{[^}]*\})\s*;")
_BOUND: Final = re.compile(r"^\s*(?:export\s+)?(?:const|let|var|function|class|fn)\s+(\w+)")
_NAME: Final = re.compile(r"\w+")
_TEST_MODULE: Final = re.compile(r"^(?:pub\s+)?mod\s+\w*tests?\w*\s*\{")
_RUST_MARK: Final = re.compile(r"^\s*#\[(?:cfg\((?:all\()?test\b|(?:\w+::)*test\b)")
_TAG: Final = re.compile(r"^\s*//\s*(?:go:build\b|\+build\b)")
_DECIDES: Final = {
    "go": re.compile(
        rf"^func\s+(?:TestMain|init)\s*\(|^var\s+_\s*=|{_TAG.pattern}"
        r"|\b(?:os|syscall)\.Exit\b(?!\(\s*+(?:[1-9]|m\.Run\(\)))"
        r"|^\s*+(?:import\s++)?(?!import\b)[\w.]++\s++\"(?:os|syscall)\""
    ),
    "js": re.compile(
        r"\bexpect\.extend\s*\(|\bmock\.module\s*\(|\brequire\.cache\b|\bModule\._\w+\s*=|\.prototype\.\w+\s*=(?!=)"
        r"|\bglobal(?:This)?\.(?:expect|it|test|describe|assert|Promise|Object|Array|JSON)\s*=(?!=)"
        r"|\bObject\.define(?:Property|Properties)\s*\(\s*(?:\w+\.prototype|global(?:This)?|Object)\b"
        r"|\bprocess\.(?:exitCode\s*+(?:\?\?|\|\||&&)?=\s*+0|(?:exit|reallyExit)\s*+=(?!=)|exit\s*+\(\s*+(?![1-9])|reallyExit\b"
        r"|abort\b|kill\(\s*+process\.pid|on(?:ce)?\(\s*['\"](?:beforeE|e)xit)|=\s*+process\.exit\s*+;?+$"
        r"|\bprocess(?:\s*+\[|\?\.(?!env))|\bexit\?\.\(|\bDeno\.exit\(\s*+(?![1-9])"
        r"|^\s*+(?:import|const|let|var)\s++\{(?=[^}]*\b(?:exit|abort|reallyExit)\b)[^}]*+\}\s*+(?:=\s*+process\b|from\s*+['\"](?:node:)?process['\"])"
    ),
    "rs": re.compile(
        r"\bprocess::exit\(\s*+(?![1-9])|^\s*#\[(?:ctor|cfg\(any\(\)\))|\b(?:libc|unistd)::_?exit\b"
        r"|^\s*+use\s++std::process::(?:exit\b|\{(?=[^}]*\bexit\b))"
    ),
}
"""What a new line of tests does to other tests of the same process or package."""


def language(path: str) -> str:
    ending = path.rsplit(".", 1)[-1]
    return ending if ending in ("go", "rs") else "js" if re.fullmatch(r"[cm]?[jt]sx?", ending) else ""


def deciding(file: FileDiff) -> list[Line]:
    """New lines that reach further than their own test. What ends a test that was there is `lost`; when a new file is
    built concerns it alone."""
    pattern = _DECIDES.get(language(file.new))
    before = {_flat(line.text) for line in file.removed}
    return [
        line
        for line in file.added
        if pattern and pattern.search(line.text) and _flat(line.text) not in before
        if not (_ENDS if file.old else _TAG).search(line.text)
    ]


def lost(file: FileDiff, elsewhere: Iterable[str] = ()) -> list[Found]:
    """The first line of each hunk that went and stands nowhere in what came, or that came and may decide about what was
    there; and names that stand for something else. `elsewhere`: lines of other files and of the code beside the tests,
    whose functions tests may define anew."""
    came = Counter(_flat(line.text) for line in file.added)
    moved = Counter(_flat(line.text) for line in file.removed)
    found = list(_renamed(file))
    defined = {match[1] for text in elsewhere if (match := _BOUND.match(text.replace("pub ", "")))}
    for hunk in file.hunks:
        first = _went(hunk, came)
        lines = [*([first] if first else []), *_came(hunk, moved, defined)][:1]
        found += [(line.number, line.number, words) for line, words in lines]
        found += [(e.number, e.number, e.text.strip()) for e in hunk.lines if e.sign == "+" and _ENDS.search(e.text)]
    return found


def _went(hunk: Hunk, came: Counter[str]) -> tuple[Line, str] | None:
    gone = None
    for line in hunk.lines:
        if line.sign == "-" and _COUNTS.search(line.text):
            if came[_flat(line.text)] > 0:
                came[_flat(line.text)] -= 1
            elif gone is None:
                gone = (line, f"changed or gone: {line.text.strip()}")
    return gone


def _came(hunk: Hunk, moved: Counter[str], defined: set[str]) -> Iterator[tuple[Line, str]]:
    """New statements that may decide about those that were there."""
    run: list[Line] = []
    for line in hunk.lines:
        if line.sign == "-":
            continue
        kept = line.sign == " " or moved[_flat(line.text)] > 0
        if not kept:
            run.append(line)
        elif line.text.strip():
            moved[_flat(line.text)] -= line.sign == "+"
            yield from _before(run, line.text, defined)
            run = []
    yield from _before(run, "", defined)


def _before(run: list[Line], following: str, defined: set[str]) -> Iterator[tuple[Line, str]]:
    """New lines before one that was there, or at the end of what is seen."""
    inner = _indent(following) if following[:1].isspace() and not _CLOSES.match(following.strip()) else 0
    comment = False
    for at, line in enumerate(run):
        text = line.text.strip()
        comment = comment or text.startswith("/*")
        if comment or not text or _indent(line.text) > inner or not _COUNTS.search(line.text):
            comment = comment and "*/" not in text
            continue
        bound = _BOUND.match(text)
        if bound and bound[1] in defined and bound[1] not in _OWN_NAMES:
            yield line, f"stands for what is tested: {text}"
        elif _CLOSES.match(text) or _TEST.match(text) or (_DATA.match(text) and not _ENDS_EARLY.search(text)):
            continue
        elif text.startswith("#[") and any(not _ATTRIBUTE.match(each.text) for each in run[at + 1 :]):
            continue  # of something that is new itself
        elif inner:
            if not (_INNER_DEFINITION.match(text) or _MEMBER.match(text)):
                yield line, f"new before what was there: {text}"
        elif _indent(line.text) == 0 and not _DEFINES.match(text):
            yield line, f"new: {text}"


def _renamed(file: FileDiff) -> Iterator[Found]:
    """Names that were imported from one place and come from another one, or are defined here, now."""
    was = dict(_imported(file.removed))
    for name, (place, _) in _imported(file.added):
        if name in was and was[name][0] != place:
            line = was.pop(name)[1]
            yield line.number, line.number, f"{name} is from {place}, and was from elsewhere: {line.text.strip()}"
    for added in file.added:
        bound = _BOUND.match(added.text)
        if bound and bound[1] in was:
            yield added.number, added.number, f"{bound[1]} was imported, and is defined here: {added.text.strip()}"


def _imported(lines: Iterable[Line]) -> Iterator[tuple[str, tuple[str, Line]]]:
    for line in lines:
        match = _IMPORT.match(line.text) or _USE.match(line.text)
        for name in _NAME.findall(match["names"]) if match else ():
            if match and name not in ("as", "type", "typeof"):
                yield name, (match["place"], line)


def rust_tests(file: FileDiff) -> FileDiff:
    """The part of a Rust module that is its tests, as far as hunks and their headings tell."""
    made = FileDiff(file.old, file.new)
    for hunk in file.hunks:
        inside = bool(_TEST_MODULE.match(hunk.heading))
        part = Hunk(hunk.new_start, heading=hunk.heading)
        for line in hunk.lines:
            inside = inside or bool(_RUST_MARK.match(line.text) or _TEST_MODULE.match(line.text))
            if inside:
                part.lines.append(line)
            if line.text.startswith("}") and line.sign != "-":
                inside = False
        if part.lines:
            made.hunks.append(part)
    return made


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _flat(text: str) -> str:
    return "".join(text.split()).rstrip(",;")
