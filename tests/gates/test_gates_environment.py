"""Finding the project's environment and the editable installs in it, without running anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devloop.gates.environment import Environment, find, in_checkout, locate, own_environment

Venv = Callable[..., Environment]


def fake_venv(folder: Path, files: dict[str, str]) -> Path:
    site = folder / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").write_text("#!/bin/sh\n")
    (folder / "bin" / "python").chmod(0o755)
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\n")
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    return folder


def test_the_order_is_dot_venv_then_venv_then_active_then_devloops_own(tmp_path: Path) -> None:
    project, active = tmp_path / "project", fake_venv(tmp_path / "active", {})
    project.mkdir()
    assert find(project).origin == "devloop"
    assert find(project, active).origin == "active"
    fake_venv(project / "venv", {})
    assert find(project, active).root == project / "venv"
    fake_venv(project / ".venv", {})
    assert find(project, active).root == project / ".venv"
    (project / ".venv" / "bin" / "python").chmod(0o644)
    assert find(project, active).root == project / "venv"


def test_an_environment_that_the_repository_brought_is_passed_over(tmp_path: Path) -> None:
    project, active = tmp_path / "project", fake_venv(tmp_path / "active", {})
    brought, own = fake_venv(project / ".venv", {}), fake_venv(project / "venv", {})
    assert find(project, active, tracked=[brought]).root == own
    assert find(project, active, tracked=[brought, own]).root == active
    assert find(project, brought, tracked=[brought, own]).origin == "devloop"


def test_candidates_in_the_checkout_are_named_by_themselves_and_by_what_they_lead_to(tmp_path: Path) -> None:
    project = tmp_path / "project"
    fake_venv(project / "envs" / "one", {})
    (project / ".venv").symlink_to("envs/one")
    (project / "venv").mkdir()
    alias, outside = tmp_path / "alias", fake_venv(tmp_path / "outside", {})
    alias.symlink_to(project)
    named = (Path(".venv"), Path("envs/one"))
    assert in_checkout(project, outside) == {project / ".venv": named}
    assert in_checkout(project, alias / ".venv") == {project / ".venv": named, alias / ".venv": named}


@pytest.mark.parametrize("way", ["pth", "finder", "namespace", "direct_url", "egg-link"])
def test_every_way_of_installing_editable_is_seen(way: str, tmp_path: Path) -> None:
    project = tmp_path / "my project"
    source = project / "src"
    source.mkdir(parents=True)
    url = json.dumps({"url": source.as_uri(), "dir_info": {"editable": True}})
    files = {
        "pth": {"_thing.pth": f"# comment\nimport sys; sys.path\n{source}\n"},
        "finder": {
            "__editable___thing_1_finder.py": f"import y\nMAPPING: dict[str, str] = {{'thing': {str(source)!r}}}\n"
        },
        "namespace": {
            "__editable___thing_1_finder.py": f"MAPPING = {{}}\nNAMESPACES: dict = {{'thing': [{str(source)!r}]}}\n"
        },
        "direct_url": {"thing-1.0.dist-info/direct_url.json": url},
        "egg-link": {"thing.egg-link": f"{source}\n."},
    }[way]
    fake_venv(project / ".venv", files)
    environment = find(project)
    assert [editable.path for editable in environment.editables] == [source]
    assert environment.editables_in(project) == environment.editables
    assert environment.editables_in(tmp_path / "other") == ()


def test_what_is_no_editable_install_is_not_taken_for_one(tmp_path: Path) -> None:
    files = {
        "distutils-precedence.pth": "import os; os.getcwd()\n",
        "gone.pth": "/no/such/folder\n",
        "inside.pth": "vendored\n",
        "vendored/x.py": "",
        "__editable___bad_finder.py": "MAPPING = open('/tmp/ran', 'w')\nthis is no python",
        "thing-1.0.dist-info/direct_url.json": '{"url": "https://host/x", "dir_info": {"editable": true}}',
        "other-1.0.dist-info/direct_url.json": "[",
    }
    project = tmp_path / "project"
    project.mkdir()
    fake_venv(project / ".venv", files)
    assert find(project).editables == ()


def test_packages_come_from_their_metadata_and_change_the_digest(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    fake_venv(project / ".venv", {"Foo_Bar-2.1.dist-info/METADATA": "", "old-1.0-py3.11.egg-info": ""})
    before = find(project)
    assert before.packages == {"foo-bar": "2.1", "old": "1.0"}
    site = project / ".venv/lib/python3.11/site-packages"
    (site / "Foo_Bar-2.1.dist-info").rename(site / "Foo_Bar-2.2.dist-info")
    assert find(project).digest != before.digest


def test_devloops_pytest_stands_in_only_where_no_dependency_is_declared(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    fake_venv(project / ".venv", {})
    environment, own = find(project), own_environment()
    found = locate("pytest", environment, checkout=project)
    assert found is not None and found.environment == own and found.version.startswith("pytest ")
    for name, text in (
        ("pyproject.toml", '[project]\nname = "x"\ndependencies = ["requests"]\n'),
        ("pyproject.toml", '[project]\nname = "x"\ndynamic = ["dependencies"]\n'),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = '3'\nrequests = '*'\n"),
        ("requirements-dev.txt", "requests\n"),
        ("setup.py", ""),
    ):
        (project / name).write_text(text)
        assert locate("pytest", environment, checkout=project) is None, text
        assert locate("ruff", environment, checkout=project) is not None
        (project / name).unlink()
    assert locate("no-such-tool", environment, checkout=project) is None
