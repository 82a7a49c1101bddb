"""The semantic tokens of a document, kept from one version to the next. No method of its own.

Only the newest result of a buffer is kept, chunk by chunk; chunks whose lines and surroundings stayed the same are
shared between results. The difference of two results is one edit, from the first to the last token that differs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Final
from weakref import ReferenceType, WeakKeyDictionary, ref

from devloop import plan as plans
from devloop.lsp.buffers import Buffer, Snapshot
from devloop.lsp.features._extents import LONG
from devloop.lsp.features._token_lines import Encoded, Scheme, context, encoded
from devloop.plan.document import Chunk
from devloop.plan.graph import Graph

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

TOKEN: Final = 5


@dataclass(eq=False)
class Result:
    """The tokens of one plan, which is not kept alive by them. `id`: what the client calls them."""

    id: str
    plan: ReferenceType[plans.Plan]
    graph: ReferenceType[Graph]
    bom: bool
    chunks: Sequence[Encoded]

    @classmethod
    def of(cls, id_: str, plan: plans.Plan, chunks: Sequence[Encoded]) -> Result:
        return cls(id_, ref(plan), ref(plan.graph), plan.document.bom, chunks)

    @cached_property
    def gaps(self) -> Sequence[int]:
        """Per chunk, what the line number of its first token is relative to: lines since the last token before."""
        found, gap = [], 0
        for each in self.chunks:
            found.append(gap)
            gap = each.after if each.data else gap + each.size
        return found

    def numbers(self, first: int = 0, last: int | None = None) -> list[int]:
        """The tokens of the chunks `first` to `last` (exclusive) as the protocol counts them."""
        data: list[int] = []
        for each, gap in zip(self.chunks[first:last], self.gaps[first:last], strict=True):
            if each.data:
                at = len(data)
                data += each.data
                data[at] = each.first + gap
        return data

    def text(self) -> str:
        """All tokens as a JSON array."""
        pairs = zip(self.chunks, self.gaps, strict=True)
        return "[" + ",".join([f"{each.first + gap},{each.text}" for each, gap in pairs if each.data]) + "]"


@dataclass(frozen=True)
class Difference:
    """Replace `removed` numbers from `start` on by `data`."""

    start: int
    removed: int
    data: Sequence[int]


_last: Final[WeakKeyDictionary[Buffer, Result]] = WeakKeyDictionary()
_ids = count(1)


def scheme(connection: Connection) -> Scheme:
    """How this editor wants tokens."""
    client = connection.client
    return Scheme.of(
        connection.positions,
        client.get("textDocument.semanticTokens.tokenTypes"),
        client.get("textDocument.semanticTokens.tokenModifiers"),
    )


def known(buffer: Buffer, result_id: str) -> Result | None:
    """The result that was given this id, if it is the last one."""
    found = _last.get(buffer)
    return found if found is not None and found.id == result_id else None


async def result(connection: Connection, buffer: Buffer, snapshot: Snapshot) -> Result:
    """The tokens of a snapshot; they are the buffer's last result from now on."""
    plan, before = snapshot.plan, _last.get(buffer)
    if before is not None and before.plan() is plan:
        return before
    style = scheme(connection)
    if plan.document.count <= LONG or (before is not None and before.graph() is plan.graph):
        chunks = computed(plan, style, before)
    else:
        chunks = await asyncio.to_thread(computed, plan, style, before, written=True)
    found = _last[buffer] = Result.of(str(next(_ids)), plan, chunks)
    return found


def computed(plan: plans.Plan, style: Scheme, before: Result | None, *, written: bool = False) -> Sequence[Encoded]:
    """The tokens of every chunk of a plan, those of an earlier result where they can't have changed.

    `written`: find their JSON at once as well, since this is not the daemon's loop.
    """
    same = before is not None and before.graph() is plan.graph and before.bom == plan.document.bom
    if before is not None and same and len(before.chunks) == len(plan.document.chunks):
        pairs = zip(plan.document.numbered_chunks(), before.chunks, strict=True)
        return [_again(plan, style, base, chunk, old) for (base, chunk), old in pairs]
    earlier = {id(old.chunk): old for old in before.chunks} if before is not None else {}
    found = []
    for base, chunk in plan.document.numbered_chunks():
        around, known_one = context(plan, base, chunk), earlier.get(id(chunk))
        if known_one is None or known_one.context != around or base == 0:
            known_one = _anew(plan, style, base, chunk, around)
        found.append(known_one)
        _ = written and known_one.text
    return found


def _anew(plan: plans.Plan, style: Scheme, base: int, chunk: Chunk, around: Hashable) -> Encoded:
    lines = [style.line(plan, line) for line in range(base + 1, base + len(chunk.lines) + 1)]
    return encoded(chunk, around, lines)


def _again(plan: plans.Plan, style: Scheme, base: int, chunk: Chunk, old: Encoded) -> Encoded:
    """In a plan of the same structure: only lines with another text can have other tokens."""
    if old.chunk is chunk:
        return old
    if len(old.chunk.lines) != len(chunk.lines):
        return _anew(plan, style, base, chunk, context(plan, base, chunk))
    pairs = zip(old.chunk.lines, chunk.lines, old.lines, strict=True)
    lines = [
        tokens if left == right else style.line(plan, base + at) for at, (left, right, tokens) in enumerate(pairs, 1)
    ]
    return encoded(chunk, old.context, lines)


def difference(old: Result, new: Result) -> Difference | None:
    """What turns the numbers of `old` into those of `new`; None when they are the same."""
    first, limit = 0, min(len(old.chunks), len(new.chunks))
    start = 0
    while first < limit and _equal(old, first, new, first):
        start += len(old.chunks[first].data)
        first += 1
    end = 0
    while end < limit - first and _equal(old, -1 - end, new, -1 - end):
        end += 1
    before = old.numbers(first, len(old.chunks) - end)
    after = new.numbers(first, len(new.chunks) - end)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    removed, data = len(before) - head - tail, after[head : len(after) - tail]
    if not removed and not data:
        return None
    return Difference(start + head, removed, data)


def _equal(old: Result, at: int, new: Result, there: int) -> bool:
    left, right = old.chunks[at], new.chunks[there]
    return left is right and (not left.data or old.gaps[at] == new.gaps[there])


def _common(left: list[int], right: list[int]) -> int:
    """How many numbers two lists begin with in common, in whole tokens."""
    limit = min(len(left), len(right))
    at = next((at for at in range(limit) if left[at] != right[at]), limit)
    return at - at % TOKEN
