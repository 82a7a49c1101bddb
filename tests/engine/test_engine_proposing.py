"""Tasks whose result changes the plan: the change is shown, made before the tick, and made once whoever is killed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from devloop.daemon.documents import Documents
from devloop.daemon.errands import Errands, Project
from devloop.errors import NotFound, UsageError
from devloop.plan import parse
from support.engines import Engine, call, engine, eventually, turn, write

PLANNER: dict[str, Any] = {"agent": "task-planner", "mode": "planner"}
PHASE = {"name": "Next", "tasks": [{"title": "New"}]}


class _Link:
    """The daemon's link to the engine."""

    def __init__(self, held: Engine) -> None:
        self._held = held

    async def request(self, method: str, params: dict[str, Any]) -> Any:
        return await self._held.ask(method.removeprefix("engine/"), **params)


def daemon(held: Engine) -> Errands:
    documents = Documents(held.root, lock=held.state.path / "plan.lock")
    held.errands = Errands(Project(held.root, documents, held.state), _Link(held))  # type: ignore[arg-type]
    return held.errands


def planned(**result: Any) -> list[dict[str, Any]]:
    return [turn(call("finish", **{"summary": "Planned.", "title": "P", "phases": [PHASE], **result}))]


def log(held: Engine) -> list[str]:
    return [line.text for line in parse((held.root / ".devloop/plan.md").read_bytes()).log]


async def test_a_kill_after_the_change_and_before_its_answer_makes_it_no_second_time(project: Path) -> None:
    async with engine(project, tasks={"1.1": planned()}) as held:
        daemon(held)
        run = await held.run("1.1", "First", task_fields=PLANNER)
        shown = await held.checkpoint(run)
        assert shown["proposal"]["optional"] and "+## Phase 2: Next" in shown["proposal"]["patch"]
        held.held_back["propose"] = asyncio.Event()
        await held.decide(run, "stop")
        await eventually(lambda: log(held), "the change is made")
        assert held.marks("1.1") == ["started"]
        await held.kill()
        held.held_back.clear()
        await held.up()
        assert (await held.ended(run))["outcome"] == "accepted"
        assert log(held) == [f"Plan changed ({run}): 1 phase and 1 task added"]
        assert held.marks("1.1")[-1] == "completed"


async def test_what_scratch_holds_is_no_commit_and_only_reports_with_changes_can_do_without(project: Path) -> None:
    spike = {
        **dict.fromkeys(("approach", "recommendation"), "x"),
        **dict.fromkeys(("risk", "confidence"), "high"),
        "questions": [{"question": "Q", "answer": "A"}],
        "feasible": "yes",
        "size": "S",
        "discoveries": [],
        "changes": [{"what": "add", "title": "New"}],
    }
    scripts = {
        "1.1": [turn(write("proto.py")), turn(call("finish", summary="Found.", **spike))],
        "1.2": [turn(call("finish", summary="Seen.", entry_points=[], flow=[], files=[]))],
    }
    async with engine(project, tasks=scripts) as held:
        daemon(held)
        run = await held.run("1.1", "Spike: is it so?")
        shown = await held.checkpoint(run)
        assert shown["diff"] is None and shown["gates"] == [] and shown["proposal"]["said"] == "1 task added"
        with pytest.raises(UsageError):
            await held.decide(run, "continue", leave_out=["proto.py"])
        await held.decide(run, "stop", leave_out=["plan"])
        assert (await held.ended(run))["outcome"] == "accepted"
        assert log(held) == [] and (project / ".devloop/spikes/spike-is-it-so.md").exists()
        assert not (project / "proto.py").exists()
        other = await held.run("1.2", "Explore it", task_fields={"agent": "engineer", "mode": "explorer"})
        assert (await held.checkpoint(other))["proposal"] is None
        with pytest.raises(UsageError):
            await held.decide(other, "continue", leave_out=["plan"])
        await held.decide(other, "discard")
        await held.ended(other)


async def test_a_change_that_can_not_be_made_is_asked_about_and_the_agent_can_go_on(project: Path) -> None:
    nothing = planned(phases=[], changes=[{"what": "reword", "task": "9.9", "title": "x"}])
    async with engine(project, tasks={"1.1": [*nothing, *planned()]}) as held:
        daemon(held)
        run = await held.run("1.1", "First", task_fields=PLANNER)
        assert (await held.checkpoint(run))["proposal"]["left_out"]
        await held.decide(run, "continue")
        problem = await held.checkpoint(run, 2)
        assert (
            problem["decisions"] == ["recheck", "revise", "stop", "discard"]
            and "Nothing of it fits" in problem["problem"]
        )
        await held.decide(run, "revise", "There is no 9.9.")
        assert (await held.checkpoint(run, 3))["proposal"]["said"] == "1 phase and 1 task added"
        await held.decide(run, "stop")
        assert (await held.ended(run))["outcome"] == "accepted" and len(log(held)) == 1


async def test_a_daemon_that_can_not_say_what_would_change_stops_no_checkpoint(project: Path) -> None:
    async def gone(content: dict[str, Any]) -> dict[str, Any]:
        raise NotFound("There is no plan now.")

    async with engine(project, tasks={"1.1": planned()}) as held:
        daemon(held).preview = gone  # type: ignore[method-assign,assignment]
        run = await held.run("1.1", "First", task_fields=PLANNER)
        shown = await held.checkpoint(run)
        assert (shown["proposal"]["patch"], shown["proposal"]["notes"]) == ("", ["There is no plan now."])
        await held.decide(run, "discard")
        await held.ended(run)
