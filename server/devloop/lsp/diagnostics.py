"""A plan's problems as diagnostics: pushed after each change, with the version they were found in.

One push at a time per document: what is typed while one is being prepared is covered by the next. A keystroke costs no
more than the problems that are shown: conversions are kept as long as problem and line stay what they were.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop import shipped
from devloop.lsp import checkpoint_texts
from devloop.lsp.buffers import Buffer, Snapshot
from devloop.lsp.chosen import Chosen
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

SOURCE: Final = "devloop"
EXPLAINED: Final = shipped.problems().as_uri()
"""Where the codes are explained, with a heading for each."""
_SEVERITY: Final = {"error": 1, "warning": 2, "info": 3, "hint": 4}

Item = dict[str, Any]


async def publish(connection: Connection, buffer: Buffer) -> None:
    """Push the diagnostics of each version until the document is closed."""
    told: tuple[int, list[Item]] | None = None
    while not buffer.closed:
        news = buffer.advanced
        snapshot = await buffer.snapshot()
        found = (snapshot.version, items(connection, buffer, snapshot))
        if found != told and not buffer.closed:
            told = found
            params = Plain({"uri": buffer.uri, "version": found[0], "diagnostics": found[1]})
            connection.notify(t.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)
        await news.wait()


def clear(connection: Connection, buffer: Buffer) -> None:
    if not connection.pulls:
        connection.notify(t.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, {"uri": buffer.uri, "diagnostics": []})


def items(connection: Connection, buffer: Buffer, snapshot: Snapshot) -> list[Item]:
    """The diagnostics of one version: its checkpoints, and at most as many problems as the person wants to see; the
    last one counts the others."""
    outside = connection.live.outside.problems(buffer, snapshot)
    found = listed(connection, snapshot, outside, buffer.chosen, beyond=connection.live.outside.beyond(buffer))
    found += connection.live.shield.rows(connection, buffer, snapshot)
    return found + connection.live.findings.rows(connection, buffer.uri, snapshot.document)


def listed(
    connection: Connection,
    snapshot: Snapshot,
    outside: Sequence[plans.Problem],
    chosen: Chosen,
    *,
    most: int = 10_000,
    beyond: int = 0,
) -> list[Item]:
    """`outside`: problems that the text alone does not show, `beyond`: how many more of them there are. `chosen`
    remembers what was found for the last version."""
    problems = snapshot.plan.problems
    limit = min(connection.options.diagnostics_limit, most)
    found = checkpoint_texts.marks(connection, snapshot)
    kept = {}
    for problem in heapq.merge(chosen.of(problems, limit), outside[:limit], key=_place):
        line = snapshot.document.line(problem.line - 1)
        entry = chosen.items.get(id(problem))
        if entry is None or entry[1] != line:
            entry = (problem, line, _item(connection, snapshot, problem))
        kept[id(problem)] = entry
        found.append(entry[2])
    chosen.items = kept
    others = len(problems) + len(outside) + beyond - len(kept)
    if others:
        found.append(_others(others))
    return found


def _place(problem: plans.Problem) -> tuple[int, int]:
    return problem.line, problem.start


def _item(connection: Connection, snapshot: Snapshot, problem: plans.Problem) -> Item:
    positions, document = connection.positions, snapshot.document
    found: Item = {
        "range": connection.protocol.plain(positions.range(document, problem.line, problem.start, problem.end)),
        "severity": _SEVERITY[problem.severity],
        "code": problem.code,
        "source": SOURCE,
        "message": problem.message,
    }
    if connection.client.can("textDocument.publishDiagnostics.codeDescriptionSupport"):
        found["codeDescription"] = {"href": f"{EXPLAINED}#{problem.code}"}
    if problem.related and connection.client.can("textDocument.publishDiagnostics.relatedInformation"):
        found["relatedInformation"] = [
            {
                "location": {
                    "uri": snapshot.uri,
                    "range": connection.protocol.plain(positions.range(document, line)),
                },
                "message": message,
            }
            for line, message in problem.related
        ]
    if connection.client.can("textDocument.publishDiagnostics.dataSupport"):
        found["data"] = {"version": snapshot.version}
    return found


def _others(count: int) -> Item:
    """What stands for the problems that are not shown."""
    return {
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}},
        "severity": 3,
        "code": "more-problems",
        "source": SOURCE,
        "message": f"{count} more problems are not shown; `devloop plan check` lists them all.",
    }
