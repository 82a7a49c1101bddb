"""Open documents that are no plans: skills, agents, settings, hooks, state files. Their problems and ways out of them.

The same as the terminal says (`daemon.checkers`). Checked in a thread, one at a time for each document: what is typed
meanwhile is covered by the next. Plans never come by here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp import texts
from devloop.lsp.buffers import Change, replaced
from devloop.lsp.diagnostics import EXPLAINED, SOURCE
from devloop.lsp.features._actions import FIX_ALL, QUICK_FIX
from devloop.lsp.protocol import Plain
from devloop.own_files import Fault, LineEdit

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

MOST: Final = 1_000
"""Problems of one file that are shown."""
_SEVERITY: Final = {"error": 1, "warning": 2}

Row = dict[str, Any]


class OwnFile:
    """One open document. `name`: as faults name it."""

    def __init__(self, uri: str, version: int, text: str, name: str) -> None:
        self.uri, self.version, self.name = uri, version, name
        self.document = plans.Document.of(text)
        self.closed = False
        self.advanced = asyncio.Event()
        """Set with each new version, and replaced."""
        self._known: tuple[plans.Document, tuple[Fault, ...]] | None = None
        self._turn = asyncio.Lock()

    def change(self, version: int, changes: Sequence[Change], connection: Connection) -> None:
        if version < self.version:
            return
        for change in changes:
            if isinstance(change, t.TextDocumentContentChangePartial):
                self.document = replaced(self.document, change.range, change.text, connection.positions)
            else:
                self.document = plans.Document.of(change.text)
        self.version = version
        self.advance()

    def advance(self, *, anew: bool = False) -> None:
        """Wake whoever waits for news. `anew`: what lies beside the file may have changed."""
        if anew:
            self._known = None
        self.advanced.set()
        self.advanced = asyncio.Event()

    async def checked(self, root: Path) -> tuple[int, plans.Document, tuple[Fault, ...]]:
        """The newest version with what is wrong with it."""
        from devloop.daemon import checkers

        while True:
            async with self._turn:
                version, document, known = self.version, self.document, self._known
                if known is None or known[0] is not document:
                    faults = await asyncio.to_thread(checkers.check, root, self.name, document.text)
                    known = document, faults
                    self._known = known
            if document is self.document:
                return version, document, known[1]


def open_document(connection: Connection, item: t.TextDocumentItem, path: Path) -> OwnFile | None:
    """None where devloop has nothing to say about such a file."""
    from devloop.daemon import checkers  # here: they bring along what reads agents, skills, hooks and state files

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
    found = [_row(connection, document, fault) for fault in faults[:MOST]]
    return found + connection.live.findings.rows(connection, uri, document)


def _row(connection: Connection, document: plans.Document, fault: Fault) -> Row:
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


# Ways out


async def actions(connection: Connection, params: t.CodeActionParams) -> Plain | None:
    """The fixes of problems in the range; all certain ones at once when they are asked for by their kind."""
    file = connection.own_files.get(params.text_document.uri)
    findings = connection.live.findings.actions(connection, params)
    if file is None or not connection.client.can("textDocument.codeAction.codeActionLiteralSupport"):
        return Plain(findings) if findings else None
    version, document, faults = await file.checked(connection.root)
    only = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]
    found: list[Row] = findings
    if _wanted(QUICK_FIX, only):
        found += _fixes(connection, file, version, document, faults, params)
    certain = [fix.edits for fault in faults for fix in fault.fixes[:1] if fix.certain]
    if certain and only and _wanted(FIX_ALL, only):
        edits = list(_apart([edit for edits in certain for edit in edits]))
        edit = _workspace_edit(connection, file, version, document, edits)
        found.append({"title": "Fix what has one right answer", "kind": FIX_ALL, "edit": edit})
    return Plain(found)


def _wanted(kind: str, only: Sequence[str]) -> bool:
    return not only or any(not each or kind == each or kind.startswith(f"{each}.") for each in only)


def _fixes(
    connection: Connection,
    file: OwnFile,
    version: int,
    document: plans.Document,
    faults: Sequence[Fault],
    params: t.CodeActionParams,
) -> Iterator[Row]:
    first, last = params.range.start.line + 1, params.range.end.line + 1
    for fault in faults:
        places = {fault.line, *(edit.line for fix in fault.fixes for edit in fix.edits)}
        if not any(first <= line <= last for line in places):
            continue
        for fix in fault.fixes:
            row: Row = {
                "title": texts.label(fix.title),
                "kind": QUICK_FIX,
                "diagnostics": [_row(connection, document, fault)],
                "edit": _workspace_edit(connection, file, version, document, fix.edits),
            }
            if fix.certain and connection.client.can("textDocument.codeAction.isPreferredSupport"):
                row["isPreferred"] = True
            yield row


def _workspace_edit(
    connection: Connection, file: OwnFile, version: int, document: plans.Document, edits: Sequence[LineEdit]
) -> Row:
    changes = [_text_edit(connection, document, edit) for edit in edits]
    if connection.versions:
        identifier = t.OptionalVersionedTextDocumentIdentifier(uri=file.uri, version=version)
        made = t.WorkspaceEdit(document_changes=[t.TextDocumentEdit(identifier, list(changes))])
    else:
        made = t.WorkspaceEdit(changes={file.uri: list(changes)})
    found: Row = connection.protocol.plain(made)
    return found


def _text_edit(connection: Connection, document: plans.Document, edit: LineEdit) -> t.TextEdit:
    newline = "\r\n" if document.line(0).endswith("\r\n") else "\n"
    line = min(edit.line, document.count)
    place = connection.positions.range(document, line, edit.start, edit.end)
    return t.TextEdit(place, edit.text.replace("\n", newline))


def _apart(edits: Sequence[LineEdit]) -> Iterator[LineEdit]:
    """Edits that do not touch each other; of two that do, the first: the other is offered again afterwards."""
    taken: list[LineEdit] = []
    for edit in edits:
        if not any(edit.line == each.line and not _beside(edit, each) for each in taken):
            taken.append(edit)
            yield edit


def _beside(one: LineEdit, other: LineEdit) -> bool:
    if one.end is None or other.end is None or one.start == other.start:
        return False
    return one.end <= other.start or other.end <= one.start
