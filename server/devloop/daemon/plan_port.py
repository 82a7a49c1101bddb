"""What the engine asks of the daemon: read and change the plan, write the hand-off, tell what happens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from devloop import keys
from devloop import plan as plans
from devloop.daemon import plan_events
from devloop.daemon.documents import Documents, PlanText
from devloop.errors import DevloopError, UsageError
from devloop.own_files import read_bytes
from devloop.paths import StateDir
from devloop.redact import one_line
from devloop.rpc import Handler

log = logging.getLogger(__name__)

# The state files' modules and git come with the first hand-off and the first commit: an idle daemon holds neither.
HAND_OFF = ".devloop/next-action.json"
WORKLOG = ".devloop/worklog.md"
MAX_UNCOMMITTED = 50


class PlanPort:
    """`publish` passes events on; `changed` is told each new text of the plan that was written here."""

    def __init__(
        self,
        documents: Documents,
        state: StateDir,
        publish: Callable[[dict[str, Any]], None],
        changed: Callable[[PlanText], None],
    ) -> None:
        self._documents, self._state = documents, state
        self._publish, self._changed = publish, changed
        self._one_at_a_time = asyncio.Lock()

    def handlers(self) -> dict[str, Handler]:
        return {
            "plan/apply": self.apply,
            "plan/read": self.read,
            "plan/next": self.next,
            "handoff/write": self.hand_off,
            "engine/event": self.event,
        }

    async def apply(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Make one change; making it again changes nothing."""
        wanted = params.get("event")
        if not isinstance(wanted, Mapping):
            raise UsageError("plan/apply needs an event.")
        event = plan_events.event_of(wanted)
        async with self._one_at_a_time:
            after, changed = await self._documents.record(
                lambda plan: plans.change(plan, event), plan_events.label_of(event), plan_events.about(event), event
            )
            if wanted.get("kind") == "committed":
                await asyncio.to_thread(self._log_commit, after, wanted)
        if changed:
            self._changed(after)
        return {"path": after.relative, "text": after.text, "changed": changed}

    async def read(self, params: Mapping[str, Any]) -> dict[str, Any]:
        found = await asyncio.to_thread(self._documents.read)
        return {"path": found.relative, "text": found.text}

    async def next(self, params: Mapping[str, Any]) -> dict[str, Any]:
        held = [str(each) for each in params.get("held") or ()]
        phase = str(params["phase"]) if params.get("phase") else None
        limit = params.get("limit")
        found, plan = await asyncio.to_thread(self._documents.plan)
        for task in params.get("done_then") or ():
            plan = await asyncio.to_thread(plan_events.as_done, plan, task)
        following = plan_events.next_for_engine(plan, held, phase, limit if isinstance(limit, int) else None)
        return {**following, "plan": plan_events.plan_of(found, plan)}

    async def hand_off(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`.devloop/next-action.json` (state-files §3). One that is there goes to the state directory first."""
        return {"path": await asyncio.to_thread(self._write_hand_off, dict(params), await self._uncommitted())}

    async def _uncommitted(self) -> list[str]:
        """The person's own changes that are not committed, so that the next start knows of them."""
        from devloop.workspace import Repository

        try:
            dirty = await (await Repository.discover(self._documents.root, born=False)).dirty()
        except DevloopError:
            return []
        return [each.path for each in dirty if not each.path.startswith(".devloop/")][:MAX_UNCOMMITTED]

    async def event(self, params: dict[str, Any]) -> None:
        self._publish(params)

    def _write_hand_off(self, content: dict[str, Any], uncommitted: list[str]) -> str:
        from pydantic import ValidationError

        from devloop.daemon import resuming
        from devloop.state import next_action
        from devloop.state.storing import json_text, stamp

        with contextlib.suppress(DevloopError):
            found = self._documents.read()
            content.setdefault("planHash", found.sha256)
            content.setdefault("plan", {"name": "", "file": found.relative})
        content.setdefault("plan", {})
        content.setdefault("uncommittedWork", uncommitted)
        content.setdefault("savedAt", stamp(datetime.now(UTC)))
        try:
            action = next_action.compose(content)
        except ValidationError as problem:
            raise UsageError(f"This is no hand-off: {one_line(str(problem.errors()[0]['msg']))}.") from problem
        root = self._documents.root
        before = read_bytes(root, HAND_OFF)
        if before is not None and before != json_text(next_action.to_json(action)).encode():
            resuming.keep(root, self._state)
        next_action.write(root, action)
        return HAND_OFF

    def _log_commit(self, found: PlanText, event: Mapping[str, Any]) -> None:
        """A row in the worklog. A worklog that can't be written never undoes a landing: it is a note for people."""
        from devloop.state import worklog
        from devloop.state.storing import update

        root = self._documents.root
        if not (root / WORKLOG).is_file() and not found.relative.startswith(".devloop/"):
            return
        task = event.get("task") or {}
        when = plan_events.time_of(event)

        def edit(before: str | None) -> str:
            if before is None:
                before = worklog.new(root.name, plans.parse(found.data, name=found.relative).name, when)
            return worklog.with_commit(
                before,
                commit=str(event.get("text") or ""),
                when=when,
                message=keys.redactor().text(str(task.get("title") or "")),
                task=str(task.get("id") or ""),
            )

        try:
            update(root, WORKLOG, edit)
        except (DevloopError, OSError) as problem:
            log.warning("the worklog could not be written: %s", problem)


def plan_changed(found: PlanText, stats: Mapping[str, Any]) -> dict[str, Any]:
    """The event that tells clients of a new text. It is not stored, so it has no number."""
    data = {"path": found.relative, "sha256": found.sha256, "stats": stats}
    return {"seq": None, "at": datetime.now(UTC).timestamp(), "run": None, "kind": "plan.changed", "data": data}
