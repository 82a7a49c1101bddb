"""Looking only where a secret can be: nearly all of them have a long run of letters, digits, `_`, `-`, `+` and `=`, and
few lines of a log have one. Finding such lines takes a hundredth of what looking for each beginning takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

LENGTH: Final = 15
_IN: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+="
_TABLE: Final = bytes(97 if code in _IN else 10 if code == 10 else 32 for code in range(256))
_RUN: Final = b"a" * LENGTH
_LONG: Final = re.compile(rf"[A-Za-z0-9_+=-]{{{LENGTH}}}")


def has_run(text: str) -> bool:
    """Whether every text that holds `text` has a long run."""
    return _LONG.search(text) is not None


def on_lines_with_runs(text: str, change: Callable[[str], str]) -> str:
    """`text` with `change` applied to those of its lines, all at once, that have a long run. `change` keeps lines
    apart."""
    mask = text.encode("utf-8", "surrogatepass").translate(_TABLE)
    if _RUN not in mask:
        return text
    lines = text.split("\n")
    found = [number for number, line in enumerate(mask.split(b"\n")) if _RUN in line]
    if len(found) == len(lines):
        return change(text)
    before = "\n".join([lines[number] for number in found])
    after = change(before)
    if after == before:
        return text
    for number, line in zip(found, after.split("\n"), strict=True):
        lines[number] = line
    return "\n".join(lines)
