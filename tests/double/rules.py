"""The rules that a request must keep (model-api §14). Each breach raises `Refusal` with the number of its rule."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from double import shapes
from double.catalogue import MODELS, KnownModel
from double.compaction_rules import check_context_management, check_summaries
from double.conversation_rules import check_messages
from double.flat import Part, as_blocks, flatten
from double.refusal import Refusal
from double.shapes import a_list, an_object, no_extras, one_of, require
from double.signing import verify

MAX_BODY = 32 * 1024 * 1024


@dataclass(frozen=True)
class Checked:
    """A request that broke no rule."""

    body: dict[str, Any]
    model: KnownModel
    parts: list[Part]
    version: str
    betas: frozenset[str]


def check_headers(headers: dict[str, str], key: str, size: int, max_body: int = MAX_BODY) -> str:
    """Rules 26, 2 and 3; answers the version. `headers` has lower-case names."""
    if size > max_body:
        raise Refusal("Request exceeds the maximum size", "request_too_large", rule=26)
    sent = headers.get("authorization", "")
    given = sent[7:] if sent.lower().startswith("bearer ") else headers.get("x-api-key", "")
    if not given or given != key:
        raise Refusal("invalid x-api-key", "authentication_error", rule=2)
    version = headers.get("anthropic-version")
    if version is None:
        raise Refusal("anthropic-version: header is required", rule=3)
    if version not in (shapes.OLD_VERSION, shapes.NEW_VERSION):
        raise Refusal(f'anthropic-version: "{version}" is not a valid version', rule=3)
    return version


def betas_of(headers: dict[str, str]) -> frozenset[str]:
    return frozenset(item.strip() for item in headers.get("anthropic-beta", "").split(",") if item.strip())


def parse(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8"))
    except ValueError as problem:
        raise Refusal(f"The request body is not valid JSON: {problem}", rule=1) from None
    if not isinstance(body, dict):
        raise Refusal("The request body is not valid JSON: expected an object", rule=1)
    return body


def check_body(
    body: dict[str, Any],
    version: str,
    betas: frozenset[str],
    *,
    counting: bool = False,
    threads: bool = False,
    paused: frozenset[str] = frozenset(),
) -> Checked:
    """Every rule about the body. `paused`: digests of conversations that the double paused and that may end with an
    answer; `threads`: the test has switched threads on."""
    _top_level(body, version, betas, counting=counting, threads=threads)
    model = _model(body, counting=counting)
    _tools(body)
    _tool_choice(body, model)
    _thinking(body, model, counting=counting)
    _options(body)
    check_context_management(body, model, betas)
    _system(body)
    compacts = bool(betas & set(shapes.COMPACTION_BETAS))
    check_messages(body["messages"], strict=version == shapes.NEW_VERSION, compacts=compacts)
    parts = flatten(body)
    _cache(body, parts)
    ends_open = body["messages"][-1]["role"] == "assistant"
    if ends_open and not model.prefill and parts[-1].digest not in paused and not _waits_for_server(parts[-1]):
        raise Refusal(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
            rule=10,
        )
    verify(parts, bound=model.bound_thinking)
    check_summaries(body)
    return Checked(body, model, parts, version, betas)


def _waits_for_server(last: Part) -> bool:
    return last.block.get("type") == "server_tool_use"


def _top_level(body: dict[str, Any], version: str, betas: frozenset[str], *, counting: bool, threads: bool) -> None:
    require(body, ("model", "messages") if counting else ("model", "max_tokens", "messages"), "")
    allowed = set(shapes.COUNT_TOKENS if counting else shapes.TOP)
    if version == shapes.OLD_VERSION:
        allowed |= shapes.SAMPLING
    for key in body:
        if key in shapes.SAMPLING and key not in allowed:
            raise Refusal(f"{key}: Extra inputs are not permitted", rule=8)
        if key == "thread" and not threads:
            raise Refusal("thread: Extra inputs are not permitted", rule=25)
        if key in shapes.BETA_KEYS:
            if not betas & set(shapes.BETA_KEYS[key]):
                raise Refusal(f"{key}: Extra inputs are not permitted", rule=27)
            allowed.add(key)
    no_extras(body, allowed, "")
    if not isinstance(body.get("stream", False), bool):
        raise Refusal("stream: Input should be a valid boolean", rule=4)


def _model(body: dict[str, Any], *, counting: bool) -> KnownModel:
    name = body["model"]
    if not isinstance(name, str) or not name:
        raise Refusal("model: Input should be a valid string", rule=4)
    model = MODELS.get(name)
    if model is None:
        raise Refusal(f"model: {name}", "not_found_error", rule=5)
    if not counting:
        limit = body["max_tokens"]
        if not isinstance(limit, int) or isinstance(limit, bool):
            raise Refusal("max_tokens: Input should be a valid integer", rule=4)
        if limit < 0:
            raise Refusal("max_tokens: Input should be greater than or equal to 0", rule=6)
        if limit > model.max_output:
            raise Refusal(
                f"max_tokens: {limit} > {model.max_output}, which is the maximum allowed number of output tokens "
                f"for {model.id}",
                rule=6,
            )
    return model


def _tools(body: dict[str, Any]) -> None:
    names: set[str] = set()
    for i, tool in enumerate(a_list(body.get("tools", []), "tools")):
        place = f"tools.{i}"
        an_object(tool, place)
        kind = tool.get("type")
        if kind not in (None, "custom"):
            if not isinstance(kind, str) or not shapes.SERVER_TOOL.match(kind):
                raise Refusal(f"{place}: Input tag '{kind}' found using 'type' does not match any known tool", rule=7)
            name = str(tool.get("name", kind))
        else:
            name = _custom_tool(tool, f"{place}.custom")
        if name in names:
            raise Refusal("tools: Tool names must be unique.", rule=17)
        names.add(name)


def _custom_tool(tool: dict[str, Any], place: str) -> str:
    require(tool, ("name",), place, rule=16)
    require(tool, ("input_schema",), place, rule=18)
    no_extras(tool, shapes.TOOL, place)
    name = tool["name"]
    if not isinstance(name, str):
        raise Refusal(f"{place}.name: Input should be a valid string", rule=16)
    if len(name) > 128:
        raise Refusal(f"{place}.name: String should have at most 128 characters", rule=16)
    if not shapes.TOOL_NAME.fullmatch(name):
        raise Refusal(f"{place}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'", rule=16)
    if not isinstance(tool.get("description", ""), str):
        raise Refusal(f"{place}.description: Input should be a valid string", rule=7)
    schema = an_object(tool["input_schema"], f"{place}.input_schema", rule=18)
    if schema.get("type") != "object":
        raise Refusal(f"{place}.input_schema.type: Input should be 'object'", rule=18)
    properties = schema.get("properties")
    if properties is not None:
        for key in an_object(properties, f"{place}.input_schema.properties", rule=18):
            if not shapes.PROPERTY.fullmatch(key):
                raise Refusal(
                    f"{place}.input_schema.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{{1,64}}$'",
                    rule=18,
                )
    return name


def _tool_choice(body: dict[str, Any], model: KnownModel) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    an_object(choice, "tool_choice", rule=23)
    require(choice, ("type",), "tool_choice", rule=23)
    one_of(choice["type"], ("auto", "any", "tool", "none"), "tool_choice.type", rule=23)
    extra = {"auto": {"disable_parallel_tool_use"}, "any": {"disable_parallel_tool_use"}, "none": set()}
    no_extras(choice, {"type", *extra.get(choice["type"], {"disable_parallel_tool_use", "name"})}, "tool_choice")
    if not body.get("tools"):
        raise Refusal("tool_choice: may only be specified while providing tools", rule=23)
    if choice["type"] in ("any", "tool") and not model.forced_tools:
        raise Refusal(f"tool_choice: {model.id} does not support forced tool use", rule=23)
    if choice["type"] == "tool":
        require(choice, ("name",), "tool_choice", rule=23)
        if choice["name"] not in {tool.get("name") for tool in body["tools"]}:
            raise Refusal(f"tool_choice.name: Tool '{choice['name']}' not found in provided tools", rule=23)


def _thinking(body: dict[str, Any], model: KnownModel, *, counting: bool) -> None:
    thinking = body.get("thinking")
    if thinking is None:
        return
    an_object(thinking, "thinking", rule=22)
    require(thinking, ("type",), "thinking", rule=22)
    kind = thinking["type"]
    one_of(kind, ("adaptive", "between_tools", "disabled", "enabled"), "thinking.type", rule=22)
    extra = {"adaptive": {"display"}, "enabled": {"display", "budget_tokens"}}.get(kind, set())
    no_extras(thinking, {"type", *extra}, "thinking")
    if kind not in model.thinking:
        raise Refusal(f"thinking.type: '{kind}' is not supported by {model.id}", rule=22)
    if kind == "enabled":
        require(thinking, ("budget_tokens",), "thinking.enabled", rule=22)
        budget = thinking["budget_tokens"]
        if not isinstance(budget, int) or budget < 1024:
            raise Refusal("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024", rule=22)
        if not counting and budget >= body["max_tokens"]:
            raise Refusal("thinking.enabled.budget_tokens: must be less than `max_tokens`", rule=22)


def _options(body: dict[str, Any]) -> None:
    output = body.get("output_config")
    if output is not None:
        an_object(output, "output_config", rule=24)
        no_extras(output, ("effort", "format"), "output_config")
        if output.get("effort") is not None:
            one_of(output["effort"], ("low", "medium", "high", "xhigh", "max"), "output_config.effort", rule=24)
    metadata = body.get("metadata")
    if metadata is not None:
        no_extras(an_object(metadata, "metadata"), ("user_id",), "metadata")
    diagnostics = body.get("diagnostics")
    if diagnostics is not None:
        no_extras(an_object(diagnostics, "diagnostics"), ("previous_message_id",), "diagnostics")


def _system(body: dict[str, Any]) -> None:
    system = body.get("system")
    if system is None or isinstance(system, str):
        return
    for i, block in enumerate(a_list(system, "system")):
        place = f"system.{i}"
        an_object(block, place)
        if block.get("type") != "text":
            raise Refusal(f"{place}.type: Input should be 'text'", rule=7)
        require(block, ("text",), place)
        no_extras(block, shapes.BLOCKS["text"], place)
        if not isinstance(block["text"], str) or not block["text"].strip():
            raise Refusal("system: text content blocks must be non-empty", rule=11)


def _cache(body: dict[str, Any], parts: list[Part]) -> None:
    """Rule 19: at most four marks, the one at the top counted; the longer-lived first; none on empty text."""
    marks: list[tuple[Any, str]] = []
    for part in parts:
        inner = part.block.get("content")
        if isinstance(inner, list):
            marks += [(b.get("cache_control"), f"{part.place}.content") for b in inner if isinstance(b, dict)]
        marks.append((part.block.get("cache_control"), part.place))
    marks.append((body.get("cache_control"), ""))
    found = [(mark, place) for mark, place in marks if mark is not None]
    for mark, place in found:
        where = shapes.join(place, "cache_control")
        an_object(mark, where, rule=19)
        no_extras(mark, ("type", "ttl"), where, rule=19)
        one_of(mark.get("type"), ("ephemeral",), f"{where}.type", rule=19)
        one_of(mark.get("ttl", "5m"), ("5m", "1h"), f"{where}.ttl", rule=19)
    if len(found) > 4:
        raise Refusal(
            f"A maximum of 4 blocks with cache_control may be provided. Found {len(found)}.",
            rule=19,
        )
    lifetimes = [mark.get("ttl", "5m") for mark, _ in found]
    if "1h" in lifetimes[lifetimes.index("5m") :] if "5m" in lifetimes else False:
        raise Refusal("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block", rule=19)


def blocks_in(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for message in body["messages"] for block in as_blocks(message["content"])]
