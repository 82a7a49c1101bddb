"""What reviewers are told of each kind of change, and what a person is told when there is nothing to look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.cli.review_command import FailOn, fails
from devloop.daemon.documents import Documents
from devloop.daemon.errands.model import Asked, Project
from devloop.daemon.errands.review import build, fenced
from devloop.errors import NotFound, Refused, UsageError
from devloop.paths import StateDir
from support import projects

CODE = "def total(items):\n    return sum(items)\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(tmp_path / "s"))
    root = tmp_path / "p"
    root.mkdir()
    projects.git(root, "init", "-q", "-b", "main")
    commit(root, "shop.py", CODE)
    state = StateDir.of(root).make()
    return Project(root, Documents(root, lock=state.path / "plan.lock", owed=state.path / "owed.json"), state)


def commit(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    projects.git(root, "add", "-A")
    projects.git(root, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", path)


async def told(project: Project, text: str = "", **options) -> tuple[str, str]:
    """Title, and what the first reviewer begins with."""
    task = await build(project, Asked(text, options))
    return task.title, task.errand.members[0].notes


async def test_each_scope_shows_its_own_change(project):
    root = project.root
    projects.git(root, "checkout", "-q", "-b", "feature")
    commit(root, "feature.py", "feature = 1\n")
    (root / "shop.py").write_text(CODE + "staged = 1\n")
    projects.git(root, "add", "shop.py")
    (root / "shop.py").write_text(CODE + "loose = 1\n")
    (root / "new.py").write_text("new = 1\n")
    seen = {}
    for scope in ("auto", "uncommitted", "staged", "commits", "branch"):
        seen[scope] = await told(project, scope=scope)
    title, notes = seen["auto"]
    assert (title, notes) == seen["uncommitted"] and title == "Review uncommitted changes (2 files, +2 -0)"
    assert "+loose = 1" in notes and "- A new.py +1 -0" in notes and "staged = 1" not in notes
    title, notes = seen["staged"]
    assert title == "Review staged changes (1 file, +1 -0)" and "+staged = 1" in notes and "loose" not in notes
    assert seen["commits"][0] == "Review the last commit (1 file, +1 -0)" and "+feature = 1" in seen["commits"][1]
    assert seen["branch"][0] == "Review the branch since main (1 file, +1 -0)"
    title, notes = await told(project, "Mind the names", scope="files", files=["shop.py", str(root / "new.py")])
    assert title == "Review shop.py, new.py (2 files)"
    assert (
        "Look at these files as a whole" in notes and "- new.py" in notes and "The person adds: Mind the names" in notes
    )
    task = await build(project, Asked("", {"scope": "files", "files": ["shop.py"]}))
    again = await build(project, Asked("", {"scope": "files", "files": ["shop.py"]}))
    assert task == again, "the same question is the same errand"


async def test_who_looks_depends_on_the_change_and_the_wish(project):
    async def members(**options):
        task = await build(project, Asked("", {"scope": "uncommitted", **options}))
        return [each.title for each in task.errand.members], task.errand.given["security"]

    (project.root / "shop.py").write_text(CODE + "x = 1\n")
    three = ["correctness", "quality", "conventions"]
    assert await members() == (three, "")
    assert await members(security=True) == ([*three, "security"], "it was asked for")
    assert await members(quick=True) == (["reviewer"], "")
    assert await members(quick=True, security=True) == (["reviewer", "security"], "it was asked for")
    (project.root / "shop.py").write_text(CODE + "x = eval(y)\n")
    assert await members() == ([*three, "security"], "it adds “eval”")
    assert (await members(security=False))[0] == three
    (project.root / "shop.py").write_text(CODE)
    (project.root / "login.py").write_text("x = 1\n")
    assert (await members())[1] == "it touches login.py"


async def test_secrets_generated_and_long_files_are_named_and_not_told(project):
    root = project.root
    secret = "ghp_" + "a" * 36
    (root / "shop.py").write_text(f'token = "{secret}"\n')
    (root / "yarn.lock").write_text("locked\n" * 50)
    (root / "long.py").write_text("long = 1\n" * 5_000)
    (root / ".env").write_text("PASSWORD=hush\n")
    (root / ".devloop").mkdir()
    (root / ".devloop/plan.md").write_text("# Plan: mine\n")
    (root / "esc.py").write_text("a = '\x1b[31m'\n~~~~\n")
    _, notes = await told(project)
    assert secret not in notes and "redacted" in notes and "hush" not in notes and "mine" not in notes
    assert "\x1b" not in notes and "locked" not in notes.replace("yarn.lock", "")
    assert "yarn.lock is generated" in notes and "long.py is cut" in notes and "+long = 1" in notes
    assert len(notes) < 20_000


def test_nothing_in_a_diff_ends_its_fence():
    text = "+~~~\n+~~~~~\n"
    fence = fenced(text).splitlines()[0].removesuffix("diff")
    assert fence not in text and fenced(text).endswith(f"\n{fence}")


@pytest.mark.parametrize(
    ("options", "problem", "words"),
    [
        ({"scope": "staged"}, Refused, "Nothing is staged."),
        ({"scope": "uncommitted"}, Refused, "Nothing is uncommitted."),
        ({}, Refused, "Nothing is uncommitted or on a branch"),
        ({"scope": "commits", "commits": "nowhere"}, NotFound, "no commit"),
        ({"scope": "branch"}, NotFound, "no branch to compare"),
        ({"scope": "files", "files": ["nothing.py"]}, NotFound, "no file"),
        ({"scope": "files", "files": ["../out.py"]}, UsageError, "can't be the path"),
        ({"scope": "files", "files": []}, UsageError, "Which files"),
        ({"scope": "run", "run": "run-9"}, NotFound, "has no work here"),
        ({"scope": "everything"}, UsageError, "nothing to look at"),
        ({"security": "yes"}, UsageError, "security"),
    ],
)
async def test_what_can_not_be_looked_at_is_said(project, options, problem, words):
    with pytest.raises(problem, match=words):
        await build(project, Asked("", options))


async def test_only_secrets_changed_is_nothing_to_look_at(project):
    (project.root / ".env").write_text("A=1\n")
    with pytest.raises(Refused, match=r"left out: \.env"):
        await build(project, Asked("", {}))


@pytest.mark.parametrize(
    ("severity", "verdict", "expected"),
    [
        ("Critical", "REQUEST_CHANGES", (True, True, True, True)),
        ("High", "REQUEST_CHANGES", (True, False, True, True)),
        ("Low", "COMMENT", (False, False, False, True)),
        (None, "APPROVE", (False, False, False, False)),
    ],
)
def test_scripts_choose_what_fails(severity, verdict, expected):
    report = {"verdict": verdict, "findings": [{"severity": severity}] if severity else []}
    assert tuple(fails(report, each) for each in (None, FailOn.critical, FailOn.high, FailOn.any)) == expected
