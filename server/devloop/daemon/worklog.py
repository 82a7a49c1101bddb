"""`.devloop/worklog.md`: one row for each commit that landed (state-files §6). Text in, text out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from devloop.redact import one_line

_ROW = re.compile(r"^\|\s*`?([0-9a-fA-F]{4,64})`?\s*\|")
_SEPARATOR = re.compile(r"^\|(?:\s*:?-{3,}:?\s*\|){4}\s*$")
_HEADER = re.compile(r"^\|\s*Hash\s*\|", re.IGNORECASE)
_UPDATED = re.compile(r"^(\*\*Last Updated\*\*:[ \t]*)[^\r\n]*", re.MULTILINE)
_COLUMNS = "| Hash | Date | Message | Tasks |\n|------|------|---------|-------|\n"


def new(project: str, plan: str, when: datetime) -> str:
    """An empty worklog for a plan."""
    return (
        f"# Devloop Worklog\n\n**Project**: {one_line(project)}\n**Last Updated**: {_stamp(when)}\n\n---\n\n"
        f"## {one_line(plan) or 'Work'}\n\n### Commits\n\n{_COLUMNS}"
    )


def with_commit(text: str, *, commit: str, when: datetime, message: str, task: str) -> str:
    """`text` with the commit's row on top of its table. A hash that is there already changes nothing."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(newline)
    if any(_same(row[1], commit) for row in map(_ROW.match, lines) if row):
        return text
    cells = (one_line(commit, 64), _stamp(when), one_line(message, 160), one_line(task, 60))
    row = "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells) + " |"
    at = _first_table(lines)
    if at is None:
        if lines and lines[-1]:
            lines.append("")
        addition = ["### Commits", "", *_COLUMNS.rstrip("\n").split("\n"), row, ""]
        lines = [*lines[:-1], "", *addition] if len(lines) > 1 else [*lines[:-1], *addition]
    else:
        lines.insert(at + 1, row)
    return _UPDATED.sub(lambda m: m[1] + _stamp(when), newline.join(lines), count=1)


def _first_table(lines: list[str]) -> int | None:
    """The separator of the first commit table."""
    for number in range(1, len(lines)):
        if _SEPARATOR.match(lines[number]) and _HEADER.match(lines[number - 1]):
            return number
    return None


def _same(one: str, other: str) -> bool:
    """Hashes are shortened to different lengths."""
    one, other = one.lower(), other.lower()
    return one.startswith(other) or other.startswith(one)


def _stamp(when: datetime) -> str:
    """Local time, as people read it (state-files §16)."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M")


def with_lines(text: str, lines: Sequence[str], when: datetime) -> str:
    """The worklog with lines that left the plan's log, in a section of their own at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    end = "" if not text or text.endswith("\n") else newline
    return newline.join([f"{text}{end}", f"## Plan log until {_stamp(when)}", "", *lines, ""])
