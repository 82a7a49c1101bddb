"""Reading the event stream of `plugin/devloop_gate_stream.py` and holding it against the JUnit report (gates §5.5)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLUGIN = Path(__file__).parent / "plugin" / "devloop_gate_stream.py"
MAX_STREAM = 64 * 1024 * 1024
_RANK = {"passed": 0, "skipped": 1, "failed": 2, "error": 3}


@dataclass(frozen=True)
class Stream:
    """`tests` maps node ids to their worst outcome; `exit` is None when the session never finished."""

    tests: Mapping[str, str] = field(default_factory=dict)
    collect_errors: tuple[str, ...] = ()
    reruns: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    """What became of tests that have to fail; "" where one could not be run."""
    exit: int | None = None
    problem: str = ""


def read(data: bytes) -> Stream:
    """Total: bytes that are no such stream give a `Stream` whose `problem` says so."""
    tests: dict[str, str] = {}
    broken: list[str] = []
    reruns: list[str] = []
    probes: list[str] = []
    exit_code: int | None = None
    if not data:
        return Stream(problem="the event stream is missing")
    if len(data) > MAX_STREAM:
        return Stream(problem="the event stream is too large")
    try:
        for line in data.decode("utf-8").split("\n"):
            if not line:
                continue
            event: dict[str, Any] = json.loads(line)
            kind = event["event"]
            if exit_code is not None:
                return Stream(problem="the event stream goes on after its end")
            if kind == "finish":
                exit_code = int(event["exit"])
            elif kind == "probe":
                probes.append(str(event["outcome"]))
            elif kind in ("collect", "test"):
                node, outcome = str(event["id"]), _outcome(event)
                if event["outcome"] == "rerun":
                    reruns.append(node)
                if kind == "collect" and outcome == "error":
                    broken.append(node)
                if outcome and _RANK[outcome] >= _RANK.get(tests.get(node, ""), -1):
                    tests[node] = outcome
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        return Stream(problem=f"the event stream can't be read: {type(problem).__name__}")
    return Stream(tests, tuple(broken), tuple(dict.fromkeys(reruns)), tuple(probes), exit_code)


def _outcome(event: Mapping[str, Any]) -> str:
    """As pytest's JUnit report sees it: a failing set-up or tear-down is an error, a passing one says nothing."""
    outcome, when = event["outcome"], event.get("when", "collect")
    if outcome == "failed":
        return "failed" if when == "call" else "error"
    if outcome == "skipped":
        return "skipped"
    return "passed" if outcome == "passed" and when == "call" else ""


def junit_id(node: str) -> str:
    """The key that `reports/junit.py` gives to what pytest wrote for this node id.

    Follows `_pytest.junitxml.mangle_test_address`: the file becomes a dotted path, parameters stay opaque.
    """
    path, bracket, parameters = node.partition("[")
    names = path.split("::")
    names[0] = re.sub(r"\.py$", "", names[0].replace("/", "."))
    names[-1] += bracket + parameters
    return f"{'.'.join(names[:-1])}::{names[-1]}"


def disagreement(stream: Stream, reported: Mapping[str, str], exit_code: int | None) -> str:
    """Why the two witnesses differ, as one sentence; "" when they agree."""
    if stream.problem:
        return stream.problem
    if stream.exit is None:
        return "the event stream ends before the test session does"
    if any(outcome not in ("", "failed") for outcome in stream.probes):
        return "a test that has to fail did not: something turns failures into other results"
    if stream.exit != exit_code:
        return f"the test session ended with {stream.exit}, the process with {exit_code}"
    seen: dict[str, str] = {}
    for node, outcome in stream.tests.items():
        key = junit_id(node)
        if _RANK[outcome] >= _RANK.get(seen.get(key, ""), -1):
            seen[key] = outcome
    if len(seen) != len(reported):
        return f"the event stream saw {len(seen)} tests, the report lists {len(reported)}"
    bad = {key for key, outcome in seen.items() if outcome in ("failed", "error")}
    said = {key for key, outcome in reported.items() if outcome in ("failed", "error")}
    if len(bad) != len(said):
        return f"the event stream saw {len(bad)} failures, the report lists {len(said)}"
    skipped = sum(1 for outcome in seen.values() if outcome == "skipped")
    if skipped != sum(1 for outcome in reported.values() if outcome == "skipped"):
        return "the event stream and the report count skipped tests differently"
    return ""
