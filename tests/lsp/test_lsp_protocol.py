"""The base protocol: order, errors, cancelling, what never leaves the process."""

from __future__ import annotations

import pytest

from support.editor import EVERYTHING, PULLS, Failed


async def test_requests_before_initialize_and_after_shutdown_are_refused(editors):
    editor = await editors()
    with pytest.raises(Failed) as refused:
        await editor.request("textDocument/diagnostic", {"textDocument": {"uri": editor.uri()}})
    assert refused.value.error["code"] == -32002
    await editor.initialize()
    with pytest.raises(Failed) as refused:
        await editor.initialize()
    assert refused.value.error["code"] == -32600
    assert await editor.request("shutdown") is None
    with pytest.raises(Failed) as refused:
        await editor.request("textDocument/diagnostic", {"textDocument": {"uri": editor.uri()}})
    assert refused.value.error["code"] == -32600


async def test_diagnostics_are_pushed_for_each_version(editor):
    uri = editor.open()
    assert await editor.diagnostics(uri, 1) == []
    version = editor.type(uri, 7, 38, "9.9,")
    found = await editor.diagnostics(uri, version)
    assert [each["code"] for each in found] == ["unknown-dependency"]


async def test_an_editor_that_asks_for_diagnostics_is_not_told_them_too(editors):
    editor = await editors()
    found = await editor.initialize(PULLS)
    assert found["capabilities"]["diagnosticProvider"]["identifier"] == "devloop"
    uri = editor.open()
    version = editor.type(uri, 7, 38, "9.9,")
    told = await editor.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
    assert told["kind"] == "full" and told["resultId"] == str(version)
    assert [each["code"] for each in told["items"]] == ["unknown-dependency"]
    assert editor.told("textDocument/publishDiagnostics") == []


async def test_an_editor_that_can_not_be_told_to_ask_again_is_told(editors):
    editor = await editors()
    found = await editor.initialize({**PULLS, "workspace": {**EVERYTHING["workspace"], "diagnostics": {}}})
    assert "diagnosticProvider" not in found["capabilities"]
    assert await editor.diagnostics(editor.open(), 1) == []


async def test_one_editor_that_vanishes_disturbs_no_other(editors):
    first, second = await editors(), await editors()
    await first.initialize()
    await second.initialize()
    await first.vanish()
    uri = second.open()
    assert await second.diagnostics(uri, 1) == []


@pytest.mark.parametrize(
    "message", [{"method": 5, "id": 1}, {"id": True, "method": "shutdown"}, {"id": {}, "method": "x"}]
)
async def test_what_is_no_message_gets_the_protocols_error(editor, message):
    editor.send(message)
    await editor.until(lambda: editor.told(""), "an error")
    assert editor.told("")[-1]["error"]["code"] == -32600 or editor.told("")[-1]["id"] == 1
    uri = editor.open()
    assert await editor.diagnostics(uri, 1) == []
