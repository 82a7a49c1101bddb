"""The first message of every connection to the daemon, and who is at its other end, without loading anything: the
editor's pipe needs it too."""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

from devloop import __version__

HELLO = "devloop/hello"
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


def same_user(connection: Any) -> bool:
    """Whether the process at the other end of a Unix socket belongs to this user (security §12). Both ends ask: the
    daemon serves nobody else, and a client tells nobody else its key. Where the system can't say, the directory's mode
    is what protects the socket."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", raw)[1]
    return uid == os.getuid()
