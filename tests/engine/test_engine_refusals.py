"""What is refused before anything is recorded or run, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop import keys, trust
from devloop.engine.client import NEEDED, not_started
from devloop.errors import NoModel, NotFound, Refused, SandboxMissing, Untrusted
from support.engines import Engine, command, engine, finish, trust_everything, turn, work
from support.projects import commit_all, git

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def nothing_recorded(held: Engine, task: str) -> bool:
    runs = (await held.ask("runs", task=task))["runs"]
    return runs == [] and held.marks(task) == [] and not list(held.state.runs.glob(f"run-{task}-*"))


async def discard(held: Engine, run: str) -> None:
    await held.decide(run, "discard")
    await held.ended(run)


async def test_without_a_key_nothing_starts(one: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    await one.environment(DEVLOOP_SCENARIO="", ANTHROPIC_API_KEY="")
    with pytest.raises(NoModel, match="There is no key for the model") as told:
        await one.run("a")
    assert "ANTHROPIC_API_KEY" in told.value.hint and told.value.exit_code == 4
    assert await nothing_recorded(one, "a")
    status = await one.ask("status")
    assert (status["model"]["key"], status["model"]["scripted"]) == (False, False)
    keys.store("sk-" + "Zq8" * 12)  # `devloop login`, which tells no engine
    assert (await one.ask("status"))["model"]["key"] is True
    keys.remove()
    assert (await one.ask("status"))["model"]["key"] is False
    await one.play({"a": work("a.txt")})
    run = await one.run("a")
    await one.checkpoint(run)
    await discard(one, run)


async def test_a_key_in_the_repository_is_not_a_key(one: Engine) -> None:
    await one.environment(DEVLOOP_SCENARIO="", ANTHROPIC_API_KEY="")
    team = one.root / ".devloop/config.toml"
    team.write_text(team.read_text() + '\n[model]\napi_key = "sk-ant-of-the-team"\nbase_url = "http://127.0.0.1:9"\n')
    trust_everything(one.root)
    with pytest.raises(NoModel):
        await one.run("b")


async def test_commands_of_the_repository_wait_for_trust_and_a_changed_byte_asks_again(one: Engine) -> None:
    declared = one.root / ".devloop/config.toml"
    declared.write_text(declared.read_text() + '\n[setup]\ncommand = ["/bin/sh", "-c", "echo x >> set-up"]\n')
    await one.play({"*": work("a.txt")})
    with pytest.raises(Untrusted, match="setup: not trusted yet") as told:
        await one.run("c1")
    assert "devloop trust" in told.value.hint and told.value.details["items"] == ["setup"]
    assert await nothing_recorded(one, "c1")
    trust_everything(one.root)
    run = await one.run("c1")
    await one.checkpoint(run)
    assert (one.state.worktrees / run / "set-up").read_text() == "x\n"
    declared.write_text(declared.read_text().replace("check.sh", "./check.sh"))
    with pytest.raises(Untrusted, match=r"check: changed since it was trusted"):
        await one.run("c2")
    trust_everything(one.root)
    second = await one.run("c2")
    await one.checkpoint(second)
    for each in (run, second):
        await discard(one, each)


async def test_trust_that_is_gone_when_the_run_begins_ends_it_with_the_reason(one: Engine) -> None:
    """It waited for a slot meanwhile; what it would execute is looked at when it begins."""
    one.config.write_text("[loop]\nmax_parallel = 1\n")
    await one.play({"d1": [turn(text="…", delay_s=60)], "d2": work("a.txt")})
    first, second = await one.run("d1"), await one.run("d2")
    await one.until("turn.started", first)
    declared = one.root / ".devloop/config.toml"
    declared.write_text(declared.read_text().replace("check.sh", "other.sh"))
    await one.ask("cancel", run=first)
    ended = await one.ended(second)
    assert ended["outcome"] == "failed" and "changed since it was trusted" in ended["reason"]
    await one.ended(first)


async def test_the_gates_are_those_of_the_start_and_not_what_was_declared_meanwhile(one: Engine) -> None:
    """A declared gate that is edited while the run works does not change what the run is checked by."""
    turns = [turn(command("touch broken")), turn(finish(), delay_s=0.3), turn(text="…", delay_s=60)]
    await one.play({"e": turns})
    run = await one.run("e")
    await one.until("turn.started", run, count=2)
    declared = one.root / ".devloop/config.toml"
    declared.write_text('[gates.check]\nkind = "tests"\ncommand = ["/bin/true"]\n')
    trust_everything(one.root)
    await one.until("gate.ended", run)
    assert one.told("gate.ended", run)[0]["verdict"] == "fail"
    await one.ask("cancel", run=run)
    await one.ended(run)


async def test_a_gate_whose_trust_is_taken_back_runs_no_more(one: Engine) -> None:
    """Also where the run began while it was trusted: nothing of the repository runs against a person's word."""
    await one.play({"i": [turn(text="…", delay_s=0.3), *work("i.txt")]})
    run = await one.run("i")
    await one.until("turn.started", run)
    trust.revoke(one.state.trust_file, ["gate:check"])
    shown = await one.checkpoint(run)
    assert shown["kind"] == "problem" and "its command is not trusted any more" in shown["problem"]
    trust_everything(one.root)
    await one.decide(run, "recheck")
    assert (await one.checkpoint(run, 2))["kind"] == "decision"
    assert [each["verdict"] for each in one.told("gate.ended", run)] == ["error", "pass"]
    await discard(one, run)


async def test_work_needs_a_sandbox(one: Engine) -> None:
    await one.play({"*": work("unboxed.txt")})
    one.config.write_text('[sandbox]\nbackend = "none"\n')
    with pytest.raises(SandboxMissing, match="Unattended runs need a sandbox, and it is off"):
        await one.run("f", decide="commit")
    with pytest.raises(SandboxMissing, match="Commands need a sandbox, and it is off") as told:
        await one.run("f")
    assert "sandbox.require = false" in told.value.hint
    assert await nothing_recorded(one, "f")

    one.config.write_text('[sandbox]\nbackend = "none"\nrequire = false\n')
    run = await one.run("f")
    shown = await one.checkpoint(run)
    assert any("Commands run without a full sandbox (off)" in text for text in shown["notices"])
    assert shown["kind"] == "decision" and shown["gates"][0]["verdict"] == "pass"
    await one.decide(run, "commit")
    assert (await one.ended(run))["outcome"] == "landed"
    assert (one.root / "unboxed.txt").exists()


async def test_a_team_can_not_switch_the_sandbox_off(one: Engine) -> None:
    team = one.root / ".devloop/config.toml"
    team.write_text(team.read_text() + '\n[sandbox]\nbackend = "none"\nrequire = false\n')
    trust_everything(one.root)
    await one.environment()
    sandbox = (await one.ask("status"))["sandbox"]
    assert (sandbox["state"], sandbox["backend"]) == ("on", "bubblewrap")


async def test_a_set_up_command_that_fails_ends_the_run_before_any_model_turn(one: Engine) -> None:
    declared = one.root / ".devloop/config.toml"
    setup = 'command = ["/bin/sh", "-c", "echo no such package >&2; exit 3"]'
    declared.write_text(f"{declared.read_text()}\n[setup]\n{setup}\n")
    trust_everything(one.root)
    await one.play({"g": work("a.txt")})
    run = await one.run("g")
    ended = await one.ended(run)
    assert ended["outcome"] == "failed" and "The set-up command failed (exit 3): no such package" in ended["reason"]
    assert one.told("turn.started", run) == [] and one.marks("g") == ["reset"]


async def test_work_that_no_gate_checks_is_no_pass(home: Path, project: Path) -> None:
    git(project, "rm", "-q", ".devloop/config.toml")
    commit_all(project)
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await held.run("1.1", decide="commit")
        shown = await held.checkpoint(run)
        assert shown["kind"] == "problem" and "nothing proves the work" in shown["problem"]
        assert held.marks("1.1") == ["started"]
        (project / ".devloop" / "config.toml").write_text(
            '[gates.check]\nkind = "tests"\ncommand = ["test", "-e", "a.txt"]\n'
        )
        await held.decide(run, "recheck")
        shown = await held.checkpoint(run, 2)
        assert shown["kind"] == "problem" and any("devloop trust" in each for each in shown["notices"])
        trust_everything(project)
        await held.decide(run, "recheck")
        assert (await held.ended(run))["outcome"] == "landed", "what was declared meanwhile counts"


async def test_an_unknown_run_is_refused_with_those_that_could_be_meant(one: Engine) -> None:
    """No id is completed: which run is decided on is said in full."""
    await one.play({"alike": work("a.txt")})
    run = await one.run("alike")
    await one.checkpoint(run)
    with pytest.raises(NotFound, match="There is no run 'run-ali'") as told:
        await one.decide("run-ali", "commit")
    assert told.value.hint == f"These begin so: {run}. All: devloop runs."
    with pytest.raises(NotFound) as told:
        await one.ask("show", run="\udcff")
    assert (await one.ask("runs", task="\udcff"))["runs"] == [] == (await one.ask("events", run="\udcff"))["events"]
    assert told.value.hint.startswith("The newest runs: run-")
    await discard(one, run)
    with pytest.raises(Refused, match="does not wait for a decision") as refused:
        await one.decide(run, "commit")
    assert f"devloop show {run}" in refused.value.hint


async def test_an_engine_that_finds_no_space_says_so(tmp_path: Path) -> None:
    """Its log is empty then: there was no space for a message either."""
    log = tmp_path / "logs" / "engine.log"
    log.parent.mkdir()
    log.touch()
    full = not_started(log, 0)
    assert f"no space is left in {tmp_path}" in full.message and "Free some space" in full.hint
    assert "no space" not in not_started(log, NEEDED).message
