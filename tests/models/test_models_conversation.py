"""From stored turns to messages: examples of each rule, and the property that the double accepts whatever comes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.models import Turn, build_messages, invalid_input_result, reaction, tool_result
from devloop.models.conversation import (
    MAX_CUTS,
    MAX_RESENDS,
    NOTE_CUT,
    NOTE_CUT_DROPPED,
    NOTE_EMPTY,
    NOTE_GO_ON,
    NOTE_REFUSED,
    STOP_REASONS,
    encodable,
    sendable,
)
from devloop.models.scenario import Place
from double.compaction_rules import place_after
from double.flat import as_blocks, flatten
from double.rules import check_body
from double.signing import sign, sign_summary
from support.turns import often

OPENING = "Task: 1.1 Add a test"
COMPACTS = frozenset({"compact-2026-01-12"})
Block = dict[str, Any]


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def call(number: int = 1, **given: Any) -> Block:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": "read", "input": given}


def thinking(words: str = "Hm.") -> Block:
    return {"type": "thinking", "thinking": words, "signature": "s"}


def summary(words: str = "So far.") -> Block:
    place = Place("1.1", 1, 1, 0)
    return {"type": "compaction", "content": words, "signature": sign_summary(words, place)}


def said(*blocks: Block) -> Block:
    return {"role": "assistant", "content": list(blocks)}


def told(*blocks: Block) -> Block:
    return {"role": "user", "content": list(blocks)}


def test_results_come_first_in_the_order_of_the_calls_then_texts() -> None:
    turn = Turn(
        [thinking(), text("I look."), call(1), call(2)],
        "tool_use",
        [tool_result("toolu_2", "b"), tool_result("toolu_1", "a")],
        ["News."],
    )
    assert build_messages(OPENING, [turn])[1:] == [
        said(thinking(), text("I look."), call(1), call(2)),
        told(tool_result("toolu_1", "a"), tool_result("toolu_2", "b"), text("News.")),
    ]


def test_a_call_without_a_stored_result_is_answered_as_not_run_and_a_foreign_result_is_left_out() -> None:
    built = build_messages(OPENING, [Turn([call(1)], "tool_use", [tool_result("toolu_9", "x")])])
    [result] = built[2]["content"]
    assert result["tool_use_id"] == "toolu_1" and result["is_error"] is True and "not run" in result["content"]


@pytest.mark.parametrize("stop_reason", ["max_tokens", "model_context_window_exceeded"])
def test_a_cut_answer_goes_back_without_its_calls(stop_reason: str) -> None:
    turn = Turn([thinking("a"), text("I look."), thinking("b"), call(1)], stop_reason, [tool_result("toolu_1", "x")])
    assert build_messages(OPENING, [turn])[1:] == [said(thinking("a"), text("I look.")), told(text(NOTE_CUT))]


def test_a_cut_answer_of_nothing_but_a_call_is_dropped_whole() -> None:
    built = build_messages(OPENING, [Turn([thinking(), call(1)], "max_tokens")])
    assert built == [told(text(OPENING), text(NOTE_CUT_DROPPED))]


def test_a_refused_answer_is_dropped() -> None:
    built = build_messages(OPENING, [Turn([text("Half an")], "refusal", texts=["Try another way."])])
    assert built == [told(text(OPENING), text(NOTE_REFUSED), text("Try another way."))]


@pytest.mark.parametrize("content", [[], [text("")], [text(" \n")], [thinking()]])
def test_an_empty_answer_leaves_a_note(content: list[Block]) -> None:
    assert build_messages(OPENING, [Turn(content, "end_turn")]) == [told(text(OPENING), text(NOTE_EMPTY))]


def test_blank_text_blocks_never_go_back() -> None:
    turn = Turn([text("\n\n"), call(1)], "tool_use", [tool_result("toolu_1", "")], ["", "  "])
    built = build_messages(["", OPENING], [turn])
    assert built == [told(text(OPENING)), said(call(1)), told(tool_result("toolu_1", "(no output)"))]


def test_a_paused_answer_goes_back_as_it_is_and_the_next_one_follows_it() -> None:
    paused = Turn([text("I search.")], "pause_turn")
    assert build_messages(OPENING, [paused])[-1] == said(text("I search."))
    built = build_messages(OPENING, [paused, Turn([text("Found.")], "end_turn", texts=["Good."])])
    assert built[1:] == [said(text("I search.")), said(text("Found.")), told(text("Good."))]


def test_a_request_never_ends_with_a_finished_answer() -> None:
    assert build_messages(OPENING, [Turn([text("Done.")], "end_turn")])[-1] == told(text(NOTE_GO_ON))


def test_unknown_blocks_and_keys_go_back_as_they_came() -> None:
    odd = {"type": "crystal_ball", "sees": [1], "extra": None}
    assert build_messages(OPENING, [Turn([odd, {**text("a"), "citations": None}], "end_turn", texts=["b"])])[1] == said(
        odd, {**text("a"), "citations": None}
    )


def test_a_summary_stands_first_in_place_of_what_it_summarises() -> None:
    turns = [Turn([text("a")], "end_turn", texts=["b"]), Turn([summary()], "compaction"), Turn([text("c")], "end_turn")]
    built = build_messages(OPENING, turns)
    assert built == [said(summary()), told(text(NOTE_GO_ON)), said(text("c")), told(text(NOTE_GO_ON))]
    check_body({"model": "claude-opus-4-8", "max_tokens": 9, "messages": built}, "2026-10-21", COMPACTS)


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_summary_that_failed_replaces_nothing_and_never_goes_back(content: str | None) -> None:
    failed = {"type": "compaction", "content": content, "encrypted_content": None}
    assert build_messages(OPENING, [Turn([failed], "compaction")]) == [told(text(OPENING))]
    built = build_messages(OPENING, [Turn([failed, call(1)], "tool_use", [tool_result("toolu_1", "x")])])
    assert built == [told(text(OPENING)), said(call(1)), told(tool_result("toolu_1", "x"))]
    assert build_messages(OPENING, [Turn([failed], "end_turn")]) == [told(text(OPENING), text(NOTE_EMPTY))]


def test_an_answer_that_begins_with_a_summary_is_the_first_of_what_goes_back() -> None:
    before = Turn([call(1)], "tool_use", [tool_result("toolu_1", "old")], ["Old news."])
    answer = Turn([summary(), thinking(), text("I go on."), call(2)], "tool_use", [tool_result("toolu_2", "new")])
    built = build_messages(OPENING, [before, answer])
    assert built == [
        said(summary(), thinking(), text("I go on."), call(2)),
        told(tool_result("toolu_2", "new")),
    ]
    later = build_messages(OPENING, [before, answer, Turn([text("Done.")], "end_turn", texts=["Thanks."])])
    assert later[:2] == built, "what was sent after the summary stays as it was"


def test_only_the_last_summary_of_an_answer_counts() -> None:
    answer = Turn([summary("One."), text("a"), summary("Two."), text("b")], "end_turn", texts=["c"])
    assert build_messages(OPENING, [answer]) == [said(summary("Two."), text("b")), told(text("c"))]


def test_a_summary_goes_back_with_its_keys_but_those_that_are_null() -> None:
    sent = {**summary(), "encrypted_content": None, "tool_changes": []}
    assert build_messages(OPENING, [Turn([sent, text("a")], "end_turn", texts=["b"])])[0] == said(
        {**summary(), "tool_changes": []}, text("a")
    )
    opaque = {**summary(), "encrypted_content": "b64"}
    assert build_messages(OPENING, [Turn([opaque], "compaction")])[0] == said(opaque)


@pytest.mark.parametrize("stop_reason", ["max_tokens", "model_context_window_exceeded"])
def test_the_summary_of_a_cut_answer_is_kept(stop_reason: str) -> None:
    built = build_messages(OPENING, [Turn([summary(), thinking(), call(1)], stop_reason)])
    assert built == [said(summary()), told(text(NOTE_CUT))]


def test_an_answer_of_nothing_but_a_summary_is_no_finished_work() -> None:
    assert reaction("end_turn", [summary()]).kind == "nudge"
    assert reaction("tool_use", [summary(), call(1)]).kind == "run_tools"


def test_an_opening_of_nothing_is_still_a_request() -> None:
    assert build_messages([" "], []) == [told(text(NOTE_GO_ON))]


def test_stored_turns_are_not_changed() -> None:
    turns = [Turn([text("a"), call(1)], "tool_use", [tool_result("toolu_1", "x")], ["b"]), Turn([], "end_turn")]
    before = json.dumps([turn.__dict__ for turn in turns])
    build_messages(OPENING, turns)
    build_messages(OPENING, turns)
    assert json.dumps([turn.__dict__ for turn in turns]) == before


def test_surrogates_are_joined_or_replaced() -> None:
    assert encodable("a\ud83e\udd4ab") == "a🥊b"
    assert encodable("a\ud83e") == "a\ufffd"
    assert tool_result("toolu_1", "\udcff")["content"] == "\ufffd"


def test_an_invalid_input_has_its_error_result() -> None:
    result = invalid_input_result(call(1, INVALID_JSON="{"))
    assert result is not None and result["is_error"] and result["tool_use_id"] == "toolu_1"
    assert invalid_input_result(call(1, INVALID_JSON="{", path="a")) is None
    assert invalid_input_result(call(1)) is None


# Reactions


def test_every_known_stop_reason_has_a_reaction_and_an_unknown_one_is_named() -> None:
    for stop_reason in STOP_REASONS:
        assert reaction(stop_reason, [text("a")]).kind != "unknown" or stop_reason == "tool_use"
    assert "'brand_new'" in reaction("brand_new", [text("a"), call(1)]).reason


@pytest.mark.parametrize("stop_reason", ["max_tokens", "refusal", "model_context_window_exceeded", "new", "compaction"])
def test_no_call_of_a_cut_refused_or_unknown_turn_ever_runs(stop_reason: str) -> None:
    assert reaction(stop_reason, [text("a"), call(1)]).calls == ()


@pytest.mark.parametrize("stop_reason", ["tool_use", "end_turn", "stop_sequence", "pause_turn"])
def test_all_calls_of_a_whole_turn_run(stop_reason: str) -> None:
    assert reaction(stop_reason, [call(1), text("a"), call(2)]) == reaction("tool_use", [call(1), call(2)])


def test_a_tool_stop_without_a_tool_is_not_guessed_at() -> None:
    assert reaction("tool_use", [text("a")]).kind == "unknown"


def test_an_empty_answer_is_nudged_once() -> None:
    assert reaction("end_turn", [thinking()]).kind == "nudge"
    assert reaction("end_turn", [thinking()], nudged=1).kind == "finished"


def test_resending_and_cutting_are_capped() -> None:
    assert reaction("pause_turn", [text("a")], resent=MAX_RESENDS - 1).kind == "resend"
    assert reaction("pause_turn", [text("a")], resent=MAX_RESENDS).kind == "stalled"
    assert reaction("max_tokens", [text("a")], cut=MAX_CUTS - 1).kind == "continue_cut"
    assert reaction("max_tokens", [text("a")], cut=MAX_CUTS).kind == "stalled"


# Properties

words = st.text(max_size=12) | st.sampled_from(["", " ", "\n", "I look.", "\ud800"])
names = st.sampled_from(["toolu_1", "toolu_2", "toolu_3", "srv_1"])
blocks = st.one_of(
    st.builds(text, words),
    st.builds(thinking, words),
    st.builds(lambda i: {"type": "tool_use", "id": i, "name": "read", "input": {"path": "a"}}, names),
    st.just({"type": "redacted_thinking", "data": "c2VjcmV0"}),
)
reasons = st.sampled_from([*STOP_REASONS, "brand_new"]).filter(lambda r: r != "compaction")
results = st.lists(st.builds(tool_result, names, words, is_error=st.booleans()), max_size=3)
drafts = st.tuples(st.lists(blocks, max_size=5), reasons, results, st.lists(words, max_size=2))
summaries = st.none() | st.sampled_from(["", "So far.", "Task: 9.9 is done."])

SYSTEM = [{"type": "text", "text": "Be brief."}]
TOOLS = [{"name": "read", "input_schema": {"type": "object"}}]


def as_request(messages: list[Block]) -> Block:
    """As it arrives: through UTF-8 and JSON."""
    body = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 100,
        "system": SYSTEM,
        "tools": TOOLS,
        "messages": messages,
        "cache_control": {"type": "ephemeral"},
    }
    return dict(json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8")))


@settings(max_examples=often(300))
@given(st.lists(st.tuples(drafts, summaries), max_size=6))
def test_any_history_gives_requests_that_the_double_accepts_and_each_begins_with_the_one_before_or_its_summary(
    history: list[tuple[tuple[list[Block], str, list[Block], list[str]], str | None]],
) -> None:
    """Thinking is signed as the server would sign it, over the request that it answers, or over the summary of it."""
    turns: list[Turn] = []
    paused: set[str] = set()
    before: list[str] = []
    for n in range(len(history) + 1):
        body = as_request(build_messages(OPENING, turns))
        parts = check_body(body, "2026-10-21", COMPACTS, paused=frozenset(paused)).parts
        digests = [part.digest for part in parts]
        assert digests[: len(before)] == before
        assert place_after(body["messages"]).index == n
        before = digests
        if n == len(history):
            break
        (content, stop_reason, given, texts), words = history[n]
        if words is not None:
            place = place_after(body["messages"])
            begin = {**summary(words), "signature": sign_summary(words, place), "encrypted_content": None}
            kept = sendable([begin], "end_turn")
            if kept:
                parts = flatten(as_request([*body["messages"], said(*kept)]))
            if kept and stop_reason != "refusal":
                before = [part.digest for part in parts]
            content = [begin, *content]
        # What a server sends is text in UTF-8, and its ids are new in each turn.
        for block in content:
            for key in ("text", "thinking"):
                block[key] = encodable(block[key]) if key in block else None
                if block[key] is None:
                    del block[key]
            if block["type"] == "thinking":
                block["signature"] = sign(block["thinking"], parts)
            if block["type"] == "tool_use":
                block["id"] = f"{block['id']}_{n}"
        for result in given:
            result["tool_use_id"] = f"{result['tool_use_id']}_{n}"
        turns.append(Turn(content, stop_reason, given, texts))
        if stop_reason == "pause_turn":
            kept = sendable(content, stop_reason)
            if kept:
                echo = {**body, "messages": [*body["messages"], {"role": "assistant", "content": kept}]}
                paused.add(flatten(as_request(echo["messages"]))[-1].digest)


@given(st.lists(drafts, max_size=6))
def test_ids_that_a_server_repeats_still_give_a_valid_request(
    history: list[tuple[list[Block], str, list[Block], list[str]]],
) -> None:
    """Without thinking: a local server neither signs nor numbers its calls well."""
    turns = [
        Turn(
            [b for b in content if b["type"] in ("tool_use",)] or [text("a")],
            reason if reason != "pause_turn" else "x",
            r,
            t,
        )
        for content, reason, r, t in history
    ]
    check_body(as_request(build_messages(OPENING, turns)), "2026-10-21", frozenset())


@given(st.lists(blocks, max_size=6), reasons)
def test_what_goes_back_is_part_of_what_came_in_its_order(content: list[Block], stop_reason: str) -> None:
    kept = sendable(content, stop_reason)
    rest = iter(content)
    assert all(any(block == one for one in rest) for block in kept)
    assert all(as_blocks([block])[0].get("text", "x").strip() for block in kept)


@given(
    st.lists(blocks, max_size=6),
    st.text(max_size=10) | reasons,
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_a_reaction_is_always_found_and_runs_calls_only_of_whole_turns(
    content: list[Block], stop_reason: str, resent: int, nudged: int, cut: int
) -> None:
    done = reaction(stop_reason, content, resent=resent, nudged=nudged, cut=cut)
    assert (done.kind == "run_tools") == bool(done.calls)
    if done.calls:
        assert stop_reason in ("end_turn", "stop_sequence", "tool_use", "pause_turn")
    assert done.kind in ("run_tools", "finished") or done.reason
