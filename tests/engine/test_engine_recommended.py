"""Which decision is put first, and why: one rule for every front-end."""

from __future__ import annotations

import pytest

from devloop.runs.checkpoint import ACCEPTABLE
from devloop.runs.recommending import first, recommended

ERRAND = ["commit", "continue", "revise"]


@pytest.mark.parametrize(
    ("decisions", "rule", "decision", "why"),
    [
        (ACCEPTABLE, {"share": 0.04}, "continue", ""),
        (ACCEPTABLE, {"share": 0.12}, "continue", "12 % of the context is used"),
        (ACCEPTABLE, {"share": 0.499, "tasks": 9}, "continue", "50 % of the context is used"),
        (ACCEPTABLE, {"share": 0.5}, "fresh", "50 % of the context is used"),
        (ACCEPTABLE, {"share": 0.1, "tasks": 10}, "fresh", "10 tasks are done since the last fresh start"),
        (ACCEPTABLE, {"share": 0.1, "tasks": 4, "fresh_threshold": 3}, "fresh", "4 tasks are done"),
        (ACCEPTABLE, {"share": 0.7, "tasks": 12}, "fresh", "70 % of the context is used; from 70 % on"),
        (ACCEPTABLE, {"share": 0.9, "tasks": 99, "doubt": "tests were removed"}, None, "tests were removed"),
        (ACCEPTABLE, {"share": 0.8, "tasks": 12, "last": True}, "commit", "it is the plan's last task"),
        (ACCEPTABLE, {"share": 0.1, "last": True, "doubt": "tests were removed"}, None, "tests were removed"),
        (ERRAND, {"share": 0.9, "tasks": 99}, "commit", "90 % of the context is used"),
        ([], {"share": 0.0}, None, ""),
    ],
)
def test_the_rule(decisions, rule, decision, why):
    found = recommended(decisions, **rule)
    assert found.decision == decision and found.reason.startswith(why) and bool(found.reason) == bool(why)


def test_the_recommended_decision_is_shown_first_and_none_is_lost():
    assert first(ACCEPTABLE, "fresh") == ["fresh", "continue", "commit", "stop", "revise", "discard"]
    assert first(ACCEPTABLE, None) == ACCEPTABLE and first(ERRAND, "fresh") == ERRAND
