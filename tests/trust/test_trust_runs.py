"""What a repository or an earlier task brings decides nothing that a run sees, until a person trusts it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.engines import Engine, command, engine, finish, trust_everything, turn, write
from support.projects import commit_all, git, tiny_project

PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n- [ ] Task 1.1: First\n- [ ] Task 1.2: Second\n- [ ] Task 1.3: Third\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    return tiny_project(tmp_path / "home" / "project", PLAN)


async def discarded(held: Engine, run: str) -> None:
    await held.decide(run, "discard")
    await held.ended(run)


def last_result(held: Engine, run: str) -> str:
    return json.dumps(held.requests(run)[-1][-1])


async def test_an_environment_in_the_repository_shows_nothing_of_the_home_folder(project: Path) -> None:
    keys, cloud = project.parent / ".ssh" / "id_rsa", project.parent / ".aws" / "credentials"
    for place in (keys, cloud):
        place.parent.mkdir()
        place.write_text("VERY-SECRET\n")
    brought = project / ".venv"
    site = brought / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (brought / "bin").mkdir()
    (brought / "bin" / "python").symlink_to("/usr/bin/python3")
    (brought / "pyvenv.cfg").write_text(f"home = /usr/bin\nbase-executable = {keys}\n")
    (site / "x.pth").write_text("../../../../../.aws\n")
    commit_all(project)
    trust_everything(project)
    play = [turn(command(f"cat {keys} {cloud}; echo $VIRTUAL_ENV; ls {project.parent}")), turn(finish())]
    async with engine(project, tasks={"1.1": play}) as held:
        run = await held.run("1.1")
        await held.checkpoint(run)
        told = last_result(held, run)
        await discarded(held, run)
    assert "VERY-SECRET" not in told and str(brought) not in told and told.count("No such file or directory") == 2


async def test_private_files_come_in_only_by_a_list_that_is_trusted_as_it_stands(project: Path) -> None:
    (project / ".gitignore").write_text("*.env\n")
    (project / ".worktreeinclude").write_text("a.env\n")
    for name in ("a.env", "b.env"):
        (project / name).write_text(f"{name} is private\n")
    commit_all(project)
    trust_everything(project)
    look = [turn(command("cat *.env")), turn(finish())]
    async with engine(project, tasks={"*": look}) as held:
        run = await held.run("1.1")
        shown = await held.checkpoint(run)
        assert "a.env is private" in last_result(held, run) and "b.env" not in last_result(held, run)
        assert not any("worktreeinclude" in notice for notice in shown["notices"])
        await discarded(held, run)
        (project / ".worktreeinclude").write_text("*.env\n")
        run = await held.run("1.2")
        shown = await held.checkpoint(run)
        assert "is private" not in last_result(held, run)
        (told,) = [notice for notice in shown["notices"] if "worktreeinclude" in notice and "copied" in notice]
        assert "changed since it was trusted" in told and "devloop trust" in told
        await discarded(held, run)


async def test_an_agent_cannot_write_the_list_nor_an_environment(project: Path) -> None:
    trust_everything(project)
    play = [
        turn(write(".worktreeinclude", ".env\n"), write(".venv/pyvenv.cfg", "home = /\n")),
        turn(command("echo x > .worktreeinclude; mkdir venv/bin; touch .venv/x .husky/pre-commit; echo ok > real.txt")),
        turn(finish()),
    ]
    async with engine(project, tasks={"1.1": play}) as held:
        run = await held.run("1.1")
        await held.checkpoint(run)
        await held.decide(run, "commit")
        await held.ended(run)
    assert git(project, "show", "--name-only", "--format=").split() == [".devloop/plan.md", "real.txt"]
