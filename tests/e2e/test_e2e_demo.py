"""The demo, from nothing to three commits; and what the daemon never loads while it runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from devloop.plan import parse

PROGRAM = [sys.executable, "-m", "devloop.cli.entry"]
HEAVY = ("anthropic", "dbos", "sqlalchemy")


def without_network() -> list[str]:
    """A prefix that starts a command in a network of its own, where nothing can be reached; empty if impossible."""
    prefix = ["unshare", "--net"]
    possible = shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    return prefix if possible else []


@pytest.mark.slow
def test_the_demo_makes_three_commits_without_key_and_network(place):
    place.root = place.tmp
    del place.environment["DEVLOOP_SCENARIO"]
    profiled = {"PYTHONPROFILEIMPORTTIME": "1"}  # every import of the daemon, to its end, is in its log
    quick = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # of the plug-ins of these tests the demo's need none
    (place.tmp / "c").mkdir()
    (place.tmp / "c" / "config.toml").write_text(f"[sandbox]\nenvironment = {[*quick]}\n")
    done = place("demo", "--yes", "--dir", "try", program=[*without_network(), *PROGRAM], env=profiled | quick)
    assert done.code == 0, done
    assert "scripted player" in done.out and done.out.count("(scripted)") >= 3
    assert "3 of 3 tasks done" in done.out
    place.root = place.tmp / "try"
    assert place.git("log", "--format=%s").splitlines() == [
        "Write tests for money.split",
        "Show debts with a sign",
        "Implement money.parse",
        "Start of purse",
    ]
    assert [task.status for task in parse(place.plan.read_bytes()).tasks] == ["complete"] * 3
    assert "[x]" in place.git("show", "HEAD:.devloop/plan.md")
    assert place.git("status", "--short", "--untracked-files=no", "--", "purse", "tests") == ""
    imported = re.findall(r"import time: .*\| +(\S+)", (place.state.logs / "daemon.log").read_text())
    assert "devloop.daemon.process" in imported
    assert [name for name in imported if name.partition(".")[0] in HEAVY] == []


def test_the_demo_takes_no_folder_that_holds_something(place):
    place.root.mkdir()
    (place.root / "mine.txt").write_text("mine")
    refused = place("demo", "--yes", "--dir", ".")
    assert refused.code == 4 and "is not empty" in refused.err and "--dir NEW" in refused.err
    assert [path.name for path in place.root.iterdir()] == ["mine.txt"]


def test_the_demo_with_a_real_model_says_how_to_set_a_key(place):
    place.root.mkdir()
    refused = place("demo", "--live")
    assert refused.code == 4 and "ANTHROPIC_API_KEY" in refused.err and "the demo works without" in refused.err
