"""Short texts for people, as Markdown or plain.

Everything that comes from a plan, a model or a repository is escaped: it is shown, and can't become a link, a command,
HTML or a heading (CommonMark 0.31, "Backslash escapes", and the autolinks of GitHub's extension).
"""

from __future__ import annotations

import re
from typing import Final

from devloop.redact import one_line

LENGTH: Final = 160
"""Characters of one foreign text in a hover."""

_SPECIAL: Final = re.compile(
    r"[\\`*\[\]<~|]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # inside a word it means nothing
    r"|&(?=#?\w{1,32};)"
    r"|(?<=:)/(?=/)|(?<=www)\.|(?<=WWW)\.|(?<=[\w.+-])@(?=[\w-])",
    re.IGNORECASE,
)
_FIRST: Final = re.compile(r"[#+\-=>]|(?<=^)[:](?=[\s-])")
_NUMBERED: Final = re.compile(r"([0-9]{1,9})([.)])(?=\s|$)")
_TICKS: Final = re.compile(r"`+")
_ICON: Final = re.compile(r"\$\((?=[A-Za-z])")


def escaped(text: str, limit: int = LENGTH) -> str:
    """Any text as Markdown that shows just this text, on one line."""
    flat = one_line(text, limit)
    marked = _SPECIAL.sub(lambda found: "\\" + found[0], flat)
    if _FIRST.match(marked):
        return "\\" + marked
    return _NUMBERED.sub(r"\1\\\2", marked, count=1) if _NUMBERED.match(marked) else marked


def code(text: str, limit: int = LENGTH) -> str:
    """Any text as a code span."""
    flat = one_line(text, limit)
    if not flat:
        return ""
    fence = "`" * (max(map(len, _TICKS.findall(flat)), default=0) + 1)
    pad = " " if flat[0] == "`" or flat[-1] == "`" else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def label(text: str, limit: int = 120) -> str:
    """Any text as the title of a lens, which some editors search for icons: `$(name)`."""
    return _ICON.sub("$ (", one_line(text, limit))


class Sheet:
    """A few lines; `text` and its companions turn foreign text into a part of a line."""

    def __init__(self, markdown: bool) -> None:
        self.markdown = markdown
        self._lines: list[str] = []

    def text(self, text: str, limit: int = LENGTH) -> str:
        return escaped(text, limit) if self.markdown else one_line(text, limit)

    def strong(self, text: str) -> str:
        return f"**{escaped(text, LENGTH)}**" if self.markdown and text.strip() else self.text(text)

    def code(self, text: str, limit: int = LENGTH) -> str:
        return code(text, limit) if self.markdown else one_line(text, limit)

    def add(self, *parts: str) -> None:
        """One line of parts that are fit for it; empty parts are left out."""
        line = " ".join(filter(None, parts))
        if line:
            self._lines.append(line)

    def __bool__(self) -> bool:
        return bool(self._lines)

    @property
    def value(self) -> str:
        return ("  \n" if self.markdown else "\n").join(self._lines)


def size(count: int) -> str:
    """Bytes for people."""
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
