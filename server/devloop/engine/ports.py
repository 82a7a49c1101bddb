"""The engine's ways back to the daemon: changes of the plan, and events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from devloop.redact import Redactor
from devloop.rpc import Peer
from devloop.store import Store


class DaemonPlan:
    """The plan as the daemon keeps it: an open buffer or the file."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def apply(self, kind: str, task: dict[str, Any], text: str = "") -> str:
        at = datetime.now(UTC).isoformat()
        answer = await self._peer.request("plan/apply", {"event": {"kind": kind, "task": task, "text": text, "at": at}})
        return str(answer["text"])

    async def next(
        self,
        held: list[str],
        phase: str | None = None,
        done_then: list[dict[str, Any]] | None = None,
        limit: int | None = None,
    ) -> dict[str, Any]:
        asked = {"held": held, "phase": phase, "done_then": done_then or [], "limit": limit}
        answer: dict[str, Any] = await self._peer.request("plan/next", asked)
        return answer

    async def take_effect(self, content: dict[str, Any]) -> str:
        answer = await self._peer.request("errand/accepted", content)
        return str(answer["said"])

    async def preview(self, content: dict[str, Any]) -> dict[str, Any] | None:
        answer: dict[str, Any] = await self._peer.request("plan/preview", content)
        found = answer.get("proposal")
        return dict(found) if found is not None else None

    async def propose(self, content: dict[str, Any]) -> str:
        answer = await self._peer.request("plan/propose", content)
        return str(answer["said"])

    async def hand_off(self, content: dict[str, Any]) -> None:
        await self._peer.request("handoff/write", content)


class EventLog:
    """Events pass the redactor, are stored, and go to the daemon, which fans them out."""

    def __init__(self, store: Store, peer: Peer, redactor: Redactor) -> None:
        self._store, self._peer, self._redactor = store, peer, redactor

    def emit(self, kind: str, data: Mapping[str, Any], run: str | None = None, *, store: bool = True) -> None:
        clean = self._redactor.data(data)
        if store:
            event = self._store.add_event(kind, clean, run)
        else:
            event = {"seq": None, "at": datetime.now(UTC).timestamp(), "run": run, "kind": kind, "data": clean}
        self._peer.notify("engine/event", event)
