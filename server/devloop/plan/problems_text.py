"""Diagnostics about the text itself: encoding, line ends, blocks left open, boxes that are none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devloop.plan import items
from devloop.plan.blocks import BLANK, CODE, HTML, ROOT, TEXT, UNDERLINE, Fence
from devloop.plan.document import Document
from devloop.plan.html import COMMENT
from devloop.plan.lines import body, ending
from devloop.plan.model import MARKERS, Edit, Plan, Problem
from devloop.plan.scan import scan_line

_FAR = 200  # lines of an item that are looked at
LONG_PLAN = 200  # lines (upstream's threshold for archiving)
_ESCAPED = re.compile("[\ud800-\udfff]")
_NO_SPACE = re.compile(r"[ \t]*(?:[-+*]|[0-9]{1,9}[.)])\[[^\]\r\n]{0,3}\]")
_BOX_PART = re.compile(r"\[[ \t]*+([^\]\s]?)[ \t]*+\]")
_AFTER_BOX = re.compile(r"\*?(?:[ \t\r\n]|$)")


def find(plan: Plan) -> Iterator[Problem]:
    document = plan.document
    yield from _encoding(document)
    yield from _open_at_end(document)
    for line, bullet in plan.tree.malformed:
        yield _malformed(document, line, bullet.column)
    for line in plan.tree.suspects:
        yield _suspect(document, line)
    for line, has_status in plan.tree.tables:
        if has_status:
            yield Problem("table-tasks", "hint", line, "A table holds no tasks; import it to make its rows tasks")
    for section in plan.tree.sections:
        if section.heading.task_like:
            text = section.heading.text[:80]
            yield Problem(
                "heading-task", "info", section.line, f"A heading is no task: {text!r}; import it to make it one"
            )
    if not plan.tasks:
        yield Problem("no-tasks", "info", 1, "The plan has no task: write one as `- [ ] Task 1.1: …`")
    finished = sum(phase.status == "complete" and phase.parent is None for phase in plan.phases)
    if document.count > LONG_PLAN or finished >= 2:
        why = f"{document.count} lines" if document.count > LONG_PLAN else f"{finished} finished phases"
        yield Problem("long-plan", "info", 1, f"The plan has {why}: finished phases can be archived")


def _encoding(document: Document) -> Iterator[Problem]:
    if not document.valid:
        first_bad = next((at for at, text in enumerate(document, 1) if _ESCAPED.search(text)), 1)
        yield Problem("invalid-utf8", "hint", first_bad, "Bytes that are not UTF-8; they are kept as they are")
    first = ""
    start = 1
    mixed = False
    for chunk in document.chunks:
        text = "".join(chunk.lines)
        if len(text) > items.MAX_LINE:
            for number, line in enumerate(chunk.lines, start):
                if len(line) > items.MAX_LINE:
                    yield Problem(
                        "line-too-long", "hint", number, "The line is too long to be searched for ids and tags"
                    )
        first = first or ending(chunk.lines[0])
        if not mixed and ("\r" in text or first != "\n"):
            for number, line in enumerate(chunk.lines, start):
                if ending(line) not in ("", first):
                    yield Problem("mixed-eol", "hint", number, "This line ends in another way than the first one")
                    mixed = True
                    break
        start += len(chunk.lines)


def _open_at_end(document: Document) -> Iterator[Problem]:
    leaf = document.open_at_end.leaf
    if not (isinstance(leaf, Fence) or leaf == COMMENT):
        return
    line = document.count
    while line > 1 and document.step(line - 2).state.leaf == leaf:
        line -= 1
    if isinstance(leaf, Fence):
        yield Problem("unclosed-fence", "warning", line, "The code fence is never closed: everything below is code")
    else:
        yield Problem("unclosed-comment", "warning", line, "The comment is never closed: everything below is comment")


def _malformed(document: Document, line: int, column: int) -> Problem:
    text = document.line(line - 1)
    found = _BOX_PART.match(text, column)
    message = "A box is one character in brackets and a space behind: [ ], [x], [~], [!], [-]"
    if found is None:
        return Problem("malformed-checkbox", "warning", line, message, column)
    end = found.end()
    box = f"[{found[1] or ' '}]"
    apart = _AFTER_BOX.match(text, end) is not None
    fixed, title, start = box if apart else f"{box} ", f"Write {box}", column
    certain = apart or bool(found[1])  # "[]byte" may be a word
    certain = certain and _is_lone_box(document, line, text[:column] + fixed + text[end:])
    marker = text[:column].rstrip(" \t")
    if not _is_box(document, line, text[:column] + fixed + text[end:]):
        fixed, start, certain = f" {fixed}", len(marker), False  # it may be meant as the code that it is
        message = "A box stands one to four blanks behind its bullet; farther away it is code"
        if text[column:end] == box:
            title = "Put one blank before the box"
        if not _is_box(document, line, marker + fixed + text[end:]):
            return Problem("malformed-checkbox", "warning", line, message, column, end)
    edit = Edit(line, start, line, end, fixed, text[start:end], body(text))
    return Problem(
        "malformed-checkbox", "warning", line, message, column, end, fixes=((title, (edit,)),), certain=certain
    )


def _is_box(document: Document, line: int, text: str) -> bool:
    """Whether `text` in this line is one."""
    return scan_line(text, document.step(line - 2).state if line > 1 else ROOT).box


def _is_lone_box(document: Document, line: int, text: str) -> bool:
    """Whether `text` in this line is a box, and no box is nested in it: those would get a parent that they had not."""
    step = scan_line(text, document.step(line - 2).state if line > 1 else ROOT)
    if not step.box:
        return False
    depth = len(step.state.stack)
    for at in range(line, document.count):
        if at == line + _FAR:
            return False
        known = document.step(at - 1).state is step.state
        step = document.step(at) if known else scan_line(document.line(at), step.state)
        if step.kind == BLANK and not step.opened:
            if len(step.state.stack) < depth:
                break
        elif step.matched < depth and not (step.kind == TEXT and not step.opened and len(step.state.stack) >= depth):
            break
        elif step.box or step.suspect:
            return False
    return True


def _is_heading(document: Document, line: int) -> bool:
    """Whether the paragraph of this line is underlined: then it ends a section, and as a task it would not."""
    at = line - 1
    while at < document.count and document.step(at).kind == TEXT:
        at += 1
    return at < document.count and document.step(at).kind == UNDERLINE


def _suspect(document: Document, line: int) -> Problem:
    text = document.line(line - 1)
    start = len(text) - len(text.lstrip(" \t"))
    if _NO_SPACE.match(text):
        at = text.index("[")
        edit = Edit(line, at, line, at, " ", "", body(text))
        message = "There must be a space between the bullet and the box"
        fixes = (("Insert a space", (edit,)),)
        certain = text[at + 1] in MARKERS and _is_lone_box(document, line, f"{text[:at]} {text[at:]}")
        certain = certain and not _is_heading(document, line)
        return Problem("malformed-checkbox", "warning", line, message, start, fixes=fixes, certain=certain)
    step = document.step(line - 1)
    if step.kind == CODE:
        why = "it is indented by four columns or more, which makes it code"
    elif step.kind == HTML:
        why = "it belongs to the HTML above; an empty line would end that"
    else:
        why = "it continues the paragraph above; indent it by two columns, or put an empty line before it"
    return Problem("checkbox-not-a-task", "hint", line, f"This is no task: {why}", start)
