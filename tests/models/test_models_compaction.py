"""Compaction by the server: what is asked for, a conversation that is compacted on its way, and the double's rules."""

from __future__ import annotations

import asyncio
import copy
import http.client
import json
import typing
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from anthropic.types import AnthropicBetaParam
from anthropic.types.beta import BetaCompact20260112EditParam, BetaCompactionBlock, BetaCompactionBlockParam
from pydantic import TypeAdapter

from devloop.models import (
    FULL,
    PLAIN,
    AnthropicModel,
    Capabilities,
    ModelLimits,
    Request,
    Response,
    Turn,
    Usage,
    build_messages,
    limits_of,
    needs_fresh_conversation,
    reaction,
    tool_result,
)
from devloop.models.compaction import BETA, compaction_edit
from devloop.models.scenario import Place
from double import KEY, MODELS, Double, shapes
from double.rules import check_body
from double.signing import sign_summary

Serve = Callable[..., Awaitable[tuple[Double, AnthropicModel]]]
Body = dict[str, Any]
TOOLS = [{"name": "read", "description": "Reads a file. " * 400, "input_schema": {"type": "object", "properties": {}}}]
OPENING = "Task: 1.1 Add a test\nAttempt: 1"
SUMMARY = "<summary>Task: add a test. a.py was read. Next: write the test.</summary>"
CALL = {"text": "I look.", "thinking": "Hm.", "calls": [{"name": "read", "input": {}}]}
COMPACTING = {**CALL, "text": "I go on.", "wire": {"compaction": SUMMARY, "pings": True}}


def request(turns: list[Turn], model: str = "claude-sonnet-5-5") -> Request:
    return Request(model, "Be brief.", TOOLS, build_messages(OPENING, turns), 1000)


async def converse(model: AnthropicModel, count: int, name: str = "claude-sonnet-5-5") -> list[Response]:
    """`count` turns, each call answered, each answer stored as JSON and read again as after a crash."""
    turns: list[Turn] = []
    answers: list[Response] = []
    for _ in range(count):
        stored = json.dumps((await model.turn(request(turns, name))).to_json())
        answer = Response.from_json(json.loads(stored))
        results = [tool_result(call["id"], "text " * 300) for call in answer.tool_calls]
        turns.append(Turn(answer.content, answer.stop_reason, results))
        answers.append(answer)
    return answers


def sent(double: Double) -> list[Body]:
    return [entry.body for entry in double.messages if entry.body is not None]


# What is asked for


async def test_the_request_allows_compaction_with_its_header_and_stays_the_same_to_the_byte(serve: Serve) -> None:
    double, model = await serve(turns=[CALL, CALL, {"text": "Done."}])
    await model.turn(request([]))
    await model.read_limits()  # a list that is read on the way changes nothing
    await model.turn(request([]))
    first, second = sent(double)
    [edit] = first["context_management"]["edits"]
    assert (edit["type"], edit["trigger"]) == ("compact_20260112", {"type": "input_tokens", "value": 600_000})
    assert "call no tool" in edit["instructions"] and "acceptance criteria" in edit["instructions"]
    assert json.dumps(first["context_management"]) == json.dumps(second["context_management"])
    assert [entry.headers["anthropic-beta"] for entry in double.messages] == [BETA, BETA]


def test_the_edit_and_its_header_are_those_of_the_sdk() -> None:
    edit = compaction_edit(limits_of("claude-sonnet-5-5"))
    assert edit is not None and set(edit) <= set(BetaCompact20260112EditParam.__annotations__)
    TypeAdapter(BetaCompact20260112EditParam).validate_python(edit)
    known = {name for part in typing.get_args(AnthropicBetaParam) for name in typing.get_args(part)}
    assert known >= {BETA, *shapes.COMPACTION_BETAS}
    assert set(BetaCompact20260112EditParam.__annotations__) == shapes.EDITS["compact_20260112"][1]
    assert set(BetaCompactionBlockParam.__annotations__) == shapes.BLOCKS["compaction"]


@pytest.mark.parametrize(
    ("limits", "trigger"),
    [
        (ModelLimits("m", 1_000_000, 64_000, compacts=True), 600_000),
        (ModelLimits("m", 200_000, 64_000, compacts=True), 120_000),
        (ModelLimits("m", 70_000, 8_000, compacts=True), 50_000),
        (ModelLimits("m", 60_000, 8_000, compacts=True), None),
        (ModelLimits("m", 200_000, 64_000, compacts=False), None),
        (ModelLimits("m", 200_000, 64_000, known=False, compacts=True), None),
    ],
)
def test_the_trigger_is_a_part_of_a_known_context_and_never_below_the_least_one(
    limits: ModelLimits, trigger: int | None
) -> None:
    edit = compaction_edit(limits)
    assert (edit and edit["trigger"]["value"]) == trigger


@pytest.mark.parametrize("name", ["claude-haiku-4-5", "claude-opus-4-8"])
async def test_a_model_that_is_not_known_to_compact_is_not_asked_to(serve: Serve, name: str) -> None:
    """The second one is in no table of ours, but in the server's list."""
    double, model = await serve(turns=[{"text": "Hello."}])
    await model.turn(request([], name))
    assert "context_management" not in sent(double)[0] and "anthropic-beta" not in double.messages[0].headers


async def test_the_servers_list_says_which_models_compact(serve: Serve) -> None:
    double, model = await serve(turns=[{"text": "Hello."}] * 2)
    await model.read_limits()
    await model.turn(request([], "claude-opus-4-8"))
    await model.turn(request([], "claude-haiku-4-5"))
    assert ["context_management" in body for body in sent(double)] == [True, False]


@pytest.mark.parametrize("capabilities", [PLAIN, Capabilities(caching=True, effort=True, listing=True)])
async def test_a_server_without_compaction_is_not_asked_for_it(serve: Serve, capabilities: Capabilities) -> None:
    double, model = await serve(turns=[{"text": "Hello."}], capabilities=capabilities)
    await model.turn(request([]))
    assert "context_management" not in sent(double)[0] and "anthropic-beta" not in double.messages[0].headers


# A conversation on its way


@pytest.mark.parametrize("name", ["claude-sonnet-5-5", "claude-opus-5-5"])
async def test_a_conversation_that_is_compacted_in_its_third_turn_goes_on(serve: Serve, name: str) -> None:
    """Through the SDK; both models bind thinking to what came before it, so a wrong history would be refused."""
    double, model = await serve(
        turns=[CALL, CALL, COMPACTING, CALL, {"text": "Done."}],
        capabilities=Capabilities(caching=True, listing=True, compaction=True),
    )
    answers = await converse(model, 5, name)
    assert [entry.outcome for entry in double.messages] == ["answered"] * 5
    assert answers[-1].text == "Done."
    third = answers[2]
    assert [block["type"] for block in third.content] == ["compaction", "thinking", "text", "tool_use"]
    assert third.content[0]["content"] == SUMMARY
    assert reaction(third.stop_reason, third.content).kind == "run_tools"
    before, after, later = (body["messages"] for body in sent(double)[2:])
    assert before[0]["role"] == "user" and len(before) == 5
    summary = {key: value for key, value in third.content[0].items() if value is not None}
    assert after[0] == {"role": "assistant", "content": [summary, *third.content[1:]]}
    assert [message["role"] for message in after] == ["assistant", "user"]
    assert later[: len(after)] == after, "what was sent after the summary stays as it was"


async def test_the_compaction_is_in_the_usage_but_not_in_the_context(serve: Serve) -> None:
    _, model = await serve(turns=[CALL, CALL, COMPACTING, {"text": "Done."}])
    answers = await converse(model, 4)
    spent, own = answers[2].raw["usage"]["iterations"]
    assert (spent["type"], own["type"]) == ("compaction", "message")
    whole = Usage.from_api(spent) + Usage.from_api(own)
    assert answers[2].usage == whole and spent["output_tokens"] > 10
    assert answers[2].context == Usage.from_api(own)
    assert answers[2].context.total < answers[1].context.total < answers[2].usage.total
    assert all(answer.context == answer.usage for answer in (answers[0], answers[1], answers[3]))


async def test_the_cached_system_survives_a_compaction(serve: Serve) -> None:
    double, model = await serve(turns=[CALL, COMPACTING, CALL])
    answers = await converse(model, 3)
    own = answers[1].raw["usage"]["iterations"][1]
    assert own["cache_read_input_tokens"] > 1024, "tools and system are read"
    assert double.messages[2].cache_read == own["cache_read_input_tokens"] + own["cache_creation_input_tokens"]
    assert len({entry.prefix_hash for entry in double.messages}) == 1


async def test_a_second_compaction_takes_the_place_of_the_first(serve: Serve) -> None:
    again = {**COMPACTING, "wire": {"compaction": "<summary>More.</summary>"}}
    double, model = await serve(turns=[CALL, COMPACTING, CALL, again, {"text": "Done."}])
    await converse(model, 5)
    last = sent(double)[4]["messages"]
    summaries = [block["content"] for m in last for block in m["content"] if block["type"] == "compaction"]
    assert summaries == ["<summary>More.</summary>"] and last[0]["content"][0]["type"] == "compaction"


async def test_a_compaction_that_failed_leaves_the_conversation_as_it_was(serve: Serve) -> None:
    failed = {**CALL, "wire": {"compaction": ""}}
    double, model = await serve(turns=[CALL, failed, CALL, {"text": "Done."}])
    answers = await converse(model, 4)
    assert answers[1].content[0] == {"type": "compaction", "content": None, "encrypted_content": None}
    assert [entry.outcome for entry in double.messages] == ["answered"] * 4
    after = sent(double)[3]["messages"]
    assert after[0]["role"] == "user" and len(after) == 7
    assert not [block for message in after for block in message["content"] if block["type"] == "compaction"]


async def test_a_server_that_pauses_after_compacting_is_asked_to_go_on(serve: Serve) -> None:
    pausing = {"stop_reason": "compaction", "wire": {"compaction": SUMMARY}}
    double, model = await serve(turns=[CALL, pausing, {"text": "Done."}])
    answers = await converse(model, 3)
    assert reaction(answers[1].stop_reason, answers[1].content).kind == "compacted"
    assert [message["role"] for message in sent(double)[2]["messages"]] == ["assistant", "user"]
    assert answers[2].text == "Done."


async def test_a_scenario_goes_on_after_a_compaction_and_after_a_restart_of_the_double() -> None:
    scenario = {"tasks": {"1.1": {"turns": [CALL, COMPACTING, CALL, {"text": "Done."}]}}}
    turns: list[Turn] = []
    for index in range(4):
        async with Double(scenario=scenario) as double:
            model = AnthropicModel(double.key, double.url, 5, capabilities=FULL)
            answer = await model.turn(request(turns))
            await model.close()
            assert (double.messages[0].task, double.messages[0].index) == ("1.1", index)
        results = [tool_result(call["id"], "text") for call in answer.tool_calls]
        turns.append(Turn(answer.content, answer.stop_reason, results))
    assert answer.text == "Done."
    ids = [block["id"] for turn in turns for block in turn.content if block["type"] == "tool_use"]
    assert len(set(ids)) == 3


def test_a_fresh_conversation_is_needed_only_when_the_context_is_full_in_spite_of_compaction() -> None:
    def answer(context: int) -> Response:
        iterations = [
            {"type": "compaction", "input_tokens": 700_000, "output_tokens": 3_000},
            {"type": "message", "input_tokens": context, "output_tokens": 1_000},
        ]
        usage = {"input_tokens": context, "output_tokens": 1_000, "iterations": iterations}
        return Response("m", "claude-sonnet-5-5", [], "end_turn", Usage.from_api(usage), raw={"usage": usage})

    worked, failed = answer(23_000), answer(820_000)
    assert worked.usage.prompt == 723_000 and worked.context.total == 24_000
    assert not needs_fresh_conversation(worked.context, worked.model, fraction=0.8)
    assert needs_fresh_conversation(failed.context, failed.model, fraction=0.8)
    assert Response("m", "x", [], "end_turn", Usage(5, 6)).context == Usage(5, 6)


# The double's rules


EDIT: Body = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}}


def good() -> Body:
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": OPENING}],
        "context_management": {"edits": [copy.deepcopy(EDIT)]},
    }


async def ask(double: Double, body: Body, **headers: str) -> tuple[int, Any]:
    def send() -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", int(double.url.rsplit(":", 1)[1]), timeout=10)
        fixed = {"authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21"}
        connection.request("POST", "/v1/messages", json.dumps(body), {**fixed, **headers})
        answer = connection.getresponse()
        status, raw = answer.status, answer.read()
        connection.close()
        return status, json.loads(raw)

    return await asyncio.to_thread(send)


async def test_rule_27_the_field_and_the_block_need_the_header_over_the_wire() -> None:
    async with Double(turns=[{"text": "Hello.", "wire": {"compaction": SUMMARY}}]) as double:
        status, wrong = await ask(double, good())
        assert (status, wrong["error"]["message"]) == (400, "context_management: Extra inputs are not permitted")
        status, wrong = await ask(double, good(), **{"anthropic-beta": "context-management-2025-06-27"})
        assert status == 400 and BETA in wrong["error"]["message"]
        status, answer = await ask(double, good(), **{"anthropic-beta": f"something-else, {BETA}"})
        assert status == 200
        BetaCompactionBlock.model_validate(answer["content"][0])
        assert [i["type"] for i in answer["usage"]["iterations"]] == ["compaction", "message"]
        block = {key: value for key, value in answer["content"][0].items() if value is not None}
        body = {key: value for key, value in good().items() if key != "context_management"}
        body["messages"] = [{"role": "assistant", "content": [block]}, *body["messages"]]
        status, wrong = await ask(double, body)
        assert status == 400 and double.messages[-1].rule == 27


def _trigger(value: Any) -> Body:
    return {**EDIT, "trigger": {"type": "input_tokens", "value": value}}


@pytest.mark.parametrize(
    ("config", "model", "what"),
    [
        ({"edits": [_trigger(49_999)]}, "claude-sonnet-5-5", "greater than or equal to 50000"),
        ({"edits": [_trigger("60000")]}, "claude-sonnet-5-5", "valid integer"),
        ({"edits": [{**EDIT, "trigger": {"type": "tool_uses", "value": 5}}]}, "claude-sonnet-5-5", "'input_tokens'"),
        ({"edits": [{**EDIT, "zzz": 1}]}, "claude-sonnet-5-5", "zzz: Extra inputs"),
        ({"edits": [{**EDIT, "pause_after_compaction": "yes"}]}, "claude-sonnet-5-5", "valid boolean"),
        ({"edits": [{**EDIT, "instructions": 5}]}, "claude-sonnet-5-5", "valid string"),
        ({"edits": [{"type": "compact_20300101"}]}, "claude-sonnet-5-5", "'compact_20260112'"),
        ({"edits": [{"type": "clear_tool_uses_20250919"}]}, "claude-sonnet-5-5", "context-management-2025-06-27"),
        ({"edits": EDIT}, "claude-sonnet-5-5", "valid list"),
        ({"edit": [EDIT]}, "claude-sonnet-5-5", "edit: Extra inputs"),
        ({"edits": [EDIT]}, "claude-haiku-4-5", "not supported by claude-haiku-4-5"),
    ],
)
def test_a_wrong_edit_is_refused(config: Body, model: str, what: str) -> None:
    check_body(good(), "2026-10-21", frozenset({BETA}))
    with pytest.raises(Exception, match=what):
        check_body({**good(), "model": model, "context_management": config}, "2026-10-21", frozenset({BETA}))


def _block(**changes: Any) -> Body:
    block = {"type": "compaction", "content": "So far.", "signature": sign_summary("So far.", Place("1.1", 1, 1, 0))}
    return {**block, **changes}


@pytest.mark.parametrize(
    ("role", "block", "what"),
    [
        ("assistant", _block(content="So far?"), "content differs"),
        ("assistant", _block(signature="sum.x.y"), "content differs"),
        ("assistant", _block(signature="s"), "does not verify"),
        ("assistant", {"type": "compaction", "content": "So far."}, "does not verify"),
        ("assistant", _block(content=""), "content can't be empty"),
        ("assistant", _block(encrypted_content=None), "encrypted_content: Extra inputs"),
        ("assistant", _block(text=None), "text: Extra inputs"),
        ("assistant", {"type": "compaction", "content": None}, "first message must use"),
        ("user", _block(), "does not match any"),
    ],
)
def test_a_summary_that_comes_back_changed_or_in_the_wrong_place_is_refused(role: str, block: Body, what: str) -> None:
    messages = [{"role": "assistant", "content": [_block()]}, {"role": "user", "content": "Go on."}]
    check_body({**good(), "messages": messages}, "2026-10-21", frozenset({BETA}))
    messages[0] = {"role": role, "content": [block]}
    with pytest.raises(Exception, match=what):
        check_body({**good(), "messages": messages}, "2026-10-21", frozenset({BETA}))


def test_what_stands_before_a_summary_changes_nothing() -> None:
    tail = [{"role": "assistant", "content": [_block()]}, {"role": "user", "content": "Go on."}]
    whole = check_body({**good(), "messages": [*good()["messages"], *tail]}, "2026-10-21", frozenset({BETA}))
    short = check_body({**good(), "messages": tail}, "2026-10-21", frozenset({BETA}))
    assert [part.digest for part in whole.parts] == [part.digest for part in short.parts]


async def test_a_turn_that_compacts_is_not_played_for_a_request_that_does_not_allow_it(serve: Serve) -> None:
    double, model = await serve(turns=[COMPACTING], capabilities=PLAIN)
    with pytest.raises(Exception, match="no compact_20260112 edit"):
        await model.turn(request([]))
    assert double.messages[0].outcome == "refused"


def test_the_models_that_compact_are_the_same_in_our_table_and_in_the_double() -> None:
    """But for one that is too new to be documented: it is asked only when the server's list says that it can."""
    for name, known in MODELS.items():
        ours = limits_of(name)
        assert not ours.compacts or known.compacts, name
        assert ours.compacts or not ours.known or not known.compacts or name == "claude-fable-5-2", name
