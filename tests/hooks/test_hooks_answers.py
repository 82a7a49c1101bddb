"""What exit codes and outputs mean: Claude Code's contract, and that an answer can only narrow."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop.hooks import Hook
from devloop.hooks.answers import Ended, Verdict, answer, merged


def heard(stdout: Any = "", code: int = 0, stderr: str = "", event: str = "PreToolUse", name: str = "it") -> Any:
    text = stdout if isinstance(stdout, str) else json.dumps(stdout)
    return answer(Hook(event, name), Ended(code, text, stderr, 0.1), limit_s=60)


def specific(**values: Any) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **values}}


@pytest.mark.parametrize(
    ("stdout", "code", "stderr", "result", "reason"),
    [
        ("", 0, "", "pass", ""),
        ("fine", 0, "noise", "pass", ""),
        ("", 2, "no such thing\n", "block", "no such thing"),
        ("from stdout", 2, "", "block", "from stdout"),
        ("", 2, "", "block", "no reason is given"),
        ({"decision": "approve"}, 2, "still no", "block", "still no"),
        ("", 1, "oops", "error", "exit code 1: oops"),
        ("", 127, "", "error", "exit code 127"),
        ("", 139, "", "error", "exit code 139"),
        ({"decision": "block", "reason": "why"}, 1, "", "error", 'exit code 1: {"decision": "block", "reason": "why"}'),
        ({"decision": "block", "reason": "why"}, 0, "", "block", "why"),
        ({"decision": "deny", "message": "why"}, 0, "", "block", "why"),
        ({"decision": "block"}, 0, "", "block", "no reason is given"),
        ({"decision": "approve", "reason": "fine"}, 0, "", "pass", ""),
        (specific(permissionDecision="deny", permissionDecisionReason="never"), 0, "", "block", "never"),
        (specific(permissionDecision="allow"), 0, "", "pass", ""),
        (specific(permissionDecision="ask"), 0, "", "block", "a person has to allow this"),
        ({"suppressOutput": True, "unknown": [1]}, 0, "", "pass", ""),
        ("{broken}", 0, "", "error", "begins like JSON"),
        ("[1, 2]", 0, "", "pass", ""),
        ({"decision": 3, "reason": {}, "continue": "no", "hookSpecificOutput": []}, 0, "", "pass", ""),
    ],
)
def test_the_contract(stdout: Any, code: int, stderr: str, result: str, reason: str) -> None:
    found = heard(stdout, code, stderr)
    assert found.result == result and reason in found.reason and bool(reason) == bool(found.reason)
    assert not found.halt


def test_words_for_the_agent_and_for_the_person() -> None:
    found = heard({"systemMessage": "hello", **specific(additionalContext="know this")})
    assert (found.context, found.message) == ("know this", "hello")
    assert heard("plain", event="SessionStart").context == "plain"
    assert heard("plain", event="Stop").context == ""
    assert len(heard(specific(additionalContext="x" * 50_000)).context) == 10_000
    assert len(heard("", 2, "x" * 50_000).reason) == 4_000


def test_changing_a_calls_input_is_not_for_hooks() -> None:
    found = heard(specific(permissionDecision="allow", updatedInput={"command": "rm -rf /"}))
    assert found.result == "pass" and "does not let hooks do" in found.message


def test_a_hook_may_ask_for_the_person() -> None:
    verdict = merged([heard(), heard({"continue": False, "stopReason": "look at this"}, name="guard")])
    assert verdict.halted == "guard: look at this" and not verdict.blocked


def test_answers_keep_the_order_of_their_hooks() -> None:
    one, two = heard("", 2, "first", name="a"), heard("", 2, "second", name="b")
    failed = heard("", 3, "broken", name="c")
    assert merged([one, two]).reason == "a: first\nb: second"
    assert merged([failed]).told == ("The hook c (PreToolUse) failed: exit code 3: broken",)
    assert merged([]) == Verdict() and merged([]).halted is None


ANSWERS = st.builds(
    heard,
    st.sampled_from(
        ["", {"decision": "approve"}, {"decision": "block"}, specific(permissionDecision="allow"), "{x}", {"a": 1}]
    )
    | st.text(max_size=30),
    st.sampled_from([0, 0, 1, 2, 3, 127]),
    st.text(max_size=20),
)


@given(st.lists(ANSWERS, max_size=5), ANSWERS)
def test_one_more_answer_never_allows_what_was_refused(found: list[Any], more: Any) -> None:
    before, after = merged(found), merged([*found, more])
    assert not before.blocked or after.blocked
    assert after.blocked == (before.blocked or more.result == "block")
    assert set(before.told) <= set(after.told)


@given(st.text(), st.text(), st.integers(0, 255))
def test_whatever_a_hook_prints_it_has_an_answer(stdout: str, stderr: str, code: int) -> None:
    assert heard(stdout, code, stderr).result in ("pass", "block", "error")
