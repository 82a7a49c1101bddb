"""Ways out of what is wrong in a file that is no plan, as code actions.

No method of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp import own_files, texts
from devloop.lsp.features._actions import FIX_ALL, QUICK_FIX
from devloop.lsp.own_file import OwnFile
from devloop.lsp.protocol import Plain
from devloop.own_files import Fault, LineEdit

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

Row = dict[str, Any]


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
                "diagnostics": [own_files.row(connection, document, fault)],
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
