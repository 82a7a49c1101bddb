"""Agents of a repository in runs: inert until trusted, and what they are in a run stays what they were at its start."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.engines import call, engine, trust_everything, turn, work


async def test_an_agent_that_nobody_trusted_does_nothing_and_the_reason_says_so(project: Path) -> None:
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await held.run("1.1", "Paint it", task_fields={"agent": "painter"})
        shown = await held.checkpoint(run)
        row = await held.row(run)
        assert (row["agent"], row["mode"]) == ("engineer", "default")
        said = ".claude/agents/painter.md is not trusted as it stands (`devloop trust`); engineer does it instead"
        assert row["choice"]["reason"] == said and said in shown["notices"]
        await held.decide(run, "discard")
        await held.ended(run)


async def test_a_trusted_agent_of_claude_code_works_as_it_is(project: Path) -> None:
    trust_everything(project)
    async with engine(
        project, tasks={"1.1": [turn(call("run_command", command="true")), *work("notes.txt", "x\n")]}
    ) as held:
        run = await held.run("1.1", "Paint it", task_fields={"agent": "painter"})
        await held.checkpoint(run)
        row = await held.row(run)
        assert (row["agent"], row["model"]) == ("painter", "claude-opus-5-5")
        tools = [call["name"] for call in (await held.ask("show", run=run))["turns"][0]["tools"] if call["is_error"]]
        assert tools == ["run_command"], "it has no such tool"
        await held.decide(run, "discard")
        await held.ended(run)


async def test_a_run_keeps_the_agent_that_it_began_with(project: Path) -> None:
    """The definition is gone after a restart; the conversation goes on with the same prompt, tools and result."""
    trust_everything(project)
    bad, good = {"summary": "x"}, {"summary": "x", "verdict": "BAD", "places": []}
    async with engine(project, tasks={"1.1": [turn(call("finish", **good)), turn(call("finish", **bad))]}) as held:
        run = await held.run("1.1", "Look", task_fields={"agent": "reader"})
        await held.checkpoint(run)
        await held.kill()
        shutil.rmtree(project / ".devloop" / "agents")
        await held.up()
        await held.decide(run, "revise", "Once more")
        await held.until("turn.ended", run, count=2)
        assert held.told("turn.ended", run)[-1]["outcome"] == "unfit"
