"""Changing an open plan: the editor is asked to change its buffer, and whether it did is seen in what it sends.

An edit says for which version it is meant. To some editors it can't: they carry it out on whatever their text is by
then, also when the person typed since (editors collect typing for a moment before they tell it). There a change waits
until nothing was typed for a while, and an edit that hit another text than its own is taken back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types as t

from devloop import plan as plans
from devloop.errors import Unavailable

if TYPE_CHECKING:
    from devloop.lsp.buffers import Buffer
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)

APPLY_S = 10.0
"""How long an editor may take to change a buffer of its own."""
CAUGHT_UP_S = 2.0
"""How long after that the new text may take to arrive."""
QUIET_S = 0.3
"""Longer than editors collect typing before they tell it (Neovim: 0.15 s)."""
QUIET_AT_MOST_S = 2.0
"""How long such a pause is waited for."""
NOT_SENT = "the editor says that it changed its text, but did not send it"


async def apply(editor: Editor, buffer: Buffer, plan: plans.Plan, edits: Sequence[plans.Edit], label: str) -> bool:
    """See `daemon.open_plans.OpenPlan.apply`."""
    if buffer.closed or editor.left.is_set() or not editor.client.takes(t.WORKSPACE_APPLY_EDIT):
        raise Unavailable("this editor can't be asked to change its text")
    if editor.hangs:
        raise Unavailable("the editor does not answer")
    if buffer.document is not plan.document:
        return False
    if not editor.versions:
        return await _unversioned(editor, buffer, plan.document, edits, label)
    version = buffer.version
    if not await _ask(editor, buffer, edits, label):
        return False
    if not await _caught_up(buffer, lambda: buffer.version > version):
        raise Unavailable(NOT_SENT)
    return True


async def _ask(editor: Editor, buffer: Buffer, edits: Sequence[plans.Edit], label: str) -> bool:
    changes = [editor.positions.edit(buffer.document, each) for each in edits]
    params = t.ApplyWorkspaceEditParams(editor.workspace_edit(buffer.uri, buffer.version, changes), label)
    try:
        async with asyncio.timeout(APPLY_S):
            return bool((await editor.ask(t.WORKSPACE_APPLY_EDIT, params)).applied)
    except TimeoutError as problem:
        editor.hangs = True  # runs must not wait for it with every change
        raise Unavailable("the editor did not answer") from problem


async def _caught_up(buffer: Buffer, arrived: Callable[[], bool]) -> bool:
    """Wait until the change that the editor made has arrived in a new version; False when it does not."""
    try:
        async with asyncio.timeout(CAUGHT_UP_S):
            while not arrived():
                if buffer.closed:
                    return False
                await buffer.advanced.wait()
    except TimeoutError:
        return False
    return True


async def _unversioned(
    editor: Editor, buffer: Buffer, document: plans.Document, edits: Sequence[plans.Edit], label: str
) -> bool:
    if not await _quiet(buffer):
        raise Unavailable("it is being typed into all the time")
    if buffer.document is not document:
        return False
    wanted = plans.apply_to(document, edits)
    with buffer.collected() as texts:
        if not await _ask(editor, buffer, edits, label):
            return False
        if not await _caught_up(buffer, lambda: texts[:1] == [wanted] or _back(texts, edits) is not None):
            raise Unavailable(NOT_SENT)
        back = _back(texts, edits)
        if texts[0] == wanted or back is None:
            return texts[0] == wanted
        reach = max(each.end_line for each in edits)
        if texts[-2].lines(0, reach) == document.lines(0, reach):
            return True  # what was typed meanwhile stands below
        log.info("an editor made a change in a text that had moved; it is taken back")
        wrong = buffer.document
        await _ask(editor, buffer, [back], label)
        await _caught_up(buffer, lambda: buffer.document is not wrong)
    return False


async def _quiet(buffer: Buffer) -> bool:
    """Wait until nothing was typed for a while; False when somebody types all the time."""
    end = time.monotonic() + QUIET_AT_MOST_S
    while (left := buffer.touched + QUIET_S - time.monotonic()) > 0:
        if time.monotonic() + left > end:
            return False
        await asyncio.sleep(left)
    return not buffer.closed


def _back(texts: Sequence[plans.Document], edits: Sequence[plans.Edit]) -> plans.Edit | None:
    """`texts`: what the editor sent since it was asked, oldest first. When the newest of them is the edits' effect on
    another text than the one they were meant for, the edit that takes it back."""
    if len(texts) < 2 or _carried_out(texts[-2], edits) != texts[-1]:
        return None
    return plans.difference(texts[-1].lines(), texts[-2].lines())


def _carried_out(document: plans.Document, edits: Sequence[plans.Edit]) -> plans.Document:
    """As an editor does it: without a look at what stands there."""
    for edit in sorted(edits, key=lambda each: (each.start_line, each.start), reverse=True):
        document = document.replace((edit.start_line - 1, edit.start), (edit.end_line - 1, edit.end), edit.text)
    return document
