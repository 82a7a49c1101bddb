"""What git shares and what it keeps out: every row of the table of state files, by git's own word."""

from __future__ import annotations

import subprocess

import pytest

from devloop import beginning
from devloop.daemon import doctor_files

SHARED = [
    *("plan.md", "plan-state.json", "worklog.md", "context.json", "issues/BUG-001.md", "issues/index.md"),
    *("issues/security.md", "archive/demo_phase_1_20260101_101010.md", "archive/worklog-2026-01-01.md"),
    *("epic.json", "epic.md", "draft/one.md", "config.toml", "hooks.json", "agents/mine.md", "skills/mine/SKILL.md"),
    "agents/security-auditor.md",
]
KEPT_OUT = [
    *("local.md", "next-action.json", "sessions.json", ".current-session.json", "spikes/topic.md", "workflow.json"),
    *("reports/scan.md", "reports/deep/scan.json", "security-report.md", "audit-2026-01-01.md"),
]


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "p"
    (root / ".devloop").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def add(root, name, text="x"):
    path = root / ".devloop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return f".devloop/{name}"


def test_after_init_git_takes_in_what_is_shared_and_nothing_of_one_person(repository):
    assert beginning.ignore(repository)
    for name in (*SHARED, *KEPT_OUT):
        add(repository, name)
    subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
    listed = subprocess.run(["git", "ls-files", ".devloop"], cwd=repository, check=True, capture_output=True, text=True)
    assert sorted(listed.stdout.split()) == sorted(f".devloop/{name}" for name in SHARED)


async def test_doctor_is_content_then(repository):
    beginning.ignore(repository)
    (row,) = await doctor_files.shared(repository)
    assert row["state"] == "ok"


@pytest.mark.parametrize("name", SHARED)
async def test_doctor_tells_when_git_ignores_what_is_shared(repository, name):
    beginning.ignore(repository)
    covered = next(each for each in beginning.TRACKED if f".devloop/{name}".startswith(each))
    with (repository / ".gitignore").open("a") as file:
        file.write(f"{covered}\n")
    (row,) = await doctor_files.shared(repository)
    assert row["state"] == "warning" and "ignores what a team shares" in row["message"] and covered in row["message"]


@pytest.mark.parametrize("name", KEPT_OUT)
async def test_doctor_tells_when_git_tracks_what_is_one_persons(repository, name):
    beginning.ignore(repository)
    subprocess.run(["git", "add", "-f", add(repository, name)], cwd=repository, check=True)
    (row,) = await doctor_files.shared(repository)
    assert row["state"] == "warning" and "one person's alone" in row["message"]
    subprocess.run(row["fix"], shell=True, cwd=repository, check=True, capture_output=True)
    (row,) = await doctor_files.shared(repository)
    assert row["state"] == "ok", "what it advises helps"


async def test_doctor_tells_what_would_be_taken_in(repository):
    (row,) = await doctor_files.shared(repository)
    assert row["state"] == "warning" and row["fix"] == "devloop init"
    assert all(name in row["message"] for name in beginning.IGNORED)


async def test_doctor_warns_of_nothing_before_anything_was_begun(repository):
    """No file is there yet that git could take in; what begins a plan adds the lines, so nothing is to be mended."""
    (repository / ".devloop").rmdir()
    (row,) = await doctor_files.shared(repository)
    assert (row["state"], row["fix"]) == ("ok", "") and "devloop init" in row["message"]
    (repository / ".gitignore").write_text(".devloop/\n")
    (row,) = await doctor_files.shared(repository)
    assert row["state"] == "ok"
    add(repository, "plan.md")
    (row,) = await doctor_files.shared(repository)
    assert row["state"] == "warning" and "ignores what a team shares" in row["message"]
