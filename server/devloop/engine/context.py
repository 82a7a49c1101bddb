"""The one value that steps find in their process: DBOS calls them by name after a crash, so they can't be handed it."""

from __future__ import annotations

from dataclasses import dataclass, field

from devloop.engine.cancelling import Cancelling
from devloop.engine.slots import Slots
from devloop.runs.services import Services


@dataclass
class Context:
    services: Services
    slots: Slots
    cancelling: Cancelling
    alive: set[str] = field(default_factory=set)
    """Runs whose workflow is executing in this process."""


_current: list[Context] = []


def context() -> Context:
    return _current[-1]


def set_context(value: Context) -> None:
    _current[:] = [value]
