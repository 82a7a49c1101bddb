"""The one value that steps find in their process: DBOS calls them by name after a crash, so they can't be handed it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from devloop.engine.cancelling import Cancelling
from devloop.engine.recoveries import Recoveries
from devloop.engine.slots import Slots
from devloop.runs.services import Services


@dataclass
class Context:
    services: Services
    slots: Slots
    cancelling: Cancelling
    recoveries: Recoveries
    alive: set[str] = field(default_factory=set)
    """Runs whose workflow is executing in this process."""
    no_room: set[str] = field(default_factory=set)
    """Runs that ended before their time because the disk is full."""
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from the look for an open run of a task until the new one is recorded: a task never has two."""


_current: list[Context] = []


def context() -> Context:
    return _current[-1]


def set_context(value: Context) -> None:
    _current[:] = [value]
