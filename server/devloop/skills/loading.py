"""What enters a conversation: the index of matching skills, a body, a reference. Everything is bounded."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devloop.errors import NotFound
from devloop.lists import some
from devloop.redact import cut, one_line
from devloop.skills.definitions import tokens
from devloop.skills.discovery import Found
from devloop.skills.triggers import Match
from devloop.trust import SKILL_FILE

MAX_LISTED = 6
MAX_LINE = 160
MAX_LOADED = 48 * 1024
"""Characters of a body or a reference; the linter complains far below that."""
HEADER = "Skills for this task (load_skill gives the text; load one before the work it is about):"


@dataclass(frozen=True)
class Loaded:
    """A text that enters the conversation. `reference` is "" for the body."""

    name: str
    reference: str
    source: str
    text: str

    @property
    def tokens(self) -> int:
        return tokens(self.text)


def index_lines(matches: Sequence[Match], active: Mapping[str, Found]) -> list[tuple[Match, str]]:
    """One line for each matching skill, the most certain ones first; explicit ones are left out: their body comes."""
    offered = [each for each in matches if not each.explicit and each.name in active]
    return [(each, _line(each, active[each.name])) for each in offered[:MAX_LISTED]]


def index_text(lines: Sequence[tuple[Match, str]]) -> str:
    return "\n".join([HEADER, *(line for _, line in lines)]) if lines else ""


def _line(match: Match, found: Found) -> str:
    about = found.skill.description.split(". ")[0].rstrip(".")
    return one_line(f"- {found.name}: {about} ({match.why})", MAX_LINE)


def load(active: Mapping[str, Found], name: str, reference: str = "") -> Loaded:
    """The body of a skill, or one of its files. Raises `NotFound` with what there is."""
    found = active.get(name.strip())
    if found is None:
        near = difflib.get_close_matches(name, active, n=3, cutoff=0.5)
        hint = f"Similar: {', '.join(near)}." if near else f"There are: {some(sorted(active), 40)}."
        raise NotFound(f"There is no skill {one_line(name, 60)!r}.", hint=hint)
    if reference and reference != SKILL_FILE:
        return Loaded(found.name, reference, found.where, _cut(_reference(found, reference)))
    return Loaded(found.name, "", found.where, _body(found))


def _body(found: Found) -> str:
    parts = [f"# Skill: {found.name}"]
    if found.skill.when_not:
        parts.append(f"Not for: {found.skill.when_not}")
    parts.append(_cut(found.skill.body))
    if names := references(found):
        told = ", ".join(one_line(name, 80) for name in names[:30])
        parts.append(f"More, by load_skill with `reference`: {told}")
    return "\n\n".join(parts)


def references(found: Found) -> list[str]:
    """The files beside SKILL.md that can be read as text."""
    return sorted(name for name, data in found.files.items() if name != SKILL_FILE and _text(data) is not None)


def _reference(found: Found, name: str) -> str:
    wanted = name.removeprefix("./")
    data = found.files.get(wanted)
    if data is None:
        known = ", ".join(references(found)[:30])
        raise NotFound(
            f"The skill {found.name} has no file {one_line(name, 80)!r}.",
            hint=f"There are: {known}." if known else "It has no references.",
        )
    text = _text(data)
    if text is None:
        raise NotFound(f"{one_line(name, 80)} of the skill {found.name} is no text.")
    return text


def _text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def _cut(text: str) -> str:
    return cut(text, MAX_LOADED, f"\n… cut: {len(text) - MAX_LOADED:,} more characters")
