"""The sandbox's state in the terminal: `devloop status` and `devloop doctor` say what it means and how to mend it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devloop.sandbox import detect


@pytest.fixture
def config(project):
    folder = Path(os.environ["DEVLOOP_CONFIG_DIR"])
    folder.mkdir(exist_ok=True)
    return folder / "config.toml"


def examined(devloop):
    return next(each for each in devloop("doctor", "--json").json["checks"] if each["name"] == "sandbox")


async def states():
    return (await detect()).state, (await detect("landlock")).state


async def test_each_state_is_told_with_its_meaning_and_the_way_out(devloop, config):
    import asyncio

    on, weak = await states()

    def look():
        cases = [("none", "off", "problem", "No agent works until that is mended", "Remove sandbox.backend")]
        if weak == "degraded":
            cases.append(("landlock", "degraded", "warning", "Unattended runs are refused", "apt install bubblewrap"))
        for backend, state, level, means, fix in cases:
            config.write_text(f'[sandbox]\nbackend = "{backend}"\n')
            told = " ".join(devloop("status").out.split())
            assert f"sandbox {state}" in told and means in told and fix in told
            check = examined(devloop)
            assert check["state"] == level and check["message"].startswith(f"{state}: ")
            assert means in check["message"] and fix in check["fix"]
        config.unlink()
        if on == "on":
            assert "sandbox on (bubblewrap)" in devloop("status").out
            assert examined(devloop)["message"].startswith("on: Commands run in bubblewrap")

    await asyncio.to_thread(look)
