"""`devloop/errand` of every front-end, and `errand/accepted` of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from devloop.daemon import plan_events
from devloop.daemon.engine_link import EngineLink
from devloop.daemon.errands import quick, review
from devloop.daemon.errands.model import ASKED, Accepted, Asked, Command, Project
from devloop.errors import NotFound, UsageError
from devloop.redact import one_line

Params = Mapping[str, Any]
Answer = dict[str, Any]

COMMANDS: Final = {command.name: command for command in (quick.COMMAND, review.COMMAND)}
DECIDE = (None, "continue", "commit")


class Errands:
    def __init__(self, project: Project, engine: EngineLink) -> None:
        self._project, self._engine = project, engine
        self._one_at_a_time = asyncio.Lock()

    async def start(self, params: Params) -> Answer:
        """`{"command", "text", "options", "decide"}` → `{"run", "state", "attached", "task", "title", "loop"}`.

        The same errand asked for while it is open gives its run, with `attached`.
        """
        command = _command(params.get("command"))
        text, options, decide = params.get("text") or "", params.get("options") or {}, params.get("decide")
        if not isinstance(text, str) or not isinstance(options, Mapping):
            raise UsageError("`text` must be text and `options` an object.")
        if len(text) > ASKED:
            raise UsageError(f"That is too long ({len(text)} characters, {ASKED} at most).", hint="Put it into a file.")
        if decide not in DECIDE:
            raise UsageError(
                f"{one_line(str(decide), 40)!r} can't be decided unattended.", hint="Use continue or commit."
            )
        task = await command.build(self._project, Asked(text.strip(), options))
        answer = await self._engine.request(
            "engine/start",
            {
                "task": task.model_dump(mode="json"),
                "plan": await asyncio.to_thread(self._plan),
                "loop": {"limit": 1, "decide": decide},
            },
        )
        return {**answer, "loop": None, "task": task.id, "title": task.title}

    async def accepted(self, params: Params) -> Answer:
        """The engine's word that a person accepted an errand: `{"said"}` is what that did."""
        accepted = Accepted(
            command=str(params.get("command")),
            given=params.get("given") or {},
            run=str(params.get("run")),
            title=str(params.get("title") or ""),
            commit=params.get("commit"),
            report=params.get("report"),
            message=str(params.get("message") or ""),
            ended=str(params.get("ended") or "accepted"),
        )
        command = _command(accepted.command)
        async with self._one_at_a_time:
            return {"said": await command.take_effect(self._project, accepted)}

    def _plan(self) -> Answer:
        """The plan that the errand is beside, for the agent to know what goes on; without one, nothing."""
        try:
            found, plan = self._project.documents.plan()
        except NotFound:
            return {}
        return dict(plan_events.plan_of(found, plan))


def _command(name: Any) -> Command:
    found = COMMANDS.get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(sorted(COMMANDS))
        raise UsageError(f"{one_line(str(name), 40)!r} is no errand.", hint=f"There are: {known}.")
    return found
