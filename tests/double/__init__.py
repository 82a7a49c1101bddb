"""A strict local double of the Messages API: checks every request, plays scripted answers over a real socket.

`from double import Double`, with the tests' folder on `sys.path`; or `python -m double --port 0 --scenario FILE` as a
process of its own, which prints `{"url": …, "key": …}` on its first line. Needs the standard library, pydantic and
`devloop.models`' scenario format; it does not load the SDK.
"""

from __future__ import annotations

from double.catalogue import MODELS
from double.journal import Entry
from double.refusal import Refusal
from double.server import KEY, Double
from double.wire import Wire

__all__ = ["KEY", "MODELS", "Double", "Entry", "Refusal", "Wire"]
