"""What every test shares: a clean environment, private state directories, slow tests last."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `double`, the strict local double of the Messages API

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
"""Tests start processes of devloop by the hundred. They keep their bytecode, as any installed program does: without it
each of them compiles every module anew, and that took a third of the suite's CPU time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write expected messages anew instead of comparing")
    parser.addoption("--long", action="store_true", help="run the long modes (hundreds of crashes)")
    parser.addoption("--fuzz-long", action="store_true", help="run the fuzz tests alone, with very many inputs")
    parser.addoption(
        "--without-fix",
        action="append",
        metavar="NAME",
        help="instead of the suite: take a protection out and show that its tests fail (also a pattern, `all`, `list`)",
    )


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    from fixes import running  # here: the suite itself does without it

    if record := os.environ.pop(running.RECORD, None):
        config.pluginmanager.register(running.Recorder(record))
    names = config.getoption("without_fix")
    return running.command(names) if names else None


def pytest_configure(config: pytest.Config) -> None:
    from support import fuzz, turns

    fuzz.configure(config.getoption("fuzz_long"))
    turns.configure(config.getoption("long") or config.getoption("fuzz_long"))


LONG = (
    "tests/vscode/test_vscode_windows.py",
    "tests/vscode/test_vscode_runs.py",
    "tests/crash/test_crash_plan.py",
    "tests/test_quality.py",
    "tests/vscode/test_vscode_check.py",
    "tests/engine/test_engine_groups_crash.py",
    "tests/engine/test_engine_leaving_out_crash.py",
    "tests/engine/test_engine_allowing.py",
    "tests/engine/test_engine_landing.py",
    "tests/engine/test_engine_restart.py",
    "tests/engine/test_engine_groups.py",
    "tests/hooks/test_hooks_runs.py",
    "tests/workspace/test_workspace_landing.py",
    "tests/gates/test_gates_liar.py",
    "tests/hostile/test_hostile_run.py",
    "tests/redact/test_redact_every_exit.py",
    "tests/redact/test_redact_exits.py",
    "tests/sandbox/test_sandbox_floods.py",
    "tests/errands/test_workflow.py",
    "tests/errands/test_errands_ship.py",
    "tests/errands/test_errands_plan.py",
    "tests/errands/test_errands_double.py",
    "tests/errands/test_errands_spike.py",
    "tests/crash/test_crash_errands.py",
    "tests/skills/test_skills_run.py",
    "tests/trust/test_trust_may_change.py",
    "tests/e2e/test_e2e_demo.py",
    "tests/e2e/test_e2e_groups.py",
    "tests/e2e/test_e2e_nvim.py",
    "tests/e2e/test_e2e_plans.py",
    "tests/e2e/test_e2e_processes.py",
    "tests/e2e/test_e2e_repositories.py",
    "tests/e2e/test_e2e_storage.py",
    "tests/cli/test_cli_runs.py",
    "tests/lsp/pipe/test_lsp_pipe_real.py",
)
"""A quarter of a minute and more each: side by side these begin first, so that none is left over at the end on one
core."""
ALONE = ("tests/crash/test_crash_plan.py",)
"""Their tests share nothing and are handed out one by one. Of the others whole files are: tests of a file often share
an engine or a daemon."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In one process the fast ones first: a failure shows early. Side by side, the long ones. The order inside a module
    stays."""
    if config.getoption("fuzz_long"):
        from support import fuzz

        items[:], left_out = fuzz.chosen(items)
        config.hook.pytest_deselected(items=left_out)
    if config.getoption("dist", "no") == "no" and not hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
    else:
        order = {path: number for number, path in enumerate(LONG)}
        items.sort(key=lambda item: order.get(item.nodeid.partition("::")[0], len(LONG)))


def pytest_collection_finish() -> None:
    """Thousands of tests and their modules stay to the end: the collector need not look at them again and again."""
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: every third second of a test is spent waiting for another process."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadFileScheduling  # here: without workers there may be no xdist

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return nodeid if path in ALONE or config.getoption("fuzz_long") else path

    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that tests measured and recorded (`record_property("figure", …)`), for people: nothing is asserted."""
    reports = [report for found in terminalreporter.stats.values() for report in found if hasattr(report, "when")]
    measured = [each for report in reports for each in getattr(report, "user_properties", ())]
    figures = [value for name, value in measured if name == "figure"]
    from support import fuzz, turns

    ended = [each for report in reports if report.when == "teardown" for each in report.user_properties]
    for figure in [*dict.fromkeys(figures), *fuzz.figures(ended), *filter(None, [turns.figure()])]:
        terminalreporter.write_line(figure)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.config.getoption("fuzz_long"):
        from support import fuzz

        fuzz.counted(item)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no proxy, no editor's or git's variable of the machine reaches a test."""
    for name in list(os.environ):
        ours = name.startswith(("ANTHROPIC_", "DEVLOOP_", "GIT_")) and name != "DEVLOOP_REQUIRE_SANDBOX"
        if ours or name.lower().endswith("_proxy") or name == "VIRTUAL_ENV":
            monkeypatch.delenv(name)


@pytest.fixture
def short_tmp() -> Path:
    """A directory with a short path: unix sockets allow about 100 bytes."""
    path = Path(tempfile.mkdtemp(prefix="dl-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_checkouts() -> Iterator[None]:
    """A process knows the checkouts that it trusts no programs of, and looks through them at each call of git. Those of
    tests that are over are forgotten: a process that has seen some hundreds looks for longer than git works."""
    module = sys.modules.get("devloop.workspace.git_program")
    before = set(module._foreign) if module else set()
    yield
    module = sys.modules.get("devloop.workspace.git_program")
    if module:
        module._foreign.intersection_update(before)
