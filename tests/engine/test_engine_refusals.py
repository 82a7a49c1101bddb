"""What is refused before anything is recorded or run, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.errors import NoModel, SandboxMissing, Untrusted
from support.engines import Engine, command, engine, finish, trust_everything, turn, work
from support.projects import commit_all, git


async def nothing_recorded(held: Engine) -> bool:
    return (await held.ask("runs"))["runs"] == [] and held.plan == [] and list(held.state.runs.iterdir()) == []


async def test_without_a_key_nothing_starts(project: Path) -> None:
    async with engine(project) as held:
        with pytest.raises(NoModel, match="There is no key for the model") as told:
            await held.run("1.1")
        assert "ANTHROPIC_API_KEY" in told.value.hint and told.value.exit_code == 4
        assert await nothing_recorded(held)
        status = await held.ask("status")
        assert (status["model"]["key"], status["model"]["scripted"]) == (False, False)
        await held.play({"1.1": work("a.txt")})
        run = await held.run("1.1")
        await held.checkpoint(run)


async def test_a_key_in_the_repository_is_not_a_key(project: Path) -> None:
    team = project / ".devloop/config.toml"
    team.write_text(
        team.read_text() + '\n[model]\napi_key = "sk-ant-from-the-repository"\nbase_url = "http://127.0.0.1:9"\n'
    )
    trust_everything(project)
    async with engine(project) as held:
        with pytest.raises(NoModel):
            await held.run("1.1")


async def test_commands_of_the_repository_wait_for_trust_and_a_changed_byte_asks_again(project: Path) -> None:
    declared = project / ".devloop/config.toml"
    declared.write_text(declared.read_text() + '\n[setup]\ncommand = ["/bin/sh", "-c", "echo x >> set-up"]\n')
    async with engine(project, tasks={"*": work("a.txt")}) as held:
        with pytest.raises(Untrusted, match="setup: not trusted yet") as told:
            await held.run("1.1")
        assert "devloop trust" in told.value.hint and told.value.details["items"] == ["setup"]
        assert await nothing_recorded(held)
        trust_everything(project)
        run = await held.run("1.1")
        await held.checkpoint(run)
        assert (held.state.worktrees / run / "set-up").read_text() == "x\n"
        declared.write_text(declared.read_text().replace("check.sh", "./check.sh"))
        with pytest.raises(Untrusted, match=r"check: changed since it was trusted"):
            await held.run("1.2")
        trust_everything(project)
        second = await held.run("1.2")
        await held.checkpoint(second)


async def test_trust_that_is_gone_when_the_run_begins_ends_it_with_the_reason(home: Path, project: Path) -> None:
    """It waited for a slot meanwhile; what it would execute is looked at when it begins."""
    (home / "config.toml").write_text("[loop]\nmax_parallel = 1\n")
    async with engine(project, tasks={"1.1": [turn(text="…", delay_s=60)], "1.2": work("a.txt")}) as held:
        first, second = await held.run("1.1"), await held.run("1.2")
        await held.until("turn.started", first)
        declared = project / ".devloop/config.toml"
        declared.write_text(declared.read_text().replace("check.sh", "other.sh"))
        await held.ask("cancel", run=first)
        ended = await held.ended(second)
        assert ended["outcome"] == "failed" and "changed since it was trusted" in ended["reason"]


async def test_the_gates_are_those_of_the_start_and_not_of_the_agents_branch(project: Path) -> None:
    """A declared gate that is edited while the run works does not change what the run is checked by."""
    async with engine(project, tasks={"1.1": [turn(command("touch broken")), turn(finish(), delay_s=0.3)]}) as held:
        run = await held.run("1.1")
        await held.until("turn.started", run, count=2)
        declared = project / ".devloop/config.toml"
        declared.write_text('[gates.check]\nkind = "tests"\ncommand = ["/bin/true"]\n')
        trust_everything(project)
        await held.until("gate.ended", run)
        assert held.told("gate.ended", run)[0]["verdict"] == "fail"


async def test_unattended_work_needs_a_sandbox(home: Path, project: Path) -> None:
    (home / "config.toml").write_text('[sandbox]\nbackend = "none"\n')
    async with engine(project, tasks={"*": work("a.txt")}) as held:
        with pytest.raises(SandboxMissing, match="Unattended runs need a sandbox, and it is off"):
            await held.run("1.1", decide="commit")
        with pytest.raises(SandboxMissing, match="Commands need a sandbox, and it is off") as told:
            await held.run("1.1")
        assert "sandbox.require = false" in told.value.hint
        assert await nothing_recorded(held)

        (home / "config.toml").write_text('[sandbox]\nbackend = "none"\nrequire = false\n')
        with pytest.raises(SandboxMissing, match="Unattended"):
            await held.run("1.1", decide="continue")
        run = await held.run("1.1")
        shown = await held.checkpoint(run)
        assert any("Commands run without a full sandbox (off)" in text for text in shown["notices"])
        assert shown["kind"] == "decision" and shown["gates"][0]["verdict"] == "pass"
        await held.decide(run, "commit")
        assert (await held.ended(run))["outcome"] == "landed"
    assert (project / "a.txt").exists()


async def test_a_team_can_not_switch_the_sandbox_off(project: Path) -> None:
    team = project / ".devloop/config.toml"
    team.write_text(team.read_text() + '\n[sandbox]\nbackend = "none"\nrequire = false\n')
    commit_all(project)
    async with engine(project, tasks={"*": work("a.txt")}) as held:
        sandbox = (await held.ask("status"))["sandbox"]
        assert (sandbox["state"], sandbox["backend"]) == ("on", "bubblewrap")


async def test_a_task_without_any_gate_is_no_pass(home: Path, project: Path) -> None:
    (project / ".devloop/config.toml").unlink()
    git(project, "rm", "-q", "--cached", ".devloop/config.toml")
    commit_all(project)
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await held.run("1.1", decide="commit")
        shown = await held.checkpoint(run)
        assert shown["kind"] == "problem" and "nothing proves the work" in shown["problem"]
        assert held.marks("1.1") == ["started"]


async def test_a_set_up_command_that_fails_ends_the_run_before_any_model_turn(project: Path) -> None:
    declared = project / ".devloop/config.toml"
    declared.write_text(
        declared.read_text() + '\n[setup]\ncommand = ["/bin/sh", "-c", "echo no such package >&2; exit 3"]\n'
    )
    trust_everything(project)
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await held.run("1.1")
        ended = await held.ended(run)
        assert ended["outcome"] == "failed" and "The set-up command failed (exit 3): no such package" in ended["reason"]
        assert held.told("turn.started", run) == [] and held.marks("1.1") == ["reset"]
