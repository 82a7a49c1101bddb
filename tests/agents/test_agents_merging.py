"""Reports of several reviewers as one: nothing said is lost, nothing counts twice, and their order does not matter."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.agents import contracts, merging
from support.turns import often

WORDS = [
    "lock",
    "is",
    "never",
    "released",
    "timeout",
    "ignored",
    "empty",
    "list",
    "crashes",
    "parser",
    "query",
    "builds",
]
FINDING = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["a.py", "./a.py", "src\\b.py", "src/b.py"]),
        "line": st.integers(0, 12),
        "severity": st.sampled_from(merging.SEVERITIES),
        "kind": st.sampled_from(["correctness", "quality"]),
        "confidence": st.integers(80, 100),
        "problem": st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join),
        "fix": st.sampled_from(["", "Mend it."]),
    }
)
REPORT = st.fixed_dictionaries(
    {
        "summary": st.just("Looked."),
        "verdict": st.sampled_from(merging.VERDICTS),
        "findings": st.lists(FINDING, max_size=8),
        "good": st.lists(st.sampled_from(["Short.", "Tested."]), max_size=2),
    }
)
REPORTS = st.dictionaries(st.sampled_from(["one", "two", "three", "four"]), REPORT, max_size=4).map(
    lambda d: list(d.items())
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["findings", "path", "line", "severity", "problem", "by", "verdict", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def of(found: dict) -> list[tuple]:
    return [
        (each["path"], each["line"], each["severity"], each["problem"], tuple(each["by"])) for each in found["findings"]
    ]


@settings(max_examples=often(150), deadline=None)
@given(REPORTS, st.randoms())
def test_the_order_of_reports_does_not_matter(reports: list, chance: random.Random) -> None:
    once = merging.reviews(reports)
    mixed = [
        (name, {**report, "findings": chance.sample(report["findings"], len(report["findings"]))})
        for name, report in reports
    ]
    chance.shuffle(mixed)
    assert {**merging.reviews(mixed), "good": sorted(once["good"])} == {**once, "good": sorted(once["good"])}


@settings(max_examples=often(150), deadline=None)
@given(REPORTS)
def test_everybody_is_heard_and_the_strictest_word_counts(reports: list) -> None:
    found = merging.reviews(reports)
    said = [(name, each) for name, report in reports for each in report["findings"]]
    assert sum(len(each["by"]) for each in found["findings"]) == len(said), "each reviewer's finding is in just one"
    for name, each in said:
        assert any(
            name in kept["by"]
            and kept["path"] == merging.place(each["path"])
            and abs(kept["line"] - each["line"]) <= merging.NEAR * 3
            and merging.SEVERITIES.index(kept["severity"]) <= merging.SEVERITIES.index(each["severity"])
            for kept in found["findings"]
        )
    severities = [merging.SEVERITIES.index(each["severity"]) for each in found["findings"]]
    assert severities == sorted(severities)
    strictest = max((merging.VERDICTS.index(report["verdict"]) for _, report in reports), default=0)
    assert merging.VERDICTS.index(found["verdict"]) >= strictest
    if any(each["severity"] in ("Critical", "High") for each in found["findings"]):
        assert found["verdict"] == "REQUEST_CHANGES"
    assert contracts.mistakes(contracts.Review, found) == []


@settings(max_examples=often(100), deadline=None)
@given(REPORTS)
def test_merging_what_is_merged_changes_nothing(reports: list) -> None:
    once = merging.reviews(reports)
    assert of(merging.reviews([("again", once)])) == of(once)


@settings(max_examples=often(150), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=3),
            st.dictionaries(st.sampled_from(["findings", "verdict", "risk", "good", "summary"]), JSON, max_size=4),
        ),
        max_size=3,
    )
)
def test_no_report_whatever_its_shape_stops_the_others(reports: list) -> None:
    good = {
        "summary": "S",
        "verdict": "COMMENT",
        "findings": [{"path": "z.py", "line": 1, "severity": "Low", "problem": "zzz"}],
    }
    found = merging.reviews([*reports, ("good", good)])
    assert any(each["path"] == "z.py" for each in found["findings"])
    assert contracts.mistakes(contracts.Review, found) == []


def finding(line: int, problem: str, **more) -> dict:
    return {
        "path": "a.py",
        "line": line,
        "severity": "High",
        "kind": "correctness",
        "confidence": 90,
        "problem": problem,
        **more,
    }


def merged(*reports: list) -> list[tuple[int, list[str]]]:
    named = [(name, {"findings": list(found)}) for name, found in zip("abcd", reports, strict=False)]
    return [(each["line"], each["by"]) for each in merging.reviews(named)["findings"]]


def test_the_same_defect_in_other_words_is_one_finding() -> None:
    assert merged(
        [finding(10, "The lock is never released when load() raises")],
        [finding(11, "lock never released if load raises")],
    ) == [(10, ["a", "b"])]


def test_two_defects_of_one_reviewer_stay_two_and_each_finds_its_own() -> None:
    mine = [finding(10, "name is not checked for empty text"), finding(11, "price is not checked for empty text")]
    assert merged(mine, [finding(11, "price is not checked when text is empty")]) == [(10, ["a"]), (11, ["a", "b"])]


def test_other_places_and_other_problems_stay_apart() -> None:
    assert len(merged([finding(10, "lock never released")], [finding(40, "lock never released")])) == 2
    assert len(merged([finding(10, "lock never released")], [finding(10, "SQL from user input")])) == 2
    assert len(merged([finding(0, "lock never released")], [finding(2, "lock never released")])) == 2


def test_a_scanners_words_are_taken_for_a_reviewers_and_its_fix_is_kept() -> None:
    scan = {
        "risk": "CRITICAL",
        "findings": [
            {
                "category": "injection",
                "severity": "Critical",
                "path": "/repo/../repo/a.py",
                "line": 3,
                "problem": "SQL built from input",
                "fix": "Bind it.",
            },
            {"category": "secrets", "severity": "Info", "path": "../out.py", "line": 1, "problem": "x"},
        ],
    }
    found = merging.reviews([("scan", scan)], {"what": "staged changes", "files": 1, "added": 2, "deleted": 0})
    assert found["verdict"] == "REQUEST_CHANGES" and found["reviewed"] == "staged changes: 1 file, +2 -0 lines"
    assert [(each["kind"], each["path"], each["fix"]) for each in found["findings"]] == [
        ("injection", "/repo/a.py", "Bind it.")
    ]


def test_more_than_fit_are_counted_and_the_most_severe_stay() -> None:
    many = [finding(n * 10, f"p{n}", severity="Low") for n in range(1, 90)]
    worst = [finding(n * 10, f"q{n}", severity="Critical") for n in range(1, 90)]
    found = merging.reviews([("a", {"findings": many}), ("b", {"findings": worst})])
    assert len(found["findings"]) == merging.MOST and found["summary"].startswith(
        "89 Critical, 89 Low; the 100 most severe"
    )
    assert sum(each["severity"] == "Critical" for each in found["findings"]) == 89
