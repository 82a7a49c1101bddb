"""Accepting and landing while the person's branch, the checkout or other runs move on."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from devloop.errors import DevloopError
from devloop.workspace import Repository, Workspace, landing
from support.engines import Engine, command, engine, eventually, finish, turn, work, write
from support.projects import commit_all, git

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def at_checkpoint(held: Engine, task: str, number: int = 1) -> str:
    run = await held.run(task, f"Task {task}")
    await held.checkpoint(run, number)
    return run


def persons_commit(held: Engine, path: str, text: str) -> str:
    """The person commits one file, and not the plan that is in the works."""
    (held.root / path).write_text(text)
    git(held.root, "add", path)
    git(held.root, "commit", "-q", "-m", f"the person's {path}", "--", path)
    return git(held.root, "rev-parse", "HEAD")


async def test_a_branch_that_moved_is_no_obstacle_and_the_result_is_checked_again(one: Engine) -> None:
    await one.play({"a": work("a.txt")})
    run = await at_checkpoint(one, "a")
    theirs = persons_commit(one, "persons.txt", "mine\n")
    await one.decide(run, "commit")
    assert (await one.ended(run))["outcome"] == "landed"
    gates = [data["commit"] for data in one.told("gate.started", run)]
    assert git(one.root, "rev-parse", "HEAD^") == theirs
    assert (one.root / "a.txt").exists() and (one.root / "persons.txt").exists()
    assert len(gates) == 2, "once on its own base, once on top of the person's commit"
    assert git(one.state.git, "show", f"{gates[1]}:persons.txt") == "mine"
    assert git(one.root, "status", "--short") == ""


async def test_a_gate_that_fails_on_the_moved_branch_keeps_the_work_from_landing(one: Engine) -> None:
    await one.play({"b": work("b.txt")})
    run = await at_checkpoint(one, "b")
    head = persons_commit(one, "check.sh", "test ! -e b.txt\n")
    await one.decide(run, "commit")
    shown = await one.checkpoint(run, 2)
    assert shown["kind"] == "problem" and "on top of the work accepted meanwhile: check: fail" in shown["problem"]
    assert one.marks("b") == ["started"], "nothing was ticked"
    await one.decide(run, "stop")
    assert (await one.ended(run))["outcome"] == "partial"
    assert git(one.root, "rev-parse", "HEAD") == head
    assert git(one.root, "show", f"devloop/run/{run}:b.txt") == "new"


async def test_a_conflict_is_refused_with_the_files_and_nothing_is_touched(one: Engine) -> None:
    persons_commit(one, "c.txt", "before\n")
    await one.play({"c": [turn(write("c.txt", "the agent's\n")), turn(finish())]})
    run = await at_checkpoint(one, "c")
    head = persons_commit(one, "c.txt", "the person's\n")
    await one.decide(run, "commit")
    shown = await one.checkpoint(run, 2)
    assert (shown["kind"], shown["decisions"]) == ("problem", ["stop", "discard"])
    assert "conflicts" in shown["problem"] and "c.txt" in shown["problem"]
    await one.decide(run, "discard")
    assert (await one.ended(run))["outcome"] == "discarded"
    assert git(one.root, "rev-parse", "HEAD") == head and git(one.root, "status", "--short") == ""
    assert one.marks("c") == ["started", "discarded"]
    assert git(one.root, "show", f"refs/devloop/discarded/{run}:c.txt") == "the agent's"


async def test_a_dirty_file_in_the_way_is_named_and_after_cleaning_it_lands(one: Engine) -> None:
    await one.play({"d": [turn(write("notes.txt", "agent\n"), write("d.txt")), turn(finish())]})
    run = await at_checkpoint(one, "d")
    notes = one.root / "notes.txt"
    notes.write_text("not committed\n")
    head = git(one.root, "rev-parse", "HEAD")
    await one.decide(run, "commit")
    shown = await one.checkpoint(run, 2)
    assert (shown["kind"], shown["decisions"]) == ("problem", ["commit", "continue", "stop"])
    assert "notes.txt" in shown["problem"] and "d.txt" not in shown["problem"]
    assert notes.read_text() == "not committed\n" and git(one.root, "rev-parse", "HEAD") == head
    await one.decide(run, "commit")
    assert "notes.txt" in (await one.checkpoint(run, 3))["problem"], "asked again while it is in the way"
    git(one.root, "checkout", "-q", "--", "notes.txt")
    await one.decide(run, "commit")
    assert (await one.ended(run))["outcome"] == "landed"
    assert notes.read_text() == "agent\n" and git(one.root, "status", "--short") == ""


async def test_two_runs_at_once_the_second_is_replayed_on_the_first_and_checked_again(one: Engine) -> None:
    slow = "touch started; while ! test -e go; do sleep 0.02; done; rm started go"
    tasks = {task: [turn(command(slow)), *work(f"{task}.txt")] for task in ("1.1", "1.2")}
    await one.play(tasks)
    runs = [await one.run(task, f"Task {task}") for task in tasks]
    places = [one.state.worktrees / run for run in runs]
    for place in places:
        await eventually((place / "started").exists, "both are at work at the same time")
    for place in places:
        (place / "go").touch()
    for run in runs:
        await one.checkpoint(run)
    for run in runs:
        await one.decide(run, "commit")
        assert (await one.ended(run))["outcome"] == "landed"
    assert [len(one.told("gate.ended", run)) for run in runs] == [1, 2]
    assert git(one.root, "log", "-2", "--format=%s").splitlines() == ["Task 1.2", "Task 1.1"]
    plan = git(one.root, "show", "HEAD:.devloop/plan.md")
    assert "[x] Task 1.1" in plan and "[x] Task 1.2" in plan
    assert git(one.root, "status", "--short") == ""


async def test_a_plan_branch_that_somebody_has_checked_out_is_waited_for(one: Engine) -> None:
    """Nothing stays ticked that was not accepted; once the branch is free, a recheck accepts."""
    other = one.root.with_name("other")
    await one.play({"1.3": work("e.txt")})
    run = await at_checkpoint(one, "1.3")
    git(one.root, "worktree", "add", "-q", str(other), "devloop/plan")
    await one.decide(run, "commit")
    shown = await one.checkpoint(run, 2)
    assert shown["decisions"] == ["recheck", "stop", "discard"] and "is checked out in" in shown["problem"]
    assert "[~] Task 1.3" in (one.root / ".devloop/plan.md").read_text()
    git(one.root, "worktree", "remove", str(other))
    await one.decide(run, "recheck")
    assert (await one.ended(run))["outcome"] == "landed"
    assert "[x] Task 1.3" in git(one.root, "show", "HEAD:.devloop/plan.md")


async def test_two_runs_that_touch_the_same_place_the_second_is_told_so(one: Engine) -> None:
    await one.play({task: [turn(write("f.txt", f"{task}\n")), turn(finish())] for task in ("f1", "f2")})
    first, second = await one.run("f1"), await one.run("f2")
    await one.checkpoint(first)
    await one.checkpoint(second)
    await one.decide(first, "commit")
    await one.ended(first)
    await one.decide(second, "continue")
    shown = await one.checkpoint(second, 2)
    assert "conflicts with work accepted meanwhile: f.txt" in shown["problem"]
    await one.decide(second, "discard")
    await one.ended(second)


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


class Killed(BaseException):
    """The process that lands ends here."""


async def test_work_whose_task_left_the_plan_meanwhile_waits_for_it(one: Engine) -> None:
    await one.play({"left": work("left.txt")})
    run = await at_checkpoint(one, "left")
    one.lost.add("left")
    await one.decide(run, "commit")
    shown = await one.checkpoint(run, 2)
    told = "The task is no longer what it was. Put it back into the plan and try once more, or end the run"
    assert shown["problem"].startswith(told) and "recheck" in shown["decisions"]
    one.lost.clear()
    await one.decide(run, "recheck")
    assert (await one.ended(run))["outcome"] == "landed" and (one.root / "left.txt").exists()


async def accepted_only(held: Engine, task: str) -> str:
    await held.play({task: work(f"{task}.txt")})
    run = await at_checkpoint(held, task)
    await held.decide(run, "stop")
    assert (await held.ended(run))["outcome"] == "accepted"
    return run


async def test_what_waits_on_the_plan_branch_lands_as_a_runs_work_does(project: Path) -> None:
    """With the same evidence: what the gates saw, and nothing else; what is in the way in the checkout stays."""
    async with engine(project) as held:
        run = await accepted_only(held, "1.1")
        checked = held.told("gate.ended", run)[-1]["commit"]
        (project / "1.1.txt").write_text("the person's\n")
        with pytest.raises(DevloopError, match=r"1\.1\.txt"):
            await held.ask("land")
        assert (project / "1.1.txt").read_text() == "the person's\n"
        (project / "1.1.txt").unlink()
        (project / ".git" / "MERGE_HEAD").write_text(git(project, "rev-parse", "HEAD") + "\n")
        with pytest.raises(DevloopError, match="merge stands unfinished"):
            await held.ask("land")
        (project / ".git" / "MERGE_HEAD").unlink()
        landed = await held.ask("land")
        assert landed["commits"] == 1 and landed["new"] == git(project, "rev-parse", "HEAD")
        assert git(project, "diff", "--name-only", checked, "HEAD").split() in ([], [".devloop/plan.md"])
        assert (await held.row(run))["outcome"] == "landed" and held.marks("1.1")[-1] == "committed"
        assert git(project, "status", "--short") == ""
        told = len([event for event in held.events if event["kind"] == "landing.done"])
        assert (await held.ask("land"))["commits"] == 0
        assert len([event for event in held.events if event["kind"] == "landing.done"]) == told
        await _lands_where_the_branch_went_on(held)


async def _lands_where_the_branch_went_on(held: Engine) -> None:
    """The gates see both first, in a run that can be seen, asked for twice, answered and cancelled."""
    run = await accepted_only(held, "1.2")
    theirs = persons_commit(held, "check.sh", "test ! -e 1.2.txt\n")
    landing_run = (await held.ask("land"))["run"]
    shown = await held.checkpoint(landing_run)
    assert shown["decisions"] == ["commit", "stop"] and "On top of your branch as it is now, check" in shown["problem"]
    assert shown["gates"][0]["verdict"] == "fail"
    assert "1.2.txt" in [each["path"] for each in shown["diff"]["list"]]
    assert (await held.ask("land"))["run"] == landing_run, "it is asked for once"
    await held.ask("cancel", run=landing_run)
    assert (await held.ended(landing_run))["outcome"] == "cancelled"
    assert git(held.root, "rev-parse", "HEAD") == theirs and (await held.row(run))["outcome"] == "accepted"
    again = (await held.ask("land"))["run"]
    assert again != landing_run
    await held.checkpoint(again)
    theirs = persons_commit(held, "check.sh", "true\n")
    await held.decide(again, "commit")
    assert (await held.ended(again))["outcome"] == "landed"
    assert (await held.row(run))["outcome"] == "landed" and held.marks("1.2")[-1] == "committed"
    assert git(held.root, "rev-parse", "HEAD^") == theirs and (held.root / "1.2.txt").exists()
    assert (await held.ask("stats"))["total"]["runs"] == 2, "no agent's work, and so no success of one"
    await _takes_up_a_gate_and_says_so_of_what_a_person_merged(held)


async def _takes_up_a_gate_and_says_so_of_what_a_person_merged(held: Engine) -> None:
    run = await accepted_only(held, "1.3")
    persons_commit(held, "check.sh", "test ! -e 1.3.txt\n")
    config = held.root / ".devloop" / "config.toml"
    declared = config.read_text()
    config.write_text("")
    waiting = (await held.ask("land"))["run"]
    assert "no required gate was found" in (await held.checkpoint(waiting))["problem"]
    config.write_text(declared)
    await held.decide(waiting, "commit")
    assert (await held.checkpoint(waiting, 2))["gates"][0]["verdict"] == "fail", "what was declared meanwhile counts"
    git(held.root, "merge", "-q", "-s", "ours", "-m", "by hand", "devloop/plan")
    assert (await held.ask("land"))["run"] is None
    assert (await held.ended(waiting))["outcome"] == "landed", "it waits for nobody any more"
    assert (await held.row(run))["outcome"] == "landed" and held.marks("1.3")[-1] == "committed"


@pytest.mark.parametrize("moved", [False, True], ids=["before the refs moved", "after the refs moved"])
async def test_a_landing_without_a_run_that_was_killed_is_finished_by_the_next(
    project: Path, moved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed with a new checkout on the old branch, the branch still has to move; afterwards, the runs to be told."""
    really = landing.holding

    @contextlib.asynccontextmanager
    async def dying(*arguments: Any) -> AsyncIterator[Any]:
        async with really(*arguments) as settle:
            yield settle if moved else dies

    async def dies() -> None:
        raise Killed

    monkeypatch.setattr(landing, "holding", dying)
    async with engine(project) as held:
        run = await accepted_only(held, "1.1")
        await held.kill()
        own = Workspace(await Repository.discover(project), held.state)
        planned = await own.plan_landing()
        with contextlib.nullcontext() if moved else pytest.raises(Killed):
            await own.finish_landing(planned, plan_path=".devloop/plan.md")
        assert (project / "1.1.txt").exists() and (git(project, "rev-parse", "HEAD") == planned.new) == moved
        await held.up()
        assert (await held.row(run))["outcome"] == "accepted"
        landed = await held.ask("land")
        assert landed["commits"] == (0 if moved else 1)
        assert (await held.row(run))["outcome"] == "landed" and held.marks("1.1")[-1] == "committed"
        assert git(project, "rev-parse", "HEAD") == planned.new and git(project, "status", "--short") == ""
