"""`devloop/errand` of every front-end, and `errand/accepted` of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from devloop.daemon import plan_events
from devloop.daemon.engine_link import EngineLink
from devloop.daemon.errands import (
    analyze,
    in_plan,
    onboard,
    plan_new,
    plan_revise,
    planning,
    quick,
    review,
    ship,
    spike,
)
from devloop.daemon.errands.model import ASKED, Accepted, Asked, Command, Project, Question
from devloop.errors import NotFound, UsageError
from devloop.redact import one_line, printable

Params = Mapping[str, Any]
Answer = dict[str, Any]

COMMANDS: Final = {
    command.name: command
    for command in (
        *(quick.COMMAND, ship.COMMAND, review.COMMAND, analyze.COMMAND, spike.COMMAND),
        *(plan_new.COMMAND, plan_revise.COMMAND, onboard.ONBOARD, onboard.BOOTSTRAP),
    )
}
DECIDE = (None, "continue", "commit")


class Errands:
    def __init__(self, project: Project, engine: EngineLink) -> None:
        self._project, self._engine = replace(project, open_runs=self._open_runs), engine
        self._one_at_a_time = asyncio.Lock()

    @property
    def project(self) -> Project:
        return self._project

    async def start(self, params: Params) -> Answer:
        """`{"command", "text", "options", "decide"}` → `{"run", "state", "attached", "task", "title", "loop"}`.

        The same errand asked for while it is open gives its run, with `attached`. With `question` nothing is begun: the
        answer is the command's to that question.
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
        asked = Asked(_words(printable(text)).strip(), {str(name): _words(value) for name, value in options.items()})
        if params.get("question") is not None:
            return await _question(command, params["question"])(self._project, asked)
        task = await command.build(self._project, asked)
        answer = await self._engine.request(
            "engine/start",
            {
                "task": task.model_dump(mode="json"),
                "plan": await asyncio.to_thread(self._plan),
                "loop": {"limit": 1, "decide": decide},
            },
        )
        title = str(answer.get("title") or task.title)
        if answer.get("attached"):
            answer["message"] = f"{title} is in hand: {answer['run']} is {answer['state']}."
        return {**answer, "loop": None, "task": task.id, "title": title}

    async def accepted(self, params: Params) -> Answer:
        """The engine's word that a person accepted an errand: `{"said"}` is what that did."""
        accepted = Accepted.told(params)
        command = _command(accepted.command)
        async with self._one_at_a_time:
            return {"said": await command.take_effect(self._project, accepted)}

    async def preview(self, params: Params) -> Answer:
        """What accepting a result would make of the plan now: `{"proposal"}`, or null for nothing. Changes nothing."""
        accepted = Accepted.told(params)
        look = _command(accepted.command).preview if accepted.command else in_plan.preview
        found = await look(self._project, accepted)
        return {"proposal": planning.to_json(found) if found is not None else None}

    async def propose(self, params: Params) -> Answer:
        """The engine's word that a person accepted what a task of the plan makes of the plan: `{"said"}`."""
        async with self._one_at_a_time:
            return {"said": await in_plan.take_effect(self._project, Accepted.told(params))}

    async def _open_runs(self) -> list[str]:
        rows = (await self._engine.request("engine/runs", {"open": True, "limit": 500}))["runs"]
        return [str(row["id"]) for row in rows if not row.get("errand")]

    def _plan(self) -> Answer:
        """The plan that the errand is beside, for the agent to know what goes on; without one, nothing."""
        try:
            found, plan = self._project.documents.plan()
        except NotFound:
            return {}
        return dict(plan_events.plan_of(found, plan))


def _words(value: Any) -> Any:
    """The same with text that can be written: a terminal's arguments may be no UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_words(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): _words(each) for name, each in value.items()}
    return value


def _question(command: Command, name: Any) -> Question:
    found = command.questions.get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(sorted(command.questions)) or "nothing"
        raise UsageError(
            f"{command.name} can't be asked for {one_line(str(name), 40)!r}.", hint=f"It answers: {known}."
        )
    return found


def _command(name: Any) -> Command:
    found = COMMANDS.get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(sorted(COMMANDS))
        raise UsageError(f"{one_line(str(name), 40)!r} is no errand.", hint=f"There are: {known}.")
    return found
