"""The methods about what a person trusts (`devloop.trust`)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop.daemon.documents import Documents
from devloop.errors import UsageError
from devloop.paths import StateDir

if TYPE_CHECKING:
    from devloop.trust import ItemState

Params = Mapping[str, Any]
Answer = dict[str, Any]


class Trusting:
    def __init__(self, root: Path, state: StateDir, documents: Documents) -> None:
        self._root, self._state, self._documents = root, state, documents

    async def items(self, params: Params) -> Answer:
        """`kind`: only those of that kind; of what the plan says no other file is read then."""
        kind = params.get("kind")
        states = await asyncio.to_thread(self._tests if kind == "tests" else self._states)
        if kind is not None:
            states = tuple(each for each in states if each.item.kind == kind)
        return {"items": [each.to_json() for each in states]}

    async def accept(self, params: Params) -> Answer:
        items = params.get("items")
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise UsageError("`items` must be a list of {key, sha256}.")
        shown = [(str(item.get("key")), str(item.get("sha256"))) for item in items]
        states = await asyncio.to_thread(self._accepted, shown)
        return {"items": [each.to_json() for each in states]}

    async def revoke(self, params: Params) -> Answer:
        from devloop import trust

        keys = params.get("keys")
        if keys is not None and (not isinstance(keys, list) or not all(isinstance(key, str) for key in keys)):
            raise UsageError("`keys` must be a list of keys, or null for all.")
        gone = await asyncio.to_thread(trust.revoke, self._state.trust_file, keys)
        states = await asyncio.to_thread(self._states)
        return {"items": [each.to_json() for each in states], "revoked": list(gone)}

    def _tests(self) -> tuple[ItemState, ...]:
        from devloop import trust
        from devloop.daemon import verifying

        return trust.states_of(verifying.items(self._documents), self._state.trust_file)

    def _states(self) -> tuple[ItemState, ...]:
        from devloop import trust
        from devloop.daemon import verifying

        return trust.state(self._root, self._state.trust_file, verifying.items(self._documents))

    def _accepted(self, shown: list[tuple[str, str]]) -> tuple[ItemState, ...]:
        from devloop import trust
        from devloop.daemon import verifying

        return trust.accept(self._root, self._state.trust_file, shown, verifying.items(self._documents))
