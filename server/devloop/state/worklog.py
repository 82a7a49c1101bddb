"""`.devloop/worklog.md`: one row for each commit that landed (state-files §6). Text in, text out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from devloop.own_files import Fault
from devloop.redact import one_line
from devloop.state.storing import local_stamp

PATH: Final = ".devloop/worklog.md"
LEGACY_PATH: Final = ".claude/devloop-worklog.md"
MAX_LINES: Final = 500
ARCHIVE_HEADING: Final = "Archive Reference"
HISTORY_HEADING: Final = "Historical Work"
_ROW = re.compile(r"^\|\s*`?([0-9a-fA-F]{4,64})`?\s*\|")
_SEPARATOR = re.compile(r"^\|(?:\s*:?-{3,}:?\s*\|){4}\s*$")
_HEADER = re.compile(r"^\|\s*Hash\s*\|", re.IGNORECASE)
_UPDATED = re.compile(r"^(\*\*Last Updated\*\*:[ \t]*)[^\r\n]*", re.MULTILINE)
_COLUMNS = "| Hash | Date | Message | Tasks |\n|------|------|---------|-------|\n"
_CELL = re.compile(r"(?:\\.|[^|\\])*")
_REFERENCE = re.compile(
    r"\bTasks?[ \t#:]*("
    r"(?:[A-Za-z]{0,5}-?[0-9]+(?:\.[0-9]+)*(?:[ \t]*(?:,|&|and|\+)[ \t]*(?=[A-Za-z]{0,5}-?[0-9]))?)+)",
    re.IGNORECASE,
)
_ID = re.compile(r"[A-Za-z]{0,5}-?[0-9]+(?:\.[0-9]+)*")
_PENDING = re.compile(r"^(?P<lead>[ \t]*[-*+] )\[ \](?P<text>[ \t].*)\(pending\)[ \t]*+$")
_CONVENTIONAL = re.compile(r"(?P<kind>[a-z]{2,12})(?:\([^)]{1,60}\))?!?:[ \t]+\S")
_KINDS: Final = {
    "feat": "Features",
    "fix": "Fixes",
    "perf": "Performance",
    "refactor": "Refactoring",
    "docs": "Documentation",
    "test": "Tests",
    "build": "Build",
    "ci": "Build",
    "chore": "Chores",
}


@dataclass(frozen=True)
class Commit:
    """A commit as git tells it. `patch`: its patch id, by which a rewritten commit is known again; may be empty."""

    hash: str
    when: datetime
    subject: str
    patch: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a commit table. `line` is 1-based; `tasks` as written."""

    hash: str
    date: str
    message: str
    tasks: str
    line: int


def new(project: str, plan: str, when: datetime) -> str:
    """An empty worklog for a plan."""
    return (
        f"# Devloop Worklog\n\n**Project**: {one_line(project)}\n**Last Updated**: {local_stamp(when)}\n\n---\n\n"
        f"## {one_line(plan) or 'Work'}\n\n### Commits\n\n{_COLUMNS}"
    )


def with_commit(text: str, *, commit: str, when: datetime, message: str, task: str) -> str:
    """`text` with the commit's row on top of its table. A hash that is there already changes nothing."""
    newline = _newline(text)
    lines = text.split(newline)
    if any(_same(row[1], commit) for row in map(_ROW.match, lines) if row):
        return text
    row = _row(commit, when, message, task)
    at = _first_table(lines)
    if at is None:
        if lines and lines[-1]:
            lines.append("")
        addition = ["### Commits", "", *_COLUMNS.rstrip("\n").split("\n"), row, ""]
        lines = [*lines[:-1], "", *addition] if len(lines) > 1 else [*lines[:-1], *addition]
    else:
        lines.insert(at + 1, row)
    return _touched(newline.join(lines), when)


def with_lines(text: str, lines: Sequence[str], when: datetime) -> str:
    """The worklog with lines that left the plan's log, in a section of their own at the end."""
    newline = _newline(text)
    end = "" if not text or text.endswith("\n") else newline
    return newline.join([f"{text}{end}", f"## Plan log until {local_stamp(when)}", "", *lines, ""])


def rows(text: str) -> tuple[Row, ...]:
    """Every row of every commit table, in the order of the file."""
    found = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        match = _ROW.match(line)
        if match:
            cells = [*_cells(line)[1:], "", "", ""]
            found.append(Row(match[1], cells[0], cells[1], cells[2], number))
    return tuple(found)


def _cells(line: str) -> list[str]:
    found, at = [], 1
    text = line.strip()
    while at < len(text):
        match = _CELL.match(text, at)
        end = match.end() if match else len(text)
        found.append(re.sub(r"\\([\\|])", r"\1", text[at:end].strip()))
        at = max(end, at) + 1
    return found


def check(text: str) -> tuple[Fault, ...]:
    """Rows that are none: too few cells; a hash that stands twice."""
    faults: list[Fault] = []
    seen: list[Row] = []
    lines = text.replace("\r\n", "\n").split("\n")
    for row in rows(text):
        if len(_cells(lines[row.line - 1])) != 4:
            faults.append(Fault(PATH, row.line, "this row has not four cells: hash, date, message, tasks", "warning"))
        twin = next((each for each in seen if _same(each.hash, row.hash)), None)
        if twin is not None:
            faults.append(Fault(PATH, row.line, f"{row.hash} stands in line {twin.line} already", "warning"))
        seen.append(row)
    return tuple(faults)


def tasks_of(subject: str) -> tuple[str, ...]:
    """The tasks that a commit's subject names: `Task 1.1`, `Tasks 2.1, 2.2`."""
    found = (name for match in _REFERENCE.finditer(subject[:500]) for name in _ID.findall(match[1]))
    return tuple(dict.fromkeys(found))


def reconciled(
    text: str, commits: Sequence[Commit], when: datetime, *, patches: Mapping[str, str] | None = None
) -> str:
    """The worklog with a row for each of `commits` (newest first) that it lacks.

    `patches`: patch ids of hashes that stand in the table and are no longer on the branch: a row whose patch is that of
    one of `commits` gets the new hash instead of a twin.
    """
    by_patch = {commit.patch: commit for commit in commits if commit.patch}
    for old, patch in (patches or {}).items():
        rewritten = by_patch.get(patch)
        if rewritten is not None and not _same(rewritten.hash, old):
            text = _with_hash(text, old, rewritten.hash)
    have = [row.hash for row in rows(text)]
    for commit in sorted(commits, key=lambda each: each.when):
        if not any(_same(commit.hash, each) for each in have):
            tasks = ", ".join(tasks_of(commit.subject))
            text = with_commit(text, commit=commit.hash[:7], when=commit.when, message=commit.subject, task=tasks)
    return text if text.endswith("\n") or not text else text + _newline(text)


def lacking(text: str, commits: Iterable[Commit]) -> tuple[Commit, ...]:
    """Those of `commits` that have no row."""
    have = [row.hash for row in rows(text)]
    return tuple(commit for commit in commits if not any(_same(commit.hash, each) for each in have))


def _with_hash(text: str, old: str, new_hash: str) -> str:
    newline = _newline(text)
    lines = text.split(newline)
    if any(_same(row.hash, new_hash) for row in rows(text)):
        return newline.join(line for line in lines if not ((m := _ROW.match(line)) and _same(m[1], old)))
    for at, line in enumerate(lines):
        match = _ROW.match(line)
        if match and _same(match[1], old):
            lines[at] = line[: match.start(1)] + new_hash[: len(match[1])] + line[match.end(1) :]
    return newline.join(lines)


def reconstructed(text: str, commits: Sequence[Commit], when: datetime) -> str:
    """The worklog with the commits it lacks in a section "Historical Work", by the kind of conventional commits.

    The section is made anew each time from the commits given and those it has.
    """
    missing = lacking(text, commits)
    if not missing:
        return text
    newline = _newline(text)
    groups: dict[str, list[Commit]] = {}
    for commit in sorted(missing, key=lambda each: each.when, reverse=True):
        match = _CONVENTIONAL.match(commit.subject)
        groups.setdefault(_KINDS.get(match["kind"], "Other") if match else "Other", []).append(commit)
    lines = ["", f"## {HISTORY_HEADING}", ""]
    for name in (*dict.fromkeys(_KINDS.values()), "Other"):
        if name in groups:
            lines += [f"### {name}", "", *_COLUMNS.rstrip("\n").split("\n")]
            lines += [_row(c.hash[:7], c.when, c.subject, ", ".join(tasks_of(c.subject))) for c in groups[name]]
            lines.append("")
    base = text if text.endswith("\n") or not text else text + newline
    return _touched(base + newline.join(lines), when)


@dataclass(frozen=True)
class Rotation:
    """`text`: what stays; `name`: the file in the archive folder; `archived`: what moves there."""

    text: str
    name: str
    archived: str


def rotated(text: str, when: datetime) -> Rotation | None:
    """Move the older half of the sections out of a worklog of more than `MAX_LINES`; None when it is shorter.

    The newest section (the first) stays. A section that alone is too long keeps the newer half of its rows.
    """
    newline = _newline(text)
    lines = text.split(newline)
    if len(lines) <= MAX_LINES:
        return None
    starts = [at for at, line in enumerate(lines) if line.startswith("## ") and line[3:].strip() != ARCHIVE_HEADING]
    name = f"worklog-{when.astimezone():%Y-%m-%d}.md"
    keep = max(MAX_LINES // 2, 1)
    cut = next((at for at in starts[1:] if at >= keep), None) or (starts[-1] if len(starts) > 1 else None)
    if cut is not None and cut <= MAX_LINES:
        kept, old = lines[:cut], lines[cut:]
    else:
        numbers = [row.line - 1 for row in rows(text)]
        gone = set(numbers[len(numbers) // 2 :])
        if not gone:
            return None
        old = ["## Commits until " + local_stamp(when), "", *_COLUMNS.rstrip("\n").split("\n")]
        old += [lines[at] for at in sorted(gone)]
        kept = [line for at, line in enumerate(lines) if at not in gone]
    references = [line for line in (*kept, *old) if line.startswith("- Older work: ")]
    kept, old = ([x for x in part if not x.startswith("- Older work: ")] for part in (kept, old))
    kept, old = _without_reference(kept), _without_reference(old)
    while kept and not kept[-1].strip():
        kept.pop()
    reference = f"- Older work: archive/{name}"
    known = [*dict.fromkeys([*references, reference])]
    kept += ["", f"## {ARCHIVE_HEADING}", "", *known, ""]
    head = [f"# Devloop Worklog until {local_stamp(when)}", "", *old]
    while head and not head[-1].strip():
        head.pop()
    return Rotation(newline.join(kept), name, newline.join([*head, ""]))


def _without_reference(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.strip() != f"## {ARCHIVE_HEADING}"]


def pending(text: str) -> tuple[tuple[int, str], ...]:
    """(line, words) of the tasks that stand as `- [ ] … (pending)`."""
    lines = text.replace("\r\n", "\n").split("\n")
    return tuple((n, m["text"].strip()) for n, line in enumerate(lines, start=1) if (m := _PENDING.match(line)))


def settled(text: str, line: int, how: Literal["commit", "keep", "discard"], commit: str = "") -> str:
    """The worklog with one pending line answered: ticked with its commit, kept, or taken out."""
    newline = _newline(text)
    lines = text.split(newline)
    match = _PENDING.match(lines[line - 1]) if 0 < line <= len(lines) else None
    if match is None or how == "keep":
        return text
    if how == "discard":
        del lines[line - 1]
    else:
        words = match["text"].rstrip(" \t")
        lines[line - 1] = f"{match['lead']}[x]{words} ({one_line(commit, 64)})"
    return newline.join(lines)


def _row(commit: str, when: datetime, message: str, task: str) -> str:
    cells = (one_line(commit, 64), local_stamp(when), one_line(message, 160), one_line(task, 60))
    return "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells) + " |"


def _touched(text: str, when: datetime) -> str:
    return _UPDATED.sub(lambda m: m[1] + local_stamp(when), text, count=1)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


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
