"""Changes of whole lines and of parts of lines, collected against one text and given out as edits (plan-format §16).

Lines keep their ends, inserted ones take that of the line before them, and whether the last line has one stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from devloop.plan.lines import body, ending
from devloop.plan.model import Edit, Plan


class Draft:
    """All lines are 1-based and those of the plan as it is; columns count code points."""

    def __init__(self, plan: Plan) -> None:
        self.document = plan.document
        self._parts: dict[int, list[tuple[int, int, str]]] = {}
        self._removed: set[int] = set()
        self._inserted: dict[int, list[str]] = {}

    def replace(self, line: int, start: int, end: int, text: str) -> None:
        """Replace a part of a line. Parts of one line must not overlap."""
        parts = self._parts.setdefault(line, [])
        if (start, end, text) not in parts:
            parts.append((start, end, text))

    def rewrite(self, line: int, text: str) -> None:
        """Replace what differs between a line and `text` (which has no line end)."""
        old = body(self.document.line(line - 1))
        start = 0
        while start < min(len(old), len(text)) and old[start] == text[start]:
            start += 1
        tail = 0
        while tail < min(len(old), len(text)) - start and old[-1 - tail] == text[-1 - tail]:
            tail += 1
        if old != text:
            self.replace(line, start, len(old) - tail, text[start : len(text) - tail])

    def remove(self, first: int, last: int) -> None:
        self._removed.update(range(first, last + 1))

    def insert(self, after: int, texts: Sequence[str]) -> None:
        """Insert whole lines after a line that stays (0: at the top)."""
        self._inserted.setdefault(after, []).extend(texts)

    def text(self, line: int) -> str:
        """A line as it will be, without its end."""
        text = body(self.document.line(line - 1))
        for start, end, new in sorted(self._parts.get(line, ()), reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def edits(self) -> tuple[Edit, ...]:
        """The edits in order of position, none touching more than it has to."""
        found: list[Edit] = []
        for line, parts in self._parts.items():
            text = self.document.line(line - 1)
            if line not in self._removed:
                found += [Edit(line, start, line, end, new, text[start:end], body(text)) for start, end, new in parts]
        pending = dict(self._inserted)
        for first, last in self._runs_removed():
            found.append(self._run(first, last, pending.pop(first - 1, [])))
        found += [self._insertion(after, texts) for after, texts in pending.items() if texts]
        return tuple(sorted(found, key=lambda edit: (edit.start_line, edit.start, edit.end_line, edit.end)))

    def _runs_removed(self) -> list[tuple[int, int]]:
        r"""Runs of lines that go. Where a lone `\r` would meet an empty line's `\n`, that line goes with them: the two
        would be one line end."""
        removed = set(self._removed)
        for first, last in _runs(self._removed):
            before = ending(self.document.line(first - 2)) if first > 1 else ""
            at = last + 1
            while before == "\r" and at not in removed and self.document.line(at - 1) == "\n":
                removed.add(at)
                at += 1
        return _runs(removed)

    def _joined(self, texts: Sequence[str], end: str, following: int) -> str:
        r"""Lines with an end each; the last one's is `\r\n` when a lone `\r` would swallow the line behind it."""
        whole = "".join(text + end for text in texts)
        return whole + "\n" if whole.endswith("\r") and self.document.line(following - 1) == "\n" else whole

    def _run(self, first: int, last: int, texts: Sequence[str]) -> Edit:
        """Lines that go, with those that come in their place."""
        lines = self.document.lines(first - 1, last)
        gone = "".join(lines)
        if ending(lines[-1]):
            end = ending(self.document.line(first - 2)) if first > 1 else ending(lines[0])
            return Edit(first, 0, last + 1, 0, self._joined(texts, end or self.document.eol, last + 1), gone)
        eol = self.document.eol
        if texts or first == 1:
            return Edit(first, 0, last, len(lines[-1]), eol.join(texts), gone)
        above = first - 1  # the line that is the last one then, without an end and not an empty one
        while above > 1 and above not in self._inserted and not body(self.document.line(above - 1)).strip():
            above -= 1
        before = "".join(self.document.lines(above - 1, first - 1))
        start = len(body(self.document.line(above - 1)))
        return Edit(above, start, last, len(lines[-1]), "", before[start:] + gone)

    def _insertion(self, after: int, texts: Sequence[str]) -> Edit:
        if after == 0:
            return Edit(1, 0, 1, 0, "".join(text + self.document.eol for text in texts))
        previous = self.document.line(after - 1)
        end = ending(previous)
        if end:
            return Edit(after + 1, 0, after + 1, 0, self._joined(texts, end, after + 1))
        return Edit(after, len(previous), after, len(previous), "".join(self.document.eol + text for text in texts))


def _runs(lines: set[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for line in sorted(lines):
        if found and found[-1][1] == line - 1:
            found[-1] = (found[-1][0], line)
        else:
            found.append((line, line))
    return found
