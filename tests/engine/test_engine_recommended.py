"""Which decision is put first: one rule for every front-end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from devloop.models import limits_of
from devloop.runs.checkpoint import ACCEPTABLE, QUESTION, UNACCEPTABLE, recommended

MODEL = "claude-haiku-4-5"
HALF = limits_of(MODEL, None).context // 2


@pytest.mark.parametrize(
    ("used", "kind", "decisions", "wanted"),
    [
        (0, "decision", ACCEPTABLE, "continue"),
        (HALF - 1, "decision", ACCEPTABLE, "continue"),
        (HALF, "decision", ACCEPTABLE, "fresh"),
        (HALF, "decision", ["commit", "continue", "revise"], "commit"),
        (0, "decision", [], None),
        (0, "question", QUESTION, None),
        (0, "problem", UNACCEPTABLE, None),
    ],
)
def test_fresh_start_is_recommended_from_half_of_the_context_on(used, kind, decisions, wanted):
    services = SimpleNamespace(listed=None)
    assert recommended(services, {"context_tokens": used, "model": MODEL}, kind, decisions) == wanted
