"""`devloop onboard` and `devloop bootstrap`: a project that devloop comes to, and one that begins."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from devloop import beginning
from devloop.errors import Refused
from devloop.state import context, issues, onboarding
from support.programs import Place
from support.projects import commit_all, git, make_repository

GUIDE = {"path": "AGENTS.md", "content": "# Guide\n\nRun `sh check.sh`.\n"}
ISSUE = "---\nid: BUG-001\ntype: bug\ntitle: It breaks\nstatus: open\npriority: low\ncreated: 2026-01-01T00:00:00\n"
ISSUE += "updated: 2026-01-01T00:00:00\nreporter: user\n---\n\n# BUG-001: It breaks\n"


def turns(*calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    done = {"name": "finish", "input": {"summary": "Described."}}
    return [*({"calls": [{"name": name, "input": value}]} for name, value in calls), {"calls": [done]}]


def legacy(root: Path) -> None:
    files = {
        ".claude/devloop-plan.md": "# Plan: Old\n\n- [ ] Task 1.1: Old work\n",
        ".claude/devloop-worklog.md": "# Devloop Worklog\n\n| Hash | Date | Message | Tasks |\n|---|---|---|---|\n",
        ".claude/devloop.local.md": "---\nfresh_threshold: 7\n---\n",
        ".claude/issues/BUG-001.md": ISSUE,
        "pyproject.toml": '[project]\nname = "old"\n',
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_what_an_earlier_system_left_is_copied_once_and_stays_where_it_was(place: Place, tmp_path: Path) -> None:
    root = make_repository(tmp_path / "old")
    legacy(root)
    commit_all(root)
    before = {path: path.read_bytes() for path in (root / ".claude").rglob("*.md")}
    shown = onboarding.steps(root)
    assert not (root / ".devloop").exists(), "looking changes nothing"
    done = onboarding.take(root, onboarding.datetime.now().astimezone())
    assert [(step.what, step.path) for step in done] == [(step.what, step.path) for step in shown]
    assert {step.path for step in done if step.what == "copy"} == {
        *(".devloop/plan.md", ".devloop/worklog.md", ".devloop/local.md", ".devloop/issues/BUG-001.md")
    }
    assert (root / ".devloop/plan.md").read_text().startswith("# Plan: Old")
    assert issues.find(root, "BUG-001")[0] == ".devloop/issues/BUG-001.md"
    assert (root / ".devloop/issues/index.md").is_file()
    found, faults = context.read((root / context.PATH).read_text())
    assert found is not None and found.language == "python" and not faults
    assert {path: path.read_bytes() for path in (root / ".claude").rglob("*.md")} == before
    assert ".devloop/local.md" not in git(root, "status", "--porcelain", "-uall"), "a person's own file is ignored"
    again = onboarding.take(root, onboarding.datetime.now().astimezone())
    assert {step.what for step in again} == {"keep"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_can_not_be_copied_is_named_and_nothing_waits_for_it(tmp_path: Path) -> None:
    """A pipe, a folder, a link out of the project and a file of many megabytes, where an earlier system has files."""
    root = make_repository(tmp_path / "old")
    (root / ".claude/issues/BUG-002.md").mkdir(parents=True)
    (root / ".claude/issues/BUG-001.md").write_text(ISSUE)
    os.mkfifo(root / ".claude/issues/BUG-003.md")
    os.mkfifo(root / ".claude/devloop-plan.md")
    (tmp_path / "secret").write_text("mine\n")
    (root / ".claude/devloop-worklog.md").symlink_to(tmp_path / "secret")
    with (root / ".claude/devloop.local.md").open("wb") as stream:
        stream.truncate(9 << 20)
    done = onboarding.take(root, onboarding.datetime.now().astimezone())
    assert {step.source for step in done if step.what == "leave"} == {
        *(".claude/devloop-plan.md", ".claude/devloop-worklog.md", ".claude/devloop.local.md")
    }
    assert [step.path for step in done if step.what == "copy"] == [".devloop/issues/BUG-001.md"]
    assert ("create", ".devloop/plan.md") in {(step.what, step.path) for step in done}
    assert not (root / ".devloop/worklog.md").exists() and not (root / ".devloop/local.md").exists()


@pytest.mark.parametrize("linked", [".devloop", ".gitignore"])
def test_nothing_is_written_where_a_link_leads_outside(tmp_path: Path, linked: str) -> None:
    """Whoever wrote the repository does not say where in the person's home a file comes to be."""
    root, outside = make_repository(tmp_path / "p"), tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine\n")
    (root / linked).symlink_to(outside / "file" if linked == ".gitignore" else outside)
    for begin in (
        lambda: onboarding.take(root, onboarding.datetime.now().astimezone()),
        lambda: onboarding.steps(root),
        lambda: (beginning.write_plan(root, "# Plan\n"), beginning.ignore(root)),
    ):
        with pytest.raises(Refused, match="leads outside"):
            begin()
    assert sorted(path.name for path in outside.iterdir()) == ["file"]
    assert (outside / "file").read_text() == "mine\n"


def test_a_project_gets_its_files_and_a_guide_in_one_commit(place: Place) -> None:
    place.script({"@onboard": turns(("write_file", GUIDE))})
    place.plan.unlink()
    shown = place("onboard", "--dry-run", "--json").json
    assert {"what": "create", "path": ".devloop/plan.md", "source": "onboarding"} in shown["steps"]
    assert not place.plan.exists()
    done = place("onboard", "Say how to check", "--decide", "commit", "--json")
    assert done.code == 0, done
    assert done.json["run"]["outcome"] == "landed" and done.json["run"]["agent"] == "doc-generator"
    assert git(place.root, "show", "--name-only", "--format=", "HEAD") == "AGENTS.md"
    assert "Onboarding" in place.plan.read_text() or "# Plan" in place.plan.read_text()
    assert [gate["gate"] for gate in place("show", done.json["run"]["id"], "--json").json["gates"]][-1] == "files"
    assert "Nothing" not in place("onboard", "--no-agent").out


def test_an_agent_that_should_only_describe_can_not_bring_code(place: Place) -> None:
    """It is told, mends it, and what it lands are documents."""
    code = {"path": "docs.md/evil.py", "content": "import os\n"}
    place.script(
        {
            "@onboard": [
                *turns(("write_file", code), ("write_file", {**GUIDE, "content": "# Other\n"})),
                *turns(("run_command", {"command": "rm -r docs.md"})),
            ]
        }
    )
    done = place("onboard", "--decide", "commit", "--json")
    assert done.code == 0, done
    told = place("transcript", done.json["run"]["id"]).out
    assert "not docs.md/evil.py" in told
    assert git(place.root, "show", "--name-only", "--format=", "HEAD") == "AGENTS.md"


def test_a_project_begins_from_its_requirements_without_any_check(place: Place) -> None:
    """There is nothing yet that could be tested: documents are their own proof, code is not."""
    root = make_repository(place.tmp / "fresh")
    (root / "requirements.md").write_text("# Want\n\nPeople greet each other.\n")
    commit_all(root)
    place.script(
        {"@bootstrap": turns(("write_file", GUIDE), ("write_file", {"path": "README.md", "content": "# Hi\n"}))}
    )
    before, place.root = place.root, root
    try:
        done = place("bootstrap", "requirements.md", "--stack", "Python", "--decide", "commit", "--json")
        assert done.code == 0, done
        assert git(root, "show", "--name-only", "--format=", "HEAD").split() == ["AGENTS.md", "README.md"]
        assert (root / ".devloop/plan.md").is_file()
        told = place("transcript", done.json["run"]["id"]).out
        assert "People greet each other." in told and "Stack, as the person wants it: Python" in told
        notices = json.dumps(place("show", done.json["run"]["id"], "--json").json["notices"])
        assert "devloop plan new --from requirements.md" in notices
    finally:
        place.root = before


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "can't be read"), (b"\xff\xfe\x00", "is no text"), (b"  \n", "is empty"), (b"x" * 70_000, "too long")],
)
def test_requirements_that_can_not_be_read_are_named(place: Place, content: bytes | None, said: str) -> None:
    path = place.root / "want.md"
    if content is not None:
        path.write_bytes(content)
    refused = place("bootstrap", "want.md", "--json")
    path.unlink(missing_ok=True)
    assert refused.code in (1, 2, 4) and said in refused.error["message"] and "Traceback" not in refused.text
