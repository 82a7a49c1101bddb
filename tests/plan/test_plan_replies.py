"""Words for a run below its task: what counts as one, and what its removal leaves."""

from __future__ import annotations

import pytest

from devloop import plan as plans
from devloop.daemon import wording
from devloop.plan import replies


def replied(text: str, word: str = "revise", task: str = "1.1"):
    plan = plans.parse(text.encode())
    found = plans.reply(plan, plans.find_task(plan, task), word)
    return None if found is None else (found.text, plans.apply_to(plan.document, found.edits).text)


@pytest.mark.parametrize(
    ("text", "said", "left"),
    [
        ("- [ ] Task 1.1: a\n  > revise: more tests\n", "more tests", "- [ ] Task 1.1: a\n"),
        ("- [ ] Task 1.1: a\n> revise: more tests", "more tests", "- [ ] Task 1.1: a\n"),
        ("- [ ] Task 1.1: a\n\n> Revise : x\n\nText\n", "x", "- [ ] Task 1.1: a\n\n\nText\n"),
        ("- [ ] Task 1.1: a\r\n  > **revise:** x\r\n  > y\r\n", "x\ny", "- [ ] Task 1.1: a\r\n"),
        ("- [ ] Task 1.1: a\n  > revise: x\n  > answer: z\n", "x", "- [ ] Task 1.1: a\n  > answer: z\n"),
        ("- [ ] Task 1.1: a\n  > revise: x\n  - note\n  > revise: y\n", "x\n\ny", "- [ ] Task 1.1: a\n  - note\n"),
        ("- [ ] Task 1.1: a\n  > revise:\n  > x\n- [ ] Task 1.2: b\n", "x", "- [ ] Task 1.1: a\n- [ ] Task 1.2: b\n"),
    ],
)
def test_lines_below_the_task_are_its_words_and_are_removed_whole(text, said, left):
    assert replied(text) == (said, left)


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] Task 1.1: a\n",
        "- [ ] Task 1.1: a\n  > revise:\n",
        "- [ ] Task 1.1: a\n  revise: x\n",
        "- [ ] Task 1.1: a\n  ```\n  > revise: x\n  ```\n",
        "- [ ] Task 1.1: a\n- [ ] Task 1.2: b\n  > revise: of another task\n",
        "- [ ] Task 1.1: a\n  - [ ] Task 1.1.1: own\n    > revise: of the subtask\n",
        "- [ ] Task 1.1: a\n\nText\n\n> revise: too far away\n",
        "- [ ] Task 1.1: a\n  > answer: x\n",
    ],
)
def test_anything_else_is_no_word_for_this_task(text):
    assert replied(text) is None


def test_other_words_are_found_by_their_own_name():
    assert replied("- [ ] Task 1.1: a\n  > answer: b\n", "answer") == ("b", "- [ ] Task 1.1: a\n")


def test_only_tasks_of_the_phase_are_chosen():
    text = "# Plan: P\n\n## Phase 1: A\n- [ ] Task 1.1: a\n\n## Phase 2: B\n- [ ] Task 2.1: b\n- [x] Task 2.2: c\n"
    plan = plans.parse(text.encode())
    assert plans.next_task(plan, phase="2")["task"]["id"] == "2.1"
    assert plans.next_task(plan, frozenset({"2.1"}), phase="2")["state"] == "partial"
    assert plans.next_task(plan, phase="3")["state"] == "empty"
    done = plans.parse(text.replace("- [ ] Task 2.1", "- [x] Task 2.1").encode())
    assert plans.next_task(done, phase="2")["state"] == "all_complete"
    assert plans.next_task(done)["task"]["id"] == "1.1"
    assert plans.find_phase(plan, "phase 2").name == plans.find_phase(plan, "b").name == "B"


def test_what_is_read_below_a_task_are_the_decisions_that_need_words() -> None:
    assert set(replies.WORDS) == set(wording.QUESTIONS)
