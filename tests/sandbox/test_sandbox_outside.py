"""What executes outside the sandbox later is shown: all of it, and not ordinary work."""

from __future__ import annotations

import pytest

from devloop.runs import outside
from devloop.tools import KEPT, PROTECTED

SHOWN = (
    *(".github/workflows/ci.yml", ".github/actions/x/action.yml", ".gitlab-ci.yml", "Jenkinsfile", ".gitattributes"),
    *(
        "docs/.gitattributes",
        ".gitmodules",
        ".lfsconfig",
        ".pre-commit-config.yaml",
        "lefthook.yml",
        ".devcontainer.json",
    ),
    *(".devcontainer/devcontainer.json", "app.code-workspace", ".npmrc", "web/.npmrc", ".yarnrc.yml", ".pnpmfile.cjs"),
    *(
        ".yarn/releases/yarn.cjs",
        ".cargo/config.toml",
        "gradle/wrapper/gradle-wrapper.jar",
        "gradlew",
        ".mvn/jvm.config",
    ),
    *(".env", "web/.env.local", ".tool-versions", "AGENTS.md", "docs/CLAUDE.md", ".github/copilot-instructions.md"),
    *("packages/a/.vscode/tasks.json", "sub/.envrc", "sub/.MCP.json", "sub/.claude/settings.json", "a/b/.nvim.lua"),
)
WORK = (
    *("Makefile", "package.json", "setup.py", "src/env.py", "conftest.py", "Dockerfile", ".gitignore", "README.md"),
    *(".env.example", "docs/agents.rst", "src/claude.py", ".editorconfig", "config", "src/HEAD", "src/hooks/x.ts"),
    *("venv.py", "docs/venv/index.md", "justfile", "gradle.properties", ".github/ISSUE_TEMPLATE.md"),
)


@pytest.mark.parametrize("path", SHOWN)
def test_it_is_shown(path):
    assert path in outside.executed([path, "src/a.py"])
    assert path in outside.told([path], str)


@pytest.mark.parametrize("path", WORK)
def test_ordinary_work_is_not(path):
    assert outside.executed([path]) == {}


def test_a_bare_repository_in_a_folder_is_shown():
    found = outside.executed(["x/HEAD", "x/config", "x/objects/a", "src/config"])
    assert set(found) == {"x/HEAD", "x/config"}


def test_nothing_to_show_is_no_notice_and_much_is_counted():
    assert outside.told(["a.py"], str) == ""
    assert outside.told((f"{n}/.npmrc" for n in range(20)), str).endswith("and 12 more")


def test_what_is_protected_and_what_is_kept_are_two_things():
    assert not set(PROTECTED) & set(KEPT)
