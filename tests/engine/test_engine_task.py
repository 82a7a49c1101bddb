"""One task from the plan to a commit on the person's branch."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from support.engines import Engine, command, engine, finish, turn, work, write
from support.projects import PERSON, git


async def test_a_task_becomes_one_commit_with_its_tick_and_its_evidence(project: Path) -> None:
    """The whole way (design §5), with a person who has something unfinished in the checkout."""
    (project / "mine.txt").write_text("unfinished\n")
    (project / "notes.txt").write_text("changed by the person\n")
    start = git(project, "rev-parse", "HEAD")
    async with engine(project, tasks={"1.1": work("feature.txt")}) as held:
        run = await held.run("1.1", "Write the feature")
        shown = await held.checkpoint(run)
        assert shown["kind"] == "decision"
        assert shown["decisions"] == ["commit", "continue", "fresh", "stop", "revise", "discard"]
        assert [(f["path"], f["status"], f["added"]) for f in shown["diff"]["list"]] == [("feature.txt", "A", 1)]
        await held.decide(run, "commit")
        assert await held.ended(run) == {"outcome": "landed", "reason": ""}
        found = await held.ask("show", run=run)

    assert git(project, "rev-list", "--count", f"{start}..HEAD") == "1"
    assert git(project, "log", "-1", "--format=%an <%ae>|%cn") == f"{PERSON[0]} <{PERSON[1]}>|{PERSON[0]}"
    assert git(project, "log", "-1", "--format=%s|%b") == (
        f"Write the feature|feature.txt is written.\n\nDevloop-Task: 1.1\nDevloop-Run: {run}"
    )
    assert git(project, "show", "--name-only", "--format=").split() == [".devloop/plan.md", "feature.txt"]
    assert "- [x] Task 1.1:" in git(project, "show", "HEAD:.devloop/plan.md")
    assert (project / "feature.txt").read_text() == "new\n"
    assert git(project, "status", "--short").splitlines() == ["M notes.txt", "?? mine.txt"]

    kinds = [event["kind"] for event in held.plan]
    assert kinds == ["started", "completed", "committed"]
    row = found["run"]
    assert (row["state"], row["outcome"], row["branch"]) == ("ended", "landed", "main")
    assert row["commit"] == git(project, "rev-parse", "HEAD")
    (gate,) = found["gates"]
    assert (gate["gate"], gate["verdict"], gate["exit_code"]) == ("check", "pass", 0)
    checked = gate["tree"]
    assert gate["commit"] == checked
    assert git(project, "diff", "--name-only", checked, "HEAD") == ".devloop/plan.md", "only the tick was added"
    assert [(t["number"], t["stop_reason"]) for t in found["turns"]] == [(1, "tool_use"), (2, "tool_use")]
    assert sum(t["tokens"]["output"] for t in found["turns"]) == row["tokens"]["output"] > 0
    assert not held.state.worktrees.joinpath(run).exists()
    assert git(project, "worktree", "list").count("\n") == 0
    assert list(held.state.checkouts.iterdir()) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_the_tick_comes_before_the_commit_and_the_events_tell_the_way(one: Engine) -> None:
    await one.play({"1.2": work("a.txt")})
    run = await one.run("1.2")
    await one.checkpoint(run)
    assert "[~] Task 1.2" in (one.root / ".devloop/plan.md").read_text()
    await one.decide(run, "commit")
    await one.until("loop.ended", run)
    completed, landed = one.plan[1], one.told("landing.done", run)[0]
    stored = (await one.ask("events", after=0, run=run))["events"]
    assert completed["kind"] == "completed" and completed["text"] == "a.txt is written."
    assert landed["branch"] == "main"
    kinds = [event["kind"] for event in stored]
    told = [event["kind"] for event in one.events if event["run"] == run and event["kind"] != "turn.progress"]
    assert kinds == told
    order = ["run.queued", "turn.started", "tool.ended", "gate.ended", "checkpoint.opened", "landing.done", "run.ended"]
    places = [kinds.index(kind) for kind in order]
    assert places == sorted(places)
    numbers = [event["seq"] for event in stored]
    assert numbers == sorted(set(numbers))


async def test_what_is_not_the_agents_to_change_stays_out_of_the_commit(project: Path) -> None:
    """Neither file tools nor a shell in the worktree reach the plan, editor settings or the git pointer."""
    attempts = [
        turn(write(".devloop/plan.md", "- [x] Task 1.1: First\n"), write(".vscode/tasks.json", "{}")),
        turn(
            command("echo '- [x] all done' > .devloop/plan.md; echo $?"),
            command("mkdir -p .vscode && echo '{}' > .vscode/tasks.json; echo $?"),
            command("rm -f .git; echo 'gitdir: /tmp/elsewhere' > .git; echo $?"),
            command("mv .devloop elsewhere; rm -rf .devloop; ls .devloop"),
            write("real.txt"),
        ),
        turn(finish()),
    ]
    before = (project / ".devloop/plan.md").read_text()
    async with engine(project, tasks={"1.1": attempts}) as held:
        run = await held.run("1.1")
        worktree = held.state.worktrees / run
        shown = await held.checkpoint(run)
        assert (worktree / ".git").read_text().startswith("gitdir: ") and "elsewhere" not in (
            worktree / ".git"
        ).read_text()
        assert (worktree / ".devloop/plan.md").read_text() == before
        results = json.dumps(held.requests(run)[-1])
        await held.decide(run, "commit")
        await held.ended(run)
    assert [entry["path"] for entry in shown["diff"]["list"]] == ["real.txt"]
    assert results.count("Read-only file system") >= 2 and "is_error" in results
    assert git(project, "show", "--name-only", "--format=").split() == [".devloop/plan.md", "real.txt"]
    assert git(project, "show", "HEAD:.devloop/plan.md") == before.strip().replace("[ ] Task 1.1", "[x] Task 1.1")
    assert not (project / ".vscode").exists()


@pytest.mark.asyncio(loop_scope="module")
async def test_two_starts_of_one_task_at_once_are_one_run(one: Engine) -> None:
    await one.play({"1.3": work("b.txt")})
    task = {"id": "1.3", "title": "Third"}
    started = await asyncio.gather(*(one.ask("start", task=task, plan={}, loop={}) for _ in range(4)))
    assert {answer["run"] for answer in started} == {"run-1.3-1"}
    assert sorted(answer["attached"] for answer in started) == [False, True, True, True]
    await one.checkpoint("run-1.3-1")
    again = await one.ask("start", task=task, plan={}, loop={})
    assert (again["attached"], again["state"]) == (True, "waiting")
    await one.decide("run-1.3-1", "discard")
    await one.ended("run-1.3-1")
    second = await one.run("1.3")
    assert second == "run-1.3-2"
    await one.checkpoint(second)
    await one.decide(second, "discard")
    await one.ended(second)
