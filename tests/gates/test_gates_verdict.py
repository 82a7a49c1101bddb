"""Every row of the verdict table, without a process: what is known about a run → one of five words."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop.gates.model import VERDICTS, Finding, Gate, GateResult
from devloop.gates.reports.base import Report
from devloop.gates.stream import Stream
from devloop.gates.verdict import Evidence, Ran, decide, explain, is_pytest, overall

PYTEST = Gate("pytest", "tests", ("pytest",), "junit")
JUNIT = Gate("unit", "tests", ("make", "test"), "junit", origin="declared")
RUFF = Gate("ruff", "lint", ("ruff", "check"), "ruff-json")
MYPY = Gate("mypy", "types", ("mypy", "."), "mypy-json")
PYRIGHT = Gate("pyright", "types", ("pyright",), "pyright-json")
BANDIT = Gate("bandit", "security", ("bandit",), "bandit-json")
SARIF = Gate("semgrep", "security", ("semgrep",), "sarif")
PLAIN = Gate("build", "build", ("make",))

BAD = Finding("ruff", "F401", "error", "unused", "a.py")
WARN = dataclasses.replace(BAD, level="warning")
NOTE = dataclasses.replace(BAD, level="note")


def cases(**outcomes: str) -> Report:
    listed = {f"m::{name}": outcome for name, outcome in outcomes.items()}
    return Report((), listed, len(listed))


def stream(code: int, **outcomes: str) -> Stream:
    return Stream({f"m.py::{name}": outcome for name, outcome in outcomes.items()}, exit=code)


def fresh(report: Report, witness: Stream | None = None) -> Evidence:
    return Evidence("fresh", report=report, stream=witness)


ROWS = [
    # pass
    (PYTEST, Ran(0), fresh(cases(a="passed"), stream(0, a="passed")), "pass", "1 passed"),
    (JUNIT, Ran(0), fresh(cases(a="passed", b="skipped")), "pass", "1 passed"),
    (RUFF, Ran(0), fresh(Report()), "pass", ""),
    (MYPY, Ran(0), fresh(Report()), "pass", ""),
    (MYPY, Ran(0), fresh(Report((NOTE,))), "pass", "note"),
    (PYRIGHT, Ran(0), fresh(Report((WARN,), checked=3)), "pass", ""),
    (PLAIN, Ran(0), Evidence(), "pass", ""),
    # fail: it ran and found something
    (PYTEST, Ran(1), fresh(cases(a="failed"), stream(1, a="failed")), "fail", "1 failed"),
    (JUNIT, Ran(2), fresh(cases(a="error", b="passed")), "fail", "1 error"),
    (RUFF, Ran(1), fresh(Report((BAD,))), "fail", "1 finding"),
    (BANDIT, Ran(1), fresh(Report((WARN,), checked=9)), "fail", "1 finding"),
    (SARIF, Ran(7), fresh(Report((WARN,))), "fail", "1 finding"),
    (PLAIN, Ran(3), Evidence(), "fail", "exit code 3"),
    (MYPY, Ran(2), fresh(Report((BAD,))), "fail", "could not be parsed"),
    # error: the tool itself broke
    (PYTEST, Ran(problem="pytest is not installed"), Evidence(), "error", "not installed"),
    (PYTEST, Ran(None, 9, timed_out=True), Evidence("missing"), "error", "longer than 600 s"),
    (PYTEST, Ran(None, 9, killed="it used too much memory"), Evidence("missing"), "error", "memory"),
    (PYTEST, Ran(139, 11), Evidence("missing"), "error", "signal 11"),
    (PLAIN, Ran(137), Evidence(), "error", "signal 9"),
    (PLAIN, Ran(None), Evidence(), "error", "did not end"),
    (PLAIN, Ran(127), Evidence(), "error", "could not be executed"),
    (PLAIN, Ran(126), Evidence(), "error", "could not be executed"),
    (PYTEST, Ran(2), fresh(cases(), stream(2)), "error", "interrupted"),
    (PYTEST, Ran(3), Evidence("missing"), "error", "no report"),
    (PYTEST, Ran(3), fresh(cases(a="passed"), stream(3, a="passed")), "error", "broke inside"),
    (PYTEST, Ran(4), Evidence("missing"), "error", "no report"),
    (RUFF, Ran(2), Evidence("missing"), "error", "no report"),
    (RUFF, Ran(2), fresh(Report((BAD,))), "error", "tool itself failed"),
    (MYPY, Ran(2), fresh(Report()), "error", "tool itself failed"),
    (PYRIGHT, Ran(3), fresh(Report((BAD,), checked=1)), "error", "tool itself failed"),
    (PYTEST, Ran(0), Evidence("unreadable", "the report can't be read: no XML"), "error", "can't be read"),
    (PYTEST, Ran(0), Evidence("refused", "it is a symbolic link"), "error", "symbolic link"),
    # error: exit code and report disagree
    (PYTEST, Ran(0), fresh(cases(a="failed"), stream(0, a="failed")), "error", "lists 1 failure"),
    (PYTEST, Ran(1), fresh(cases(a="passed"), stream(1, a="passed")), "error", "no test of the report failed"),
    (JUNIT, Ran(1), fresh(cases(a="passed")), "error", "no test of the report failed"),
    (RUFF, Ran(0), fresh(Report((BAD,))), "error", "lists 1 finding"),
    (RUFF, Ran(1), fresh(Report()), "error", "lists nothing"),
    (BANDIT, Ran(0), fresh(Report((WARN,), checked=1)), "error", "lists 1 finding"),
    (SARIF, Ran(0), fresh(Report((BAD,))), "error", "make the command fail"),
    # unknown: it ran, nothing can be concluded
    (PYTEST, Ran(5), fresh(cases(), stream(5)), "unknown", "no test was collected"),
    (PYTEST, Ran(5), Evidence("missing"), "unknown", "no test was collected"),
    (JUNIT, Ran(0), fresh(cases()), "unknown", "no test ran"),
    (JUNIT, Ran(0), fresh(cases(a="skipped", b="skipped")), "unknown", "all 2 tests were skipped"),
    (PYTEST, Ran(0), Evidence("missing"), "unknown", "missing"),
    (RUFF, Ran(0), Evidence("missing"), "unknown", "missing"),
    (
        RUFF,
        Ran(0, output="warning: No Python files found under the given path(s)"),
        fresh(Report()),
        "unknown",
        "nothing",
    ),
    (BANDIT, Ran(0), fresh(Report(checked=0)), "unknown", "nothing was checked"),
    (PYRIGHT, Ran(0), fresh(Report(checked=0)), "unknown", "nothing was checked"),
    (SARIF, Ran(0), fresh(Report(problem="it wrote no results")), "unknown", "no results"),
    (JUNIT, Ran(0), fresh(dataclasses.replace(cases(a="passed"), totals="says 41, lists 1")), "unknown", "add up"),
    # unknown: the two witnesses of pytest differ
    (PYTEST, Ran(0), fresh(cases(a="passed"), Stream(problem="the event stream is missing")), "unknown", "missing"),
    (PYTEST, Ran(0), fresh(cases(a="passed"), stream(1, a="passed")), "unknown", "ended with 1"),
    (PYTEST, Ran(0), fresh(cases(a="passed"), stream(0, a="passed", b="passed")), "unknown", "saw 2 tests"),
    (PYTEST, Ran(0), fresh(cases(a="passed"), stream(0, a="failed")), "unknown", "saw 1 failures"),
    (PYTEST, Ran(0), fresh(cases(a="passed", b="passed"), stream(0, a="passed", b="skipped")), "unknown", "skipped"),
    (PYTEST, Ran(0), fresh(cases(a="passed"), Stream({"m.py::a": "passed"})), "unknown", "ends before"),
]


@pytest.mark.parametrize(("gate", "ran", "evidence", "verdict", "words"), ROWS)
def test_each_row_gives_its_verdict_and_says_why(
    gate: Gate, ran: Ran, evidence: Evidence, verdict: str, words: str
) -> None:
    decision = decide(gate, ran, evidence)
    assert decision.verdict == verdict
    assert words in decision.reason


def test_a_test_file_that_cannot_be_collected_is_the_works_fault_not_the_tools() -> None:
    report = Report((), {"::test_a": "error"}, 1)
    witness = Stream({"test_a.py": "error"}, ("test_a.py",), exit=2)
    decision = decide(PYTEST, Ran(2), fresh(report, witness))
    assert (decision.verdict, decision.complete) == ("fail", False)


def test_honest_totals_of_subtests_are_overruled_by_the_stream() -> None:
    report = dataclasses.replace(cases(a="passed"), totals="the report says 4 tests and lists 1")
    assert decide(PYTEST, Ran(0), fresh(report, stream(0, a="passed"))).verdict == "pass"


@given(
    code=st.integers(-2, 300),
    outcomes=st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["passed", "failed", "error", "skipped"])),
    state=st.sampled_from(["none", "fresh", "missing", "refused", "unreadable"]),
    gate=st.sampled_from([PYTEST, JUNIT]),
)
def test_pass_is_impossible_without_success_a_fresh_report_and_a_passed_test(
    code: int, outcomes: dict[str, str], state: str, gate: Gate
) -> None:
    witness = stream(code, **outcomes) if gate is PYTEST else None
    report = cases(**outcomes) if state == "fresh" else None
    verdict = decide(gate, Ran(code), Evidence(state, report=report, stream=witness)).verdict  # type: ignore[arg-type]
    assert verdict in VERDICTS
    if verdict == "pass":
        assert code == 0 and state == "fresh" and "passed" in outcomes.values()
        assert not {"failed", "error"} & set(outcomes.values())


def result(verdict: str, *, required: bool = True) -> GateResult:
    return GateResult(verdict, "other", verdict, required=required)  # type: ignore[arg-type]


def test_the_worst_required_verdict_decides_and_none_at_all_is_unknown() -> None:
    order = ["pass", "skipped", "unknown", "fail", "error"]
    for index, worst in enumerate(order):
        assert overall([result(verdict) for verdict in order[: index + 1]]) == worst
    assert overall([]) == "unknown"
    assert overall([result("pass", required=False)]) == "unknown"
    assert overall([result("pass"), result("error", required=False)]) == "pass"


def test_the_reason_names_the_gates_or_says_how_to_get_one() -> None:
    assert "declare one in .devloop/config.toml" in explain([])
    assert (
        explain([dataclasses.replace(result("fail"), gate="ruff", reason="2 new"), result("pass")])
        == "fail: ruff: 2 new"
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("pytest", "-q"), True),
        (("/x/bin/pytest",), True),
        (("python3.11", "-m", "pytest"), True),
        (("make", "pytest"), False),
        ((), False),
    ],
)
def test_pytest_is_recognised_by_what_is_started(command: tuple[str, ...], expected: bool) -> None:
    assert is_pytest(command) is expected
