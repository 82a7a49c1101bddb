"""Coverage beside pytest's verdict: measured by the real pytest-cov in the sandbox, compared, and never a verdict."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devloop.cli.checkpoint_view import coverage as shown
from devloop.gates import Coverage, GateResult, Place, cache_key, compare, discover
from devloop.gates import coverage as figures
from devloop.gates.environment import own_environment
from devloop.gates.evidence import ReportDir
from devloop.gates.run import run_at

Tree = Callable[[dict[str, str]], Path]
Places = Callable[..., Place]

MODULE = "def used():\n    return 1\n\n\ndef unused():\n    x = 1\n    return x\n"
TESTS = "import mod\n\n\ndef test_used():\n    assert mod.used() == 1\n"
CONFIGURED = '[tool.coverage.run]\nsource = ["."]\nomit = ["test_*"]\n'


def measured(tree: Tree, config: str = CONFIGURED, **files: str) -> Path:
    return tree({"pyproject.toml": config, "mod.py": MODULE, "test_mod.py": TESTS, **files})


async def run(base: Path, where: Place) -> GateResult:
    (gate,) = discover(base).gates
    return await run_at(gate, where)


async def test_configured_coverage_is_measured_and_leaves_nothing_in_the_tree(tree: Tree, place: Places) -> None:
    base = measured(tree)
    result = await run(base, place(base))
    assert (result.verdict, result.reason) == ("pass", "1 passed, 0 failed")
    assert result.coverage == Coverage(60.0, files={"mod.py": 60.0})
    assert "covered least: mod.py (60 %)" in result.notes and not (base / ".coverage").exists()
    assert GateResult.from_json(json.loads(json.dumps(result.to_json(full=True)))).coverage == result.coverage


async def test_a_threshold_that_is_not_reached_changes_no_verdict(tree: Tree, place: Places) -> None:
    base = measured(tree, f"{CONFIGURED}[tool.coverage.report]\nfail_under = 99\n")
    result = await run(base, place(base))
    assert result.verdict == "pass" and result.coverage is not None
    base = measured(tree, f'{CONFIGURED}[tool.pytest.ini_options]\naddopts = "--cov=mod --cov-fail-under=99"\n')
    # Options of a plug-in in addopts need one that loads by itself, as in a project's own environment.
    result = await run(base, place(base, variables={}))
    assert result.verdict == "pass" and result.coverage == Coverage(60.0, files={"mod.py": 60.0})


async def test_where_nothing_was_measured_the_verdict_stands_and_a_note_says_so(tree: Tree, place: Places) -> None:
    config = '[tool.coverage.run]\nomit = ["*"]\n[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n'
    base = measured(tree, config)
    result = await run(base, place(base))
    assert (result.verdict, result.coverage) == ("pass", None) and "coverage was not reported" in result.notes


@pytest.mark.parametrize(("version", "words"), [(None, "is not installed"), ("4.0.0", "4.0.0 is too old")])
async def test_without_a_fitting_pytest_cov_a_note_says_why(
    version: str | None, words: str, tree: Tree, place: Places
) -> None:
    own = own_environment()
    packages = {name: found for name, found in own.packages.items() if name != "pytest-cov"}
    packages |= {"pytest-cov": version} if version else {}
    base = measured(tree)
    result = await run(base, place(base, environment=dataclasses.replace(own, packages=packages)))
    assert (result.verdict, result.coverage) == ("pass", None)
    assert any("was not measured" in note and words in note for note in result.notes)


async def test_a_project_without_coverage_is_not_measured(tree: Tree, place: Places) -> None:
    base = measured(tree, "")
    result = await run(base, place(base))
    assert (result.verdict, result.coverage, result.notes) == ("pass", None, ())


async def test_coverage_is_compared_with_the_base_trees_and_changes_no_verdict(tree: Tree, place: Places) -> None:
    base = measured(tree)
    before = await run(base, place(base))
    (base / "mod.py").write_text(MODULE + "\n\ndef more():\n    y = 2\n    y += 1\n    y += 2\n    return y\n")
    after = compare(await run(base, place(base)), before)
    assert after.verdict == "pass" and after.coverage == Coverage(40.0, 60.0, {"mod.py": 40.0})
    assert after.changes.warnings == ("coverage fell: mod.py from 60 to 40 %",)
    assert shown(after.to_json()["coverage"]) == "coverage 40 % (−20)"
    alone = dataclasses.replace(after, coverage=Coverage(40.0))
    for other in (None, dataclasses.replace(before, coverage=None), dataclasses.replace(before, complete=False)):
        assert compare(alone, other).coverage == Coverage(40.0)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ""),
        ({".coveragerc": ""}, "config"),
        ({"setup.cfg": "[coverage:run]\nbranch = true\n"}, "config"),
        ({"tox.ini": "[coverage:report]\n"}, "config"),
        ({"pyproject.toml": "[tool.coverage.run]\n"}, "config"),
        ({"pytest.ini": "[pytest]\naddopts = --cov=src --cov-branch\n"}, "addopts"),
        ({"pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["-q", "--cov"]\n'}, "addopts"),
        ({"pytest.ini": "[pytest]\naddopts = --cov-report=term\n"}, ""),
        ({".coveragerc": "", "pytest.ini": "[pytest]\naddopts = -p no:cov\n"}, ""),
        ({".coveragerc": "", "pytest.ini": "[pytest]\naddopts = --no-cov\n"}, ""),
        ({".coveragerc": "", "pytest.ini": "[pytest]\naddopts = --no-cov-on-fail\n"}, "config"),
    ],
)
def test_who_asks_for_coverage(files: dict[str, str], expected: str, tree: Tree) -> None:
    (gate,) = discover(tree({"test_a.py": "", **files})).gates
    assert gate.coverage == expected


def test_the_run_is_told_whether_coverage_will_be_measured(tree: Tree) -> None:
    base = measured(tree)
    assert discover(base, installed={"pytest", "pytest-cov"}).notes == (
        "coverage is configured: shown as information, never a gate",
    )
    (told,) = discover(base, installed={"pytest"}).notes
    assert "not measured: pytest-cov is not installed" in told
    assert discover(measured(tree, ""), installed={"pytest"}).notes == ()


def test_a_baseline_without_coverage_is_taken_again_once_it_is_wanted(tree: Tree) -> None:
    (gate,) = discover(measured(tree)).gates
    assert cache_key("t", gate, "1") != cache_key("t", dataclasses.replace(gate, coverage=""), "1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "has no total"),
        ('{"totals": {"percent_covered": "87"}}', "has no total"),
        ('{"totals": {"percent_covered": true}}', "has no total"),
        ('{"totals": {"percent_covered": 1e9}}', "has no total"),
        ('{"totals": {"percent_covered": NaN}}', "can't be read"),
        ("[" * 200_000, "can't be read"),
        ("{", "can't be read"),
    ],
)
def test_a_report_that_says_nothing_sensible_gives_no_figure(text: str, words: str, tmp_path: Path) -> None:
    folder = ReportDir.make(tmp_path)
    (folder.out / figures.FILE).write_text(text)
    found, note = figures.read(folder, 0.0)
    assert found is None and words in note


def test_a_link_and_a_huge_report_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, outside = ReportDir.make(tmp_path / "reports"), tmp_path / "outside.json"
    outside.write_text('{"totals": {"percent_covered": 100}}')
    (folder.out / figures.FILE).symlink_to(outside)
    assert figures.read(folder, 0.0) == (None, "the coverage report was refused: it is a symbolic link")
    (folder.out / figures.FILE).unlink()
    (folder.out / figures.FILE).write_text(outside.read_text())
    assert figures.read(folder, 0.0) == (Coverage(100), "")
    monkeypatch.setattr(figures, "MAX_REPORT", 10)
    assert "larger than" in figures.read(folder, 0.0)[1]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        ({"percent": 87.4}, "coverage 87 %"),
        ({"percent": 87.4, "before": 89.0}, "coverage 87 % (−2)"),
        ({"percent": 90, "before": 89.9}, "coverage 90 % (+1)"),
        ({"percent": 99.96, "before": 99.1}, "coverage 99 %"),
        ({"percent": "87"}, ""),
    ],
)
def test_how_a_person_reads_it(value: object, expected: str) -> None:
    assert shown(value) == expected
