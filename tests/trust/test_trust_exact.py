"""The very bytes that were trusted are the ones that are used: one changed byte in between, and they are not."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devloop import settings, trust
from devloop.errors import DevloopError
from devloop.paths import StateDir, config_root
from devloop.runs.prepare import TRUSTED_KINDS, setup_of
from support.engines import Engine, call, command, engine, finish, trust_everything, turn, write
from support.projects import commit_all, tiny_project

PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n- [ ] Task 1.1: First\n- [ ] Task 1.2: Second\n- [ ] Task 1.3: Third\n"
GOOD, CHANGED = "TRUSTED", "TRUSTEE"
"""They differ in one byte; whatever was changed says so wherever it is used."""
FILES = {
    ".devloop/config.toml": f'[gates.mark]\ncommand = ["sh", "-c", "echo {GOOD}-gate"]\n'
    f'[setup]\ncommand = ["sh", "-c", "echo {GOOD}-setup"]\n',
    ".devloop/hooks.json": json.dumps(
        {"hooks": {"PreToolUse": [{"matcher": "run_command", "hooks": [{"type": "command", "command": "sh say.sh"}]}]}}
    ),
    "say.sh": f"echo {GOOD}-hook >&2\nexit 2\n",
    ".devloop/agents/painter.md": f"---\nname: painter\ndescription: Paints\n---\nYou are the {GOOD}-agent.\n",
    ".devloop/skills/inky/SKILL.md": f"---\nname: inky\ndescription: Ink\n---\n# Inky\n\n{GOOD}-skill\n",
    ".devloop/skills/inky/references/more.md": f"{GOOD}-reference\n",
    ".worktreeinclude": f"/{GOOD}.env\n",
}
SOFT = [name for name in FILES if name not in (".devloop/config.toml", ".devloop/hooks.json")]
LOOK = (command("echo x"), call("load_skill", name="inky"))
VERIFY = f"echo {GOOD}-verify"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    root = tiny_project(tmp_path / "home" / "project", PLAN)
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".gitignore").write_text("*.env\n")
    commit_all(root)
    for name in (GOOD, CHANGED):
        (root / f"{name}.env").write_text(f"{name}-env\n")
    trust_everything(root)
    item = trust.verify_item(VERIFY, ".devloop/plan.md")
    trust.accept(root, StateDir.of(root).trust_file, [(item.key, item.sha256)], [item])
    return root


def change(root: Path, *names: str) -> None:
    """One byte of each."""
    for name in names:
        text = (root / name).read_text()
        (root / name).write_text(text.replace(GOOD, CHANGED))
        assert (root / name).read_text() != text


def used(held: Engine, run: str) -> str:
    """Everything that the run keeps: prompts, tool results, output of commands, hooks and gates."""
    files = [*(held.state.runs / run).rglob("*"), *held.state.path.glob("records.db*")]  # the record has the agent
    kept = [each.read_text("utf-8", "replace") for each in files if each.is_file()]
    return "\n".join([*kept, json.dumps(held.requests(run)), json.dumps([each["data"] for each in held.events])])


async def test_what_is_swapped_during_a_run_changes_nothing_for_it(project: Path) -> None:
    """Every kind: gate, set-up, hook and its script, agent, skill and its reference, private files, verify."""
    first = turn(*LOOK, call("load_skill", name="inky", reference="references/more.md"), command("cat *.env"))
    play = [first, turn(write("a.txt")), turn(finish()), turn(*LOOK, write("b.txt")), turn(finish("Again."))]
    async with engine(project, tasks={"1.1": play}) as held:
        fields = {"agent": "painter", "verify": f"`{VERIFY}`"}
        run = await held.run("1.1", "First", task_fields=fields)
        await held.checkpoint(run)
        before = used(held, run)
        for kind in ("gate", "setup", "hook", "agent", "skill", "reference", "verify"):
            assert f"{GOOD}-{kind}" in before, f"the test can't see {kind}"
        assert (held.state.worktrees / run / f"{GOOD}.env").is_file()
        change(project, *SOFT, ".devloop/config.toml")
        await held.decide(run, "revise", "Once more")
        await held.checkpoint(run, 2)
        after, last = used(held, run), json.dumps(held.requests(run)[-1][-4:])
        assert CHANGED not in after.replace("devloop trust", "")
        assert f"{GOOD}-hook" in last and "There is no skill" in last
        assert [data["verdict"] for data in held.told("gate.ended", run)][-2:] == ["pass", "pass"]
        assert not (held.state.worktrees / run / f"{CHANGED}.env").exists()
        await held.decide(run, "discard")
        await held.ended(run)


async def test_one_byte_changed_between_the_question_and_the_run_is_refused(project: Path) -> None:
    look = [turn(*LOOK, command("cat *.env")), turn(write("a.txt")), turn(finish())]
    async with engine(project, tasks={"*": look}) as held:
        for old in (f"{GOOD}-gate", f"{GOOD}-setup"):
            text = (project / trust.CONFIG).read_text()
            (project / trust.CONFIG).write_text(text.replace(old, old.replace(GOOD, CHANGED)))
            with pytest.raises(DevloopError, match="changed since it was trusted"):
                await held.run("1.1")
            (project / trust.CONFIG).write_text(text)
        change(project, *SOFT)
        fields = {"agent": "painter", "verify": f"`{VERIFY.replace(GOOD, CHANGED)}`"}
        run = await held.run("1.2", "Second", task_fields=fields)
        shown = await held.checkpoint(run)
        told, row = "\n".join(shown["notices"]), await held.row(run)
        assert row["agent"] == "engineer" and ".devloop/agents/painter.md is not trusted" in told
        for name in (".worktreeinclude", ".devloop/hooks.json", "Verify of the task"):
            assert name in told, told
        found = used(held, run)
        for kind in ("hook", "agent", "skill", "reference", "env"):
            assert f"{GOOD}-{kind}" not in found and f"{CHANGED}-{kind}" not in found, kind
        assert [data["gate"] for data in held.told("gate.ended", run)].count("verify") == 0
        await held.decide(run, "discard")
        await held.ended(run)


def test_the_set_up_that_runs_is_the_trusted_one_whatever_settings_say(project: Path) -> None:
    """Settings are one reading of the file and trust is another: what stands there in between is run by neither."""
    good = (project / trust.CONFIG).read_text()
    change(project, trust.CONFIG)
    services: Any = SimpleNamespace(settings=settings.load(project, {}))
    (project / trust.CONFIG).write_text(good)
    trusted = trust.require(project, StateDir.of(project).trust_file, TRUSTED_KINDS)
    found = setup_of(services, trusted)
    assert found is not None and found.command[-1] == f"echo {GOOD}-setup"
    config_root().joinpath("config.toml").write_text('[setup]\ncommand = ["mine"]\n')
    services = SimpleNamespace(settings=settings.load(project, {}))
    found = setup_of(services, trusted)
    assert found is not None and found.command == ("mine",), "the person's own counts"


@pytest.mark.parametrize("key", sorted(each for each in FILES if each.startswith(".")))
def test_a_byte_that_changes_after_it_was_shown_is_not_trusted_by_the_click(key: str, project: Path) -> None:
    store = StateDir.of(project).trust_file
    trust.revoke(store)
    shown = [(state.item.key, state.item.sha256) for state in trust.state(project, store)]
    (project / key).write_text((project / key).read_text().replace("e", "E", 1))
    with pytest.raises(DevloopError, match=r"changed since it was shown|no longer there"):
        trust.accept(project, store, shown)
    assert trust.trusted_hashes(store) == {}
