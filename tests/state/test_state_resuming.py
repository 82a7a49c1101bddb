"""Going on from a hand-off: which task, which words, and what is done with the file."""

from __future__ import annotations

import json

import pytest

from devloop import paths
from devloop import plan as plans
from devloop.daemon import resuming

PLAN = plans.parse(b"- [x] Task 1.1: a\n- [ ] Task 1.2: b\n- [ ] Task 1.3: c [depends:1.2]\n- [ ] Task 1.2: twice\n")
OURS = {"version": "2", "savedAt": "2999-01-01T00:00:00Z", "plan": {"name": "x"}, "handoff": "Mind the \x1b[31mcache."}
OLD = {"timestamp": "2999-01-01T00:00:00Z", "plan": "x", "next_pending": "Task 1.4: d", "summary": "half of it"}
FOUR = plans.parse(b"- [ ] Task 1.3: c\n- [ ] Task 1.4: d\n")


@pytest.fixture
def look(project, put):
    def at(value, plan=PLAN, **more):
        put(".devloop/next-action.json", value if isinstance(value, str) else json.dumps(value))
        return resuming.look(project, plan, **more)

    return at


def test_no_file_is_nothing(project):
    assert resuming.look(project, PLAN) is None


def test_an_old_shape_is_taken_up(look):
    found = look(OLD, FOUR)
    assert found.usable and found.task.id == "1.4" and "half of it" in found.words


@pytest.mark.parametrize("name", ["1.2", "1.3", "7.7", ""])
def test_a_task_that_is_twice_there_waits_or_is_gone_is_not_begun(look, name):
    found = look({**OURS, "nextTask": {"id": name, "description": "x"}})
    assert found.usable and found.task is None and "Mind the cache." in found.words and "\x1b" not in found.words


def test_what_is_done_already_leaves_the_words(look):
    found = look({**OURS, "nextTask": {"id": "1.1", "description": "a"}})
    assert found.state == "superseded" and found.task is None and found.words


@pytest.mark.parametrize(("text", "place"), [("{\n", ":2:"), ('{"savedAt": "x",\n"plan": 2}', ":2:"), ("[]", ":1:")])
def test_a_broken_file_is_told_with_its_line_and_not_used(look, text, place):
    found = look(text)
    assert found.state == "invalid" and not found.usable and found.message and found.task is None
    assert place in found.message or ":1:" in found.message


def test_an_old_file_is_used_only_when_that_is_wanted(look):
    old = {**OURS, "savedAt": "2020-01-01T00:00:00Z", "nextTask": {"id": "1.3", "description": "c"}}
    assert not look(old, FOUR).usable and look(old, FOUR, old_too=True).task.id == "1.3"


def test_the_agent_is_told_beside_the_notes_of_the_task(look):
    task = resuming.with_words({"id": "1.3", "notes": "mine"}, look(OURS))
    assert task["notes"].startswith("mine\n\nHand-off of the session before")
    assert resuming.with_words({"id": "1"}, look({**OURS, "handoff": ""})) == {"id": "1"}


def test_a_used_file_goes_to_the_state_directory(project, look):
    look(OURS)
    state = paths.StateDir.of(project).make()
    before = (project / ".devloop/next-action.json").read_bytes()
    resuming.used(project, state)
    assert not (project / ".devloop/next-action.json").exists()
    assert [each.read_bytes() for each in (state.path / resuming.KEPT).iterdir()] == [before]
    resuming.used(project, state)  # nothing there: logged, not raised


def test_a_link_that_leads_outside_is_not_used(project, tmp_path):
    (tmp_path / "out.json").write_text(json.dumps(OURS))
    (project / ".devloop/next-action.json").symlink_to(tmp_path / "out.json")
    assert resuming.look(project, PLAN).state == "invalid"
    resuming.used(project, paths.StateDir.of(project).make())
    assert (tmp_path / "out.json").exists()
