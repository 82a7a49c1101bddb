"""Errands: runs of tasks that stand in no plan, alone and several at the same time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devloop.runs import gathering
from support.engines import Engine, call, engine, turn, work
from support.projects import git


async def begin(held: Engine, command: str, title: str = "Do it", **more: Any) -> str:
    loop = more.pop("loop", {})
    errand = {"command": command, **more.pop("errand", {})}
    task = {"id": f"@{command}", "title": title, "errand": errand, **more}
    return str((await held.ask("start", task=task, plan={}, loop=loop))["run"])


def report(summary: str, *findings: dict[str, Any], verdict: str = "COMMENT") -> list[dict[str, Any]]:
    return [turn(call("finish", summary=summary, verdict=verdict, findings=list(findings)))]


@pytest.mark.asyncio(loop_scope="module")
async def test_an_errand_becomes_a_commit_and_the_plan_hears_nothing_of_it(one: Engine) -> None:
    await one.play({"@quick": work("quick.txt")})
    before = (one.root / ".devloop/plan.md").read_bytes()
    asked = len(one.plan)
    run = await begin(one, "quick", "Write quick.txt")
    shown = await one.checkpoint(run)
    assert shown["decisions"] == ["commit", "continue", "revise", "discard"]
    await one.decide(run, "commit", "and thank you")
    assert (await one.ended(run))["outcome"] == "landed"
    assert git(one.root, "show", "--name-only", "--format=%s").split("\n") == ["Write quick.txt", "", "quick.txt"]
    assert (one.root / ".devloop/plan.md").read_bytes() == before and len(one.plan) == asked
    told = one.accepted[-1]
    assert (told["command"], told["run"], told["message"], told["report"]) == ("quick", run, "and thank you", None)
    assert (told["ended"], told["commit"]) == ("landed", git(one.root, "rev-parse", "HEAD"))
    row = await one.row(run)
    assert (row["task"], row["errand"], row["part_of"]) == ("@quick", "quick", None)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_same_errand_attaches_and_another_begins_beside_it(one: Engine) -> None:
    await one.play({"@quick": [turn(call("ask", question="Which?"))]})
    runs = [await begin(one, "quick", title) for title in ("One", "One", "Two")]
    assert runs[0] == runs[1] != runs[2]
    for run in {*runs}:
        await one.checkpoint(run)
        await one.ask("cancel", run=run)
        await one.ended(run)


@pytest.mark.asyncio(loop_scope="module")
async def test_an_effect_that_is_refused_is_asked_about_and_tried_again(one: Engine) -> None:
    await one.play({"@review": report("Nothing to say.", verdict="APPROVE")})
    run = await begin(one, "review", agent="code-reviewer")
    assert (await one.checkpoint(run))["decisions"] == ["continue", "revise", "discard"]
    one.refusing.append("The file can't be written.")
    await one.decide(run, "continue")
    refused = await one.checkpoint(run, 2)
    assert refused["problem"].startswith("The file can't be written.") and "recheck" in refused["decisions"]
    await one.decide(run, "recheck")
    assert (await one.ended(run))["outcome"] == "accepted"
    assert one.accepted[-1]["report"]["data"]["verdict"] == "APPROVE"


@pytest.mark.asyncio(loop_scope="module")
async def test_an_effect_that_is_given_up_discards_a_report_and_keeps_a_commit(one: Engine) -> None:
    await one.play({"@review": report("Nothing to say.", verdict="APPROVE"), "@quick": work("kept.txt")})
    for command, first, outcome in (("review", "continue", "discarded"), ("quick", "commit", "landed")):
        run = await begin(one, command, agent="code-reviewer" if command == "review" else None)
        await one.checkpoint(run)
        one.refusing.append("Not now.")
        await one.decide(run, first)
        assert (await one.checkpoint(run, 2))["decisions"] == ["recheck", "stop"]
        await one.decide(run, "stop")
        assert await one.ended(run) == {"outcome": outcome, "reason": "given up after that: Not now."}
    assert (one.root / "kept.txt").exists()


@pytest.mark.asyncio(loop_scope="module")
async def test_prepared_files_are_there_before_the_agent_and_part_of_its_work(one: Engine) -> None:
    await one.play({"@ship": [turn(call("read_file", path="CHANGES.md")), *work("more.txt")]})
    run = await begin(one, "ship", errand={"prepared": {"CHANGES.md": "prepared\n", "deep/down.txt": "x\n"}})
    shown = await one.checkpoint(run)
    assert [each["path"] for each in shown["diff"]["list"]] == ["CHANGES.md", "deep/down.txt", "more.txt"]
    assert "prepared" in str(one.requests(run)[1])
    await one.decide(run, "discard")
    await one.ended(run)


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_is_prepared_where_an_agent_may_not_write(one: Engine) -> None:
    await one.play({"@ship": work("never.txt")})
    for path in (".git/hooks/pre-commit", "../outside.txt", ".devloop/config.toml"):
        run = await begin(one, "ship", path, errand={"prepared": {path: "x\n"}})
        ended = await one.ended(run)
        assert ended["outcome"] == "failed" and path.split("/")[-1] in ended["reason"], ended
    assert not (one.root.parent / "outside.txt").exists()


@pytest.mark.asyncio(loop_scope="module")
async def test_what_others_bring_meanwhile_is_no_change_of_an_errand_that_may_change_little(one: Engine) -> None:
    """Neither on the plan branch, which the work is replayed on, nor on the person's branch, which it lands on."""
    await one.play({"@onboard": work("GUIDE.md"), "2.1": work("accepted.txt")})
    run = await begin(one, "onboard", errand={"only": ["**/*.md"]})
    await one.checkpoint(run)
    other = await one.run("2.1")
    await one.checkpoint(other)
    await one.decide(other, "continue")
    await one.ended(other)
    (one.root / "theirs.txt").write_text("theirs\n")
    git(one.root, "add", "theirs.txt")
    git(one.root, "commit", "-q", "-m", "Theirs", "--", "theirs.txt")
    await one.decide(run, "commit")
    assert (await one.ended(run))["outcome"] == "landed", one.told("checkpoint.opened", run)
    assert all((one.root / name).exists() for name in ("GUIDE.md", "accepted.txt", "theirs.txt"))
    found = [gate for gate in (await one.ask("show", run=run))["gates"] if gate["gate"] == "files"]
    assert {gate["verdict"] for gate in found} == {"pass"} and len({gate["commit"] for gate in found}) == 3


MEMBERS = [
    {"id": f"@review/{name}", "title": name, "agent": "code-reviewer", "errand": {"command": "review"}}
    for name in ("one", "two")
]


async def test_members_work_at_the_same_time_and_one_report_is_decided(project: Path) -> None:
    async with engine(project, tasks={"@review/one": report("First."), "@review/two": report("Second.")}) as held:
        run = await begin(held, "review", agent="code-reviewer", errand={"members": MEMBERS})
        shown = await held.checkpoint(run)
        assert shown["decisions"] == ["continue", "discard"]
        assert "First." in shown["summary"] and "Second." in shown["summary"]
        assert shown["turns"] == 2 and shown["tokens"]["output"] > 0, "what its members did"
        rows = (await held.ask("runs"))["runs"]
        members = [row for row in rows if row["part_of"] == run]
        assert [row["outcome"] for row in members] == ["accepted", "accepted"]
        whole = next(row for row in rows if row["id"] == run)
        assert whole["tokens"]["output"] == sum(row["tokens"]["output"] for row in members) > 0
        await held.decide(run, "continue")
        assert (await held.ended(run))["outcome"] == "accepted"
        assert [told["run"] for told in held.accepted if told["report"]][-1] == run


async def test_a_killed_engine_gathers_on_and_no_member_begins_twice(project: Path) -> None:
    slow = [turn(call("list_files"), delay_s=0.5), *report("Late.")]
    async with engine(project, tasks={"@review/one": report("First."), "@review/two": slow}) as held:
        run = await begin(held, "review", agent="code-reviewer", errand={"members": MEMBERS})
        await held.until("run.ended")
        await held.again()
        await held.checkpoint(run)
        rows = [row for row in (await held.ask("runs"))["runs"] if row["part_of"] == run]
        assert sorted(row["task"] for row in rows) == ["@review/one", "@review/two"]
        await held.ask("cancel", run=run)
        assert (await held.ended(run))["outcome"] == "cancelled"


async def test_cancelling_ends_every_member(project: Path) -> None:
    slow = [turn(call("list_files"), delay_s=60)]
    async with engine(project, tasks={"@review/one": slow, "@review/two": slow}) as held:
        run = await begin(held, "review", agent="code-reviewer", errand={"members": MEMBERS})
        await held.until("turn.started", count=2)
        await held.ask("cancel", run=run)
        await held.ended(run)
        for member in ("run-review-one-1", "run-review-two-1"):
            assert (await held.ended(member))["outcome"] == "cancelled"


async def test_a_member_without_a_report_is_named_and_none_at_all_is_a_failure(project: Path) -> None:
    async with engine(project, tasks={"@review/one": report("First.")}) as held:
        run = await begin(held, "review", agent="code-reviewer", errand={"members": MEMBERS})
        shown = await held.checkpoint(run)
        assert any(notice.startswith("1 of 2 parts brought no report: two: ") for notice in shown["notices"])
        await held.decide(run, "discard")
        assert (await held.ended(run))["outcome"] == "discarded"
        await held.play({"none": report("Never.")})
        run = await begin(held, "review", agent="code-reviewer", errand={"members": MEMBERS})
        assert await held.ended(run) == {"outcome": "failed", "reason": "no part of it brought a report"}


def test_every_command_that_gathers_says_how_reports_become_one() -> None:
    assert set(gathering.TOGETHER) >= {"review"}
