"""Tasks of a parallel group: begun at once, held until all are there, answered together; then the loop goes on."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.errors import Refused, UsageError
from support.engines import Engine, call, command, eventually, finish, turn, work, write
from support.projects import git

pytestmark = pytest.mark.asyncio(loop_scope="module")


def task(name: str) -> dict[str, Any]:
    return {"id": name, "title": f"Do {name}", "group": "A"}


async def together(held: Engine, *names: str, **loop: Any) -> list[str]:
    first, *others = names
    answer = await held.ask(
        "start", task=task(first), beside=[task(name) for name in others], plan={}, loop={"limit": None, **loop}
    )
    return list(answer["runs"])


def until(name: str) -> dict[str, Any]:
    return command(f"while ! test -e {name}; do sleep 0.02; done; rm {name}")


async def held_back(held: Engine, run: str) -> dict[str, Any]:
    async def waits() -> Any:
        row = await held.row(run)
        return row if row["waiting_for"] == "the others of its group" else None

    return dict(await eventually(waits, f"{run} is held"))


async def loop_ended(held: Engine, run: str) -> dict[str, Any]:
    loop = (await held.row(run))["loop"]

    def ends() -> list[Any]:
        return [e["data"] for e in held.events if e["kind"] == "loop.ended" and e["data"]["loop"] == loop]

    return dict((await eventually(ends, "the loop ends"))[0])


async def test_members_wait_for_each_other_are_answered_together_and_then_the_loop_goes_on(one: Engine) -> None:
    slow = [turn(until("go")), *work("a3.txt")]
    await one.play({"a1": work("a1.txt"), "a2": work("a2.txt"), "a3": slow, "a4": work("a4.txt")})
    one.following = [{"id": "a4", "title": "After"}]
    runs = await together(one, "a1", "a2", "a3")
    assert len({(await one.row(run))["loop"] for run in runs}) == 1
    for run in runs[:2]:
        row = await held_back(one, run)
        assert (row["state"], row["checkpoint"], row["group"]["size"]) == ("checking", None, 3)
        assert (await one.ask("show", run=run))["checkpoint"] is None and not one.told("checkpoint.opened", run)
    group = row["group"]["id"]
    with pytest.raises(Refused, match="a1, a2, a3 of the group is still at work"):
        await one.ask("decide", group=group, decision="continue")
    (one.state.worktrees / runs[2] / "go").touch()
    shown = [await one.checkpoint(run) for run in runs]
    assert {each["group"]["id"] for each in shown} == {group} and shown[0]["group"]["label"] == "A"
    with pytest.raises(UsageError, match="'recheck' is not possible at any of them"):
        await one.ask("decide", group=group, decision="recheck")
    answer = await one.ask("decide", group=group, decision="commit")
    assert [each["run"] for each in answer["runs"]] == runs and answer["skipped"] == []
    assert [(await one.ended(run))["outcome"] for run in runs] == ["landed"] * 3
    assert git(one.root, "log", "-3", "--format=%s").splitlines() == ["Do a3", "Do a2", "Do a1"]
    after = await one.checkpoint("run-a4-1")
    assert after["diff"]["files"] == 1 and (await one.row("run-a4-1"))["loop_done"] == 3
    assert [e["run"] for e in one.events if e["kind"] == "run.queued"].count("run-a4-1") == 1
    await one.decide("run-a4-1", "discard")
    await one.ended("run-a4-1")


async def test_a_conflict_of_one_opens_only_its_own_problem(one: Engine) -> None:
    await one.play({"b1": work("same.txt", "1\n"), "b2": work("same.txt", "2\n"), "b3": work("b3.txt")})
    runs = await together(one, "b1", "b2", "b3")
    for run in runs:
        await one.checkpoint(run)
    group = (await one.row(runs[0]))["group"]["id"]
    await one.ask("decide", group=group, decision="continue")
    problem = await one.checkpoint(runs[1], 2)
    assert problem["kind"] == "problem" and "same.txt" in problem["problem"]
    assert [(await one.ended(run))["outcome"] for run in (runs[0], runs[2])] == ["accepted", "accepted"]
    await one.decide(runs[1], "discard")
    await one.ended(runs[1])
    assert git(one.root, "show", "devloop/plan:same.txt") == "1"
    assert not [e for e in one.events if e["kind"] == "loop.ended" and e["data"]["loop"] == group.rsplit("-", 1)[0]]


async def test_members_can_be_answered_one_by_one_and_one_that_works_again_is_waited_for(one: Engine) -> None:
    await one.play(
        {
            "c1": work("c1.txt"),
            "c2": [turn(call("ask", question="Which?")), *work("c2.txt")],
            "c3": [turn(write("c3.txt")), turn(finish("First.")), turn(until("on")), turn(finish("Second."))],
        }
    )
    one.following = []
    runs = await together(one, "c1", "c2", "c3")
    for run in runs:
        await one.checkpoint(run)
    group = (await one.row(runs[0]))["group"]["id"]
    with pytest.raises(UsageError, match="Questions are answered one at a time"):
        await one.ask("decide", group=group, decision="answer", message="allow")
    answer = await one.ask("decide", group=group, decision="revise", message="Once more.")
    assert [each["run"] for each in answer["runs"]] == [runs[0], runs[2]]
    assert answer["skipped"] == [{"run": runs[1], "why": "it offers answer, stop, discard"}]
    await one.ask("cancel", run=runs[0])
    await one.ended(runs[0])
    await one.decide(runs[1], "answer", "This one.")
    await held_back(one, runs[1])
    (one.state.worktrees / runs[2] / "on").touch()
    for run in runs[1:]:
        await one.checkpoint(run, 2)
        await one.decide(run, "continue")
    assert [(await one.ended(run))["outcome"] for run in runs[1:]] == ["accepted", "accepted"]
    ends = await loop_ended(one, runs[0])
    assert ends["state"] == "stopped", "one was cancelled, so the loop does not go on"


async def test_a_group_runs_by_a_rule_and_unattended(one: Engine) -> None:
    one.config.write_text("[loop]\nmax_parallel = 2\n")
    await one.play({name: work(f"{name}.txt") for name in ("d1", "d2", "d3", "d4", "d5")})
    one.following = [[task("d3"), task("d4"), task("d5")]]
    runs = await together(one, "d1", "d2", "d9", decide="commit", parallel=True, limit=4)
    assert len(runs) == 2, "as many as may work at once"
    assert [(await one.ended(run))["outcome"] for run in runs] == ["landed", "landed"]
    for name in ("d3", "d4"):
        assert (await one.ended(f"run-{name}-1"))["outcome"] == "landed"
    ends = await loop_ended(one, runs[0])
    assert (ends["state"], ends["done"]) == ("limit", 4)
    await one.play({name: work(f"{name}.txt") for name in ("e1", "e2", "e3")})
    one.following = [task("e3"), task("e4")]
    runs = await together(one, "e1", "e2", stop_at={"when": "every", "every": 3})
    assert [(await one.ended(run))["outcome"] for run in runs] == ["accepted", "accepted"]
    due = await one.checkpoint("run-e3-1")
    assert [each["task"] for each in due["accepted"]["tasks"]] == ["e1", "e2", "e3"]
    await one.decide("run-e3-1", "stop")
    await one.ended("run-e3-1")


async def test_an_answer_to_one_of_an_unattended_group_does_not_stop_the_loop(one: Engine) -> None:
    one.config.write_text("[loop]\nmax_parallel = 2\n")
    asks = [turn(call("ask", question="Which?")), *work("g2.txt")]
    await one.play({"g1": work("g1.txt"), "g2": asks, "g3": work("g3.txt")})
    one.following = [task("g3")]
    runs = await together(one, "g1", "g2", decide="continue", limit=3)
    assert (await one.ended(runs[0]))["outcome"] == "accepted"
    await one.checkpoint(runs[1])
    await one.decide(runs[1], "answer", "This one.")
    assert (await one.ended(runs[1]))["outcome"] == "accepted"
    assert (await one.ended("run-g3-1"))["outcome"] == "accepted"
    assert (await loop_ended(one, runs[0]))["state"] == "limit"


async def test_one_answer_counts_for_the_checkpoints_that_were_seen_and_no_other(one: Engine) -> None:
    again = [turn(write("h1.txt")), turn(finish("First.")), turn(until("on")), turn(finish("Second."))]
    await one.play({"h1": again, "h2": work("h2.txt"), "h3": work("h3.txt")})
    runs = await together(one, "h1", "h2", "h3")
    for run in runs:
        await one.checkpoint(run)
    group = (await one.row(runs[0]))["group"]["id"]
    await one.decide(runs[0], "revise", "Once more.")
    await one.until("checkpoint.closed", runs[0])
    with pytest.raises(Refused, match="Nothing waits any more as you saw it"):
        await one.ask("decide", group=group, decision="continue", checkpoints={runs[0]: 1})
    with pytest.raises(UsageError, match="names the runs that were seen"):
        await one.ask("decide", group=group, decision="continue", checkpoints=[runs[0]])
    answer = await one.ask("decide", group=group, decision="continue", checkpoints={runs[0]: 1, runs[1]: 1})
    assert [each["run"] for each in answer["runs"]] == runs[1:2], "one that works again keeps nobody waiting"
    assert answer["skipped"] == [{"run": runs[0], "why": "it does not wait any more as you saw it"}]
    await one.ended(runs[1])
    (one.state.worktrees / runs[0] / "on").touch()
    await one.checkpoint(runs[0], 2)
    seen = {runs[0]: 1, runs[2]: 1}
    answer = await one.ask("decide", group=group, decision="continue", checkpoints=seen)
    assert [each["run"] for each in answer["runs"]] == [runs[2]], "what was made since then was not seen"
    await one.decide(runs[0], "discard")
    assert [(await one.ended(run))["outcome"] for run in runs] == ["discarded", "accepted", "accepted"]
