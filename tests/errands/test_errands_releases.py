"""What a release is made of, in repositories of all kinds: which commits, which version, which tag."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devloop.daemon.documents import Documents
from devloop.daemon.errands import ship
from devloop.daemon.errands.model import Asked, Project
from devloop.errors import LandingRefused, Refused, UsageError
from devloop.paths import StateDir
from support.projects import at_home, commit_all, git, make_repository


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    at_home(tmp_path, monkeypatch)
    root = make_repository(tmp_path / "p")
    commit(root, "feat: begin")
    return at(root)


def at(root: Path) -> Project:
    state = StateDir.of(root).make()
    return Project(root, Documents(root), state)


def commit(root: Path, subject: str, path: str = "a.txt", text: str = "") -> None:
    (root / path).write_text(text or f"{subject}\n")
    commit_all(root, subject)


async def look(project: Project, **options: Any) -> dict[str, Any]:
    return (await ship.look(project, Asked("", options))).to_json()


def notes(found: dict[str, Any]) -> str:
    return " ".join(found["notes"])


@pytest.mark.parametrize(
    ("declared", "tag", "options", "version", "note"),
    [
        ("2.0.0rc1", None, {}, "2.0.0", "2.0.0 is declared and not tagged yet"),
        ("2.0.0", "v1.2.3", {}, "2.0.0", "2.0.0 is declared and not tagged yet"),
        ("1.2.4", "v1.2.3", {}, "1.3.0", ""),
        ("2.0.0", "v1.2.3", {"bump": "patch"}, "1.2.4", "pyproject.toml says 2.0.0, which is higher"),
        ("0.9.0", "v1.2.3", {}, "1.3.0", ""),
        ("1.2.3.dev1", "v1.2.3", {}, "1.3.0", ""),
    ],
)
async def test_a_version_never_falls_behind_what_is_declared(
    project: Project, declared: str, tag: str | None, options: dict[str, Any], version: str, note: str
) -> None:
    if tag:
        git(project.root, "tag", tag)
    commit(project.root, "feat: more", "pyproject.toml", f'[project]\nname = "x"\nversion = "{declared}"\n')
    found = await look(project, **options)
    assert found["version"] == version and note in notes(found), found["notes"]


async def test_a_way_of_numbering_that_is_not_known_is_asked_about(project: Project) -> None:
    commit(project.root, "feat: more", "VERSION", "2024.1\n")
    with pytest.raises(UsageError, match=r"VERSION says '2024\.1'"):
        await look(project)
    assert (await look(project, version="2024.2.0"))["version"] == "2024.2.0"


async def test_what_was_shipped_and_never_tagged_is_not_shipped_again(project: Project) -> None:
    """Its agent would have nothing to commit."""
    commit(project.root, "chore: release", "CHANGELOG.md", "# Changelog\n\n## 1.0.0\n\n- all\n")
    commit(project.root, "feat: more", "VERSION", "1.0.0\n")
    with pytest.raises(Refused, match=r"say 1\.0\.0 already") as refused:
        await look(project)
    assert "git tag v1.0.0" in (refused.value.hint or "")


async def test_a_tag_of_another_branch_is_named_and_never_taken_twice(project: Project) -> None:
    root = project.root
    git(root, "tag", "v1.0.0")
    git(root, "switch", "-qc", "other")
    commit(root, "fix: there")
    git(root, "tag", "v1.1.0")
    git(root, "switch", "-q", "main")
    commit(root, "feat: here")
    found = await look(project)
    assert (found["since"], found["version"]) == ("v1.0.0", "1.1.0") and "There is a tag v1.1.0 already" in notes(found)
    with pytest.raises(Refused, match=r"There is a tag v1\.1\.0 already"):
        await look(project, tag=True)


async def test_tags_of_other_forms_are_passed_over_and_said(project: Project) -> None:
    for name in ("v2.0.0-rc.1", "pkg/v3.0.0", "nightly"):
        git(project.root, "tag", name)
    found = await look(project)
    assert found["since"] is None and "3 tags name no version" in notes(found)


async def test_a_shallow_clone_does_not_pretend_to_know(project: Project, tmp_path: Path) -> None:
    git(project.root, "tag", "v3.0.0")
    commit(project.root, "feat: more")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{project.root}", "c")
    clone = at(tmp_path / "c")
    with pytest.raises(Refused, match="shallow"):
        await look(clone)
    assert "shallow" in notes(await look(clone, version="3.1.0"))


async def test_where_it_could_not_land_no_agent_begins(project: Project) -> None:
    git(project.root, "checkout", "-q", "--detach")
    assert (await look(project))["version"] == "0.1.0"
    with pytest.raises(LandingRefused, match="detached"):
        await ship.build(project, Asked("", {}))


async def test_accepted_work_that_has_not_landed_is_part_of_it(project: Project) -> None:
    """It would land with the release, so the changelog has to know of it."""
    root = project.root
    git(root, "tag", "v1.0.0")
    git(root, "switch", "-qc", "devloop/plan")
    commit(root, "feat: accepted")
    git(root, "update-ref", "refs/devloop/plan-base/devloop/plan", "main")
    git(root, "switch", "-q", "main")
    found = await look(project)
    assert found["changelog"] == "### Added\n\n- accepted"
    assert "1 accepted commit not landed yet: part of it" in notes(found)
    assert (await ship.build(project, Asked("", {}))).errand.base == git(root, "rev-parse", "devloop/plan")
    commit(root, "fix: my own", "b.txt")
    with pytest.raises(Refused, match="not landed yet") as refused:
        await look(project)
    assert "devloop land" in (refused.value.hint or "")


async def test_a_secret_in_a_commits_words_stops_it_and_is_not_repeated(project: Project) -> None:
    secret = f"ghp_{'a' * 36}"
    commit(project.root, f"feat: use {secret}", "b.txt", "b\n")
    found = await ship.look(project, Asked("", {}))
    assert [(each.kind, each.path.split()[0]) for each in found.found] == [("secret", "commit")]
    assert secret not in str(found)
    with pytest.raises(Refused, match="should not go out"):
        await ship.build(project, Asked("", {}))


async def test_lock_files_go_along_and_a_version_made_elsewhere_is_said(project: Project) -> None:
    root = project.root
    commit(root, "feat: a", "package.json", '{"name": "x", "version": "1.0.0"}\n')
    commit(root, "feat: b", "package-lock.json", '{"name": "x", "version": "1.0.0", "packages": {}}\n')
    commit(root, "feat: c", "npm-shrinkwrap.json", '{"name": "x", "version": "0.9.0"}\n')
    commit(root, "feat: d", "pyproject.toml", '[project]\nname = "x"\ndynamic = ["version"]\n')
    git(root, "tag", "v1.0.0")
    commit(root, "feat: e")
    found = await look(project)
    assert found["files"] == ["CHANGELOG.md", "package-lock.json", "package.json"]
    assert "npm-shrinkwrap.json stays as it is" in notes(found) and "from elsewhere" in notes(found)


@pytest.mark.parametrize(
    "words",
    [b"feat: caf\xe9", b"feat: \x1b[31mred\x07", "feat: \N{RIGHT-TO-LEFT OVERRIDE}evil".encode()],
)
async def test_whatever_a_commit_says_the_changelog_is_text(project: Project, words: bytes) -> None:
    (project.root / "b.txt").write_text("b\n")
    (project.root / "m").write_bytes(words)
    git(project.root, "add", "b.txt")
    git(project.root, "-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-qF", "m")
    found = await ship.look(project, Asked("", {}))
    assert found.section.replace("\n", "").isprintable()
