"""Open documents that are no plans (skills, agents, settings, hooks, state files): their problems, told as a plan's.

Plans never come by here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp import texts
from devloop.lsp.diagnostics import EXPLAINED, SOURCE
from devloop.lsp.editor import place_of
from devloop.lsp.own_file import OwnFile
from devloop.lsp.protocol import Plain
from devloop.own_files import Fault

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

MOST: Final = 1_000
"""Problems of one file that are shown."""
_SEVERITY: Final = {"error": 1, "warning": 2}

Row = dict[str, Any]


def open_document(connection: Connection, item: t.TextDocumentItem) -> OwnFile | None:
    """None where devloop has nothing to say about such a file."""
    from devloop.daemon import checkers  # here: they bring along what reads agents, skills, hooks and state files

    path = place_of(item.uri)
    if path is None:
        return None
    name = checkers.name_of(connection.root, path)
    if not checkers.knows(name):
        return None
    known = connection.own_files.pop(item.uri, None)
    if known is not None:
        known.closed = True
        known.advance()
    found = OwnFile(item.uri, item.version, item.text, name)
    connection.own_files[item.uri] = found
    if not connection.pulls:
        connection.spawn(_publish(connection, found))
    return found


def close_document(connection: Connection, uri: str) -> None:
    found = connection.own_files.pop(uri, None)
    if found is not None:
        found.closed = True
        found.advance()
        if not connection.pulls:
            connection.notify(t.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, {"uri": uri, "diagnostics": []})


async def _publish(connection: Connection, file: OwnFile) -> None:
    told: tuple[int, list[Row]] | None = None
    while not file.closed:
        news = file.advanced
        version, document, faults = await file.checked(connection.root)
        found = (version, _rows(connection, document, faults, file.uri))
        if found != told and not file.closed:
            told = found
            params = Plain({"uri": file.uri, "version": version, "diagnostics": found[1]})
            connection.notify(t.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)
        await news.wait()


async def diagnostics(connection: Connection, uri: str) -> Plain | None:
    """The answer to `textDocument/diagnostic`; None for a document that is none of ours."""
    file = connection.own_files.get(uri)
    if file is None:
        return None
    version, document, faults = await file.checked(connection.root)
    return Plain({"kind": "full", "resultId": str(version), "items": _rows(connection, document, faults, uri)})


def _rows(connection: Connection, document: plans.Document, faults: Sequence[Fault], uri: str) -> list[Row]:
    found = [row(connection, document, fault) for fault in faults[:MOST]]
    return found + connection.live.findings.rows(connection, uri, document)


def row(connection: Connection, document: plans.Document, fault: Fault) -> Row:
    found: Row = {
        "range": connection.protocol.plain(_range(connection, document, fault)),
        "severity": _SEVERITY[fault.severity],
        "code": fault.code,
        "source": SOURCE,
        "message": texts.label(fault.message, 1_000),
    }
    if connection.client.can("textDocument.publishDiagnostics.codeDescriptionSupport"):
        found["codeDescription"] = {"href": f"{EXPLAINED}#{fault.code}"}
    return found


def _range(connection: Connection, document: plans.Document, fault: Fault) -> t.Range:
    """The word that a fix would replace, else the line without what is blank around it."""
    line = min(max(fault.line, 1), document.count)
    for fix in fault.fixes:
        for edit in fix.edits:
            if edit.line == line and edit.end is not None and edit.end > edit.start:
                return connection.positions.range(document, line, edit.start, edit.end)
    text = document.line(line - 1).rstrip()
    return connection.positions.range(document, line, len(text) - len(text.lstrip()), len(text))
