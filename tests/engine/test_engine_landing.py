"""Accepting and landing while the person's branch, the checkout or other runs move on."""

from __future__ import annotations

from pathlib import Path

from support.engines import Engine, command, engine, eventually, finish, turn, work, write
from support.projects import commit_all, git


async def at_checkpoint(held: Engine, task: str, number: int = 1, **more: str) -> str:
    run = await held.run(task, f"Task {task}", **more)
    await held.checkpoint(run, number)
    return run


async def test_a_branch_that_moved_is_no_obstacle_and_the_result_is_checked_again(project: Path) -> None:
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await at_checkpoint(held, "1.1")
        (project / "persons.txt").write_text("mine\n")
        theirs = commit_all(project, "the person's own commit")
        await held.decide(run, "commit")
        assert (await held.ended(run))["outcome"] == "landed"
        gates = [data["commit"] for data in held.told("gate.started", run)]
    assert git(project, "rev-parse", "HEAD^") == theirs
    assert {"a.txt", "persons.txt"} <= {path.name for path in project.iterdir()}
    assert len(gates) == 2, "once on its own base, once on top of the person's commit"
    assert git(held.state.git, "show", f"{gates[1]}:persons.txt") == "mine"
    assert git(project, "status", "--short") == ""


async def test_a_gate_that_fails_on_the_moved_branch_keeps_the_work_from_landing(project: Path) -> None:
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await at_checkpoint(held, "1.1")
        (project / "check.sh").write_text("test ! -e a.txt\n")
        head = commit_all(project, "nobody may add a.txt")
        await held.decide(run, "commit")
        shown = await held.checkpoint(run, 2)
        assert shown["kind"] == "problem" and "on top of the work accepted meanwhile: check: fail" in shown["problem"]
        assert held.marks("1.1") == ["started"], "nothing was ticked"
        await held.decide(run, "stop")
        assert (await held.ended(run))["outcome"] == "partial"
    assert git(project, "rev-parse", "HEAD") == head
    assert git(project, "show", f"devloop/run/{run}:a.txt") == "new"


async def test_a_conflict_is_refused_with_the_files_and_nothing_is_touched(project: Path) -> None:
    async with engine(project, tasks={"1.1": [turn(write("notes.txt", "the agent's\n")), turn(finish())]}) as held:
        run = await at_checkpoint(held, "1.1")
        (project / "notes.txt").write_text("the person's\n")
        head = commit_all(project, "same place")
        await held.decide(run, "commit")
        shown = await held.checkpoint(run, 2)
        assert (shown["kind"], shown["decisions"]) == ("problem", ["stop", "discard"])
        assert "conflicts" in shown["problem"] and "notes.txt" in shown["problem"]
        await held.decide(run, "discard")
        assert (await held.ended(run))["outcome"] == "discarded"
    assert git(project, "rev-parse", "HEAD") == head and git(project, "status", "--short", "notes.txt") == ""
    assert held.marks("1.1") == ["started", "discarded"]
    assert git(project, "show", f"refs/devloop/discarded/{run}:notes.txt") == "the agent's"


async def test_a_conflict_with_work_that_was_accepted_but_not_landed(project: Path) -> None:
    """The plan branch holds it; the person's branch moved to the same place afterwards."""
    async with engine(project, tasks={"1.1": [turn(write("notes.txt", "the agent's\n")), turn(finish())]}) as held:
        run = await at_checkpoint(held, "1.1")
        await held.decide(run, "stop")
        await held.ended(run)
        (project / "notes.txt").write_text("the person's\n")
        head = commit_all(project, "same place")
        await held.play({"1.2": work("b.txt")})
        second = await at_checkpoint(held, "1.2")
        await held.decide(second, "commit")
        shown = await held.checkpoint(second, 2)
        assert shown["kind"] == "problem" and "notes.txt" in shown["problem"]
        assert shown["decisions"] == ["commit", "continue", "stop"]
        await held.decide(second, "stop")
        assert (await held.ended(second))["outcome"] == "accepted"
    assert git(project, "rev-parse", "HEAD") == head
    assert git(project, "show", "devloop/plan:b.txt") == "new"


async def test_a_dirty_file_in_the_way_is_named_and_after_cleaning_it_lands(project: Path) -> None:
    async with engine(
        project, tasks={"1.1": [turn(write("notes.txt", "agent\n"), write("a.txt")), turn(finish())]}
    ) as held:
        run = await at_checkpoint(held, "1.1")
        (project / "notes.txt").write_text("not committed\n")
        head = git(project, "rev-parse", "HEAD")
        await held.decide(run, "commit")
        shown = await held.checkpoint(run, 2)
        assert (shown["kind"], shown["decisions"]) == ("problem", ["commit", "continue", "stop"])
        assert "notes.txt" in shown["problem"] and "a.txt" not in shown["problem"]
        assert (project / "notes.txt").read_text() == "not committed\n" and git(project, "rev-parse", "HEAD") == head
        await held.decide(run, "commit")
        assert "notes.txt" in (await held.checkpoint(run, 3))["problem"], "asked again while it is in the way"
        git(project, "checkout", "-q", "--", "notes.txt")
        await held.decide(run, "commit")
        assert (await held.ended(run))["outcome"] == "landed"
    assert (project / "notes.txt").read_text() == "agent\n" and git(project, "status", "--short") == ""


async def test_two_runs_at_once_the_second_is_replayed_on_the_first_and_checked_again(project: Path) -> None:
    slow = "touch started; while ! test -e go; do sleep 0.02; done; rm started go"
    tasks = {task: [turn(command(slow)), *work(f"{task}.txt")] for task in ("1.1", "1.2")}
    async with engine(project, tasks=tasks) as held:
        runs = [await held.run(task, f"Task {task}") for task in tasks]
        places = [held.state.worktrees / run for run in runs]
        for place in places:
            await eventually((place / "started").exists, "both are at work at the same time")
        for place in places:
            (place / "go").touch()
        for run in runs:
            await held.checkpoint(run)
        for run in runs:
            await held.decide(run, "commit")
            assert (await held.ended(run))["outcome"] == "landed"
        checked = [len(held.told("gate.ended", run)) for run in runs]
    assert git(project, "log", "-2", "--format=%s").splitlines() == ["Task 1.2", "Task 1.1"]
    assert checked == [1, 2]
    plan = git(project, "show", "HEAD:.devloop/plan.md")
    assert "[x] Task 1.1" in plan and "[x] Task 1.2" in plan
    assert git(project, "status", "--short") == ""


async def test_two_runs_that_touch_the_same_place_the_second_is_told_so(project: Path) -> None:
    tasks = {task: [turn(write("notes.txt", f"{task}\n")), turn(finish())] for task in ("1.1", "1.2")}
    async with engine(project, tasks=tasks) as held:
        first, second = await held.run("1.1"), await held.run("1.2")
        await held.checkpoint(first)
        await held.checkpoint(second)
        await held.decide(first, "continue")
        await held.ended(first)
        await held.decide(second, "continue")
        shown = await held.checkpoint(second, 2)
        assert "conflicts with work accepted meanwhile: notes.txt" in shown["problem"]
        await held.decide(second, "discard")
        await held.ended(second)


async def test_a_plan_branch_that_somebody_has_checked_out_is_waited_for(project: Path) -> None:
    """Nothing stays ticked that was not accepted; once the branch is free, a recheck accepts."""
    other = project.with_name("other")
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await at_checkpoint(held, "1.1")
        git(project, "worktree", "add", "-q", str(other), "devloop/plan")
        await held.decide(run, "commit")
        shown = await held.checkpoint(run, 2)
        assert shown["decisions"] == ["recheck", "stop", "discard"] and "is checked out in" in shown["problem"]
        assert "[~] Task 1.1" in (project / ".devloop/plan.md").read_text()
        git(project, "worktree", "remove", str(other))
        await held.decide(run, "recheck")
        assert (await held.ended(run))["outcome"] == "landed"
    assert "[x] Task 1.1" in git(project, "show", "HEAD:.devloop/plan.md")
