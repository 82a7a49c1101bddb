"""The few variables that clients bring along. In memory only: never logged, never in a process's environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devloop import keys
from devloop.daemon.connect import CARRIED
from devloop.redact import SECRET_NAME, Redactor

MAX_VALUE = 32_768
_MODEL = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "DEVLOOP_SCENARIO", "DEVLOOP_MODEL")
_SOURCES = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "DEVLOOP_SCENARIO")


class ClientEnvironment:
    """What the engine is told.

    A client that brings a key, a base URL or a scenario replaces everything about the model, so that a key never meets
    the base URL of another terminal; one that brings none of them changes none of it.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._values: dict[str, str] = {}

    @property
    def variables(self) -> dict[str, str]:
        """All carried names; "" means that it is not set."""
        return {name: self._values.get(name, "") for name in CARRIED}

    def update(self, brought: Any) -> bool:
        """Take over what a client brought; True when something changed. Anything that is no carried text is ignored."""
        if not isinstance(brought, Mapping):
            return False
        found = {
            name: value
            for name in CARRIED
            if isinstance(value := brought.get(name), str) and 0 < len(value) <= MAX_VALUE and "\0" not in value
        }
        before = dict(self._values)
        if any(name in found for name in _SOURCES):
            for name in _MODEL:
                self._values.pop(name, None)
        self._values.update(found)
        for name, value in found.items():
            if SECRET_NAME.search(name) or "://" in value:
                self._redactor.add(name, value)
                keys.tell(name, value)
        return self._values != before
