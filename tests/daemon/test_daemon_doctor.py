"""Each check of the doctor, on a project that has the fault."""

from __future__ import annotations

import subprocess

import pytest

from devloop import beginning, settings
from devloop.daemon import doctor
from devloop.daemon.documents import Documents


@pytest.fixture
def examine(project, state):
    async def checks(**environment):
        found = await doctor.checks(project, state, settings.load(project, environment), Documents(project))
        return {check.name: check for check in found}

    return checks


@pytest.fixture
def repository(project):
    for arguments in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@h", "commit", "-qm", "s"],
    ):
        subprocess.run(["git", *arguments], cwd=project, check=True, capture_output=True)
    return project


async def test_a_healthy_project_has_no_problem_but_the_key(repository, examine):
    found = await examine(ANTHROPIC_API_KEY="k" * 20)
    assert [name for name, check in found.items() if check.state == "problem" and name != "sandbox"] == []
    assert set(found) >= {
        "repository",
        "sandbox",
        "model",
        "trust",
        "settings",
        "plan",
        "files",
        "tracking",
        "state",
        "disk",
    }
    assert "k" * 20 not in str(found)


async def test_a_project_that_nothing_checks_is_told_before_work_is_paid_for(examine, project):
    found = (await examine())["gates"]
    assert found.state == "warning" and "none could be accepted" in found.message and "[gates.test]" in found.fix
    (project / ".devloop" / "config.toml").write_text('[gates.test]\nkind = "tests"\ncommand = ["true"]\n')
    assert (await examine())["gates"].message == "These check the work: test."


async def test_a_missing_key_is_a_problem_with_a_way_out(examine):
    found = (await examine())["model"]
    assert found.state == "problem" and "ANTHROPIC_API_KEY" in found.fix


async def test_a_base_url_of_ones_own_needs_no_key(examine):
    assert (await examine(ANTHROPIC_BASE_URL="http://127.0.0.1:1"))["model"].state == "ok"


async def test_a_scenario_is_named_as_scripted_and_must_exist(examine, project):
    assert (await examine(DEVLOOP_SCENARIO=str(project / "none.json")))["model"].state == "problem"
    (project / "s.json").write_text("{}")
    found = (await examine(DEVLOOP_SCENARIO=str(project / "s.json")))["model"]
    assert found.state == "ok" and "scripted" in found.message


async def test_no_repository_is_a_problem_with_the_command_that_makes_one(examine):
    found = (await examine())["repository"]
    assert found.state == "problem" and "git init" in found.fix


async def test_keys_and_urls_in_the_repository_are_named_as_ignored(repository, examine):
    secret = "not-a-real-" + "value-1234"
    (repository / ".devloop" / "config.toml").write_text(
        f'ANTHROPIC_API_KEY = "{secret}"\ndatabase_url = "postgresql://u:p@h/d"\n[model]\nbase_url = "http://x"\n'
    )
    from devloop.daemon.doctor import _foreign_names

    assert _foreign_names(repository) == [
        "ANTHROPIC_API_KEY",
        "database_url",
        "model.base_url",
    ]
    found = (await examine())["settings"]
    assert found.state == "warning" and "ignored" in found.message
    assert secret not in str(found)


async def test_what_nobody_trusted_is_a_warning(repository, examine):
    (repository / ".devloop" / "config.toml").write_text('[gates.test]\ncommand = ["true"]\n')
    found = (await examine())["trust"]
    assert found.state == "warning" and "gate:test" in found.message and "devloop trust" in found.fix


async def test_an_error_in_the_plan_is_shown_with_its_line(repository, examine):
    (repository / ".devloop" / "plan.md").write_text("# Plan: P\n\n- [ ] Task 1.1: A [depends:9.9]\n")
    found = (await examine())["plan"]
    assert found.state == "problem" and ".devloop/plan.md:3" in found.message


async def test_a_state_directory_that_others_can_read_is_a_problem(repository, examine, state):
    state.path.chmod(0o755)
    found = (await examine())["state"]
    assert found.state == "problem" and found.fix.startswith("chmod 700")


async def test_a_check_that_breaks_stops_no_other(repository, examine, monkeypatch):
    def broken(*_):
        raise RuntimeError("sudden")

    monkeypatch.setattr(doctor, "_disk", broken)
    found = await examine()
    assert found["disk"].state == "problem" and "sudden" in found["disk"].message
    assert found["state"].state == "ok"


async def test_a_malformed_state_file_is_named_with_its_line(repository, project, examine):
    (project / ".devloop" / "local.md").write_text("---\nenforcement: strict\nfresh_threshold: 3\n---\n")
    found = (await examine())["files"]
    assert found.state == "problem" and found.message.startswith(".devloop/local.md:3: fresh-threshold")


async def test_what_git_does_with_the_files_is_told(repository, project, examine):
    found = (await examine())["tracking"]
    assert found.state == "warning" and ".devloop/local.md" in found.message and found.fix == "devloop init"
    assert beginning.ignore(project) and not beginning.ignore(project)
    assert (await examine())["tracking"].state == "ok"
    (project / ".gitignore").write_text((project / ".gitignore").read_text() + ".devloop/\n")
    found = (await examine())["tracking"]
    assert "ignores what a team shares" in found.message and ".devloop/plan.md" in found.message


async def test_a_persons_file_that_is_tracked_is_told_with_the_command(repository, project, examine):
    beginning.ignore(project)
    (project / ".devloop" / "spikes").mkdir()
    (project / ".devloop" / "spikes" / "a.md").write_text("x")
    subprocess.run(["git", "add", "-f", ".devloop/spikes"], cwd=project, check=True)
    found = (await examine())["tracking"]
    assert found.state == "warning" and found.fix == "git rm -r --cached .devloop/spikes/"


async def test_faults_of_agents_are_told_with_file_and_line(project, state):
    folder = project / ".devloop" / "agents"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bad.md").write_text("no front matter\n")
    (folder / "odd.md").write_text("---\nname: odd\ndescription: d\ntools: [Fly]\n---\nBody\n")
    own = settings.load(project, {}).model_copy(update={"agents": {"nobody": settings.AgentSettings()}})
    found = await doctor.checks(project, state, own, Documents(project))
    told = [(each.state, each.message) for each in found if each.name == "agents"]
    bad = "the file has to begin with `---` and front matter"
    assert told == [
        ("problem", f".devloop/agents/bad.md:1: {bad}"),
        ("warning", ".devloop/agents/odd.md:4: there is no tool Fly"),
        ("warning", "Your settings speak of the agent nobody, and there is none."),
    ]


async def test_a_detached_head_is_told_with_the_way_to_a_branch(repository, examine):
    subprocess.run(["git", "switch", "-q", "--detach"], cwd=repository, check=True, capture_output=True)
    found = (await examine())["repository"]
    assert found.state == "warning" and "HEAD is detached" in found.message and "git switch -c" in found.fix


async def test_a_folder_of_devloops_that_can_not_be_written_is_a_problem(repository, examine, monkeypatch):
    """Asked of the system, which for root says no only where the file system is read-only."""
    ask = doctor.os.access
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: str(path)[-8:] != ".devloop" and ask(path, mode))
    found = (await examine())["files"]
    assert found.state == "problem" and "can't be written" in found.message and found.fix


async def test_a_check_that_breaks_names_the_log(repository, examine, monkeypatch):
    def broken(*_):
        raise ValueError

    monkeypatch.setattr(doctor, "_secrets", broken)
    found = (await examine())["secrets"]
    assert found.message == "This could not be checked: ValueError" and "daemon.log" in found.fix
