"""Editors come and go for days: nothing of one that left stays, and little has to be found by the collector."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from devloop.lsp import protocol

CYCLES = 12
MOST = 600
"""Objects that one editor may leave to the collector: its connection with what that holds."""


@pytest.fixture
def come_and_go(editors):
    """One editor that uses the plan and leaves; answers with weak references to what served it."""

    async def cycle(number):
        editor = await editors()
        await editor.initialize()
        uri = editor.open()
        await editor.diagnostics(uri, 1)
        document = {"textDocument": {"uri": uri}}
        for method in ("documentSymbol", "codeLens", "foldingRange"):
            await editor.request(f"textDocument/{method}", document)
        (connection,) = editors.server.connections
        spoken = connection.protocol
        parts = (connection, spoken, spoken._server, connection.buffers[uri], connection.client)
        found = [weakref.ref(each) for each in parts]
        del connection, parts, spoken
        await (editor.leave() if number % 2 else editor.vanish())
        while editors.server.connections:
            await asyncio.sleep(0.001)
        editors.made.remove(editor)
        return found

    return cycle


async def settled():
    """Until what was begun for those who left has ended."""
    for _ in range(5):
        await asyncio.sleep(0.01)
    gc.collect()


async def test_nothing_of_editors_that_left_is_left(come_and_go, editors, service):
    of_the_daemon = len(service.board._listeners)
    gone = [ref for number in range(CYCLES) for ref in await come_and_go(number)]
    live = editors.server.live
    async with asyncio.timeout(10):
        while [ref() for ref in gone if ref() is not None]:
            await settled()
    assert not (live.joined or live.progress or live._tasks)
    assert len(service.board._listeners) == of_the_daemon
    assert live.findings._task is None and not (live.findings._told or live.findings._offered)
    assert not (live.shown._virtual or live.closed_plan._told or service.documents.open_plans._open)


async def test_an_editor_leaves_little_to_the_collector(come_and_go):
    """The daemon's collector runs rarely (see `serve`): what only it can find adds up."""
    for number in range(3):
        await come_and_go(number)
    await settled()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for number in range(CYCLES):
            await come_and_go(number)
        assert (len(gc.get_objects()) - before) / CYCLES < MOST
    finally:
        gc.enable()


async def test_all_editors_share_one_converter(editors):
    for _ in range(3):
        await (await editors()).initialize()
    assert {id(each.protocol._converter) for each in editors.server.connections} == {id(protocol.converter())}
