"""Changing a plan's text without touching anything else (plan-format §16).

An edit is a value; `apply` carries several out at once or refuses all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate

from devloop.errors import StaleEdit
from devloop.plan import header, items
from devloop.plan.blocks import BLANK, ITEM, TEXT, UNDERLINE
from devloop.plan.document import Document
from devloop.plan.extent import last_line, last_text_line
from devloop.plan.find import TaskRef, locate
from devloop.plan.headings import LOG
from devloop.plan.lines import body, clean, encode, ending
from devloop.plan.model import DEFAULT_MARKERS, MARKERS, Edit, LogLine, Plan, Task
from devloop.plan.regions import same_step

LOG_HEADING = "## Progress Log"
_APART = "<!-- -->"


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The bytes after all edits, whose positions all refer to `data`. Raises `StaleEdit` and changes nothing when the
    text an edit was computed for is not there."""
    document = Document.of(data)
    return encode(apply_text(document, edits))


def apply_to(document: Document, edits: Sequence[Edit]) -> Document:
    """The same on a document; the parts that don't change are shared."""
    _checked(document, edits)
    for edit in sorted(edits, key=_position, reverse=True):
        document = document.replace((edit.start_line - 1, edit.start), (edit.end_line - 1, edit.end), edit.text)
    return document


def difference(before: Sequence[str], after: Sequence[str], first: int = 0) -> Edit:
    """The edit that makes lines `after` of lines `before`, which stand from line `first` (0-based) on; what is the same
    at both ends stays as it is."""
    most = min(len(before), len(after))
    head = next((n for n in range(most) if before[n] != after[n]), most)
    tail = next((n for n in range(most - head) if before[-1 - n] != after[-1 - n]), most - head)
    gone, text = "".join(before[head : len(before) - tail]), "".join(after[head : len(after) - tail])
    return Edit(first + head + 1, 0, first + len(before) - tail + 1, 0, text, expect=gone)


def apply_text(document: Document, edits: Iterable[Edit]) -> str:
    """The whole text after all edits."""
    wanted = sorted(edits, key=_position)
    _checked(document, wanted)
    lines = document.lines()
    text = "".join(lines)
    starts = [0, *accumulate(map(len, lines))]
    parts, at = ["\ufeff" if document.bom else ""], 0
    for edit in wanted:
        start, end = starts[edit.start_line - 1] + edit.start, starts[edit.end_line - 1] + edit.end
        parts += [text[at:start], edit.text]
        at = end
    parts.append(text[at:])
    return "".join(parts)


def _position(edit: Edit) -> tuple[int, int, int, int]:
    return (edit.start_line, edit.start, edit.end_line, edit.end)


def _checked(document: Document, edits: Sequence[Edit]) -> None:
    """Every edit must find the text it expects, inside the document, apart from the others."""
    reached = (1, 0)
    for edit in sorted(edits, key=_position):
        first, last = (edit.start_line, edit.start), (edit.end_line, edit.end)
        inside = edit.start_line >= 1 and first <= last and edit.end_line <= document.count + 1 and edit.start >= 0
        inside = inside and edit.start <= len(document.line(edit.start_line - 1))
        inside = inside and edit.end <= len(document.line(edit.end_line - 1))
        if not inside or first < reached:
            raise StaleEdit(f"Line {edit.start_line} is not where the change was computed for")
        reached = last
        if edit.context is not None and body(document.line(edit.start_line - 1)) != edit.context:
            raise StaleEdit(f"Line {edit.start_line} was changed meanwhile", line=edit.start_line)
        if _between(document, first, last) != edit.expect:
            raise StaleEdit(f"Line {edit.start_line} was changed meanwhile", line=edit.start_line)


def _between(document: Document, first: tuple[int, int], last: tuple[int, int]) -> str:
    if first[0] == last[0]:
        return document.line(first[0] - 1)[first[1] : last[1]]
    middle = "".join(document.lines(first[0], last[0] - 1))
    return document.line(first[0] - 1)[first[1] :] + middle + document.line(last[0] - 1)[: last[1]]


def set_marker(plan: Plan, task: Task, marker: str) -> tuple[Edit, ...]:
    """Replace the one character between a task's brackets. `marker`: the character or a status (`complete`, …).

    Nothing to do when it means the same already (`X` stays). Raises `StaleEdit` when the task is not in the plan.
    """
    marker = DEFAULT_MARKERS.get(marker, marker)
    found = locate(plan, TaskRef.of(task))
    if found.marker == marker or (MARKERS.get(found.marker) == MARKERS.get(marker) and marker in MARKERS):
        return ()
    line = plan.document.line(found.line - 1)
    column = items.box(line).column
    return (Edit(found.line, column, found.line, column + 1, marker, found.marker, body(line)),)


def set_header(plan: Plan, key: str, value: str) -> tuple[Edit, ...]:
    """Set the value of a header field; a missing one is inserted after the last field, else below the title."""
    value = clean(value)
    found = plan.field(key)
    if found is not None:
        if found.value == value:
            return ()
        line = plan.document.line(found.line - 1)
        gap = "" if line[found.start - 1 : found.start].isspace() else " "
        return (Edit(found.line, found.start, found.line, found.end, gap + value, found.value, body(line)),)
    text = f"**{key}**: {value}"
    # Below a field that stands in a heading with an underline, the new one would be a part of that heading.
    lines = [field.line for field in plan.fields if not _is_underlined(plan.document, field.line - 1)]
    if lines:
        return (insert(plan.document, max(lines), [text]),)
    title = next((section for section in plan.sections if section.level == 1 and section.kind != "phase"), None)
    if title is None or 0 < plan.tree.header_end < title.line:
        return (insert(plan.document, plan.document.front, [text, ""]),)
    return (_insert_apart(plan.document, title.line + title.heading_lines - 1, ["", text]),)


def insert(document: Document, after: int, texts: Sequence[str]) -> Edit:
    """Insert whole lines after line `after` (1-based, 0: at the top), with the right line ends (§2)."""
    if after == 0 or document.count == 0:
        return Edit(1, 0, 1, 0, "".join(text + document.eol for text in texts))
    previous = document.line(after - 1)
    end = ending(previous)
    if end:
        return Edit(after + 1, 0, after + 1, 0, "".join(text + end for text in texts))
    return Edit(after, len(previous), after, len(previous), "".join(document.eol + text for text in texts))


def _insert_apart(document: Document, after: int, texts: Sequence[str]) -> Edit:
    """The same, with a blank line below when the text there would go on with the last one, with a comment when it is
    indented as what belongs to it."""
    for below in ((), ("",), (_APART, "")):
        edit = insert(document, after, [*texts, *below])
        if _stays_apart(document, apply_to(document, [edit]), after):
            break
    return edit


def _stays_apart(document: Document, changed: Document, after: int) -> bool:
    """Whether what stands behind inserted lines is what it was; with an underline, it is not part of a paragraph."""
    by = changed.count - document.count
    at = next((at for at in range(after, document.count) if document.step(at).kind != BLANK), document.count)
    if at == document.count:
        return True
    goes_on = changed.step(at + by - 1).state.leaf == "p"
    return same_step(changed.step(at + by), document.step(at)) and not (goes_on and _is_underlined(document, at))


def _is_underlined(document: Document, at: int) -> bool:
    """Whether line `at` (0-based) stands in a heading with an underline."""
    while at < document.count and document.step(at).kind == TEXT:
        at += 1
    return at < document.count and document.step(at).kind == UNDERLINE


def append_log(plan: Plan, text: str | Sequence[str], stamp: datetime | str) -> tuple[Edit, ...]:
    """Add lines to the log at its newest end, top or bottom as the stamps show; a missing log is added at the end.

    `stamp`: what stands before each text; without one (an empty text) nothing does.
    """
    texts = [text] if isinstance(text, str) else list(text)
    when = stamp if isinstance(stamp, str) else stamp.strftime("%Y-%m-%d %H:%M")
    entries = [f"{when}: {clean(one)}" if when else clean(one) for one in texts]
    at = _log_section(plan)
    if at is None:
        lines = [*([] if _ends_blank(plan.document) else [""]), LOG_HEADING, "", *(f"- {entry}" for entry in entries)]
        return (insert(plan.document, plan.document.count, lines),)
    section, end = plan.sections[at], _log_end(plan, at)
    known = [
        line for line in plan.log if section.line < line.line <= end and not plan.document.step(line.line - 1).matched
    ]
    if not known:
        return (_first_entry(plan.document, section.line + section.heading_lines - 1, end, entries),)
    if newest_first(known):
        mark = _bullet_of(plan.document.line(known[0].line - 1))
        return (_insert_apart(plan.document, known[0].line - 1, [mark + entry for entry in reversed(entries)]),)
    mark = _bullet_of(plan.document.line(known[-1].line - 1))
    end = last_line(plan.document, known[-1].line)
    return (_insert_apart(plan.document, end, [mark + entry for entry in entries]),)


def _ends_blank(document: Document) -> bool:
    return document.count == 0 or not body(document.line(document.count - 1)).strip()


def _log_section(plan: Plan) -> int | None:
    """The section to log in: `Progress Log` if there is one, else the last log."""
    own = [at for at, draft in enumerate(plan.tree.sections) if draft.heading.kind == LOG]
    named = [at for at in own if "progress log" in plan.sections[at].text.lower()]
    return named[0] if named else own[-1] if own else None


def _log_end(plan: Plan, at: int) -> int:
    """The last line that is log: a phase or a heading of another kind ends it, whatever its level."""
    for section in plan.sections[at + 1 :]:
        if section.kind != LOG:
            return section.line - 1
    return plan.document.count


def _first_entry(document: Document, heading: int, end: int, entries: Sequence[str]) -> Edit:
    """The first entries of a log that has a heading and perhaps some text."""
    last = end
    while last > heading and not body(document.line(last - 1)).strip():
        last -= 1
    lines = [f"- {entry}" for entry in entries]
    if document.step(last - 1).state.leaf not in (None, "p"):
        last = heading  # the text ends in a fence or comment that nobody closed: stay above it
    blank = end > heading and not body(document.line(heading)).strip()
    after = heading + 1 if last == heading and blank else last
    if after == last:
        lines.insert(0, "")
    if after < document.count and body(document.line(after)).strip():
        lines.append("")
    return _insert_apart(document, after, lines)


def newest_first(log: Sequence[LogLine]) -> bool:
    """Whether a log grows at its top, as its first and last stamp show."""
    stamps = [line.stamp.replace("T", " ") for line in log if line.stamp]
    return len(stamps) > 1 and stamps[0] > stamps[-1]


def _bullet_of(line: str) -> str:
    """Indentation and bullet of a log line, for the next one."""
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    char = line[len(indent) : len(indent) + 1]
    return f"{indent}{char if char in '-*+' else '-'} "


def add_note(plan: Plan, task: Task, text: str) -> tuple[Edit, ...]:
    """Add a `Notes` bullet to a task, unless one says so already.

    It goes behind the task's metadata, or behind everything the task holds when it would change other lines there. No
    edit where every place would change another line: what happened is in the log as well.
    """
    text = clean(text)
    found = locate(plan, TaskRef.of(task))
    if not text or text in found.notes:
        return ()
    node = plan.tree.tasks[plan.graph.by_line[found.line]]
    document = plan.document
    depth = len(document.step(found.line - 1).state.stack)
    metas = [value.line for _, value in node.metas]
    own = f"{' ' * sum(document.step(found.line - 1).state.stack)}- "
    bullets = dict.fromkeys((_bullet_of(document.line(metas[0] - 1)), own) if metas else (own,))
    end = last_line(document, found.line)
    first = last_line(document, metas[-1]) if metas else last_text_line(document, found.line)
    for line in (f"{bullet}Notes: {text}" for bullet in bullets):
        for after, lines in ((first, [line]), (end, [line]), (end, [line, ""])):
            edit = insert(document, after, lines)
            if _harmless(document, edit, after, end, depth, len(lines)):
                return (edit,)
    return ()


def _harmless(document: Document, edit: Edit, after: int, end: int, depth: int, by: int) -> bool:
    """Whether the inserted lines become a child of the item, which ends at `end`, and the lines behind stay what they
    were: text directly behind an item would go on with the new one."""
    changed = apply_to(document, [edit])
    step = changed.step(after)
    if step.kind != ITEM or step.matched != depth:
        return False
    for at in range(after, document.count):
        old, new = document.step(at), changed.step(at + by)
        if at >= end:
            if old.kind != BLANK:
                return (old.kind, old.state) == (new.kind, new.state)
        elif (old.kind, old.box, old.matched) != (new.kind, new.box, new.matched):
            return False
    return True


def status_written(status: str) -> str:
    """The text devloop writes for a canonical status."""
    return header.WRITTEN[status]
