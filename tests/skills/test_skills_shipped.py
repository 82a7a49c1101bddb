"""The skills that ship with devloop: complete, clean, short, indexed, and in the wheel."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from devloop import shipped
from devloop.skills import check_path, index_markdown, parse, references, shipped_skills, tokens

ROOT = Path(__file__).parents[2]
SKILLS = shipped.folder("skills")
NAMES = [
    *("go-patterns", "python-patterns", "java-patterns", "react-patterns", "language-patterns-base"),
    *("workflow-selection", "workflow-loop", "plan-management", "phase-templates", "task-checkpoint"),
    *("requirements-patterns", "complexity-estimation", "architecture-patterns", "refactoring-analysis"),
    *("testing-strategies", "security-checklist", "api-design", "database-patterns", "git-workflows"),
    *("atomic-commits", "version-management", "worklog-management", "issue-tracking", "project-context"),
    *("project-bootstrap", "deployment-readiness", "file-locations", "tool-usage-policy", "model-selection-guide"),
]


def test_the_twenty_nine_are_there_and_nothing_else():
    assert len(NAMES) == 29
    assert sorted(shipped_skills().active) == sorted(NAMES)


def test_the_linter_finds_nothing():
    assert check_path(SKILLS) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_skill_is_short_and_says_when_and_when_not(name):
    skill = shipped_skills().active[name].skill
    assert skill.body.count("\n") < 80
    assert tokens(skill.body) <= 1_000
    assert "Use when" in skill.description and skill.when_not
    assert len(skill.description) <= 250


@pytest.mark.parametrize("name", NAMES)
def test_when_not_names_only_skills_that_exist(name):
    skill = shipped_skills().active[name].skill
    text = f"{skill.when_not} {skill.body}"
    suffixes = "patterns|strategies|management|tracking|readiness|analysis|estimation|workflows|checklist|checkpoint"
    named = set(re.findall(rf"\b[a-z]+(?:-[a-z]+)*-(?:{suffixes})\b", text))
    assert named <= set(NAMES)


def test_every_reference_is_named_in_its_skill():
    for found in shipped_skills().active.values():
        for reference in references(found):
            assert f"`{reference}`" in found.skill.body


def test_no_skill_steers_the_scripted_player_or_a_conversation():
    """The player finds its script by lines `Task: …` and `Attempt: …` in what it is told."""
    for path in SKILLS.rglob("*.md"):
        assert not re.search(r"^(Task|Attempt|Conversation):", path.read_text("utf-8"), re.MULTILINE), path


def test_the_index_is_the_generated_one():
    written = (SKILLS / "INDEX.md").read_text("utf-8")
    assert written == index_markdown(shipped_skills().found), "run: devloop skills index skills --write"


def test_skills_reach_the_wheel_with_their_references():
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = configured["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["skills"] == "devloop/_shipped/skills"
    assert any(dependency.startswith("pyyaml") for dependency in configured["project"]["dependencies"])
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    assert not any("reference" in line or line in ("skills", "skills/", "*.md") for line in ignored)


def test_the_readmes_example_is_a_skill_without_problems():
    text = (SKILLS / "README.md").read_text("utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    skill, problems = parse(f"{example}Text\n".encode(), "sql-style")
    assert problems == [] and skill is not None and skill.triggers.task_types == ("migration",)
