"""The engine with a real SDK, over a real socket, against the strict double: waits, failures, odd answers."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from devloop.models.conversation import NOTE_CUT
from double import Double, Entry
from support.engines import Engine, call, command, eventually, finish, first_text, turn, work, write

pytestmark = pytest.mark.asyncio(loop_scope="module")


@contextlib.asynccontextmanager
async def serving(held: Engine, tasks: dict[str, Any]) -> AsyncIterator[Double]:
    """The double answers the engine's requests for a while; afterwards none of them broke a rule of the API."""
    scripts = {task: script if isinstance(script, dict) else {"turns": script} for task, script in tasks.items()}
    async with Double(scenario={"tasks": scripts}) as double:
        await held.environment(DEVLOOP_SCENARIO="", ANTHROPIC_API_KEY=double.key, ANTHROPIC_BASE_URL=double.url)
        yield double
        broken = [(entry.number, entry.rule, entry.error) for entry in double.journal if entry.rule]
        assert broken == []


async def discard(held: Engine, run: str) -> None:
    await held.decide(run, "discard")
    await held.ended(run)


def said(entry: Entry) -> str:
    """The newest user message of a request."""
    assert entry.body is not None
    return json.dumps(entry.body["messages"][-1])


async def test_a_whole_task_and_what_goes_over_the_wire(one: Engine) -> None:
    turns = [turn(command("env; cat notes.txt")), *work("a.txt")]
    async with serving(one, {"a": turns}) as double:
        run = await one.run("a", "Write a file", task_fields={"acceptance": ["it is there"], "files": ["a.txt"]})
        await one.checkpoint(run)
        await one.decide(run, "commit")
        assert (await one.ended(run))["outcome"] == "landed"
        requests = double.messages
        found = await one.ask("show", run=run)
    assert len(requests) == 3 and {entry.outcome for entry in requests} == {"answered"}
    assert len({entry.prefix_hash for entry in requests}) == 1
    bodies = [entry.body or {} for entry in requests]
    prefixes = {json.dumps([body["system"], body["tools"]], ensure_ascii=False) for body in bodies}
    assert len(prefixes) == 1, "system prompt and tools are byte-identical in all requests of a conversation"
    assert len(next(iter(prefixes)).encode()) <= 4.5 * 1024
    for before, after in itertools.pairwise(bodies):
        assert after["messages"][: len(before["messages"])] == before["messages"], "what was sent is never rewritten"
    assert "Acceptance: it is there\nFiles: a.txt\nChecks that devloop will run: check: /bin/sh check.sh" in first_text(
        bodies[0]["messages"]
    )
    assert "start" in said(requests[1]) and double.key not in json.dumps(bodies)
    assert (found["run"]["scripted"], found["turns"][0]["scripted"]) == (False, False)
    assert [row["request_id"] for row in found["turns"]] == [entry.request_id for entry in requests]
    files = [path for path in one.state.path.rglob("*") if path.is_file()]
    assert len(files) > 10 and not any(double.key.encode() in path.read_bytes() for path in files)


async def test_retry_after_is_honoured_and_seen_and_the_run_goes_on(one: Engine) -> None:
    failing = turn(write("b.txt"), fail={"kind": "rate_limited", "retry_after_s": 2.2, "times": 1})
    async with serving(one, {"b": [failing, turn(finish())]}) as double:
        run = await one.run("b")
        waiting = await one.until("model.waiting", run)
        begun = time.monotonic()
        row = (await one.ask("status"))["runs"][0]
        assert (
            row["waiting_for"].startswith("the model, again at ")
            and "rate limit is reached (429)" in row["waiting_for"]
        )
        assert 2.1 < waiting["data"]["until"] - waiting["at"] < 2.5
        await one.checkpoint(run)
        assert time.monotonic() - begun > 2.0
        assert [entry.status for entry in double.messages] == [429, 200, 200]
        assert (await one.row(run))["waiting_for"] == "a decision"
        assert len((await one.ask("show", run=run))["turns"]) == 2
        await discard(one, run)


async def test_a_wait_of_more_than_a_quarter_of_an_hour_is_the_persons_to_decide(one: Engine) -> None:
    failing = turn(write("c.txt"), fail={"kind": "rate_limited", "retry_after_s": 3600})
    async with serving(one, {"c": [failing, turn(finish())]}) as double:
        run = await one.run("c")
        shown = await one.checkpoint(run)
        assert (shown["kind"], shown["decisions"]) == ("problem", ["revise", "stop", "discard"])
        assert "It asks to wait 60 minutes." in shown["problem"]
        assert one.told("model.waiting", run) == [] and len(double.messages) == 1
        await one.decide(run, "revise", "Go on; the limit is higher now.")
        await one.checkpoint(run, 2)
        assert "the limit is higher now" in said(double.messages[1]), "a person's words are not lost with the turn"
        assert first_text((double.messages[1].body or {})["messages"]).startswith("Task: c")
        await discard(one, run)


async def test_a_refused_key_waits_for_a_person_and_the_run_then_goes_on(one: Engine) -> None:
    failing = turn(write("d2.txt"), fail={"kind": "auth"})
    async with serving(one, {"d": [turn(write("d.txt")), failing, turn(finish())]}) as double:
        run = await one.run("d")
        shown = await one.checkpoint(run)
        assert shown["kind"] == "problem" and "did not accept the key (401)" in shown["problem"]
        await one.decide(run, "revise", "The key is a new one.")
        second = await one.checkpoint(run, 2)
        assert second["diff"]["files"] == 2 and [entry.status for entry in double.messages] == [200, 401, 200, 200]
        assert "The key is a new one." in said(double.messages[2])
        await discard(one, run)


async def test_a_stream_that_breaks_is_repeated_as_a_whole(one: Engine) -> None:
    """Neither the text nor the call that had arrived is used."""
    cut = turn(write("e.txt"), text="I write the file now.", wire={"cut_after": 900})
    async with serving(one, {"e": [cut, turn(finish())]}) as double:
        run = await one.run("e")
        await one.until("model.waiting", run)
        assert not (one.state.worktrees / run / "e.txt").exists()
        await one.checkpoint(run)
        assert [entry.outcome for entry in double.messages] == ["cut", "answered", "answered"]
        first, second = (entry.body for entry in double.messages[:2])
        assert first == second
        assert len((await one.ask("show", run=run))["turns"]) == 2
        await discard(one, run)


async def test_a_refusal_ends_the_run_as_refused(one: Engine) -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    refusing = {"text": "", "stop_reason": "refusal", "stop_details": details}
    async with serving(one, {"f": [turn(write("f.txt")), refusing]}) as double:
        run = await one.run("f")
        ended = await one.ended(run)
        assert ended["outcome"] == "refused" and "Not this." in ended["reason"]
        assert one.marks("f") == ["started", "reset"] and len(double.messages) == 2


async def test_a_call_of_a_cut_answer_never_runs(one: Engine) -> None:
    cut = turn(write("half.txt"), command("touch ran"), text="Now I", stop_reason="max_tokens")
    async with serving(one, {"g": [cut, *work("g.txt")]}) as double:
        run = await one.run("g")
        shown = await one.checkpoint(run)
        assert [entry["path"] for entry in shown["diff"]["list"]] == ["g.txt"]
        assert len(one.told("tool.started", run)) == 2
        body = double.messages[1].body or {}
        assert [block["type"] for block in body["messages"][1]["content"]] == ["text"]
        assert NOTE_CUT in said(double.messages[1])
        await discard(one, run)


async def test_a_paused_turn_is_sent_again_as_it_is(one: Engine) -> None:
    async with serving(one, {"h": [turn(text="Let me think.", stop_reason="pause_turn"), *work("h.txt")]}) as double:
        run = await one.run("h")
        await one.checkpoint(run)
        body = double.messages[1].body or {}
        assert body["messages"][-1]["role"] == "assistant", "the server goes on where it paused"
        await discard(one, run)


async def test_input_that_is_no_json_is_answered_and_not_run(one: Engine) -> None:
    broken = {"name": "run_command", "raw_input": '{"command": "touch ran'}
    async with serving(one, {"i": [turn(broken, write("i.txt")), turn(finish())]}) as double:
        run = await one.run("i")
        shown = await one.checkpoint(run)
        assert [entry["path"] for entry in shown["diff"]["list"]] == ["i.txt"]
        results = (double.messages[1].body or {})["messages"][-1]["content"]
        assert [bool(block.get("is_error")) for block in results] == [True, False]
        await discard(one, run)


async def test_cancelling_closes_the_connection_and_nothing_more_is_asked(one: Engine) -> None:
    async with serving(one, {"j": [turn(write("j.txt")), turn(text="…", delay_s=60)]}) as double:
        run = await one.run("j")
        await double.reached(2)
        await one.ask("cancel", run=run)
        assert (await one.ended(run))["outcome"] == "cancelled"
        await eventually(lambda: double.messages[-1].outcome == "gone", "the request is closed", timeout=2)
        assert len(double.messages) == 2


async def test_a_full_context_goes_on_in_a_fresh_conversation(one: Engine) -> None:
    """The summary is asked for within the old conversation, and paid and counted like every turn."""
    full = {"input": 900_000, "output": 100, "cache_read": 0, "cache_write_5m": 0}
    script = {
        "turns": [turn(write("k.txt"), usage=full), turn(text="Half of it is done; the rest is k2.txt.")],
        "conversations": {"2": {"turns": work("k2.txt")}},
    }
    async with serving(one, {"k": script}) as double:
        run = await one.run("k", "Two files")
        shown = await one.checkpoint(run)
        assert {entry["path"] for entry in shown["diff"]["list"]} == {"k.txt", "k2.txt"}
        assert any("a fresh one goes on with a hand-off summary" in text for text in shown["notices"])
        first, summary, fresh, last = (entry.body or {} for entry in double.messages)
        assert "hand-off summary" in json.dumps(summary["messages"][-1])
        assert (summary["system"], summary["tools"]) == (first["system"], first["tools"])
        assert len(fresh["messages"]) == 1 and len(last["messages"]) == 3
        opening = first_text(fresh["messages"])
        assert opening.startswith("Task: k Two files\nAttempt: 1\n") and "Conversation: 2" in opening
        assert "Half of it is done; the rest is k2.txt." in opening
        assert len((await one.ask("show", run=run))["turns"]) == 4 == shown["turns"]
        await discard(one, run)


async def test_a_prompt_that_is_too_long_goes_on_afresh_but_not_for_ever(one: Engine) -> None:
    long = {"kind": "context_window", "message": "prompt is too long: 1000001 tokens > 1000000 maximum", "times": 0}
    script = {
        "turns": [turn(write("l.txt")), turn(fail=long), turn(fail=long)],
        "conversations": {"2": {"turns": [turn(fail=long)]}},
    }
    async with serving(one, {"l": script}) as double:
        run = await one.run("l")
        ended = await one.ended(run)
        assert ended["outcome"] == "failed" and "no longer fits" in ended["reason"]
        opening = first_text((double.messages[-1].body or {})["messages"])
        assert "- l.txt (+1 −0)" in opening, "without a summary the changes speak"
        assert len(double.messages) <= 4


async def test_a_carried_conversation_reads_its_beginning_from_the_cache(one: Engine) -> None:
    """Same agent and mode: the next task is asked for at the end of the conversation that is there."""
    async with serving(
        one, {"m1": work("m1.txt"), "m2": [turn(call("list_files", path=".")), *work("m2.txt")]}
    ) as double:
        one.following = [{"id": "m2", "title": "The second"}]
        run = await one.run("m1", limit=2)
        await one.checkpoint(run)
        await one.decide(run, "continue")
        await one.checkpoint("run-m2-1")
        bodies = [entry.body or {} for entry in double.messages]
        assert len({entry.prefix_hash for entry in double.messages}) == 1
        for before, after in itertools.pairwise(bodies):
            assert after["messages"][: len(before["messages"])] == before["messages"]
        assert "Task: m2 The second" in said(double.messages[2])
        assert [entry.task for entry in double.messages] == ["m1", "m1", "m2", "m2", "m2"]
        await discard(one, "run-m2-1")


async def test_a_fault_of_the_request_ends_the_run_with_the_servers_words(one: Engine) -> None:
    bad = {"kind": "invalid_request", "message": "tools.0.name: too long"}
    async with serving(one, {"n": [turn(fail=bad)]}):
        run = await one.run("n")
        ended = await one.ended(run)
        assert ended["outcome"] == "failed" and "tools.0.name: too long" in ended["reason"]
