"""What every test shares: a clean environment, private state directories, slow tests last."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `double`, the strict local double of the Messages API

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
"""Tests start processes of devloop by the hundred. They keep their bytecode, as any installed program does: without it
each of them compiles every module anew, and that took a third of the suite's CPU time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write expected messages anew instead of comparing")
    parser.addoption("--long", action="store_true", help="run the long modes (hundreds of crashes)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast ones first: a failure shows early. The order inside a module stays."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that tests measured and recorded (`record_property("figure", …)`), for people: nothing is asserted."""
    reports = [report for found in terminalreporter.stats.values() for report in found if hasattr(report, "when")]
    figures = [value for report in reports for name, value in report.user_properties if name == "figure"]
    for figure in dict.fromkeys(figures):
        terminalreporter.write_line(figure)


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
