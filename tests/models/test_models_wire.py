"""The real SDK against the double: everything the double can play, as a turn or as a failure of the right kind."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from devloop.errors import NoModel, UsageError
from devloop.models import (
    FULL,
    PLAIN,
    AnthropicModel,
    ModelFailure,
    Progress,
    Request,
    Turn,
    build_messages,
    capabilities_of,
    invalid_tool_input,
    reaction,
    tool_result,
    wait_before_retry,
)
from double import Double

Serve = Callable[..., Awaitable[tuple[Double, AnthropicModel]]]
TOOLS = [{"name": "read", "description": "Read a file.", "input_schema": {"type": "object", "properties": {}}}]
OPENING = "Task: 1.1 Add a test"


def request(turns: list[Turn] | None = None, **values: Any) -> Request:
    given = {"model": "claude-sonnet-5-5", "system": "Be brief.", "tools": TOOLS, "max_tokens": 1000, **values}
    return Request(messages=build_messages(OPENING, turns or []), **given)


async def test_a_turn_arrives_whole_whatever_the_cuts(serve: Serve) -> None:
    text = 'Zwölf Boxkämpfer 🥊 jagen "Viktor"\nquer\u2028über den \\ Sylter Deich. '
    given = {"path": 'a"b\\c\n.py', "lines": [1, 2], "deep": {"🥊": None}}
    turn = {"text": text, "thinking": "Hm, 🥊?", "calls": [{"name": "read", "input": given}] * 2}
    for wire in ({"cuts": [1]}, {"cuts": [1, 2, 3]}, {"cuts": [1000]}, {"split_bytes": 1}, {"gzip": True, "cuts": [3]}):
        _, model = await serve(turns=[{**turn, "wire": wire}])
        answer = await model.turn(request())
        assert answer.text == text
        assert answer.content[0]["thinking"] == "Hm, 🥊?" and answer.content[0]["signature"].startswith("sig.")
        assert [call["input"] for call in answer.tool_calls] == [given, given]
        assert answer.stop_reason == "tool_use" and answer.request_id == "req_test_000001"
        assert answer.raw["content"] == answer.content and answer.model == "claude-sonnet-5-5"


async def test_pings_unknown_events_and_unknown_deltas_change_nothing(serve: Serve) -> None:
    turn = {"text": "Hello.", "calls": [{"name": "read", "input": {"a": 1}}]}
    loud = {**turn, "wire": {"pings": True, "unknown_events": True, "unknown_deltas": True}}
    _, plain = await serve(turns=[turn])
    _, noisy = await serve(turns=[loud])
    assert (await plain.turn(request())).content == (await noisy.turn(request())).content


async def test_unknown_blocks_are_kept_as_they_came(serve: Serve) -> None:
    blocks = [
        {"type": "redacted_thinking", "data": "c2VjcmV0"},
        {"type": "crystal_ball", "sees": {"future": [1, None]}},
    ]
    _, model = await serve(turns=[{"text": "Hello.", "wire": {"extra_blocks": blocks}}])
    answer = await model.turn(request())
    assert answer.content == [{"type": "text", "text": "Hello."}, *blocks]


@pytest.mark.parametrize(
    ("stop_reason", "kind"),
    [
        ("end_turn", "finished"),
        ("stop_sequence", "finished"),
        ("max_tokens", "continue_cut"),
        ("pause_turn", "resend"),
        ("refusal", "refused"),
        ("model_context_window_exceeded", "fresh_conversation"),
        ("compaction", "compacted"),
        ("something_new", "unknown"),
    ],
)
async def test_every_stop_reason_arrives_and_has_its_reaction(serve: Serve, stop_reason: str, kind: str) -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "No."} if stop_reason == "refusal" else None
    _, model = await serve(turns=[{"text": "So far.", "stop_reason": stop_reason, "stop_details": details}])
    answer = await model.turn(request())
    assert (answer.stop_reason, answer.stop_details) == (stop_reason, details)
    done = reaction(answer.stop_reason, answer.content, stop_details=answer.stop_details)
    assert done.kind == kind
    if kind == "refused":
        assert done.reason == "The model refused to go on (cyber): No."


@pytest.mark.parametrize("raw", ['{"path": "a', '{"path": }', "[1, 2]", "null", '{"n": NaN}', "just words", "{" * 5000])
async def test_invalid_tool_input_is_kept_and_its_answer_is_accepted(serve: Serve, raw: str) -> None:
    bad = {"calls": [{"name": "read", "raw_input": raw}]}
    double, model = await serve(turns=[{**bad}, {"text": "Sorry."}])
    answer = await model.turn(request())
    assert invalid_tool_input(answer.tool_calls[0]) == raw
    result = tool_result(answer.tool_calls[0]["id"], "The input is no JSON object.", is_error=True)
    again = await model.turn(request([Turn(answer.content, answer.stop_reason, [result])]))
    assert again.text == "Sorry." and [e.outcome for e in double.messages] == ["answered", "answered"]


async def test_a_call_without_any_input_has_an_empty_object(serve: Serve) -> None:
    _, model = await serve(turns=[{"calls": [{"name": "read", "raw_input": ""}]}])
    call = (await model.turn(request())).tool_calls[0]
    assert call["input"] == {} and invalid_tool_input(call) is None


@pytest.mark.parametrize("given", ["full", "output", "none"])
async def test_usage_survives_a_last_event_that_omits_parts_of_it(serve: Serve, given: str) -> None:
    usage = {"input": 7, "output": 30, "cache_read": 500, "cache_write_5m": 40, "cache_write_1h": 2}
    _, model = await serve(turns=[{"text": "Hello.", "usage": usage, "wire": {"usage_in_delta": given}}])
    got = (await model.turn(request())).usage.to_json()
    assert got == {**usage, "output": 1 if given == "none" else 30}


async def test_compaction_iterations_are_added_to_the_usage(serve: Serve) -> None:
    iterations = [
        {"type": "compaction", "input_tokens": 1000, "output_tokens": 200, "cache_read_input_tokens": 5},
        {"type": "message", "input_tokens": 7, "output_tokens": 30},
    ]
    turn = {"text": "Hello.", "usage": {"input": 7, "output": 30}, "wire": {"usage": {"iterations": iterations}}}
    _, model = await serve(turns=[turn])
    got = (await model.turn(request())).usage
    assert (got.input, got.output, got.cache_read) == (1007, 230, 5)


async def test_progress_grows_and_names_the_tool(serve: Serve) -> None:
    seen: list[Progress] = []
    turn = {
        "text": "I look at it now.",
        "thinking": "Where is it?",
        "calls": [{"name": "read", "input": {"path": "a.py"}}],
    }
    _, model = await serve(turns=[turn])
    await model.turn(request(), seen.append)
    assert [p.output_tokens for p in seen] == sorted(p.output_tokens for p in seen)
    assert list(dict.fromkeys((p.kind, p.tool) for p in seen)) == [
        ("thinking", None),
        ("text", None),
        ("tool_input", "read"),
    ]
    assert "".join(p.text for p in seen if p.kind == "text") == "I look at it now."


async def test_the_request_carries_two_cache_marks_the_effort_and_nothing_forbidden(serve: Serve) -> None:
    double, model = await serve(turns=[{"text": "Hello."}])
    await model.turn(request(effort="high"))
    [entry] = double.messages
    assert entry.body is not None
    assert entry.body["system"] == [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    assert entry.body["cache_control"] == {"type": "ephemeral"}
    assert entry.body["output_config"] == {"effort": "high"} and entry.body["stream"] is True
    assert entry.headers["anthropic-version"] == "2026-10-21"
    assert not {"thread", "temperature", "top_p", "top_k", "thinking", "betas"} & set(entry.body)
    assert entry.headers["anthropic-beta"] == "compact-2026-01-12", "see test_models_compaction.py"


async def test_a_foreign_host_gets_plain_messages_only(serve: Serve) -> None:
    double, model = await serve(turns=[{"text": "Hello."}], capabilities=PLAIN)
    await model.turn(request(effort="high"))
    [entry] = double.messages
    assert entry.body is not None and set(entry.body) == {
        "model",
        "max_tokens",
        "messages",
        "tools",
        "system",
        "stream",
    }
    assert entry.body["system"] == "Be brief." and "anthropic-beta" not in entry.headers
    assert await model.read_limits() == {}


def test_only_anthropics_own_host_is_known_to_do_everything() -> None:
    assert capabilities_of("https://api.anthropic.com") == FULL
    for url in ("http://api.anthropic.com", "https://api.anthropic.com.example.org", "http://localhost:8080"):
        assert capabilities_of(url) == PLAIN
    assert capabilities_of("http://localhost:1/", {"http://localhost:1": FULL}) == FULL


async def test_an_effort_that_the_model_does_not_list_is_not_sent(serve: Serve) -> None:
    double, model = await serve(turns=[{"text": "Hello."}] * 2)
    listed = await model.read_limits()
    assert listed["claude-sonnet-5-5"].effort == ("low", "medium", "high", "xhigh", "max")
    await model.turn(request(effort="gigantic"))
    assert double.messages[0].body is not None and "output_config" not in double.messages[0].body


async def test_three_turns_read_each_others_cache_and_keep_one_prefix(serve: Serve) -> None:
    tools = [{**TOOLS[0], "description": "Reads a file. " * 400}]
    call = {"text": "I look.", "thinking": "Hm.", "calls": [{"name": "read", "input": {}}]}
    double, model = await serve(turns=[call, call, {"text": "Done."}])
    turns: list[Turn] = []
    for _ in range(3):
        answer = await model.turn(request(turns, tools=tools))
        results = [tool_result(c["id"], "text " * 300) for c in answer.tool_calls]
        turns.append(Turn(answer.content, answer.stop_reason, results))
    first, second, third = double.messages
    assert first.cache_read == 0 and first.usage["cache_creation_input_tokens"] > 1024
    assert second.cache_read == first.usage["cache_creation_input_tokens"]
    assert third.cache_read == second.cache_read + second.usage["cache_creation_input_tokens"]
    assert len({entry.prefix_hash for entry in double.messages}) == 1


async def test_a_changed_prefix_is_a_cache_miss_that_the_double_shows(serve: Serve) -> None:
    double, model = await serve(turns=[{"text": "Hello."}] * 2)
    await model.turn(request(system="a" * 8000))
    await model.turn(request(system="b" * 8000))
    assert [entry.cache_read for entry in double.messages] == [0, 0]


async def test_a_paused_turn_goes_on_where_it_paused(serve: Serve) -> None:
    paused = {"text": "I search.", "thinking": "Hm.", "stop_reason": "pause_turn"}
    double, model = await serve(turns=[paused, {"text": "Found.", "thinking": "Yes."}, {"text": "Bye."}])
    turns: list[Turn] = []
    for _ in range(3):
        answer = await model.turn(request(turns))
        turns.append(Turn(answer.content, answer.stop_reason))
    assert [entry.outcome for entry in double.messages] == ["answered"] * 3


FAILURES = [
    ({"kind": "rate_limited"}, {}, "rate_limited", 429, True),
    ({"kind": "overloaded"}, {}, "overloaded", 529, True),
    ({"kind": "server"}, {}, "server", 500, True),
    ({"kind": "server"}, {"error_status": 502}, "server", 502, True),
    ({"kind": "timeout"}, {}, "timeout", 504, True),
    ({"kind": "server"}, {"error_type": "conflict_error"}, "server", 409, True),
    ({"kind": "auth"}, {}, "auth", 401, False),
    ({"kind": "billing"}, {}, "billing", 402, False),
    ({"kind": "permission"}, {}, "permission", 403, False),
    ({"kind": "not_found"}, {}, "not_found", 404, False),
    ({"kind": "too_large"}, {}, "too_large", 413, False),
    ({"kind": "invalid_request"}, {}, "invalid_request", 400, False),
    ({"kind": "context_window"}, {}, "context_window", 400, False),
    ({"kind": "rate_limited", "error_code": "enforced_spend_limit_reached"}, {}, "billing", 429, False),
    ({"kind": "rate_limited", "error_code": "contract_spend_limit_reached"}, {}, "billing", 429, False),
    ({"kind": "rate_limited", "error_code": "ramp_limit_exceeded"}, {}, "rate_limited", 429, True),
    ({"kind": "billing"}, {"error_status": 400}, "billing", 400, False),
    (
        {"kind": "invalid_request", "message": "You have reached your specified API usage limits."},
        {},
        "billing",
        400,
        False,
    ),
    ({"kind": "invalid_request", "error_code": "organization_on_hold"}, {}, "permission", 400, False),
    ({"kind": "overloaded"}, {"headers": {"x-should-retry": "false"}}, "overloaded", 529, False),
]


@pytest.mark.parametrize(("fail", "wire", "kind", "status", "retryable"), FAILURES)
async def test_an_error_answer_is_classified(
    serve: Serve, fail: dict[str, Any], wire: dict[str, Any], kind: str, status: int, retryable: bool
) -> None:
    double, model = await serve(turns=[{"text": "Hello.", "fail": fail, "wire": wire}])
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    failure = caught.value
    assert (failure.kind, failure.status, failure.retryable) == (kind, status, retryable)
    assert failure.error_code == fail.get("error_code") and failure.request_id == "req_test_000001"
    assert failure.message.endswith(".") and failure.hint
    assert len(double.messages) == 1, "no retry of the SDK's own"
    assert (await model.turn(request())).text == "Hello."


@pytest.mark.parametrize(
    ("seconds", "form", "least", "most"),
    [(2, "seconds", 2, 2), (1.5, "ms", 1.5, 1.5), (30, "date", 28, 30), (3600, "seconds", 3600, 3600)],
)
async def test_the_servers_wish_is_read_and_not_slept_on(
    serve: Serve, seconds: float, form: str, least: float, most: float
) -> None:
    fail = {"kind": "rate_limited", "retry_after_s": seconds}
    _, model = await serve(turns=[{"text": "Hello.", "fail": fail, "wire": {"retry_after": form}}])
    began = time.monotonic()
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert time.monotonic() - began < 2
    assert caught.value.retry_after_s is not None and least <= caught.value.retry_after_s <= most
    assert wait_before_retry(caught.value, 1) >= least


@pytest.mark.parametrize(
    ("fail", "kind", "retryable"),
    [
        ("overloaded", "overloaded", True),
        ("server", "server", True),
        ("rate_limited", "rate_limited", True),
        ("invalid_request", "invalid_request", False),
        ("billing", "billing", False),
    ],
)
@pytest.mark.parametrize("after", [0, 1, 4])
async def test_an_error_inside_the_stream_is_classified_too(
    serve: Serve, fail: str, kind: str, retryable: bool, after: int
) -> None:
    turn = {"text": "Hello there, all of you.", "fail": {"kind": fail}, "wire": {"fail_after_events": after}}
    _, model = await serve(turns=[turn])
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert (caught.value.kind, caught.value.retryable, caught.value.status) == (kind, retryable, None)
    assert caught.value.request_id == "req_test_000001"
    assert (await model.turn(request())).text == "Hello there, all of you."


@pytest.mark.parametrize("after", [0, 1, 100, 300, 700])
@pytest.mark.parametrize("gzip", [False, True])
async def test_a_cut_stream_is_a_lost_connection_and_leaves_nothing(serve: Serve, after: int, gzip: bool) -> None:
    after = min(after, 300) if gzip else after
    turn = {"text": "word " * 60, "wire": {"cut_after": after, "gzip": gzip}}
    double, model = await serve(turns=[turn])
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert (caught.value.kind, caught.value.retryable) == ("connection", True)
    assert (await model.turn(request())).text == "word " * 60
    assert [entry.outcome for entry in double.messages] == ["cut", "answered"]


@pytest.mark.parametrize("after", [0, 1, 3, 5])
async def test_a_stream_that_ends_in_good_order_before_its_last_event_is_broken_too(serve: Serve, after: int) -> None:
    _, model = await serve(turns=[{"text": "Hello.", "wire": {"end_after": after}}])
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert (caught.value.kind, caught.value.retryable) == ("connection", True)


async def test_a_connection_that_is_dropped_at_once(serve: Serve) -> None:
    _, model = await serve(turns=[{"text": "Hello.", "fail": {"kind": "connection"}}])
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert caught.value.kind == "connection"


@pytest.mark.parametrize("after", [0, 2])
async def test_a_stall_longer_than_the_read_timeout_is_a_timeout(serve: Serve, after: int) -> None:
    double, model = await serve(turns=[{"text": "Hello.", "wire": {"stall_after": after}}], timeout=0.3)
    began = time.monotonic()
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert (caught.value.kind, caught.value.retryable) == ("timeout", True)
    assert time.monotonic() - began < 5
    assert [entry.outcome for entry in await double.settled()] == ["gone"]


async def test_a_server_that_takes_long_to_begin_is_a_timeout(serve: Serve) -> None:
    _, model = await serve(turns=[{"text": "Hello.", "delay_s": 30}], timeout=0.3)
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert caught.value.kind == "timeout"


async def test_pings_alone_do_not_keep_a_turn_alive_for_ever(serve: Serve) -> None:
    wire = {"stall_after": 2, "stall_ping_s": 0.05}
    _, model = await serve(turns=[{"text": "Hello.", "wire": wire}], quiet_timeout=0.5)
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert (caught.value.kind, caught.value.retryable) == ("timeout", True)


async def test_a_short_stall_with_pings_is_no_failure(serve: Serve) -> None:
    wire = {"stall_after": 2, "stall_s": 0.6, "stall_ping_s": 0.1}
    _, model = await serve(turns=[{"text": "Hello.", "wire": wire}], timeout=0.4)
    assert (await model.turn(request())).text == "Hello."


async def test_cancelling_a_turn_closes_the_connection_at_once(serve: Serve) -> None:
    double, model = await serve(turns=[{"text": "Hello.", "wire": {"stall_after": 2}}])
    arrived = asyncio.Event()
    task = asyncio.create_task(model.turn(request(), lambda _: arrived.set()))
    await double.reached(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [entry.outcome for entry in await double.settled(timeout=2)] == ["gone"]


async def test_a_server_that_speaks_something_else_is_named_as_such(serve: Serve) -> None:
    wire = {"raw_body": "<html>Welcome to nginx!</html>"}
    _, model = await serve(turns=[{"text": "Hello.", "wire": wire}])
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert (caught.value.kind, caught.value.retryable) == ("malformed", False)
    assert "text/html" in caught.value.message and "base URL" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (502, "<html>Bad Gateway</html>", "server", True),
        (503, "", "overloaded", True),
        (501, "no", "server", False),
        (307, "elsewhere", "malformed", False),
        (418, "teapot", "invalid_request", False),
        (429, "slow down", "rate_limited", True),
        (404, '{"detail": "Not Found"}', "not_found", False),
    ],
)
async def test_errors_that_are_no_envelope_go_by_their_status(
    serve: Serve, status: int, body: str, kind: str, retryable: bool
) -> None:
    wire = {"raw_body": body, "raw_status": status, "raw_type": "text/plain"}
    _, model = await serve(turns=[{"text": "Hello.", "wire": wire}])
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert (caught.value.kind, caught.value.status, caught.value.retryable) == (kind, status, retryable)


@pytest.mark.parametrize(
    "body",
    [
        "event: message_start\ndata: {broken\n\n",
        "event: message_start\ndata: []\n\n",
        'event: message_start\ndata: {"type": "message_start"}\n\n',
        'event: message_start\ndata: {"type":"message_start","message":{"id":"m"}}\n\n'
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":3,"delta":{"type":"text_delta"}}\n\n',
        'event: message_start\ndata: {"type":"message_start","message":{"id":"m"}}\n\n'
        'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    ],
)
async def test_a_stream_that_breaks_the_grammar_is_malformed(serve: Serve, body: str) -> None:
    wire = {"raw_body": body, "raw_type": "text/event-stream"}
    _, model = await serve(turns=[{"text": "Hello.", "wire": wire}])
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert caught.value.kind == "malformed"


async def test_a_dead_port_is_an_error_within_seconds() -> None:
    async with Double(turns=[{"text": "Hello."}]) as double:
        url = double.url
    model = AnthropicModel("some-key", url, capabilities=FULL)
    began = time.monotonic()
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    await model.close()
    assert time.monotonic() - began < 3
    assert caught.value.kind == "connection" and caught.value.retryable
    assert url.removeprefix("http://") in caught.value.message


async def test_loopback_bypasses_a_proxy_of_the_environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    _, model = await serve(turns=[{"text": "Hello."}])
    assert (await model.turn(request())).text == "Hello."


async def test_the_key_appears_in_no_failure(serve: Serve) -> None:
    key = "sk-test-0123456789abcdef"
    echo = f"Your key {key} (Bearer {key}) is no good."
    _, model = await serve(turns=[{"fail": {"kind": "auth", "message": echo}}] * 1, key=key)
    with pytest.raises(ModelFailure) as caught:
        await model.turn(request())
    assert key not in str(caught.value) + repr(caught.value.to_json()) and "redacted" in caught.value.message
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    _, wrong = await serve(turns=[], api_key="another-key-0123456789")
    with pytest.raises(ModelFailure) as caught:
        await wrong.turn(request())
    assert caught.value.kind == "auth" and "another-key" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", None])
def test_without_a_key_nothing_is_made_and_no_profile_is_read(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "from-the-environment")
    with pytest.raises(NoModel):
        AnthropicModel(key)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel", "bell\x07bell"])
def test_a_key_that_can_be_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(NoModel) as caught:
        AnthropicModel(key)
    assert key not in str(caught.value.to_json())


async def test_a_local_server_needs_no_key_and_gets_none_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "from-the-environment")
    async with Double(turns=[{"text": "Hello."}], key="no-key-needed") as double:
        model = AnthropicModel(None, double.url)
        assert (await model.turn(request())).text == "Hello."
        await model.close()


@pytest.mark.parametrize("url", ["ftp://example.org", "example.org", "http://", "http://me:secret@host", "http://h:x"])
def test_a_base_url_that_is_none_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        AnthropicModel("some-key", url)
    assert "secret" not in str(caught.value)


async def test_a_lone_surrogate_in_the_prompt_is_a_failure_and_no_crash(serve: Serve) -> None:
    _, model = await serve(turns=[{"text": "Hello."}])
    assert (await model.turn(request([Turn([], "end_turn", texts=["bad \ud800 text"])]))).text == "Hello."
    broken = Request("claude-sonnet-5-5", "bad \ud800", [], build_messages("Hi", []), 10)
    with pytest.raises(ModelFailure) as caught:
        await model.turn(broken)
    assert (caught.value.kind, caught.value.retryable) == ("invalid_request", False)


async def test_what_comes_before_the_start_or_after_the_end_is_ignored_and_an_open_call_is_closed(serve: Serve) -> None:
    def sse(name: str, **data: Any) -> str:
        return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"

    call = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}}
    body = (
        sse("content_block_stop", index=0)
        + sse("message_start", message={"id": "msg_1", "model": "m", "usage": {"input_tokens": 3, "output_tokens": 1}})
        + sse("content_block_start", index=0, content_block=call)
        + sse("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": '{"path": "a'})
        + sse("message_delta", delta={"stop_reason": "max_tokens"}, usage={"output_tokens": 9})
        + sse("message_stop")
        + sse("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 99})
    )
    _, model = await serve(turns=[{"text": "-", "wire": {"raw_body": body, "raw_type": "text/event-stream"}}])
    answer = await model.turn(request())
    assert (answer.stop_reason, answer.usage.output, answer.usage.input) == ("max_tokens", 9, 3)
    assert invalid_tool_input(answer.tool_calls[0]) == '{"path": "a'
    assert reaction(answer.stop_reason, answer.content).calls == ()
