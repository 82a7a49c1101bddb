"""Stall, transcript, prompt and the record of a turn by themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.agents import load_agents
from devloop.models.conversation import STOP_REASONS
from devloop.models.scenario import place_of
from devloop.redact import Redactor
from devloop.runs import prompt
from devloop.runs.spec import LoopSpec, PlanSpec, RunSpec, TaskSpec
from devloop.runs.stall import fingerprint, stalled
from devloop.runs.transcript import Segment, Transcript
from double.conversation_rules import check_messages


def spec(**task: Any) -> RunSpec:
    return RunSpec(
        id="run-1",
        attempt=2,
        task=TaskSpec(**{"id": "1.1", "title": "Write it", **task}),
        plan=PlanSpec(),
        loop=LoopSpec(id="loop-1"),
        agent="engineer",
        mode="default",
        model="m",
    )


# stall


def made(kind: str, mark: str, *, is_error: bool = False) -> dict[str, Any]:
    return {"name": kind, "kind": kind, "fingerprint": mark, "is_error": is_error, "summary": f"{kind} {mark}"}


def test_three_times_the_same_call_with_the_same_result_is_a_stall() -> None:
    assert stalled([made("command", "a")] * 2) is None
    assert stalled([made("command", "a")] * 3) == "command a"
    assert stalled([made("read", "a"), made("read", "b")] * 3) == "read a"


def test_a_new_write_that_succeeded_is_progress_and_a_repeated_or_failed_one_is_not() -> None:
    look = made("command", "a")
    assert stalled([look, look, made("write", "w"), look, look]) is None
    assert stalled([look, look, made("write", "w", is_error=True), look]) == "command a"
    assert stalled([made("write", "w"), look, look, made("write", "w"), look]) == "command a"
    assert stalled([made("write", "w")] * 3) == "write w"


def test_a_fingerprint_knows_name_input_and_result_and_not_the_order_of_keys() -> None:
    one = fingerprint("read", {"a": 1, "b": 2}, "text")
    assert one == fingerprint("read", {"b": 2, "a": 1}, "text")
    others = {fingerprint("read", {"a": 1}, "text"), fingerprint("read", {"a": 1, "b": 2}, "other")}
    assert len({one, fingerprint("look", {"a": 1, "b": 2}, "text"), *others}) == 4
    assert fingerprint("read", {"a": "\ud800"}, "\udfff")


# prompt


def test_the_first_message_says_the_task_and_only_what_there_is() -> None:
    assert prompt.task_message(spec(), []) == "Task: 1.1 Write it\nAttempt: 2"
    assert prompt.task_message(spec(verify="`make check`"), []).endswith("Attempt: 2\nVerify: `make check`")
    full = spec(phase="All", acceptance=("one", "two"), files=("a.py",), notes="careful")
    assert prompt.task_message(full, ["tests: pytest"]).splitlines()[2:] == [
        "Phase: All",
        "Acceptance:",
        "- one",
        "- two",
        "Files: a.py",
        "Notes: careful",
        "Checks that devloop will run: tests: pytest",
    ]


def test_nothing_that_varies_is_in_a_system_prompt() -> None:
    for agent in load_agents().values():
        assert "{" not in agent.prompt and len(agent.prompt.encode()) < 2_500


# transcript


@pytest.fixture
def transcript(tmp_path: Path) -> Transcript:
    return begun(tmp_path / "run-1")


def begun(folder: Path, **segment: Any) -> Transcript:
    made = Transcript(folder, Redactor({"key": "sekret-value-1"}))
    made.begin_segment(Segment(**{"number": 0, "first_turn": 1, "opening": "Task: 1.1 Write it", **segment}))
    return made


def play(transcript: Transcript, turn: int, *calls: str, pending: tuple[str, ...] = (), stop: str = "tool_use") -> None:
    content = [{"type": "tool_use", "id": call, "name": "read_file", "input": {}} for call in (*calls, *pending)]
    results = [{"type": "tool_result", "tool_use_id": call, "content": "text"} for call in calls]
    transcript.set_response(turn, {"content": content, "stop_reason": stop})
    transcript.set_reply(
        turn, {"reaction": "run_tools", "results": results, "pending": list(pending), "snapshot": None}
    )


def texts(messages: list[dict[str, Any]]) -> list[str]:
    blocks = [block for message in messages if message["role"] == "user" for block in message["content"]]
    return [str(block.get("text", block.get("content"))) for block in blocks]


def test_words_answer_the_call_that_waits_and_none_is_lost_or_said_twice(transcript: Transcript) -> None:
    play(transcript, 1, "c1", pending=("c2",))
    transcript.answer(1, "The gate failed.")
    transcript.answer(1, "Try again, sekret-value-1.")
    transcript.answer(1, "The gate failed.")
    messages = transcript.messages(2)
    (said,) = [b["content"] for b in messages[-1]["content"] if b["tool_use_id"] == "c2"]
    assert said.startswith("The gate failed.\n\nTry again, ") and said.count("The gate failed.") == 1
    assert "sekret-value-1" not in json.dumps(messages)


def test_words_before_the_first_turn_follow_the_opening(transcript: Transcript) -> None:
    transcript.answer(0, "The key is a new one.")
    assert texts(transcript.messages(1)) == ["Task: 1.1 Write it", "The key is a new one."]
    play(transcript, 1, "c1")
    assert texts(transcript.messages(2))[:2] == ["Task: 1.1 Write it", "The key is a new one."]


def test_a_turn_that_was_not_finished_is_not_part_of_the_conversation(transcript: Transcript) -> None:
    play(transcript, 1, "c1")
    transcript.begin_turn(2)
    transcript.set_response(2, {"content": [{"type": "text", "text": "half"}], "stop_reason": "end_turn"})
    assert (transcript.last_turn(), transcript.begun(2), transcript.begun(3)) == (1, True, False)
    assert "half" not in json.dumps(transcript.messages(3))


def test_a_hand_off_begins_with_nothing_but_its_opening(transcript: Transcript) -> None:
    play(transcript, 1, "c1")
    closing = transcript.messages(2, closing="Summarise.")
    assert texts(closing)[-1] == "Summarise." and closing[-1]["role"] == "user"
    transcript.begin_segment(Segment(1, 3, "Task: 1.1 again"))
    assert transcript.is_fresh(3) and texts(transcript.messages(3)) == ["Task: 1.1 again"]
    transcript.answer(2, "A person's words.")
    play(transcript, 3, "c3")
    assert texts(transcript.messages(4)) == ["Task: 1.1 again", "A person's words.", "text"]
    assert not transcript.is_fresh(4)


def test_a_carried_conversation_goes_on_from_the_last_answer(tmp_path: Path) -> None:
    before = begun(tmp_path / "run-1")
    play(before, 1, "c1", pending=("f1",))
    after = begun(tmp_path / "run-2", opening="Task: 1.2 next", carried="run-1")
    assert texts(after.messages(1)) == ["Task: 1.1 Write it", "text", "Task: 1.2 next"]
    assert texts(after.messages(1, closing="Summarise."))[-1] == "Task: 1.2 next\n\nSummarise."
    play(after, 1, "c2")
    assert after.messages(2)[:3] == after.messages(1)
    assert not after.is_fresh(1)


def test_in_a_row_counts_back_from_a_turn(transcript: Transcript) -> None:
    for turn, kind in enumerate(("nudge", "run_tools", "nudge", "nudge"), start=1):
        transcript.set_reply(turn, {"reaction": kind, "results": [], "pending": [], "snapshot": f"s{turn}"})
    assert [transcript.in_a_row("nudge", before) for before in (1, 2, 3, 5)] == [0, 1, 0, 2]
    assert (transcript.snapshot(1), transcript.snapshot(4)) == (None, "s3")


BLOCKS = st.lists(
    st.one_of(
        st.builds(lambda text: {"type": "text", "text": text}, st.sampled_from(["", " ", "words", "\ud800"])),
        st.just({"type": "thinking", "thinking": "hm", "signature": "s"}),
        st.just({"type": "tool_use", "name": "read_file", "input": {}}),
    ),
    max_size=4,
)
TURNS = st.lists(
    st.tuples(
        BLOCKS,
        st.sampled_from([reason for reason in STOP_REASONS if reason != "compaction"]),
        st.sampled_from(["results", "pending", "nothing"]),
        st.lists(st.sampled_from(["", "gate output", "a person's words"]), max_size=2),
    ),
    max_size=6,
)


@given(turns=TURNS, before=TURNS, told=st.booleans(), closing=st.sampled_from(["", "Summarise."]))
@settings(max_examples=60, deadline=None)
def test_whatever_was_stored_the_messages_are_valid(
    tmp_path_factory: pytest.TempPathFactory, turns: Any, before: Any, told: bool, closing: str
) -> None:
    """Any sequence of replies, carried or not: a request that the API accepts, beginning like the one before it."""
    folder = tmp_path_factory.mktemp("transcripts")
    store(begun(folder / "run-0"), before, "a")
    transcript = begun(folder / "run-1", carried="run-0" if before else None, opening="Task: 1.2 next")
    if told:
        transcript.answer(0, "A person's words.")
    store(transcript, turns, "b")
    for upto in range(1, len(turns) + 2):
        messages = transcript.messages(upto, closing)
        assert messages[0]["role"] == "user"
        check_messages(json.loads(json.dumps(messages)), strict=True, compacts=False)
        paused = upto > 1 and turns[upto - 2][1] == "pause_turn"
        assert messages[-1]["role"] == "user" or (paused and not closing)
        said = "\n".join(texts(messages))
        assert "Task: 1.2 next" in said and (not told or "A person's words." in said) and closing in said


def store(transcript: Transcript, turns: Any, name: str) -> None:
    """Calls wait for an answer only where they were run: after `tool_use` and `end_turn`."""
    for number, (blocks, stop, answered, words) in enumerate(turns, start=1):
        content = [
            {**block, "id": f"{name}-{number}-{place}"} if block["type"] == "tool_use" else block
            for place, block in enumerate(blocks)
        ]
        calls = [block["id"] for block in content if block["type"] == "tool_use"]
        waits = answered == "pending" and stop in ("tool_use", "end_turn")
        results = [{"type": "tool_result", "tool_use_id": call, "content": "text"} for call in calls]
        transcript.set_response(number, {"content": content, "stop_reason": stop})
        transcript.set_reply(
            number,
            {
                "reaction": "run_tools",
                "results": results if answered == "results" else [],
                "pending": calls if waits else [],
                "snapshot": None,
            },
        )
        for word in words:
            transcript.answer(number, word)


# The player's place in a carried conversation


def test_the_newest_task_of_a_conversation_says_where_its_script_stands(tmp_path: Path) -> None:
    before = begun(tmp_path / "run-1", opening="Task: 1.1 Write it\nAttempt: 1")
    play(before, 1, "c1")
    play(before, 2, pending=("f1",))
    opening = prompt.next_task("Task: 1.2 Next\nAttempt: 3\nFiles: a.py")
    after = begun(tmp_path / "run-2", opening=opening, carried="run-1")
    assert place_of(before.messages(3)).key == ("1.1", 1, 1, 2)
    assert place_of(after.messages(1)).key == ("1.2", 3, 1, 0)
    play(after, 1, "c2")
    assert place_of(after.messages(2)).key == ("1.2", 3, 1, 1)


def test_a_task_line_in_what_a_tool_read_begins_no_task(tmp_path: Path) -> None:
    transcript = begun(tmp_path / "run-1")
    play(transcript, 1, "c1")
    (reply,) = transcript.folder.glob("*.reply.json")
    reply.write_text(reply.read_text().replace('"text"', '"Task: 9.9 from a file\\n- more"'))
    assert place_of(transcript.messages(2)).key == ("1.1", 1, 1, 1)


def test_an_answer_that_left_nothing_counts_for_the_task_that_it_was_given_in(tmp_path: Path) -> None:
    before = begun(tmp_path / "run-1", opening="Task: 1.1 Write it\nAttempt: 1")
    store(before, [([], "end_turn", "nothing", []), ([], "refusal", "nothing", [])], "a")
    after = begun(tmp_path / "run-2", opening="Task: 1.2 Next\nAttempt: 1", carried="run-1")
    assert place_of(before.messages(3)).index == 2
    assert place_of(after.messages(1)).key == ("1.2", 1, 1, 0)
    store(after, [([], "end_turn", "nothing", [])], "b")
    assert place_of(after.messages(2)).key == ("1.2", 1, 1, 1)
