"""What a base tree switches on, and what a file declares over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devloop import settings, trust
from devloop.gates import discover
from devloop.gates.discover import trusted_settings
from devloop.gates.verdict import NOTHING
from devloop.settings import GateSettings

Tree = Callable[[dict[str, str]], Path]


def names(base: Path, **keywords: object) -> list[str]:
    return [gate.name for gate in discover(base, **keywords).gates]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"test_a.py": ""}, ["pytest"]),
        ({"sub/deep/a_test.py": ""}, ["pytest"]),
        ({"pytest.ini": "[pytest]\n"}, ["pytest"]),
        ({"setup.cfg": "[tool:pytest]\n"}, ["pytest"]),
        ({"tox.ini": "[pytest]\n"}, ["pytest"]),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, ["pytest"]),
        ({"pyproject.toml": "[tool.ruff]\n", "a.py": ""}, ["ruff"]),
        ({"ruff.toml": "[format]\n", "a.py": ""}, ["ruff-format", "ruff"]),
        ({".ruff.toml": "", "a.py": ""}, ["ruff"]),
        ({"mypy.ini": "[mypy]\n", "a.py": ""}, ["mypy"]),
        ({"setup.cfg": "[mypy]\n", "a.py": ""}, ["mypy"]),
        ({"pyrightconfig.json": "{}", "a.py": ""}, ["pyright"]),
        ({".bandit": "[bandit]\n", "a.py": ""}, ["bandit"]),
        (
            {"pyproject.toml": "[tool.ruff]\n[tool.mypy]\n[tool.bandit]\n[tool.pyright]\n", "test_a.py": ""},
            ["ruff", "mypy", "pyright", "bandit", "pytest"],
        ),
        ({"pyproject.toml": "[tool.ruff]\n"}, []),
        ({"pyproject.toml": "not toml [", "a.py": ""}, []),
        ({"a.py": ""}, []),
        ({".venv/lib/test_a.py": "", "node_modules/x/test_a.py": ""}, []),
    ],
)
def test_each_configuration_gives_its_gates_cheap_first(files: dict[str, str], expected: list[str], tree: Tree) -> None:
    assert names(tree(files)) == expected


def test_nothing_found_says_how_to_get_a_gate(tree: Tree) -> None:
    found = discover(tree({"README.md": "x"}))
    assert found.gates == () and found.reason == NOTHING


def test_bandit_that_is_only_installed_runs_but_is_not_required(tree: Tree) -> None:
    base = tree({"a.py": ""})
    (gate,) = discover(base, installed={"bandit": "1"}).gates
    assert (gate.name, gate.required) == ("bandit", False)
    (base / ".bandit").write_text("")
    assert discover(base).gates[0].required


def test_coverage_is_information_only(tree: Tree) -> None:
    found = discover(tree({"pyproject.toml": "[tool.coverage.run]\n", "test_a.py": ""}))
    assert [gate.name for gate in found.gates] == ["pytest"] and "coverage" in found.notes[0]


def test_a_project_that_uses_pytests_cache_keeps_it(tree: Tree) -> None:
    base = tree({"test_a.py": "", "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--ff"\n'})
    assert discover(base).gates[0].command == ("pytest",)
    (base / "pyproject.toml").unlink()
    assert discover(base).gates[0].command == ("pytest", "-p", "no:cacheprovider")


def test_a_declared_gate_replaces_the_discovered_one_of_its_name(tree: Tree) -> None:
    base = tree({"test_a.py": ""})
    own = GateSettings(command=("make", "test"), kind="tests", report="junit", strict=True, timeout="2m")  # type: ignore[arg-type]
    (gate,) = discover(base, {"pytest": own}).gates
    assert (gate.command, gate.origin, gate.strict, gate.timeout_s) == (("make", "test"), "declared", True, 120)
    assert names(base, declared={"build": GateSettings(command=("make",), kind="build")}) == ["build", "pytest"]


def test_links_and_huge_configuration_configure_nothing(tree: Tree, tmp_path: Path) -> None:
    base = tree({"a.py": ""})
    (tmp_path / "outside.toml").write_text("[tool.ruff]\n")
    (base / "pyproject.toml").symlink_to(tmp_path / "outside.toml")
    assert names(base) == []
    (base / "pyproject.toml").unlink()
    (base / "pyproject.toml").write_text("[tool.ruff]\n" + "#" * 2_000_000)
    assert names(base) == []


def test_gates_are_made_from_the_very_table_that_was_trusted(tree: Tree, tmp_path: Path) -> None:
    text = '[gates.unit]\ncommand = ["make", "unit"]\nkind = "tests"\ntimeout = "5m"\n[gates.bad]\ncommand = []\n'
    base, store = tree({settings.TEAM_FILE: text}), tmp_path / "trust.json"
    trust.accept(base, store, [(item.key, item.sha256) for item in trust.items(base)])
    trusted = trust.require(base, store, {"gate"})
    (base / settings.TEAM_FILE).write_text('[gates.unit]\ncommand = ["evil"]\n')
    made = trusted_settings(trusted)
    assert list(made) == ["unit"] and made["unit"].command == ("make", "unit") and made["unit"].timeout == 300
