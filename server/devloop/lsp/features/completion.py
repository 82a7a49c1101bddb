"""textDocument/completion: markers, ids, groups, agents, modes, models, skills, keys and values,
tags, files, new tasks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.daemon import skill_list
from devloop.lsp.buffers import AT_ONCE, Snapshot
from devloop.lsp.features import _files
from devloop.lsp.features._completion_items import MOST, Choice, Writer, choices, skills
from devloop.lsp.protocol import Plain
from devloop.plan.lines import body

if TYPE_CHECKING:
    from devloop.lsp.buffers import Buffer
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_COMPLETION
OPTIONS: Final = t.CompletionOptions(
    trigger_characters=["[", ":", ",", " ", "-", ".", "/", "`", "*", "#"], resolve_provider=True
)

_MOST_CHANGED: Final = 8
"""Lines that may differ from the plan that was read last (see `_near`)."""
_AFTER_BLANK: Final = frozenset(("dependency", "header-value", "agent", "model", "skill", "path", "group", "limit"))
"""Kinds that a typed blank brings up; where lines are indented by hand, nothing may."""


async def handle(connection: Connection, params: t.CompletionParams) -> Plain | None:
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    snapshot = _near(buffer) or await buffer.snapshot()
    line0, column = connection.positions.point(snapshot.document, params.position)
    column = min(column, len(body(snapshot.document.line(line0))))
    found = plans.completion(snapshot.plan, line0 + 1, column)
    if found.kind == "none" or _unasked(snapshot, params, found, line0):
        return None
    writer = Writer(connection, snapshot, line0 + 1, column, found)
    if found.kind == "path":
        ticked = body(snapshot.document.line(line0))[: found.start].endswith("`")
        offered, more = await _paths(connection, found, ticked=ticked)
        items, _ = writer.items(offered)
        return Plain({"isIncomplete": more, "items": items})
    if found.kind == "skill":
        skills_known = await asyncio.to_thread(skill_list.look, connection.root)
        items, more = writer.items(skills(skills_known, snapshot, line0 + 1, found))
    else:
        items, more = writer.items(choices(connection.root, snapshot, line0 + 1, found))
    if found.kind == "dependency" and found.prefix:
        more = True  # ids were chosen by what is typed so far, titles among them
    return Plain({"isIncomplete": more, "items": items})


def _near(buffer: Buffer) -> Snapshot | None:
    """The newest text with a plan that is a few keys old, where reading a long one anew would take too long.

    Good enough to complete by: places are taken from the text, and what is offered comes from the lines that did not
    change. Only while no line came or went.
    """
    known, document = buffer.last_read, buffer.document
    if known is None or document.count <= AT_ONCE or known.document is document:
        return None
    if len(known.document.chunks) != len(document.chunks) or known.document.count != document.count:
        return None
    changed = 0
    for old, new in zip(known.document.chunks, document.chunks, strict=True):
        if old is not new:
            if len(old.lines) != len(new.lines):
                return None
            changed += sum(left != right for left, right in zip(old.lines, new.lines, strict=True))
            if changed > _MOST_CHANGED:
                return None
    plan = plans.patched(known, document) or replace(known, document=document)
    return Snapshot(buffer.uri, buffer.version, plan, buffer.path, buffer.relative, buffer.main)


def _unasked(snapshot: Snapshot, params: t.CompletionParams, found: plans.Completion, line0: int) -> bool:
    """Whether a typed character that means something elsewhere would bring up a list that nobody wants."""
    context = params.context
    if context is None or context.trigger_kind is not t.CompletionTriggerKind.TriggerCharacter:
        return False
    if context.trigger_character == " " and found.kind not in _AFTER_BLANK:
        return not snapshot.document.line(line0).strip(" \t\r\n")
    return False


async def _paths(connection: Connection, found: plans.Completion, *, ticked: bool) -> tuple[list[Choice], bool]:
    paths, whole = await _files.listed(connection.service)
    shown, more = await asyncio.to_thread(_files.matching, paths, found.prefix, MOST)
    shown = await asyncio.to_thread(_files.there, connection.root, shown)
    return [_path(path, found.prefix, ticked) for path in shown], more or not whole or bool(found.prefix)


def _path(path: str, typed: str, ticked: bool) -> Choice:
    """In back-ticks where a blank, comma or bracket would end the path (plan-format §8)."""
    text = path if ticked or not any(char in " \t,;()" for char in path) else f"`{path}`"
    return Choice(path, text, "", path if path.lower().startswith(typed.lower()) else f"{typed} {path}")
