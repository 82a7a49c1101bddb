"""A second witness beside pytest's own report: one JSON line per event, written while the tests run.

It is copied under another name next to the report directory and loaded with `-p`; what it has to know lies beside it,
so that no variable tells the tests who runs them. The lines go into a pipe: what was said can't be taken back. What it
needs of other modules is taken when it is loaded, before anything of the tree is. It runs in the project's interpreter,
whatever its version: nothing but the standard library and pytest, no new syntax.
"""

import json
import os
import sys
from typing import Any

import pytest

with open(os.path.splitext(__file__)[0] + ".json", encoding="utf-8") as _file:  # noqa: PTH122, PTH123
    _KNOWN = json.load(_file)
_ENCODE, _WRITE, _PID = json.JSONEncoder().encode, os.write, os.getpid


class _Stream:
    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0))
        self.process = _PID()

    def say(self, **event: Any) -> None:
        if self.process == _PID():  # a fork of a test says nothing
            _WRITE(self.descriptor, (_ENCODE(event) + "\n").encode("utf-8", "backslashreplace"))

    def pytest_collection_finish(self, session: Any) -> None:
        self.say(event="collected", count=len(session.items))

    def pytest_collectreport(self, report: Any) -> None:
        if not report.passed:
            self.say(event="collect", id=report.nodeid, outcome=report.outcome)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.say(event="test", id=report.nodeid, when=report.when, outcome=report.outcome)

    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        if not session.config.pluginmanager.hasplugin("dsession"):  # with xdist the workers run tests
            self.say(event="probe", outcome=_probe(session))
        self.say(event="finish", exit=int(exitstatus))


class _Worker:
    """A worker of pytest-xdist reports to the controller; of itself it says only what the probe found."""

    def __init__(self, path: str) -> None:
        self.stream = _Stream(path)

    def pytest_sessionfinish(self, session: Any) -> None:
        self.stream.say(event="probe", outcome=_probe(session))


def _must_fail() -> None:
    raise AssertionError("this test has to fail")


def _probe(session: Any) -> str:
    """The outcome of a test that fails, run as every other test and reported to nobody: "failed" where nothing in this
    process turns failures into something else; "" where it could not be run."""
    try:
        from _pytest.runner import runtestprotocol

        if session.config.getoption("usepdb", False) or session.config.getoption("setuponly", False):
            return ""
        item = pytest.Function.from_parent(session, name="test_probe", callobj=_must_fail)
        del item.fixturenames[:]
        reports = runtestprotocol(item, log=False, nextitem=None)
    except Exception:
        return ""
    outcomes = [str(report.outcome) for report in reports]
    return "failed" if "failed" in outcomes else ",".join(outcomes)


def pytest_load_initial_conftests() -> None:
    # As `python -m pytest` does, but only now: pytest and its plug-ins are loaded, the tree can't replace them.
    if _KNOWN["root"]:
        sys.path.insert(0, _KNOWN["root"])


def pytest_configure(config: Any) -> None:
    worker = hasattr(config, "workerinput")
    config.pluginmanager.register((_Worker if worker else _Stream)(_KNOWN["stream"]))
