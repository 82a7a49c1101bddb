"""A decision that leaves files out: the rest is checked anew, and only when that is green it is accepted and lands."""

from __future__ import annotations

import pytest

from devloop.errors import UsageError
from support.engines import Engine, at_checkpoint, finish, several, turn, work, write
from support.projects import git

pytestmark = pytest.mark.asyncio(loop_scope="module")


def gates_of(held: Engine, run: str) -> list[tuple[str, str]]:
    return [(told["commit"], told["verdict"]) for told in held.told("gate.ended", run)]


async def test_commit_lands_the_rest_as_one_commit_and_keeps_the_whole_work(one: Engine) -> None:
    before = git(one.root, "rev-parse", "HEAD")
    run = await at_checkpoint(one, "a", "a.txt", "a2.txt", "notes.txt")
    whole = (await one.row(run))["commit"]
    answer = await one.decide(run, "commit", leave_out=["a2.txt", "notes.txt", "a2.txt"])
    assert answer == {"run": run, "checkpoint": 1, "decision": "commit", "leave_out": ["a2.txt", "notes.txt"]}
    assert (await one.ended(run))["outcome"] == "landed"
    assert git(one.root, "rev-list", "--count", f"{before}..HEAD") == "1"
    assert git(one.root, "diff", "--name-only", before, "HEAD", "--", ":!.devloop") == "a.txt"
    assert (one.root / "a.txt").exists() and not (one.root / "a2.txt").exists()
    assert (one.root / "notes.txt").read_text() == "start\n"
    (first, green), (second, again) = gates_of(one, run)
    assert (first, green, again) == (whole, "pass", "pass") and second != whole
    assert one.marks("a") == ["started", "completed", "committed"]
    (closed,) = one.told("checkpoint.closed", run)
    assert closed["leave_out"] == ["a2.txt", "notes.txt"]
    (message,) = (await one.ask("conversation", run=run))["messages"]
    assert (message["decision"], message["leave_out"]) == ("commit", ["a2.txt", "notes.txt"])
    (notice,) = [text for text in (await one.ask("show", run=run))["notices"] if "Left out" in text]
    assert notice.startswith("Left out of what was accepted: a2.txt, notes.txt; all of the run's work stays")
    assert git(one.root, "show", f"refs/devloop/discarded/{run}:a2.txt") == "a2.txt"
    assert [f["path"] for f in (await one.ask("diff", run=run))["files"] if f["path"] != ".devloop/plan.md"] == [
        "a.txt"
    ]


@pytest.mark.parametrize("decision", ["continue", "fresh", "stop"])
async def test_each_decision_that_accepts_can_leave_out(one: Engine, decision: str) -> None:
    task = f"b{decision}"
    run = await at_checkpoint(one, task, f"{task}.txt", f"{task}-out.txt")
    await one.decide(run, decision, leave_out=[f"{task}-out.txt"])
    assert (await one.ended(run))["outcome"] == "accepted"
    files = git(one.root, "ls-tree", "--name-only", "devloop/plan").split()
    assert f"{task}.txt" in files and f"{task}-out.txt" not in files
    assert bool(one.handed_off) is (decision == "fresh")


async def test_the_rest_is_replayed_and_checked_again_on_work_accepted_meanwhile(one: Engine) -> None:
    await one.play({"e1": several("e1.txt", "e1-out.txt"), "e2": work("e2.txt")})
    first, second = await one.run("e1"), await one.run("e2")
    await one.checkpoint(first)
    await one.checkpoint(second)
    await one.decide(second, "continue")
    await one.ended(second)
    await one.decide(first, "commit", leave_out=["e1-out.txt"])
    assert (await one.ended(first))["outcome"] == "landed"
    assert [verdict for _, verdict in gates_of(one, first)] == ["pass"] * 3
    assert (one.root / "e1.txt").exists() and (one.root / "e2.txt").exists() and not (one.root / "e1-out.txt").exists()


async def test_what_can_not_be_left_out_is_refused_and_the_checkpoint_stays_open(one: Engine) -> None:
    run = await at_checkpoint(one, "f", "f.txt", "f2.txt")
    for left, message in (
        (["f.txt", "nowhere.txt"], "The run does not change nowhere.txt"),
        (["check.sh"], "The run does not change check.sh"),
        ([".devloop/plan.md"], "it can't be left out"),
        (["f.txt", "f2.txt"], "That would leave out everything"),
        ("f.txt", "`leave_out` must be a list of paths"),
        ([1], "`leave_out` must be a list of paths"),
    ):
        with pytest.raises(UsageError, match=message) as told:
            await one.decide(run, "commit", leave_out=left)
        assert told.value.hint or "must be" in message
    for decision in ("revise", "discard"):
        with pytest.raises(UsageError, match=f"Nothing can be left out with {decision}"):
            await one.decide(run, decision, "words", leave_out=["f.txt"])
    assert (await one.row(run))["state"] == "waiting"
    await one.decide(run, "discard", leave_out=[])
    await one.ended(run)


async def test_where_nothing_can_be_accepted_nothing_can_be_left_out(one: Engine) -> None:
    await one.play({"g": [turn(write("broken")), *[turn(finish())] * 9]})
    (one.config).write_text("[loop]\ngate_rounds = 0\n")
    run = await one.run("g")
    assert (await one.checkpoint(run))["kind"] == "problem"
    with pytest.raises(UsageError, match="There is no work to accept here"):
        await one.decide(run, "stop", leave_out=["broken"])
    await one.decide(run, "discard")
    await one.ended(run)
