"""What is asked with buttons is shown whole: a yes to a command is a yes to all of it."""

from __future__ import annotations

from devloop.daemon.run_view import RunView
from devloop.lsp.checkpoint_texts import summary
from devloop.runs.asking import MOST_SHOWN


def test_a_command_that_is_asked_for_is_shown_to_its_end() -> None:
    command = f"echo {'x' * (MOST_SHOWN - 20)}; touch end"
    question = {"text": f"Run this command without a sandbox?\n$ {command}", "choices": ["allow", "deny"]}
    told = summary(RunView("run-1", checkpoint={"kind": "question", "question": question}))
    assert command in told and "turns" in told


def test_what_is_no_question_stays_short() -> None:
    told = summary(RunView("run-1", checkpoint={"kind": "problem", "problem": "y" * 3000}))
    assert len(told) <= 400
