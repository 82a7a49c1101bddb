"""What should not go out unseen, found in the lines that a release adds (agents reference §2, ship). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from devloop.redact import Redactor, artefacts, one_line

Severity = Literal["blocker", "warning"]

MAX_FOUND: Final = 200
LARGE: Final = 1 << 20
HUGE: Final = 50 << 20
"""Bytes above which hosts warn of a file (GitHub's documentation on large files)."""
_MARKS: Final = re.compile(r"^(?:<{7} |>{7} |\|{7} )")
_NOTES: Final = re.compile(r"(?:#|//|/\*|<!--|--|;|\*|\")\s*\b(TODO|FIXME|XXX|HACK)\b")
_DEBUG: Final = {
    ".py": re.compile(r"^\s*(?:breakpoint\(|import pdb\b|(?:i?pdb)\.set_trace\()"),
    ".js": re.compile(r"\bconsole\.(?:log|debug)\(|^\s*debugger\b"),
    ".go": re.compile(r"\bspew\.Dump\(|\bruntime\.Breakpoint\("),
    ".rb": re.compile(r"\bbinding\.(?:pry|irb)\b|\bbyebug\b"),
    ".php": re.compile(r"\b(?:var_dump|dd)\("),
    ".rs": re.compile(r"\bdbg!\("),
}
_ALIKE: Final = {".ts": ".js", ".tsx": ".js", ".jsx": ".js", ".mjs": ".js", ".cjs": ".js", ".vue": ".js"}
_HUNK: Final = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)")


@dataclass(frozen=True)
class Found:
    severity: Severity
    kind: Literal["conflict", "secret", "note", "debug", "large"]
    path: str
    line: int
    """0 for the file as a whole."""
    text: str

    def to_json(self) -> dict[str, str | int]:
        return {"severity": self.severity, "kind": self.kind, "path": self.path, "line": self.line, "text": self.text}


def in_patch(patch: str, redactor: Redactor) -> tuple[Found, ...]:
    """From a unified diff with `+++ b/path` headers: blockers first, `MAX_FOUND` at most."""
    found = [each for path, line, text in added(patch) for each in _in_line(path, line, text, redactor)]
    found.sort(key=lambda each: each.severity != "blocker")
    return tuple(found[:MAX_FOUND])


def in_words(where: str, text: str, redactor: Redactor) -> tuple[Found, ...]:
    """Secrets in words that go out beside the files, as those of commits."""
    clean = ((line, redactor.text(line)) for line in text.split("\n"))
    return tuple(Found("blocker", "secret", where, 0, one_line(now, 120)) for line, now in clean if now != line)


def in_names(paths: Iterable[str], redactor: Redactor) -> tuple[Found, ...]:
    """Secrets in the names of files and folders that a release adds or changes."""
    looked = artefacts.names(paths)
    hits = artefacts.hits([("", number, text) for number, (_, text) in enumerate(looked, 1)], redactor)
    told = (one_line(artefacts.name_without(redactor, hit.path), 120) for hit in artefacts.in_names(hits, looked))
    return tuple(Found("blocker", "secret", path, 0, "in its name") for path in sorted(dict.fromkeys(told)))


def scanned(
    hits: Iterable[artefacts.Hit], lines: artefacts.Lines, known: Iterable[Found], redactor: Redactor
) -> tuple[Found, ...]:
    """What another scanner found in these lines, as what was found here before (`known`) is told, and none of that
    twice."""
    texts = {(path, number): text for path, number, text in lines}
    seen = {(each.path, each.line) for each in known if each.kind == "secret"}
    found = []
    for hit in hits:
        placeholder = redactor.told(hit.rule, hit.value)
        text = texts.get((hit.path, hit.line), "")
        said = redactor.text(text.replace(hit.value, placeholder)) if hit.value in text else placeholder
        if (hit.path, hit.line) not in seen:
            seen.add((hit.path, hit.line))
            found.append(Found("blocker", "secret", hit.path, hit.line, one_line(said, 120)))
    return tuple(found[:MAX_FOUND])


def large(files: Iterable[tuple[str, int]]) -> tuple[Found, ...]:
    """From paths and sizes in bytes."""
    return tuple(
        Found("blocker" if size > HUGE else "warning", "large", path, 0, f"{size / (1 << 20):.1f} MiB")
        for path, size in files
        if size > LARGE
    )


def added(patch: str) -> Iterator[tuple[str, int, str]]:
    """The lines that a patch adds: path, line number in the new file, text."""
    path, number, left = "", 0, False
    for line in patch.split("\n"):
        if line.startswith("diff --git "):
            path, left = "", True
        elif left and line.startswith("+++ "):
            path = line[4:].removeprefix("b/").rstrip("\t\r") if line[4:] != "/dev/null" else ""
        elif line.startswith("@@ "):
            hunk = _HUNK.match(line)
            number, left = int(hunk[1]) if hunk else 0, False
        elif left or not path:
            continue
        elif line.startswith("+"):
            yield path, number, line[1:]
            number += 1
        elif not line.startswith(("-", "\\")):
            number += 1


def _in_line(path: str, line: int, text: str, redactor: Redactor) -> Iterator[Found]:
    if _MARKS.match(text):
        yield Found("blocker", "conflict", path, line, one_line(redactor.text(text), 80))
    clean = redactor.text(text)
    if clean != text:
        yield Found("blocker", "secret", path, line, one_line(clean, 120))
    suffix = path[path.rfind(".") :].lower() if "." in path else ""
    debug = _DEBUG.get(_ALIKE.get(suffix, suffix))
    if debug is not None and debug.search(text):
        yield Found("warning", "debug", path, line, one_line(clean.strip(), 120))
    if suffix not in (".md", ".txt", ".rst") and _NOTES.search(text):
        yield Found("warning", "note", path, line, one_line(clean.strip(), 120))
