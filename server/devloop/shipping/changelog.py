"""CHANGELOG.md in the form of Keep a Changelog 1.1.0: a section for the new version, above the older ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from devloop.redact import one_line
from devloop.shipping.commits import Change

PATH: Final = "CHANGELOG.md"
_NEW: Final = """# Changelog

What changed for those who use this, newest first. The form is that of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/),
versions follow [Semantic Versioning](https://semver.org/spec/v2.0.0.html).

## [Unreleased]
"""
_GROUPS: Final = {
    "feat": "Added",
    "fix": "Fixed",
    "security": "Security",
    "deprecate": "Deprecated",
    "remove": "Removed",
}
_UNSAID: Final = frozenset(("docs", "test", "tests", "ci", "chore", "style", "build"))
ORDER: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
_SECTION: Final = re.compile(r"^##[ \t]+\[?(?P<name>[^\]\s]+)\]?.*$", re.MULTILINE)
_MARKUP: Final = re.compile(r"`[^`]*`|<(?=[A-Za-z/!?])")
_BEGINS_A_BLOCK: Final = re.compile(r"(?=[#>+*-](?:\s|$)|[-*_=]{3,}$|\[[ xX]\]\s|```|~~~)")
_LINK: Final = re.compile(
    r"^\[unreleased\]:[ \t]*(?P<before>\S*/)(?P<old>[^\s/]+?)\.\.\.HEAD[ \t]*$", re.IGNORECASE | re.MULTILINE
)


def entries(changes: Iterable[Change]) -> dict[str, list[str]]:
    """Lines by group, in the order of `ORDER`; what only builders notice is left out."""
    found: dict[str, list[str]] = {}
    for change in changes:
        if change.type in _UNSAID and not change.breaking:
            continue
        scope = f"{one_line(change.scope, 40)}: " if change.scope else ""
        words = plain(f"{scope}{one_line(change.text, 300)}")
        line = f"**Breaking:** {words}" if change.breaking else words
        if change.breaking and change.breaking != change.text:
            line = f"{line}. {plain(one_line(change.breaking, 300))}"
        group = found.setdefault(_GROUPS.get(change.type, "Changed"), [])
        if line not in group:
            group.append(line)
    return {name: found[name] for name in ORDER if name in found}


def plain(words: str) -> str:
    """A line of words as Markdown that shows just these: `<T>` is no tag, and `# x` no heading. Code stays code."""
    shown = _MARKUP.sub(lambda found: f"\\{found[0]}" if found[0] == "<" else found[0], words)
    return f"\\{shown}" if _BEGINS_A_BLOCK.match(shown) else shown


def section(version: str, date: str, grouped: dict[str, list[str]], unreleased: str = "") -> str:
    """`## [1.2.0] - 2026-01-31` and what stands below it; `unreleased`: what people wrote there before, kept first."""
    parts = [f"## [{version}] - {date}"]
    if unreleased.strip():
        parts.append(unreleased.strip())
    parts += [f"### {name}\n\n" + "\n".join(f"- {line}" for line in lines) for name, lines in grouped.items()]
    return "\n\n".join(parts)


def released(text: str | None, version: str, date: str, grouped: dict[str, list[str]], tag: str) -> str:
    """The changelog with a section for `version`. One that has it already is answered as it is.

    What stands under *Unreleased* becomes part of the section: people wrote it for this version. `text` None: there is
    no file yet. Line ends stay.
    """
    crlf = text is not None and "\r\n" in text
    source = (_NEW if text is None else text).replace("\r\n", "\n")
    sections = list(_SECTION.finditer(source))
    if any(found["name"].removeprefix("v") == version for found in sections):
        return source.replace("\n", "\r\n") if crlf else source
    open_one = next((found for found in sections if found["name"].lower() == "unreleased"), None)
    if open_one is not None:
        after = next((found.start() for found in sections if found.start() > open_one.start()), None)
        end = after if after is not None else _end_of_text(source, open_one.end())
        new = section(version, date, grouped, source[open_one.end() : end])
        made = f"{source[: open_one.end()].rstrip()}\n\n{new}\n\n{source[end:]}"
    else:
        at = sections[0].start() if sections else len(source)
        made = f"{source[:at].rstrip()}\n\n{section(version, date, grouped)}\n\n{source[at:]}".lstrip("\n")
    made = _linked(made.rstrip("\n") + "\n", version, tag)
    return made.replace("\n", "\r\n") if crlf else made


def _end_of_text(source: str, start: int) -> int:
    """Where the link definitions at the end begin, else the end."""
    found = re.search(r"(?:^\[[^\]\n]+\]:[ \t]*\S+[ \t]*\n?)+\Z", source[start:], re.MULTILINE)
    return start + found.start() if found else len(source)


def _linked(text: str, version: str, tag: str) -> str:
    """The comparison links below, where the file has them."""

    def replace(found: re.Match[str]) -> str:
        before = found["before"]
        return f"[unreleased]: {before}{tag}...HEAD\n[{version}]: {before}{found['old']}...{tag}"

    return _LINK.sub(replace, text, count=1)


def of_version(text: str, version: str) -> str:
    """The section of a version without its heading; "" where there is none."""
    sections: Sequence[re.Match[str]] = list(_SECTION.finditer(text))
    for number, found in enumerate(sections):
        if found["name"].removeprefix("v") == version:
            end = sections[number + 1].start() if number + 1 < len(sections) else _end_of_text(text, found.end())
            return text[found.end() : end].strip()
    return ""
