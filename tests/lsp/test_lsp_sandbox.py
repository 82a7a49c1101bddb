"""The sandbox's state on the plan's first line: where it is not on, what that means and how to mend it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from devloop.lsp.live import shield
from devloop.sandbox import detect
from support.editor import PULLS

PUSHED = "textDocument/publishDiagnostics"


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(shield, "FIRST_S", 0)
    monkeypatch.setattr(shield, "INTERVAL_S", 0.02)


@pytest.fixture
def config(project):
    """The person's config.toml."""
    folder = Path(os.environ["DEVLOOP_CONFIG_DIR"])
    folder.mkdir(exist_ok=True)
    return folder / "config.toml"


def said(editor):
    """What the plan's diagnostics say of the sandbox now."""
    told = editor.told(PUSHED)
    return [each for each in (told[-1]["diagnostics"] if told else []) if each["code"].startswith("sandbox-")]


async def test_off_is_told_on_the_first_line_and_goes_when_it_is_mended(service, editor, config):
    config.write_text('[sandbox]\nbackend = "none"\n')
    editor.open()
    (found,) = await editor.until(lambda: said(editor), "the state is told")
    assert (found["code"], found["severity"], found["source"]) == ("sandbox-off", 2, "devloop")
    assert found["range"] == {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 12}}
    for words in ("The sandbox is off.", "No agent works until that is mended", "sandbox.require = false", "Remove"):
        assert words in found["message"]
    config.write_text('[sandbox]\nbackend = "none"\nrequire = false\n')
    found = await editor.until(
        lambda: [each for each in said(editor) if "all your rights" in each["message"]], "looked again"
    )
    assert "each one that an agent wants is asked for" in found[0]["message"]
    if (await detect()).state == "on":
        config.unlink()
        await editor.until(lambda: not said(editor), "it is gone")


async def test_degraded_is_told_as_what_it_is(service, editor, config):
    if (await detect("landlock")).state != "degraded":
        pytest.skip("no landlock")
    config.write_text('[sandbox]\nbackend = "landlock"\n')
    editor.open()
    (found,) = await editor.until(lambda: said(editor), "the state is told")
    assert (found["code"], found["severity"]) == ("sandbox-degraded", 3)
    for words in ("weaker sandbox", "Unattended runs are refused", "see other processes", "apt install bubblewrap"):
        assert words in found["message"]


async def test_an_editor_that_asks_gets_it_when_it_is_told_to_ask(service, editors, config):
    config.write_text('[sandbox]\nbackend = "none"\n')
    editor = await editors()
    await editor.initialize(PULLS)
    uri = editor.open()
    await editor.until(lambda: any(method == "workspace/diagnostic/refresh" for method, _ in editor.asked), "refresh")
    async with asyncio.timeout(10):
        while True:  # it asks again at each refresh, and one of them is about the sandbox
            answer = await editor.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
            if count := [each["code"] for each in answer["items"]].count("sandbox-off"):
                break
    assert count == 1
