"""Text files as a model should see and change them: without BOM and `\\r`, both kept in the file."""

from __future__ import annotations

import codecs
import difflib
import re
from dataclasses import dataclass

from devloop.redact import PLACEHOLDER, unescaped, visible
from devloop.redact.characters import MARK
from devloop.tools.model import Problem

NEAR_LINES = 5000
"""Longer files are not searched for similar lines."""
SHOWN = 300


@dataclass(frozen=True)
class Text:
    """`text` as in the file, line ends included, without the BOM. `eol` is the file's prevailing line end."""

    text: str
    bom: bool
    eol: str

    def encode(self, text: str) -> bytes:
        return (codecs.BOM_UTF8 if self.bom else b"") + encoded(text)


def decode(data: bytes, name: str) -> Text:
    """Raises `Problem` for what is no UTF-8 text: changing it would damage it."""
    if b"\0" in data[:8192]:
        raise Problem(f"{name} is a binary file.")
    bom = data.startswith(codecs.BOM_UTF8)
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as problem:
        raise Problem(
            f"{name} is not UTF-8 (byte {problem.start}), so it can't be edited; convert it with a command first."
        ) from None
    returns = text.count("\r\n")
    return Text(text, bom, "\r\n" if returns > text.count("\n") - returns else "\n")


def encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise Problem("The new text contains characters that are not valid Unicode.") from None


def with_eol(text: str, eol: str) -> str:
    """`text` with `eol` at every line's end; a lone `\\r` stays."""
    plain = text.replace("\r\n", "\n")
    return plain if eol == "\n" else plain.replace("\n", eol)


def without_placeholders(text: str, before: str, name: str) -> None:
    """Raises `Problem` where `text` has a placeholder of a hidden secret in it that the file does not have as such:
    written back it would destroy the secret that it stands for."""
    for found in PLACEHOLDER.finditer(text):
        if found[0] not in before:
            raise Problem(
                f"{found[0]} stands for a secret that {name} holds and you are not shown; it can't be written. Use "
                "edit_file on the lines around it, or leave that line to the person."
            )


def without_marks(text: str, before: str, name: str) -> None:
    """Raises `Problem` where `text` has `\\u{…}` for a hidden character that the file holds as itself."""
    if visible(before, code=True) == before:
        return
    for mark in dict.fromkeys(MARK.findall(text)):
        if mark not in before and unescaped(mark) in before:
            raise Problem(
                f"{mark} is how you are shown an invisible character of {name}; written like that it would become "
                "these letters. Use edit_file, which takes it for the character, or leave it out."
            )


def replace(source: Text, old: str, new: str, *, every: bool, name: str) -> tuple[str, list[int]]:
    """The text with `old` replaced by `new`, and the lines where that happened. `\\n` in `old` also matches `\\r\\n`,
    and `\\u{…}` the hidden character that `visible` shows so, where the file has it as such.

    New lines get the line end of what they replace, else of the file. Raises `Problem` when `old` is not there or is
    there more than once without `every`; the message then shows what is there.
    """
    pattern = re.compile("\r?\n".join(re.escape(line) for line in with_eol(old, "\n").split("\n")))
    found = list(pattern.finditer(source.text))
    if not found and (meant := unescaped(old)) != old:
        return replace(source, meant, unescaped(new), every=every, name=name)  # as it is shown
    if not found and PLACEHOLDER.search(old):
        raise Problem(
            f"old_string has a «redacted:…» in it, which stands for a secret that {name} holds and you are not shown. "
            "Name the text before or behind it alone."
        )
    without_placeholders(new, source.text, name)
    if not found:
        raise Problem(f"old_string was not found in {name}.{near(source.text, old)}")
    lines = [source.text.count("\n", 0, match.start()) + 1 for match in found[:1000]]
    if len(found) > 1 and not every:
        places = ", ".join(map(str, lines[:5])) + ("…" if len(lines) > 5 else "")
        raise Problem(
            f"old_string occurs {len(found)} times in {name} (lines {places}): add surrounding lines, or replace_all."
        )

    def renewed(match: re.Match[str]) -> str:
        newline = re.search(r"\r?\n", match[0])
        return with_eol(new, newline[0] if newline else source.eol)

    return pattern.sub(renewed, source.text), lines


def _short(line: str) -> str:
    """A line that is shown before it is clean: not in part, which may be half a secret."""
    return line if len(line) <= SHOWN else f"({len(line)} characters)"


def near(text: str, old: str) -> str:
    """A hint at what `old` was probably meant to be: the same line with other white space, or a similar one."""
    lines = text.splitlines()
    wanted = next((line for line in old.splitlines() if line.strip()), "").strip()
    if not wanted or not lines or len(lines) > NEAR_LINES:
        return ""
    exact = [number for number, line in enumerate(lines) if line.strip() == wanted]
    if not exact:
        short = [line.strip()[:300] for line in lines]
        close = difflib.get_close_matches(wanted[:300], short, n=1, cutoff=0.6)
        exact = [short.index(close[0])] if close else []
    if not exact:
        return ""
    height = min(len(old.splitlines()), 12)
    shown = "\n".join(f"{n + 1}\t{_short(lines[n])}" for n in range(exact[0], min(exact[0] + height, len(lines))))
    return f" The file has, at line {exact[0] + 1}:\n{shown}"


def changed_lines(before: str, after: str) -> tuple[int, int]:
    """Lines added and removed."""
    old, new = before.splitlines(), after.splitlines()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    if len(old) * len(new) > 1_000_000:
        return len(new), len(old)
    same = sum(block.size for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks())
    return len(new) - same, len(old) - same
