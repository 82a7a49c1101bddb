"""Each of the 28 rules of model-api §14: one request that breaks it, and the answer over a real socket."""

from __future__ import annotations

import copy
import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from double import KEY, Double
from double.rules import check_body

Body = dict[str, Any]
NEW, OLD = "2026-10-21", "2023-06-01"
TOOL = {"name": "read", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}


def good() -> Body:
    """A whole request with one answered call, which breaks no rule."""
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "tools": [copy.deepcopy(TOOL)],
        "messages": [
            {"role": "user", "content": "Task: 1.1 Add a test"},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "a"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "text"},
                    {"type": "text", "text": "Go on."},
                ],
            },
        ],
    }


@pytest.fixture(scope="module")
def double() -> Iterator[Double]:
    with Double(
        scenario={"tasks": {"*": {"turns": [{"text": "Hello."}, {"text": "Done."}, {"text": "More."}]}}}
    ) as one:
        yield one


def ask(
    double: Double,
    body: Body | bytes,
    *,
    version: str | None = NEW,
    key: str | None = KEY,
    path: str = "/v1/messages",
    method: str = "POST",
    host: str | None = None,
    **headers: str,
) -> tuple[int, Any, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", int(double.url.rsplit(":", 1)[1]), timeout=10)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if version is not None:
        sent["anthropic-version"] = version
    if key is not None:
        sent["authorization"] = f"Bearer {key}"
    if host is not None:
        sent["host"] = host
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, data if method == "POST" else None, sent)
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    return answer.status, json.loads(raw) if raw else None, answer.getheader("request-id")


def change(path: str, value: Any) -> Callable[[Body], None]:
    """Set (or with `...` delete) what a dotted path names."""

    def apply(body: Body) -> None:
        *inner, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        holder: Any = body
        for part in inner:
            holder = holder[part]
        if value is ...:
            del holder[last]
        elif isinstance(holder, list) and last == len(holder):
            holder.append(value)
        else:
            holder[last] = value

    return apply


def both(*changes: Callable[[Body], None]) -> Callable[[Body], None]:
    def apply(body: Body) -> None:
        for one in changes:
            one(body)

    return apply


LAST = "messages/2/content"
CALL = {"type": "tool_use", "id": "toolu_2", "name": "read", "input": {}}
INVALID, TOO_LARGE = "invalid_request_error", "request_too_large"
MARK = {"type": "ephemeral"}

BREACHES: list[tuple[int, str, Callable[[Body], None], int, str, str]] = [
    (4, "no max_tokens", change("max_tokens", ...), 400, INVALID, "max_tokens: Field required"),
    (4, "no messages", change("messages", ...), 400, INVALID, "messages: Field required"),
    (4, "no model", change("model", ...), 400, INVALID, "model: Field required"),
    (4, "max_tokens is text", change("max_tokens", "5"), 400, INVALID, "max_tokens: Input should be a valid integer"),
    (4, "content is a number", change("messages/0/content", 5), 400, INVALID, "messages.0.content: Input should be"),
    (4, "stream is text", change("stream", "yes"), 400, INVALID, "stream: Input should be"),
    (5, "unknown model", change("model", "nope"), 404, "not_found_error", "model: nope"),
    (6, "too many tokens", change("max_tokens", 200000), 400, INVALID, "max_tokens: 200000 > 128000, which is the max"),
    (6, "negative tokens", change("max_tokens", -1), 400, INVALID, "max_tokens: Input should be greater"),
    (7, "unknown key at the top", change("zzz", 1), 400, INVALID, "zzz: Extra inputs are not permitted"),
    (
        7,
        "in a message",
        change("messages/1/reasoning_details", []),
        400,
        INVALID,
        "messages.1.reasoning_details: Extra",
    ),
    (7, "in a block", change(LAST + "/1/zzz", 1), 400, INVALID, "messages.2.content.1.zzz: Extra inputs"),
    (7, "in a tool", change("tools/0/zzz", 1), 400, INVALID, "tools.0.custom.zzz: Extra inputs"),
    (7, "in system", change("system/0/zzz", 1), 400, INVALID, "system.0.zzz: Extra inputs"),
    (7, "unknown block", change(LAST + "/1", {"type": "zzz"}), 400, INVALID, "messages.2.content.1: Input tag 'zzz'"),
    (8, "temperature", change("temperature", 1), 400, INVALID, "temperature: Extra inputs are not permitted"),
    (8, "top_p", change("top_p", 1), 400, INVALID, "top_p: Extra inputs are not permitted"),
    (
        8,
        "document in an answer",
        change("messages/1/content/0", {"type": "document", "source": {}}),
        400,
        INVALID,
        "messages.1.content.0: `document` blocks",
    ),
    (8, "citations on user text", change(LAST + "/1/citations", [{}]), 400, INVALID, "messages.2.content.1.citations"),
    (9, "no message", change("messages", []), 400, INVALID, "messages: at least one message is required"),
    (9, "bad role", change("messages/0/role", "boss"), 400, INVALID, "messages.0.role: Input should be"),
    (9, "answer first", change("messages/0/role", "assistant"), 400, INVALID, "messages: first message must use"),
    (
        10,
        "answer last",
        change("messages/3", {"role": "assistant", "content": "So"}),
        400,
        INVALID,
        "This model does not support assistant message prefill. The conversation must end with a user message.",
    ),
    (11, "empty text", change(LAST + "/1/text", ""), 400, INVALID, "messages: text content blocks must be non-empty"),
    (
        11,
        "white text",
        change(LAST + "/1/text", " \n"),
        400,
        INVALID,
        "messages: text content blocks must contain non-",
    ),
    (
        11,
        "empty text in a result",
        change(LAST + "/0/content", [{"type": "text", "text": ""}]),
        400,
        INVALID,
        "messages:",
    ),
    (11, "empty string", change("messages/0/content", ""), 400, INVALID, "messages: text content blocks must be"),
    (
        12,
        "a call without its result",
        change(LAST, [{"type": "text", "text": "Never mind."}]),
        400,
        INVALID,
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each "
        "`tool_use` block must have a corresponding `tool_result` block in the next message.",
    ),
    (
        12,
        "one of two calls unanswered",
        change("messages/1/content/2", CALL),
        400,
        INVALID,
        "messages.1: `tool_use` ids",
    ),
    (
        13,
        "a result of no call",
        change("messages/0/content", [{"type": "tool_result", "tool_use_id": "toolu_9"}]),
        400,
        INVALID,
        "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_9",
    ),
    (
        13,
        "two results of one call",
        change(LAST + "/1", {"type": "tool_result", "tool_use_id": "toolu_1"}),
        400,
        INVALID,
        "messages.2.content.1: each tool_use must have a single result",
    ),
    (
        14,
        "text before the result",
        lambda body: body["messages"][2]["content"].reverse(),
        400,
        INVALID,
        "messages.2.content.1: `tool_result` blocks must come before",
    ),
    (
        15,
        "an id twice",
        change("messages/1/content/2", {**CALL, "id": "toolu_1"}),
        400,
        INVALID,
        "messages: `tool_use` ids must be unique",
    ),
    (15, "an id with a dot", change("messages/1/content/1/id", "a.b"), 400, INVALID, "messages.1.content.1.id: String"),
    (
        16,
        "a tool name with a space",
        change("tools/0/name", "read file"),
        400,
        INVALID,
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ),
    (
        16,
        "a long tool name",
        change("tools/0/name", "a" * 129),
        400,
        INVALID,
        "tools.0.custom.name: String should have at most 128 characters",
    ),
    (17, "two tools of one name", change("tools/1", TOOL), 400, INVALID, "tools: Tool names must be unique."),
    (18, "no schema", change("tools/0/input_schema", ...), 400, INVALID, "tools.0.custom.input_schema: Field required"),
    (
        18,
        "an array schema",
        change("tools/0/input_schema/type", "array"),
        400,
        INVALID,
        "tools.0.custom.input_schema.type",
    ),
    (
        18,
        "a bad key",
        change("tools/0/input_schema/properties", {"a b": {}}),
        400,
        INVALID,
        "tools.0.custom.input_schema",
    ),
    (
        19,
        "five marks",
        both(
            change("cache_control", MARK),
            change("tools/0/cache_control", MARK),
            change("messages/1/content/0/cache_control", MARK),
            change(LAST + "/1/cache_control", MARK),
        ),
        400,
        INVALID,
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    (
        19,
        "a bad lifetime",
        change("cache_control", {**MARK, "ttl": "2h"}),
        400,
        INVALID,
        "cache_control.ttl: Input should",
    ),
    (
        19,
        "an hour after minutes",
        change("cache_control", {**MARK, "ttl": "1h"}),
        400,
        INVALID,
        "a ttl='1h' cache_control",
    ),
    (
        19,
        "a mark on empty text",
        change(LAST + "/1", {"type": "text", "text": "", "cache_control": MARK}),
        400,
        INVALID,
        "messages.2.content.1: cache_control cannot be set for empty text blocks",
    ),
    (
        22,
        "thinking the old way",
        change("thinking", {"type": "enabled", "budget_tokens": 2000}),
        400,
        INVALID,
        "thinking.",
    ),
    (22, "thinking of no kind", change("thinking", {"type": "hard"}), 400, INVALID, "thinking.type: Input should be"),
    (
        23,
        "a forced tool",
        change("tool_choice", {"type": "any"}),
        400,
        INVALID,
        "tool_choice: claude-sonnet-5-5 does not",
    ),
    (
        23,
        "a tool that is not there",
        both(change("model", "claude-haiku-5-5"), change("tool_choice", {"type": "tool", "name": "nope"})),
        400,
        INVALID,
        "tool_choice.name: Tool 'nope' not found",
    ),
    (
        24,
        "great effort",
        change("output_config", {"effort": "great"}),
        400,
        INVALID,
        "output_config.effort: Input should",
    ),
    (25, "a thread", change("thread", {"type": "create"}), 400, INVALID, "thread: Extra inputs are not permitted"),
    (
        27,
        "a beta field without its header",
        change("context_management", {"edits": []}),
        400,
        INVALID,
        "context_management: Extra inputs are not permitted",
    ),
    (
        28,
        "a result of a cut call that was not sent back",
        lambda body: body["messages"][1]["content"].pop(),
        400,
        INVALID,
        "messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1",
    ),
    (
        28,
        "a cut call sent back without a result",
        lambda body: body["messages"][2]["content"].pop(0),
        400,
        INVALID,
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1",
    ),
]


def test_the_good_request_breaks_no_rule(double: Double) -> None:
    status, answer, _ = ask(double, good())
    assert status == 200 and answer["content"] == [{"type": "text", "text": "Done."}]


@pytest.mark.parametrize(
    ("rule", "breach", "status", "type_", "message"),
    [pytest.param(r, b, s, t, m, id=f"{r}: {name}") for r, name, b, s, t, m in BREACHES],
)
def test_a_breach_is_refused_with_status_type_and_message(
    double: Double, rule: int, breach: Callable[[Body], None], status: int, type_: str, message: str
) -> None:
    body = good()
    breach(body)
    got, answer, request_id = ask(double, body)
    assert (got, answer["error"]["type"]) == (status, type_)
    assert answer["error"]["message"].startswith(message)
    assert answer["type"] == "error" and answer["request_id"] == request_id
    assert double.journal[-1].rule == (rule if rule != 28 else double.journal[-1].rule)
    assert double.journal[-1].outcome == "refused"


def test_every_rule_has_a_breach_in_this_file() -> None:
    elsewhere = {1, 2, 3, 20, 21, 26}
    assert {rule for rule, *_ in BREACHES} | elsewhere == set(range(1, 29))


def test_rule_1_a_body_that_is_no_json(double: Double) -> None:
    status, answer, _ = ask(double, b'{"model": ')
    assert (status, answer["error"]["type"]) == (400, INVALID)
    assert answer["error"]["message"].startswith("The request body is not valid JSON: ")


@pytest.mark.parametrize("key", [None, "wrong"])
def test_rule_2_no_key_or_another_one(double: Double, key: str | None) -> None:
    status, answer, _ = ask(double, good(), key=key)
    assert (status, answer["error"]["type"], answer["error"]["message"]) == (
        401,
        "authentication_error",
        "invalid x-api-key",
    )


def test_rule_2_the_old_header_is_a_key_too(double: Double) -> None:
    assert ask(double, good(), key=None, x_api_key=KEY)[0] == 200


def test_rule_3_the_version(double: Double) -> None:
    status, answer, _ = ask(double, good(), version=None)
    assert (status, answer["error"]["message"]) == (400, "anthropic-version: header is required")
    status, answer, _ = ask(double, good(), version="2020-01-01")
    assert status == 400 and answer["error"]["message"].endswith("is not a valid version")


def test_rule_6_zero_tokens_warm_the_cache_with_an_empty_answer(double: Double) -> None:
    status, answer, _ = ask(double, {**good(), "max_tokens": 0})
    assert (status, answer["content"], answer["usage"]["output_tokens"]) == (200, [], 0)


def test_rule_8_the_old_version_takes_sampling_parameters(double: Double) -> None:
    assert ask(double, {**good(), "temperature": 1, "top_k": 5}, version=OLD)[0] == 200


def test_rule_9_neighbours_of_one_role_are_one_message(double: Double) -> None:
    body = good()
    result, text = body["messages"].pop()["content"]
    body["messages"] += [{"role": "user", "content": [result]}, {"role": "user", "content": [text]}]
    assert ask(double, body)[0] == 200
    body["messages"].reverse()
    body["messages"] = [body["messages"][3], body["messages"][2], body["messages"][0], body["messages"][1]]
    status, answer, _ = ask(double, body)
    assert status == 400 and "must come before other content" in answer["error"]["message"]


def test_rule_9_news_in_a_system_message_stands_beside_the_conversation(double: Double) -> None:
    body = good()
    body["messages"].insert(2, {"role": "system", "content": "The file changed."})
    assert ask(double, body)[0] == 200


def test_rule_10_an_older_model_takes_prefill(double: Double) -> None:
    body = {**good(), "model": "claude-haiku-4-5"}
    body["messages"].append({"role": "assistant", "content": "So"})
    assert ask(double, body)[0] == 200


def test_rule_22_thinking_the_old_way_on_an_old_model(double: Double) -> None:
    body = {**good(), "model": "claude-haiku-4-5", "max_tokens": 4000}
    assert ask(double, {**body, "thinking": {"type": "enabled", "budget_tokens": 2000}})[0] == 200
    for budget in (1000, 4000):
        status, answer, _ = ask(double, {**body, "thinking": {"type": "enabled", "budget_tokens": budget}})
        assert status == 400 and answer["error"]["message"].startswith("thinking.enabled.budget_tokens")
    assert ask(double, {**body, "thinking": {"type": "adaptive"}})[0] == 400
    assert ask(double, {**good(), "model": "claude-opus-5-5", "thinking": {"type": "disabled"}})[0] == 400


def test_rule_26_a_body_over_the_limit() -> None:
    with Double(turns=[{"text": "Hello."}], max_body=2000) as double:
        body = {**good(), "metadata": {"user_id": "x" * 2000}}
        status, answer, request_id = ask(double, body)
        assert (status, answer["error"]["type"]) == (413, TOO_LARGE) and request_id
        assert ask(double, good())[0] == 200


def test_rule_27_a_beta_field_with_its_header(double: Double) -> None:
    body = {**good(), "context_management": {"edits": []}}
    assert ask(double, body, anthropic_beta="context-management-2025-06-27")[0] == 200


THINKING = {"scenario": {"tasks": {"*": {"turns": [{"text": "I look.", "thinking": "Where?"}, {"text": "Done."}]}}}}


def _answered(double: Double, model: str = "claude-sonnet-5-5") -> Body:
    """A second request that sends back a thinking block as it was received."""
    body = {**good(), "model": model, "messages": [{"role": "user", "content": "Task: 1 Think"}]}
    status, answer, _ = ask(double, body)
    assert status == 200 and answer["content"][0]["type"] == "thinking"
    body["messages"] += [
        {"role": "assistant", "content": answer["content"]},
        {"role": "user", "content": "And?"},
    ]
    return body


def test_rules_20_and_21_an_unchanged_block_is_accepted_wherever_the_cache_marks_stand() -> None:
    with Double(**THINKING) as double:
        body = _answered(double)
        del body["system"][0]["cache_control"]
        body["cache_control"] = MARK
        assert ask(double, body)[0] == 200


@pytest.mark.parametrize("key", ["thinking", "signature"])
def test_rule_20_a_changed_thinking_block(key: str) -> None:
    with Double(**THINKING) as double:
        body = _answered(double)
        body["messages"][1]["content"][0][key] += "!"
        status, answer, _ = ask(double, body)
        assert status == 400
        assert answer["error"]["message"] == "messages.1.content.0: Invalid `signature` in `thinking` block"
        assert double.journal[-1].rule == 20


@pytest.mark.parametrize(
    "breach",
    [
        pytest.param(change("system/0/text", "Be long."), id="another system prompt"),
        pytest.param(change("tools/0/description", "Reads."), id="another tool list"),
        pytest.param(change("messages/0/content", "Task: 1 Think!"), id="another first message"),
        pytest.param(lambda body: body["messages"].insert(0, {"role": "user", "content": "Hi"}), id="one message more"),
    ],
)
def test_rule_21_a_block_bound_to_another_prefix(breach: Callable[[Body], None]) -> None:
    with Double(**THINKING) as double:
        body = _answered(double)
        breach(body)
        status, answer, _ = ask(double, body)
        assert status == 400 and double.journal[-1].rule == 21
        assert "Invalid signature in thinking block. The block is bound to a different conversation" in str(answer)


def test_rule_21_models_without_preserved_thinking_do_not_mind() -> None:
    with Double(**THINKING) as double:
        body = _answered(double, "claude-opus-4-8")
        body["system"][0]["text"] = "Be long."
        assert ask(double, body)[0] == 200


def test_rule_21_a_double_that_was_started_again_knows_its_signatures() -> None:
    with Double(**THINKING) as double:
        body = _answered(double)
    with Double(**THINKING) as double:
        assert ask(double, body)[0] == 200


BETA = {"anthropic_beta": "message-threads-2026-08-12"}


def test_rule_25_threads_when_a_test_switches_them_on() -> None:
    with Double(turns=[{"text": f"Answer {n}."} for n in range(6)], threads=True) as double:
        first = {**good(), "thread": {"type": "create"}}
        assert ask(double, first)[0] == 400, "the beta header is missing"
        status, answer, _ = ask(double, first, **BETA)
        assert status == 200
        more: Body = {
            "model": "claude-sonnet-5-5",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "And?"}],
            "thread": {"type": "continue", "previous_message_id": answer["id"]},
        }
        status, wrong, _ = ask(double, {**more, "model": "claude-opus-5-5"}, **BETA)
        assert (status, wrong["error"]["details"]["error_code"]) == (400, "thread_fingerprint_mismatch")
        status, wrong, _ = ask(double, {**more, "compaction": {"type": "summarize"}}, **BETA)
        assert (status, wrong["error"]["details"]["error_code"]) == (400, "thread_unsupported_request")
        assert ask(double, more, **BETA)[0] == 200
        status, wrong, _ = ask(double, more, **BETA)
        assert (status, wrong["error"]["details"]["error_code"]) == (400, "thread_already_continued")
        more["thread"]["previous_message_id"] = "msg_nobody"
        status, wrong, _ = ask(double, more, **BETA)
        assert (status, wrong["error"]["type"]) == (404, "not_found_error")
        assert wrong["error"]["details"]["error_code"] == "thread_not_found"


async def test_rule_25_a_thread_that_is_being_continued() -> None:
    import asyncio

    slow = {"text": "Slow.", "wire": {"stall_after": 0, "stall_s": 30}}
    async with Double(turns=[{"text": "One."}, slow], threads=True) as double:
        status, answer, _ = await asyncio.to_thread(ask, double, {**good(), "thread": {"type": "create"}}, **BETA)
        assert status == 200
        more = {**good(), "messages": [{"role": "user", "content": "And?"}]}
        more["thread"] = {"type": "continue", "previous_message_id": answer["id"]}
        reader, writer = await asyncio.open_connection("127.0.0.1", int(double.url.rsplit(":", 1)[1]))
        data = json.dumps(more).encode()
        writer.write(
            f"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n"
            f"anthropic-version: {NEW}\r\n"
            f"anthropic-beta: {BETA['anthropic_beta']}\r\ncontent-length: {len(data)}\r\n\r\n".encode()
            + data
        )
        await reader.readline()  # the head of the answer: the double has begun with it
        status, wrong, _ = await asyncio.to_thread(ask, double, more, **BETA)
        assert (status, wrong["error"]["details"]["error_code"]) == (400, "thread_continue_in_flight")
        writer.close()
        await double.settled()


def test_count_tokens_checks_the_same_rules_and_needs_no_max_tokens(double: Double) -> None:
    body = {key: value for key, value in good().items() if key != "max_tokens"}
    status, answer, _ = ask(double, body, path="/v1/messages/count_tokens")
    assert status == 200 and answer["input_tokens"] > 50
    assert ask(double, good(), path="/v1/messages/count_tokens")[0] == 400
    body["messages"] = []
    assert ask(double, body, path="/v1/messages/count_tokens")[0] == 400


def test_models_are_listed_and_looked_up(double: Double) -> None:
    status, answer, _ = ask(double, b"", path="/v1/models", method="GET")
    assert status == 200 and answer["data"][0]["max_input_tokens"] == 1_000_000
    assert ask(double, b"", path="/v1/models/claude-haiku-4-5", method="GET")[1]["max_tokens"] == 64_000
    assert ask(double, b"", path="/v1/models/nope", method="GET")[0] == 404
    assert ask(double, b"", path="/", method="HEAD")[0] == 200
    assert ask(double, b"", path="/elsewhere", method="GET")[0] == 404


@pytest.mark.parametrize("host", ["example.org", "example.org:80", "127.0.0.1.example.org"])
def test_a_host_that_is_not_this_machine_is_refused(double: Double, host: str) -> None:
    status, answer, _ = ask(double, good(), host=host)
    assert (status, answer["error"]["type"]) == (403, "permission_error")


def test_the_cut_conversation_is_refused_even_by_the_pure_check() -> None:
    body = good()
    body["messages"] = body["messages"][:2]
    with pytest.raises(Exception, match="tool_use"):
        check_body(body, NEW, frozenset())
