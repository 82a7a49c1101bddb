"""A decision that leaves out what the rest needs: nothing is accepted, and the person decides again."""

from __future__ import annotations

import pytest

from support.engines import Engine, at_checkpoint, finish, several, turn, write
from support.projects import git

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEEDS_BOTH = "test ! -e broken || exit 1\nif test -e user.txt; then test -e helper.txt; fi\n"
"""A gate that is red when user.txt is there without helper.txt."""


async def test_a_red_rest_reopens_the_checkpoint_and_the_whole_can_still_be_accepted(one: Engine) -> None:
    (one.root / "check.sh").write_text(NEEDS_BOTH)
    git(one.root, "commit", "-q", "-am", "needs both")
    run = await at_checkpoint(one, "c", "user.txt", "helper.txt", "c.txt")
    whole = (await one.row(run))["commit"]
    await one.decide(run, "commit", leave_out=["helper.txt"])
    shown = await one.checkpoint(run, 2)
    assert (shown["kind"], shown["number"]) == ("decision", 2)
    assert shown["decisions"] == ["commit", "continue", "fresh", "stop", "revise", "discard"]
    assert shown["problem"].startswith("Without helper.txt the work can't be accepted: check: fail")
    assert shown["problem"].endswith("Nothing was accepted or changed; decide again.")
    tried = shown["leave_out"]
    assert (tried["paths"], tried["decision"]) == (["helper.txt"], "commit")
    assert [gate["verdict"] for gate in tried["gates"]] == ["fail"]
    assert [gate["verdict"] for gate in shown["gates"]] == ["pass"] and shown["diff"]["files"] == 3
    assert (await one.row(run))["commit"] == whole and "completed" not in one.marks("c")
    assert git(one.root, "rev-parse", f"devloop/run/{run}") == whole
    assert (one.state.worktrees / run / "helper.txt").exists()

    await one.decide(run, "commit", leave_out=["helper.txt", "user.txt"])
    assert (await one.ended(run))["outcome"] == "landed"
    assert (one.root / "c.txt").exists() and not (one.root / "user.txt").exists()

    run = await at_checkpoint(one, "c2", "user.txt", "helper.txt")
    await one.decide(run, "continue", leave_out=["helper.txt"])
    assert (await one.checkpoint(run, 2))["leave_out"]["decision"] == "continue"
    await one.decide(run, "commit")
    assert (await one.ended(run))["outcome"] == "landed"
    assert (one.root / "user.txt").exists() and (one.root / "helper.txt").exists()
    assert not [text for text in (await one.ask("show", run=run))["notices"] if "Left out" in text]


async def test_after_a_red_rest_the_agent_can_be_told_to_mend_it(one: Engine) -> None:
    (one.root / "check.sh").write_text("if test -e d-user.txt; then test -e d-helper.txt; fi\n")
    git(one.root, "commit", "-q", "-am", "needs both of d")
    turns = [*several("d-user.txt", "d-helper.txt"), turn(write("d.txt")), turn(finish("Mended."))]
    await one.play({"d": turns})
    run = await one.run("d")
    await one.checkpoint(run)
    await one.decide(run, "commit", leave_out=["d-helper.txt"])
    await one.checkpoint(run, 2)
    await one.decide(run, "revise", "Do without the helper.")
    shown = await one.checkpoint(run, 3)
    assert (shown["summary"], shown["problem"], shown["leave_out"]) == ("Mended.", None, None)
    assert sorted(file["path"] for file in shown["diff"]["list"]) == ["d-helper.txt", "d-user.txt", "d.txt"]
    await one.decide(run, "discard")
    await one.ended(run)


async def test_a_cancel_while_the_rest_is_checked_ends_the_run_without_accepting(one: Engine) -> None:
    (one.root / "check.sh").write_text("if test ! -e h-out.txt && test -e h.txt; then sleep 60; fi\n")
    git(one.root, "commit", "-q", "-am", "slow without h-out")
    run = await at_checkpoint(one, "h", "h.txt", "h-out.txt")
    await one.decide(run, "commit", leave_out=["h-out.txt"])
    await one.until("gate.started", run, count=2)
    await one.ask("cancel", run=run)
    assert (await one.ended(run))["outcome"] == "cancelled"
    assert git(one.root, "show", f"refs/devloop/discarded/{run}:h-out.txt") == "h-out.txt"
    assert "completed" not in one.marks("h")
