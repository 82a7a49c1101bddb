r"""The text of a plan as an immutable snapshot whose edits cost the same in a short and in a long file.

Lines live in chunks of some hundred. An edit copies the chunks it touches and shares the others, together with
everything that was computed for them. Scanning starts again at the first changed line and stops as soon as the open
blocks are those of the old snapshot (language-server §7, §8).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from devloop.plan import lines as _lines
from devloop.plan.blocks import FRONT_STEP, ROOT, State, Step
from devloop.plan.scan import scan, scan_line

CHUNK = 256


class Chunk:
    """Some consecutive lines and their steps. `records` belongs to the semantic layer (a cache, filled once)."""

    __slots__ = ("lines", "records", "steps")

    def __init__(self, lines: tuple[str, ...], steps: tuple[Step, ...]) -> None:
        self.lines = lines
        self.steps = steps
        self.records: Any = None


class Document:
    """Lines (0-based here, each with its own end) and what they are. Never changes; `edit` gives another one.

    `bom`: the text began with a BOM, which is no part of any line. `valid`: the bytes were UTF-8. `front`: number of
    lines of the front matter, delimiters included.
    """

    __slots__ = ("_starts", "bom", "chunks", "count", "front", "valid")

    def __init__(
        self,
        chunks: tuple[Chunk, ...],
        *,
        bom: bool,
        valid: bool,
        front: int,
        starts: tuple[int, ...] | None = None,
    ) -> None:
        self.chunks = chunks
        self.bom = bom
        self.valid = valid
        self.front = front
        self._starts = starts or (0, *accumulate(len(chunk.lines) for chunk in chunks))
        self.count = self._starts[-1]

    @classmethod
    def of(cls, source: bytes | bytearray | memoryview | str) -> Document:
        """Any bytes, any text."""
        if isinstance(source, str):
            text, valid = source, _is_utf_8(source)
        else:
            text, valid = _lines.decode(bytes(source))
        bom = text.startswith(_lines.BOM)
        return cls._build(_lines.split(text[1:] if bom else text), bom=bom, valid=valid)

    @classmethod
    def _build(cls, lines: list[str], *, bom: bool, valid: bool) -> Document:
        front = _front_matter(lines)
        steps = [FRONT_STEP] * front + scan(lines[front:] if front else lines)
        return cls(_chunks(lines, steps), bom=bom, valid=valid, front=front)

    # Reading

    @property
    def text(self) -> str:
        """The whole text, BOM included."""
        return (_lines.BOM if self.bom else "") + "".join("".join(chunk.lines) for chunk in self.chunks)

    @property
    def data(self) -> bytes:
        """The whole text as the bytes it came from."""
        return _lines.encode(self.text)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[str]:
        for chunk in self.chunks:
            yield from chunk.lines

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Document) and self.text == other.text)

    def __hash__(self) -> int:
        return hash((self.count, self.bom))

    def line(self, number: int) -> str:
        """Line `number` (0-based) with its end; empty beyond the last line."""
        if not 0 <= number < self.count:
            return ""
        at = bisect_right(self._starts, number) - 1
        return self.chunks[at].lines[number - self._starts[at]]

    def step(self, number: int) -> Step:
        """What line `number` (0-based, existing) is."""
        at = bisect_right(self._starts, number) - 1
        return self.chunks[at].steps[number - self._starts[at]]

    def lines(self, start: int = 0, end: int | None = None) -> list[str]:
        """Lines `start` to `end` (exclusive)."""
        stop = self.count if end is None else min(end, self.count)
        found: list[str] = []
        at = bisect_right(self._starts, start) - 1
        while start < stop:
            first = self._starts[at]
            part = self.chunks[at].lines[start - first : stop - first]
            found += part
            start += len(part)
            at += 1
        return found

    def steps(self) -> Iterator[Step]:
        for chunk in self.chunks:
            yield from chunk.steps

    def numbered_chunks(self) -> Iterable[tuple[int, Chunk]]:
        """(number of the first line, chunk)."""
        return zip(self._starts, self.chunks, strict=False)

    @property
    def open_at_end(self) -> State:
        """What is still open after the last line."""
        return self.chunks[-1].steps[-1].state if self.chunks else ROOT

    @property
    def eol(self) -> str:
        """The end that a new line takes when there is none before it (§2)."""
        return (_lines.ending(self.chunks[0].lines[0]) if self.chunks else "") or "\n"

    # Changing

    def edit(self, start: int, end: int, new: Iterable[str]) -> Document:
        """The document with lines `start` to `end` (0-based, exclusive, clamped) replaced by the text of `new`.

        `new` are lines or pieces of text; where they lack an end they join the line that follows.
        """
        start = min(max(start, 0), self.count)
        end = min(max(end, start), self.count)
        return self._splice(start, end, "".join(new))

    def replace(self, start: tuple[int, int], end: tuple[int, int], text: str) -> Document:
        """The document with the text between two (line, column) positions replaced.

        Columns count code points. Positions are clamped: a line beyond the end is the end of the document, a column
        beyond the line its end, before the line's end characters (LSP 3.17).
        """
        first, left = self._clamp(start)
        last, right = self._clamp(max(start, end))
        tail = self.line(last)[right:]
        return self._splice(first, min(last + 1, self.count), self.line(first)[:left] + text + tail)

    def _clamp(self, position: tuple[int, int]) -> tuple[int, int]:
        number, column = position
        if number < 0:
            return 0, 0
        if number >= self.count:
            if self.count and not _lines.ending(self.line(self.count - 1)):
                return self.count - 1, len(self.line(self.count - 1))
            return self.count, 0
        return number, min(max(column, 0), len(_lines.body(self.line(number))))

    def _splice(self, start: int, end: int, text: str) -> Document:
        """Replace whole lines by `text`, minding that ends of lines can meet: `\\r` + `\\n`, no end + next line."""
        if start and _joins(self.line(start - 1), text, self.line(end)):
            start -= 1
            text = self.line(start) + text
        if end < self.count and text and (text[-1] not in "\r\n" or (text[-1] == "\r" and self.line(end)[0] == "\n")):
            text += self.line(end)
            end += 1
        new = _lines.split(text)
        valid = _is_utf_8(text) and (self.valid or _is_utf_8("".join(self.lines(0, start) + self.lines(end))))
        if self._beginning_changes(start, end, new):
            everything = self.lines(0, start) + new + self.lines(end)
            bom = self.bom
            if not bom and everything and everything[0].startswith(_lines.BOM):
                bom = True
                everything = _lines.split("".join(everything)[1:])
            return Document._build(everything, bom=bom, valid=valid)
        return self._rescan(start, end, new, valid)

    def _beginning_changes(self, start: int, end: int, new: list[str]) -> bool:
        """Whether front matter or BOM may come, go or change: such an edit is scanned from the top."""
        if start < self.front:
            return True
        if start == 0:
            first = new[0] if new else self.line(end)
            return _lines.body(first) == "---" or (not self.bom and first.startswith(_lines.BOM))
        if self.front or _lines.body(self.line(0)) != "---":
            return False
        return any(_lines.body(line) in _FRONT_END for line in new)

    def _rescan(self, start: int, end: int, new: list[str], valid: bool) -> Document:
        before = self.step(start - 1).state if start else ROOT
        steps = scan(new, before) if len(new) != 1 else [scan_line(new[0], before)]
        now = steps[-1].state if steps else before
        then = self.step(end - 1).state if end else ROOT
        at = end
        while now is not then and now != then and at < self.count:
            old = self.step(at)
            found = scan_line(self.line(at), now)
            steps.append(found)
            now, then = found.state, old.state
            at += 1
        return self._patched(start, at, [*new, *self.lines(end, at)], steps, valid)

    def _patched(self, start: int, end: int, lines: Sequence[str], steps: Sequence[Step], valid: bool) -> Document:
        """The snapshot with lines `start` to `end` replaced by scanned ones; other chunks are shared."""
        if not self.chunks:
            return Document(_chunks(lines, steps), bom=self.bom, valid=valid, front=self.front)
        starts, last = self._starts, len(self.chunks) - 1
        first = min(bisect_right(starts, start) - 1, last)
        final = min(bisect_right(starts, max(end - 1, start)) - 1, last)
        head, tail = self.chunks[first], self.chunks[final]
        cut, rest = start - starts[first], end - starts[final]
        middle = _chunks(
            (*head.lines[:cut], *lines, *tail.lines[rest:]), (*head.steps[:cut], *steps, *tail.steps[rest:])
        )
        chunks = self.chunks[:first] + middle + self.chunks[final + 1 :]
        same = first == final and len(middle) == 1 and len(lines) == end - start
        return Document(chunks, bom=self.bom, valid=valid, front=self.front, starts=self._starts if same else None)


_FRONT_END = ("---", "...")


def _front_matter(lines: Sequence[str]) -> int:
    """Number of lines of the front matter; 0 when line 1 is not `---` or nothing closes it (§3)."""
    if lines and _lines.body(lines[0]) == "---":
        for number in range(1, len(lines)):
            if _lines.body(lines[number]) in _FRONT_END:
                return number + 1
    return 0


def _chunks(lines: Sequence[str], steps: Sequence[Step]) -> tuple[Chunk, ...]:
    """Chunks of at most twice `CHUNK` lines."""
    count = len(lines)
    if count <= 2 * CHUNK:
        return (Chunk(tuple(lines), tuple(steps)),) if count else ()
    return tuple(Chunk(tuple(lines[at : at + CHUNK]), tuple(steps[at : at + CHUNK])) for at in range(0, count, CHUNK))


def _joins(previous: str, text: str, following: str) -> bool:
    """Whether the line before a replacement runs on into it."""
    if not previous or previous[-1] not in "\r\n":
        return True
    following_char = text[:1] or following[:1]
    return previous[-1] == "\r" and following_char == "\n"


def _is_utf_8(text: str) -> bool:
    """Whether the text has no surrogate: none for a byte that was no UTF-8, and no lone one of a client."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
