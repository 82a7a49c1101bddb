"""The double held against the SDK's own types and accumulator, so that we do not test ourselves with ourselves."""

from __future__ import annotations

import json
import typing
from typing import Any

import anthropic.types as sdk
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message, MessageCountTokensParams, MessageParam, ToolParam, ToolUnionParam
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from anthropic.types.model_info import ModelInfo
from pydantic import TypeAdapter, ValidationError

from devloop.models import Turn, build_messages, tool_result
from devloop.models.assembly import Assembly
from double import MODELS, Double, shapes
from double.rules import check_body

TOP, MESSAGE, TOOL = (TypeAdapter(t) for t in (MessageCreateParamsStreaming, MessageParam, ToolUnionParam))


def validated_by_the_sdk(body: dict[str, Any]) -> None:
    """The SDK's types, with the lazily validated parts forced (model-api §15)."""
    TOP.validate_python(body)
    for message in body["messages"]:
        content = MESSAGE.validate_python(message)["content"]
        if not isinstance(content, str):
            list(content)
    for tool in body.get("tools", []):
        TOOL.validate_python(tool)


def request() -> dict[str, Any]:
    call = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"INVALID_JSON": "{"}}
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    turns = [
        Turn(
            [thinking, {"type": "text", "text": "I look."}, call],
            "tool_use",
            [tool_result("toolu_1", "x", is_error=True)],
        ),
        Turn([{"type": "text", "text": "Done."}], "end_turn", texts=["The gate failed."]),
    ]
    return {
        "model": "claude-opus-4-8",
        "max_tokens": 100,
        "stream": True,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "cache_control": {"type": "ephemeral"},
        "output_config": {"effort": "high"},
        "tools": [{"name": "read", "description": "Reads.", "input_schema": {"type": "object", "properties": {}}}],
        "messages": build_messages("Task: 1.1 Add a test", turns),
    }


def test_what_we_send_is_valid_for_the_sdks_types() -> None:
    validated_by_the_sdk(request())


def _without(path: list[Any]) -> Any:
    def breach(body: dict[str, Any]) -> None:
        holder: Any = body
        for part in path[:-1]:
            holder = holder[part]
        del holder[path[-1]]

    return breach


def _with(path: list[Any], value: Any) -> Any:
    def breach(body: dict[str, Any]) -> None:
        holder: Any = body
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = value

    return breach


@pytest.mark.parametrize(
    "breach",
    [
        pytest.param(_without(["max_tokens"]), id="no max_tokens"),
        pytest.param(_with(["messages", 0, "role"], "boss"), id="bad role"),
        pytest.param(_with(["messages", 1, "content", 1], {"type": "zzz"}), id="unknown block"),
        pytest.param(_without(["messages", 2, "content", 0, "tool_use_id"]), id="result without id"),
        pytest.param(_with(["output_config", "effort"], "great"), id="bad effort"),
        pytest.param(_with(["cache_control", "ttl"], "2h"), id="bad ttl"),
        pytest.param(_without(["tools", 0, "input_schema"]), id="tool without schema"),
        pytest.param(_with(["messages", 1, "content", 2, "input"], "text"), id="input that is no object"),
        pytest.param(_with(["messages", 1, "content", 0, "thinking"], 5), id="thinking that is no text"),
    ],
)
def test_what_the_sdks_types_reject_the_double_rejects_too(breach: Any) -> None:
    body = request()
    body["messages"][1]["content"].pop(0)  # the made-up signature is for the SDK only
    assert check_body(json.loads(json.dumps(body)), "2026-10-21", frozenset())
    body = request()
    breach(body)
    with pytest.raises(ValidationError):
        validated_by_the_sdk(body)
    with pytest.raises(Exception, match=r"\w"):
        check_body(body, "2026-10-21", frozenset())


def test_the_doubles_keys_are_those_of_the_sdk() -> None:
    headers = {"user_profile_id", "workspace_id"}
    assert frozenset(MessageCreateParamsStreaming.__annotations__) - headers | {"stream"} >= {"stream"}
    assert set(typing.get_type_hints(MessageCreateParamsStreaming)) - headers == shapes.TOP
    assert set(typing.get_type_hints(MessageCountTokensParams)) - headers == shapes.COUNT_TOKENS
    assert set(typing.get_type_hints(ToolParam)) == shapes.TOOL


BLOCK_TYPES = {
    name: getattr(sdk, "".join(part.capitalize() for part in name.split("_")) + "BlockParam")
    for name in shapes.BLOCKS
    if name not in ("compaction",)
}


@pytest.mark.parametrize("name", sorted(BLOCK_TYPES))
def test_the_keys_of_each_block_are_those_of_the_sdk(name: str) -> None:
    assert set(BLOCK_TYPES[name].__annotations__) == shapes.BLOCKS[name]


def test_every_model_of_the_double_is_one_the_sdk_knows() -> None:
    known = set(typing.get_args(typing.get_args(sdk.ModelParam)[0]))
    assert set(MODELS) <= known
    for model in MODELS.values():
        ModelInfo.model_validate(model.listing())


TURN = {
    "text": "I look at it.",
    "thinking": "Hm.",
    "calls": [{"name": "read", "input": {"path": "a", "n": [1.5, True]}}, {"name": "read", "input": {}}],
    "wire": {"cuts": [1, 3], "pings": True, "unknown_events": True},
}


@pytest.mark.parametrize("turn", [TURN, {"text": "Done."}, {**TURN, "stop_reason": "max_tokens"}])
async def test_the_sdks_accumulator_and_ours_end_in_the_same_message(turn: dict[str, Any]) -> None:
    async with Double(turns=[turn]) as double:
        client = AsyncAnthropic(api_key=double.key, base_url=double.url, max_retries=0)
        body = {key: value for key, value in request().items() if key != "stream"}
        body["messages"] = body["messages"][:1]
        ours = Assembly()
        async with client.messages.stream(**body) as stream:
            async for event in stream:
                if event.type.startswith(("message", "content_block")) and event.type != "message_stop":
                    ours.add(event.type, _as_sent(event))
            final = await stream.get_final_message()
        ours.add("message_stop", '{"type": "message_stop"}')
        answer = ours.response(stream.request_id)
        await client.close()
    theirs = final.to_dict()
    assert [_essence(block) for block in theirs["content"]] == [_essence(block) for block in answer.content]
    assert (theirs["stop_reason"], theirs["id"]) == (answer.stop_reason, answer.id)
    assert theirs["usage"]["output_tokens"] == answer.usage.output
    Message.model_validate(answer.raw)


def _as_sent(event: Any) -> str:
    data = event.to_dict()
    data.pop("content_block", None) if event.type == "content_block_stop" else None
    return json.dumps(data, default=str)


def _essence(block: dict[str, Any]) -> dict[str, Any]:
    return {key: block[key] for key in ("type", "text", "thinking", "signature", "id", "name", "input") if key in block}


async def test_a_whole_answer_of_the_double_is_a_message_of_the_sdk() -> None:
    async with Double(turns=[TURN]) as double:
        client = AsyncAnthropic(api_key=double.key, base_url=double.url, max_retries=0)
        body = {key: value for key, value in request().items() if key != "stream"}
        body["messages"] = body["messages"][:1]
        message = await client.messages.create(**body)
        await client.close()
    Message.model_validate(message.to_dict())
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
