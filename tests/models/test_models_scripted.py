"""The scripted player and its scenario files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from devloop.errors import UsageError
from devloop.models import (
    ModelFailure,
    Progress,
    Request,
    Response,
    ScriptedModel,
    Turn,
    build_messages,
    cost,
    invalid_tool_input,
    load_scenario,
    tool_result,
)
from devloop.models.scenario import parse_scenario

SCENARIO = """
description = "Two tasks."

[[tasks."1.1".turns]]
text = "I look."
calls = [{ name = "read", input = { path = "a.py" } }, { name = "read", input = { path = "b.py" } }]

[[tasks."1.1".turns]]
text = "Done."

[[tasks."1.1".attempts.2.turns]]
text = "Done at once."

[[tasks."1.1".conversations.2.turns]]
text = "Done afresh."

[[tasks."*".turns]]
text = "Nothing to do."
"""


def request(messages: list[dict[str, Any]], **values: Any) -> Request:
    return Request(
        **{"model": "claude-sonnet-5-5", "system": "s", "tools": [], "max_tokens": 10, **values}, messages=messages
    )


def ask(opening: str, turns: list[Turn] | None = None, **values: Any) -> Request:
    return request(build_messages(opening, turns or []), **values)


def turn_of(answer: Response) -> Turn:
    return Turn(answer.content, answer.stop_reason, [tool_result(c["id"], "text") for c in answer.tool_calls])


@pytest.fixture
def player(tmp_path: Path) -> ScriptedModel:
    path = tmp_path / "demo.toml"
    path.write_text(SCENARIO)
    return ScriptedModel(path)


async def test_turns_follow_the_answers_that_the_messages_hold(player: ScriptedModel) -> None:
    first = await player.turn(ask("Task: 1.1 Add a test"))
    assert first.text == "I look." and first.stop_reason == "tool_use" and len(first.tool_calls) == 2
    second = await player.turn(ask("Task: 1.1 Add a test", [turn_of(first)]))
    assert second.text == "Done." and second.stop_reason == "end_turn"


async def test_the_same_request_gives_the_same_answer_also_from_another_player(player: ScriptedModel) -> None:
    other = ScriptedModel(parse_scenario(_data()))
    one = await player.turn(ask("Task: 1.1 Add a test"))
    assert one == await player.turn(ask("Task: 1.1 Add a test")) == await other.turn(ask("Task: 1.1 Add a test"))


def _data() -> dict[str, Any]:
    import tomllib

    return tomllib.loads(SCENARIO)


async def test_ids_of_calls_are_unique_over_turns_attempts_and_tasks() -> None:
    calls = {"calls": [{"name": "read"}, {"name": "read"}]}
    player = ScriptedModel(parse_scenario({"tasks": {"*": {"turns": [calls, calls]}}}))
    seen: list[str] = []
    for opening in ("Task: 1 a", "Task: 2 a", "Task: 1 a\nAttempt: 2", "Task: 1 a\nConversation: 2"):
        first = await player.turn(ask(opening))
        second = await player.turn(ask(opening, [turn_of(first)]))
        seen += [call["id"] for call in (*first.tool_calls, *second.tool_calls)]
    assert len(seen) == 16 == len(set(seen))


@pytest.mark.parametrize(
    ("opening", "text"),
    [
        ("Task: 1.1 Add a test\nAttempt: 2\nmore", "Done at once."),
        ("Read this.\nTask: 1.1 Add\nAttempt: 1", "I look."),
        ("Task: 1.1 Add a test\nAttempt: 7", "I look."),
        ("Task: 1.1 Add a test\nConversation: 2", "Done afresh."),
        ("Task: 2.4 Something", "Nothing to do."),
        ("A task: 1.1 in the middle of a line", "Nothing to do."),
    ],
)
async def test_task_attempt_and_conversation_come_from_lines_of_the_first_message(
    player: ScriptedModel, opening: str, text: str
) -> None:
    assert (await player.turn(ask(opening))).text == text


async def test_answers_that_left_no_message_are_counted_all_the_same() -> None:
    script = [
        {"text": "", "calls": [{"name": "read"}], "stop_reason": "max_tokens"},
        {"stop_reason": "end_turn"},
        {"text": "No.", "stop_reason": "refusal"},
        {"text": "Done."},
    ]
    player = ScriptedModel(parse_scenario({"tasks": {"*": {"turns": script}}}))
    turns: list[Turn] = []
    for _ in script:
        answer = await player.turn(ask("Task: 1 a", turns))
        turns.append(turn_of(answer))
    assert [turn.stop_reason for turn in turns] == ["max_tokens", "end_turn", "refusal", "end_turn"]


async def test_past_the_end_of_the_script_is_a_failure_that_says_so(player: ScriptedModel) -> None:
    answers = [Turn([{"type": "text", "text": str(n)}], "end_turn") for n in range(2)]
    with pytest.raises(ModelFailure) as caught:
        await player.turn(ask("Task: 1.1 Add a test", answers))
    assert caught.value.kind == "malformed" and not caught.value.retryable
    assert caught.value.message == "The scenario has no turn 3 for task 1.1 (attempt 1)."


async def test_a_task_that_the_scenario_does_not_know_is_a_failure() -> None:
    player = ScriptedModel(parse_scenario({"tasks": {"1": {"turns": [{"text": "Done."}]}}}))
    for opening in ("Task: 2 Other", "no marker"):
        with pytest.raises(ModelFailure, match="no turn 1"):
            await player.turn(ask(opening))


@pytest.mark.parametrize(("times", "raised"), [(1, 1), (3, 3)])
async def test_a_failure_is_raised_so_many_times_and_then_the_turn_is_played(times: int, raised: int) -> None:
    fail = {"kind": "rate_limited", "retry_after_s": 90, "times": times}
    player = ScriptedModel(parse_scenario({"tasks": {"*": {"turns": [{"text": "Done.", "fail": fail}]}}}))
    for _ in range(raised):
        with pytest.raises(ModelFailure) as caught:
            await player.turn(ask("Task: 1 a"))
        assert (caught.value.kind, caught.value.retryable, caught.value.retry_after_s) == ("rate_limited", True, 90)
    assert (await player.turn(ask("Task: 1 a"))).text == "Done."
    with pytest.raises(ModelFailure):
        await player.turn(ask("Task: 2 a"))


async def test_a_failure_without_end() -> None:
    fail = {"kind": "billing", "times": 0}
    player = ScriptedModel(parse_scenario({"tasks": {"*": {"turns": [{"fail": fail}]}}}))
    for _ in range(5):
        with pytest.raises(ModelFailure) as caught:
            await player.turn(ask("Task: 1 a"))
        assert not caught.value.retryable


async def test_a_delay_can_be_cancelled_at_once() -> None:
    player = ScriptedModel(parse_scenario({"tasks": {"*": {"turns": [{"text": "Done.", "delay_s": 60}]}}}))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await player.turn(ask("Task: 1 a"))


async def test_input_that_is_no_json_is_played_as_such() -> None:
    calls = [{"name": "read", "raw_input": '{"path": '}]
    player = ScriptedModel(parse_scenario({"tasks": {"*": {"turns": [{"calls": calls}]}}}))
    answer = await player.turn(ask("Task: 1 a"))
    assert invalid_tool_input(answer.tool_calls[0]) == '{"path": '


async def test_usage_comes_from_sizes_and_the_real_prefix(player: ScriptedModel) -> None:
    big = ask("Task: 1.1 Add a test", system="s" * 8000)
    first = await player.turn(big)
    assert first.usage.cache_read == 0 and first.usage.input == 0
    assert first.usage.cache_write_5m == big.size // 4
    again = ask("Task: 1.1 Add a test", [turn_of(first)], system="s" * 8000)
    second = await player.turn(again)
    assert second.usage.cache_read == big.size // 4
    assert second.usage.prompt == again.size // 4
    priced = cost("claude-sonnet-5-5", second.usage)
    assert priced is not None and 0 < priced < 0.01
    small = await player.turn(ask("Task: 1.1 Add a test"))
    assert small.usage.cache_write == 0 < small.usage.input


async def test_usage_that_the_scenario_gives_is_taken() -> None:
    usage = {"input": 5, "output": 6, "cache_read": 7, "cache_write_1h": 8}
    player = ScriptedModel(parse_scenario({"tasks": {"*": {"turns": [{"text": "Done.", "usage": usage}]}}}))
    assert (await player.turn(ask("Task: 1 a"))).usage.to_json() == {**usage, "cache_write_5m": 0}


async def test_progress_and_label_say_what_it_is(player: ScriptedModel) -> None:
    seen: list[Progress] = []
    answer = await player.turn(ask("Task: 1.1 Add a test"), seen.append)
    assert [p.kind for p in seen] == ["text", "tool_input", "tool_input"] and seen[1].tool == "read"
    assert player.scripted and "scripted" in player.label and "demo.toml" in player.label
    assert answer.raw["scripted"] is True
    assert Response.from_json(json.loads(json.dumps(answer.to_json()))) == answer


def test_json_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps({"tasks": {"1": {"turns": [{"text": "Done."}], "attempts": {"2": {"turns": []}}}}}))
    assert load_scenario(path).tasks["1"].turns[0].text == "Done."


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "tasks: Field required"),
        ("[tasks]", "tasks: "),
        ('[[tasks."1".turns]]\ntxt = "a"', "tasks.1.turns.0.txt: Extra inputs"),
        ('[tasks."1"]', "tasks.1: Value error, the task has no turns"),
        ('[[tasks."1".turns]]\ndelay_s = -1', "tasks.1.turns.0.delay_s: "),
        ('[[tasks."1".turns]]\nfail = { kind = "tired" }', "tasks.1.turns.0.fail.kind: "),
        ('[[tasks."1".attempts.0.turns]]\ntext = "a"', "tasks.1.attempts.0"),
        ('[[tasks."1".turns]]\ncalls = [{ input = {} }]', "tasks.1.turns.0.calls.0.name: Field required"),
        ("tasks = ", "is no valid TOML: "),
    ],
)
def test_a_fault_is_named_with_file_and_place(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_scenario(path)
    assert str(path) in caught.value.message and place in caught.value.message


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml can't be read"):
        load_scenario(tmp_path / "nowhere.toml")
