"""New against existing: fingerprints hold still while lines move, and only what is new blocks."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop.gates.baseline import cache_key, compare, fingerprinted
from devloop.gates.model import Counts, Finding, Gate, GateResult

_line = st.text(alphabet="abc =()#ü𝄞", min_size=1, max_size=8).filter(str.strip)
_lines = st.lists(_line, min_size=1, max_size=12)


def findings(lines: list[str], at: list[int], file: str = "a.py") -> tuple[Finding, ...]:
    raw = [Finding("ruff", "F401", "error", "message", file, line) for line in at]
    return fingerprinted(raw, lambda name: lines if name == file else [])


def result(verdict: str, found: tuple[Finding, ...] = (), **changes: object) -> GateResult:
    made = GateResult("ruff", "lint", verdict, findings=found)  # type: ignore[arg-type]
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


@given(lines=_lines, data=st.data(), shift=st.integers(0, 30), indent=st.integers(0, 8))
def test_shifting_and_indenting_lines_keeps_fingerprints(
    lines: list[str], data: st.DataObject, shift: int, indent: int
) -> None:
    at = data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=4, unique=True).map(sorted))
    moved = [""] * shift + [" " * indent + line for line in lines]
    before = [f.fingerprint for f in findings(lines, at)]
    after = [f.fingerprint for f in findings(moved, [line + shift for line in at])]
    assert before == after


@given(lines=_lines, data=st.data())
def test_renaming_a_file_keeps_every_finding_old(lines: list[str], data: st.DataObject) -> None:
    at = data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, max_size=4))
    before = result("fail", findings(lines, at, "old.py"))
    after = result("fail", findings(lines, at, "new.py"))
    renamed = compare(after, before, {"old.py": "new.py"})
    assert renamed.verdict == "pass" and not renamed.changes.new and not renamed.changes.fixed
    assert compare(after, before).verdict == "fail"


@given(lines=_lines, data=st.data(), extra=_line)
def test_one_more_finding_on_an_equal_line_is_new(lines: list[str], data: st.DataObject, extra: str) -> None:
    at = data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=4))
    before = result("fail", findings(lines, at))
    after = result("fail", findings([*lines, extra], [*at, len(lines)]))
    compared = compare(after, before)
    assert compared.verdict == "fail"
    assert len(compared.changes.new) == 1 and len(compared.changes.existing) == len(at)


def test_a_finding_whose_neighbour_changed_is_still_the_old_one() -> None:
    before = result("fail", findings(["import os", "x = 1"], [0]))
    after = result("fail", findings(["import os", "y = 2"], [0]))
    assert compare(after, before).verdict == "pass"


def test_a_changed_line_makes_a_new_finding_and_the_old_one_fixed() -> None:
    before = result("fail", findings(["import os"], [0]))
    after = result("fail", findings(["import sys"], [0]))
    compared = compare(after, before)
    assert compared.verdict == "fail" and compared.findings[0].new
    assert compared.changes.new == ("ruff F401 a.py:1",) and compared.changes.fixed == ("ruff F401 a.py:1",)


def test_new_notes_do_not_block_but_new_warnings_do() -> None:
    (note,) = (dataclasses.replace(f, level="note") for f in findings(["x"], [0]))
    (warning,) = (dataclasses.replace(f, level="warning") for f in findings(["x"], [0]))
    assert compare(result("fail", (note,)), result("pass")).verdict == "pass"
    assert compare(result("fail", (warning,)), result("pass")).verdict == "fail"


def cases(verdict: str, **outcomes: str) -> GateResult:
    named = {f"test_m.py::{name}": outcome for name, outcome in outcomes.items()}
    found = fingerprinted(
        [
            Finding("tests", outcome, "error", "m", "test_m.py", fingerprint=f"test_m::{name}")
            for name, outcome in outcomes.items()
            if outcome in ("failed", "error")
        ],
        lambda _: [],
    )
    made = GateResult("pytest", "tests", verdict, findings=found, tests=named)  # type: ignore[arg-type]
    return dataclasses.replace(made, counts=Counts.of(named.values()))


def test_a_test_that_failed_before_does_not_block_and_a_new_failure_does() -> None:
    before = cases("fail", old="failed", good="passed", mended="failed")
    same = compare(cases("fail", old="error", good="passed", mended="passed"), before)
    assert same.verdict == "pass" and same.reason == "nothing new; 1 existed before"
    assert same.changes.existing == ("test_m.py::old",) and same.changes.fixed == ("test_m.py::mended",)
    assert [f.new for f in same.findings] == [False]
    worse = compare(cases("fail", old="failed", good="failed", mended="failed"), before)
    assert worse.verdict == "fail" and worse.changes.new == ("test_m.py::good",)
    assert [(f.fingerprint != "", f.new) for f in worse.findings] == [(True, False), (True, True), (True, False)]


def test_tests_that_are_gone_or_skipped_now_are_listed_with_a_warning() -> None:
    before = cases("pass", a="passed", b="passed", c="passed", d="skipped")
    compared = compare(cases("pass", a="passed", b="skipped"), before)
    assert compared.verdict == "pass"
    assert compared.changes.removed == ("test_m.py::c",)
    assert compared.changes.disabled == ("test_m.py::b",)
    assert compared.changes.warnings == ("2 tests fewer than before",)


def test_a_renamed_test_file_removes_no_test() -> None:
    before = cases("pass", a="passed")
    moved = dataclasses.replace(before, tests={"unit/test_m.py::a": "passed"})
    assert not compare(moved, before, {"test_m.py": "unit/test_m.py"}).changes.removed
    assert compare(moved, before).changes.removed == ("test_m.py::a",)


def test_only_old_failures_and_nothing_passed_is_unknown() -> None:
    before = cases("fail", a="failed")
    assert compare(cases("fail", a="failed"), before).verdict == "unknown"


def test_an_interrupted_collection_with_nothing_new_is_unknown_and_removes_nothing() -> None:
    before = cases("fail", broken="error", good="passed")
    now = dataclasses.replace(
        cases("fail", broken="error"), complete=False, reason="1 test files could not be collected"
    )
    compared = compare(now, before)
    assert compared.verdict == "unknown" and not compared.changes.removed and not compared.changes.warnings


@pytest.mark.parametrize("verdict", ["error", "unknown", "skipped"])
def test_a_baseline_that_says_nothing_gives_no_permission(verdict: str) -> None:
    now = cases("fail", a="failed", b="passed")
    compared = compare(now, dataclasses.replace(cases("fail", a="failed"), verdict=verdict))  # type: ignore[arg-type]
    assert compared.verdict == "fail" and not compared.changes.compared
    assert verdict in compared.changes.warnings[0]
    assert compare(now, None).verdict == "fail"


def test_a_cut_baseline_gives_no_permission() -> None:
    before = cases("fail", **{f"t{n}": "failed" for n in range(300)}, ok="passed")
    cut = GateResult.from_json(before.to_json())
    assert cut.truncated and compare(before, cut).verdict == "fail"
    assert compare(before, GateResult.from_json(before.to_json(full=True))).verdict == "pass"


def test_a_strict_gate_blocks_on_what_existed_before() -> None:
    before = cases("fail", a="failed", b="passed")
    assert compare(dataclasses.replace(before, strict=True), before).verdict == "fail"
    assert compare(before, before).verdict == "pass"


@pytest.mark.parametrize("verdict", ["error", "unknown", "skipped"])
def test_comparing_never_improves_what_could_not_be_concluded(verdict: str) -> None:
    now = dataclasses.replace(cases("fail", a="failed"), verdict=verdict)  # type: ignore[arg-type]
    assert compare(now, cases("fail", a="failed")) == now


def test_a_gate_without_a_report_stays_red_when_the_base_is_red() -> None:
    compared = compare(result("fail", reason="exit code 1"), result("fail"))
    assert compared.verdict == "fail" and "base tree fails too" in compared.reason


def test_the_cache_key_changes_with_tree_command_and_tool() -> None:
    gate = Gate("pytest", "tests", ("pytest",), "junit")
    keys = {
        cache_key("t1", gate, "pytest 9"),
        cache_key("t2", gate, "pytest 9"),
        cache_key("t1", gate, "pytest 10"),
        cache_key("t1", dataclasses.replace(gate, command=("pytest", "-x")), "pytest 9"),
        cache_key("t1", dataclasses.replace(gate, command=("pytest -x",)), "pytest 9"),
    }
    assert len(keys) == 5
    same = dataclasses.replace(gate, timeout_s=5, required=False, strict=True)
    assert cache_key("t1", same, "pytest 9") == cache_key("t1", gate, "pytest 9")


def test_results_survive_json_and_the_small_form_counts_what_it_left_out() -> None:
    many = cases("fail", **{f"t{n}": "failed" for n in range(300)}, ok="passed")
    full = compare(many, cases("pass", ok="passed"))
    assert GateResult.from_json(full.to_json(full=True)) == full
    small = GateResult.from_json(full.to_json())
    assert (len(small.findings), small.more_findings) == (50, 250)
    assert (len(small.tests), small.more_tests) == (200, 101)
    assert full.to_json()["changes"]["more"] == {"new": 250}


def test_equal_lines_have_fingerprints_of_their_own() -> None:
    marked = findings(["x", "x", "x", "x", "x"], [1, 2, 3])
    assert len({finding.fingerprint for finding in marked}) == 3
