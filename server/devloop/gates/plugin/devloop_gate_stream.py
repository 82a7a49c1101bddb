"""A second witness beside pytest's own report: one JSON line per event, written while the tests run.

It is copied next to the report directory and loaded with `-p`. It runs in the project's interpreter, whatever its
version: nothing but the standard library, no new syntax.
"""

import json
import os
import sys
from typing import Any

_PATH = os.environ.get("DEVLOOP_GATE_STREAM", "")


class _Stream:
    def __init__(self, path: str) -> None:
        self.file = open(path, "a", encoding="utf-8")  # noqa: SIM115, PTH123

    def say(self, **event: Any) -> None:
        self.file.write(json.dumps(event) + "\n")
        self.file.flush()

    def pytest_collection_finish(self, session: Any) -> None:
        self.say(event="collected", count=len(session.items))

    def pytest_collectreport(self, report: Any) -> None:
        if not report.passed:
            self.say(event="collect", id=report.nodeid, outcome=report.outcome)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.say(event="test", id=report.nodeid, when=report.when, outcome=report.outcome)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self.say(event="finish", exit=int(exitstatus))


def pytest_load_initial_conftests() -> None:
    # As `python -m pytest` does, but only now: pytest and its plug-ins are loaded, the tree can't replace them.
    if os.environ.get("DEVLOOP_GATE_ROOT"):
        sys.path.insert(0, os.environ["DEVLOOP_GATE_ROOT"])


def pytest_configure(config: Any) -> None:
    # Workers of pytest-xdist report to the controller; only that one speaks.
    if _PATH and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Stream(_PATH), "devloop-gate-stream")
