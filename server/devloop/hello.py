"""The first message of every connection to the daemon, without loading anything: the editor's pipe sends it too."""

from __future__ import annotations

import os
from typing import Any

from devloop import __version__

CARRIED = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "DEVLOOP_SCENARIO",
    "DEVLOOP_MODEL",
    "DEVLOOP_DATABASE_URL",
    "VIRTUAL_ENV",
)
"""The only variables of a client's environment that reach the daemon."""


def hello(client: str) -> dict[str, Any]:
    """The params of `devloop/hello`: who asks, its version, and what its environment says about the model."""
    return {"client": client, "version": __version__, "environment": environment()}


def environment() -> dict[str, str]:
    found = {name: os.environ[name] for name in CARRIED if os.environ.get(name)}
    if "DEVLOOP_SCENARIO" in found:  # the daemon lives in another directory
        found["DEVLOOP_SCENARIO"] = os.path.abspath(os.path.expanduser(found["DEVLOOP_SCENARIO"]))  # noqa: PTH100, PTH111
    return found
