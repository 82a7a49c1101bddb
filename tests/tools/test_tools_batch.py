"""The calls of a turn: validated, in order, answered one by one."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from anthropic.types import ToolParam
from pydantic import TypeAdapter

from devloop.tools import Ask, Finish, ToolCall, definitions, run_batch
from devloop.tools import batch as batch_module

NAMES = ["read_file", "list_files", "search", "load_skill", "write_file", "edit_file", "run_command", "ask", "finish"]


def calls(*pairs):
    return [ToolCall(f"call_{number}", name, values) for number, (name, values) in enumerate(pairs)]


def test_the_definitions_are_small_and_always_the_same():
    text = json.dumps(definitions())
    assert len(text.encode()) <= 2867  # 2.8 KB
    assert text == json.dumps(definitions(reversed(NAMES)))
    assert [tool["name"] for tool in definitions()] == NAMES
    assert [tool["name"] for tool in definitions(["finish", "read_file", "unknown"])] == ["read_file", "finish"]
    definitions()[0]["name"] = "changed"
    assert definitions()[0]["name"] == "read_file"


def test_the_definitions_are_what_the_messages_api_takes():
    for tool in definitions():
        TypeAdapter(ToolParam).validate_python(tool)
        schema = tool["input_schema"]
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool["name"])
        assert (schema["type"], schema["additionalProperties"]) == ("object", False)
        assert set(schema["required"]) <= set(schema["properties"])
        assert all(re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", key) for key in schema["properties"])
        assert all(
            value["type"] in ("string", "integer", "boolean", "array") for value in schema["properties"].values()
        )


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("read_file", {}, "path: Field required"),
        ("read_file", {"path": 3}, "path: Input should be a valid string"),
        ("read_file", {"path": "a", "offset": 0}, "offset: Input should be greater than or equal to 1"),
        ("read_file", {"path": "a", "wrong": 1}, "wrong: Extra inputs are not permitted"),
        ("read_file", {"path": ""}, "path: String should have at least 1 character"),
        ("edit_file", {"path": "a", "old_string": "", "new_string": "x"}, "old_string"),
        ("run_command", {"command": "x", "timeout": 100_000}, "timeout"),
        ("run_command", "text", "input: Input should be"),
        ("run_command", None, "input: Input should be"),
        ("finish", {"summary": ["x"]}, "summary"),
        ("delete_everything", {}, "There is no tool 'delete_everything'. There are: read_file"),
    ],
)
async def test_bad_input_is_answered_with_what_is_wrong(desk, name, values, message):
    [result] = await run_batch(calls((name, values)), desk.context)
    assert result.is_error
    assert message in result.content
    assert result.call_id == "call_0"


async def test_a_tool_that_the_agent_does_not_have_is_refused(make):
    desk = make(allowed=frozenset({"read_file"}))
    result = await desk.do("write_file", path="a", content="x")
    assert result.content == "There is no tool 'write_file'. There are: read_file."
    assert not (desk.worktree / "a").exists()


async def test_ask_and_finish_are_handed_to_the_caller(desk):
    asked, done = await run_batch(
        calls(("ask", {"question": "Which?", "choices": ["a", "b"]}), ("finish", {"summary": "Did it.", "notes": "n"})),
        desk.context,
    )
    assert (asked.kind, asked.content, asked.control) == ("control", "", Ask("Which?", ("a", "b")))
    assert (done.kind, done.content, done.control) == ("control", "", Finish("Did it.", "n"))


async def test_results_come_in_the_order_of_the_calls_and_reads_see_earlier_writes(desk):
    desk.put("a", "old\n")
    results = await run_batch(
        calls(
            ("read_file", {"path": "a"}),
            ("write_file", {"path": "a", "content": "new\n"}),
            ("read_file", {"path": "a"}),
            ("edit_file", {"path": "a", "old_string": "new", "new_string": "newer"}),
            ("read_file", {"path": "a"}),
        ),
        desk.context,
    )
    assert [result.call_id for result in results] == [f"call_{n}" for n in range(5)]
    assert [results[n].content for n in (0, 2, 4)] == ["1\told", "1\tnew", "1\tnewer"]


async def test_reads_run_side_by_side_and_writes_alone(desk, monkeypatch):
    running, most = 0, {"read": 0, "write": 0}
    original = batch_module._answer

    async def watched(call, context):
        nonlocal running
        running += 1
        kind = batch_module.KINDS[call.name]
        most[kind] = max(most[kind], running)
        await asyncio.sleep(0)
        try:
            return await original(call, context)
        finally:
            running -= 1

    monkeypatch.setattr(batch_module, "_answer", watched)
    reads = [("list_files", {"pattern": "*"})] * 3
    writes = [("write_file", {"path": "a", "content": "x"})] * 2
    await run_batch(calls(*reads, *writes, *reads), desk.context)
    assert most == {"read": 3, "write": 1}


async def test_receivers_are_told_and_may_be_coroutines(desk):
    told = []

    async def started(call):
        told.append(("start", call.id))

    await run_batch(
        calls(("write_file", {"path": "a", "content": "x"}), ("read_file", {"path": "a"})),
        desk.context,
        on_start=started,
        on_result=lambda result: told.append(("result", result.call_id)),
    )
    assert told == [("start", "call_0"), ("result", "call_0"), ("start", "call_1"), ("result", "call_1")]


async def test_a_defect_of_ours_is_a_result_too(desk, monkeypatch, caplog):
    async def broken(call, context):
        raise RuntimeError("defect")

    monkeypatch.setattr(batch_module, "_answer", broken)
    result = await desk.do("read_file", path="a")
    assert (result.is_error, result.content) == (True, "read_file failed inside devloop.")
    assert "defect" in caplog.text


async def test_a_worktree_that_is_gone_is_a_result_too(desk):
    desk.worktree.rmdir()
    assert (await desk.do("read_file", path="a")).is_error


async def test_summaries_are_one_printable_line(desk):
    result = await desk.do("ask", question="a\nb\x1b[31m\u202e" + "c" * 500)
    assert "\n" not in result.summary
    assert "\x1b" not in result.summary
    assert len(result.summary) <= 200
