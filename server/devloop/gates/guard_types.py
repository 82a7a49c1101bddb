"""What a change hides from a check of types without a word that says so, by the lines of a diff. Pure.

In tests nothing of it counts: their word is whether they pass.
"""

from __future__ import annotations

import re
from typing import Final

from devloop.gates.guard_files import is_only_test
from devloop.gates.patch import FileDiff, Line

_PYTHON: Final = re.compile(
    r"\bcast\(\s*['\"]?(?:\w+\.)?Any\b(?!\[)|\bif\s+not\s+(?:\w+\.)?TYPE_CHECKING\b|\bif\s+(?:\w+\.)?TYPE_CHECKING\s+is\s+False\b"
)
_TYPESCRIPT: Final = re.compile(
    r"\bas\s+any\b(?=\s*(?:[,;:=)\]}.>|&?]|$))|\bas\s+unknown\s+as\b|<any>|^\s*declare\s+module\b"
)
_ANY: Final = {
    "py": (re.compile(r"\bdef\s+(\w+)"), re.compile(r"(?::|->)\s*(?:\w+\.)?Any\b(?!\[)")),
    "ts": (re.compile(r"\b(?:function|const|let)\s+(\w+)"), re.compile(r":\s*any\b|<any>")),
}
"""What names a function, and what says that a value of it may be anything."""


def hidden(file: FileDiff) -> list[Line]:
    """New lines that take a value from the check, and functions whose types became `Any`."""
    ending = file.new.rsplit(".", 1)[-1]
    kind = "py" if ending in ("py", "pyi") else "ts" if re.fullmatch(r"[cm]?tsx?", ending) else ""
    if not kind or is_only_test(file.new):
        return []
    before = {" ".join(line.text.split()) for line in file.removed}
    pattern = _PYTHON if kind == "py" else _TYPESCRIPT
    new = [line for line in file.added if " ".join(line.text.split()) not in before]
    return [*(line for line in new if pattern.search(line.text)), *_became_any(file, kind)]


def _became_any(file: FileDiff, kind: str) -> list[Line]:
    """Functions that took or gave something, and take or give anything now: of each, the line of its name."""
    name, anything = _ANY[kind]
    was = {match[1]: len(anything.findall(line.text)) for line in file.removed if (match := name.search(line.text))}
    return [
        line
        for line in file.added
        if (match := name.search(line.text)) and len(anything.findall(line.text)) > was.get(match[1], len(line.text))
    ]
