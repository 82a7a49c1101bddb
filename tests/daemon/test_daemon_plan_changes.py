"""`devloop/mark`, `move`, `depends`, `library`: what is changed, what is refused and how it is said."""

from __future__ import annotations

import pytest

from devloop.daemon.board import Board
from devloop.daemon.documents import Documents
from devloop.daemon.library import library
from devloop.daemon.plan_changes import PlanChanges
from devloop.errors import NotFound, Refused, StaleEdit, UsageError
from devloop.plan import find_task, parse, title_key

PLAN = """# Plan: Demo

## Phase 1: Begin

- [x] Task 1.1: First
- [ ] Task 1.2: Second [depends:1.1]
  - **Acceptance**: it works
- [ ] Task 1.3: Third

## Phase 2: Go on

- [ ] Task 2.1: Last [agent:engineer]
"""
RUN = {"key": title_key("Second"), "title": "Second", "agent": "engineer", "mode": "default"}


class Bench:
    """A plan's file, a board without an engine, and what was told of changes."""

    def __init__(self, root):
        (root / ".devloop").mkdir()
        self.path = root / ".devloop/plan.md"
        self.path.write_text(PLAN)
        self.told = []

        async def nothing(method, params):
            return {"runs": []}

        self.board = Board(nothing)
        self.changes = PlanChanges(Documents(root), self.board, self.told.append)

    @property
    def text(self):
        return self.path.read_text()

    async def run(self, *states):
        await self.board.known(5)
        tell = {"seq": None, "at": 1.0, "run": "run-1"}
        self.board.take({**tell, "kind": "run.queued", "data": {"task": "1.2", **RUN}})
        for kind, data in states:
            self.board.take({**tell, "kind": kind, "data": data})


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


async def test_a_task_is_skipped_with_a_reason_and_opened_again(bench):
    answer = await bench.changes.mark({"task": "1.2", "to": "skip", "reason": "not needed"})
    assert (answer["path"], answer["changed"]) == (".devloop/plan.md", True)
    assert (answer["task"]["id"], answer["task"]["state"], answer["task"]["status"]) == ("1.2", "skipped", "skipped")
    assert "- [-] Task 1.2" in bench.text
    assert "Skipped Task 1.2 - not needed" in bench.text
    answer = await bench.changes.mark({"task": {"id": "1.2", "key": answer["task"]["key"]}, "to": "todo"})
    assert answer["task"]["state"] == "ready"
    assert "- [ ] Task 1.2" in bench.text


async def test_a_task_is_blocked_and_ticked_by_hand(bench):
    answer = await bench.changes.mark({"task": "1.2", "to": "block", "reason": "no key"})
    assert (answer["task"]["state"], answer["task"]["notes"]) == ("blocked", "no key")
    answer = await bench.changes.mark({"task": "1.2", "to": "done", "reason": "I did it"})
    assert answer["task"]["state"] == "done"
    assert "Completed Task 1.2 - by hand: I did it" in bench.text


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"to": "skip"}, UsageError, "Which task?"),
        ({"task": 7, "to": "skip"}, UsageError, "Which task?"),
        ({"task": "9.9", "to": "skip", "reason": "x"}, NotFound, "There is no task '9.9'"),
        ({"task": {"id": "1.2", "key": "0" * 12}, "to": "todo"}, StaleEdit, "no longer what it was"),
        ({"task": "1.2"}, UsageError, "Mark it how?"),
        ({"task": "1.2", "to": "x"}, UsageError, "Mark it how? 'x' is none of them."),
        ({"task": "1.2", "to": ["skip"]}, UsageError, "is none of them."),
        ({"task": "1.2", "to": "skip", "reason": 5}, UsageError, "`reason` must be text."),
        ({"task": "1.2", "to": "skip"}, UsageError, "Say why the task is skipped"),
        ({"task": "1.2", "to": "block", "reason": " \n"}, UsageError, "Say why the task is blocked"),
        ({"task": "1.1", "to": "done"}, UsageError, "is done already"),
        ({"task": "1.2", "to": "todo"}, UsageError, "is open already"),
    ],
)
async def test_marks_that_can_not_be_made_say_why_and_change_nothing(bench, params, error, message):
    with pytest.raises(error) as found:
        await bench.changes.mark(params)
    assert type(found.value) is error
    assert message in found.value.message
    assert bench.text == PLAN


@pytest.mark.parametrize("to", ["todo", "skip", "block", "done"])
async def test_a_task_in_hand_is_not_marked(bench, to):
    await bench.run(("run.state", {"state": "working"}))
    with pytest.raises(Refused, match="its run run-1 is working") as found:
        await bench.changes.mark({"task": "1.2", "to": to, "reason": "x"})
    assert "devloop cancel run-1" in found.value.hint
    await bench.run(("checkpoint.opened", {"number": 1, "kind": "decision"}))
    with pytest.raises(Refused, match="its run run-1 waits for you") as found:
        await bench.changes.mark({"task": "1.2", "to": to, "reason": "x"})
    assert "devloop decide run-1" in found.value.hint
    assert bench.text == PLAN
    await bench.run(("run.ended", {"outcome": "cancelled"}))
    if to != "todo":
        assert (await bench.changes.mark({"task": "1.2", "to": to, "reason": "x"}))["changed"]


async def test_a_task_is_moved_though_its_run_goes_on(bench):
    await bench.run(("run.state", {"state": "working"}))
    answer = await bench.changes.move({"task": "1.2", "after": "2.1"})
    assert answer["changed"]
    assert (answer["task"]["phase"], answer["task"]["state"], answer["task"]["run"]["id"]) == ("2", "working", "run-1")
    assert [task.id for task in parse(bench.text).tasks] == ["1.1", "1.3", "2.1", "1.2"]
    block = "- [ ] Task 1.2: Second [depends:1.1]\n  - **Acceptance**: it works\n"
    assert bench.text == PLAN.replace(block, "") + block


async def test_moving_before_a_task_and_to_the_end_of_a_phase(bench):
    await bench.changes.move({"task": "2.1", "before": {"id": "1.2"}})
    assert [(task.id, task.phase) for task in parse(bench.text).tasks][1] == ("2.1", "1")
    answer = await bench.changes.move({"task": "2.1", "phase": "Go on"})
    assert answer["task"]["phase"] == "2"
    assert bench.text == PLAN
    assert (await bench.changes.move({"task": "2.1", "phase": "2"}))["changed"] is False


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"task": "1.2"}, UsageError, "Move it where?"),
        ({"task": "1.2", "before": "1.3", "phase": "2"}, UsageError, "Move it where?"),
        ({"task": "1.2", "before": "9.9"}, NotFound, "There is no task '9.9'"),
        ({"task": "1.2", "phase": "9"}, NotFound, "There is no phase '9'"),
        ({"task": "1.2", "phase": 2}, UsageError, "Which phase?"),
        ({"task": "1.2", "after": "1.2"}, UsageError, "can't stand beside itself"),
    ],
)
async def test_moves_that_can_not_be_made_say_why_and_change_nothing(bench, params, error, message):
    with pytest.raises(error) as found:
        await bench.changes.move(params)
    assert type(found.value) is error
    assert message in found.value.message
    assert bench.text == PLAN


async def test_what_a_task_waits_for(bench):
    answer = await bench.changes.depends({"task": "2.1", "on": ["1.2", "1.3"]})
    assert (answer["task"]["depends_on"], answer["task"]["state"]) == (["1.2", "1.3"], "waiting")
    assert answer["task"]["blocked_by"] == ["1.2", "1.3"]
    assert bench.text == PLAN.replace("Last [agent:engineer]", "Last [agent:engineer] [depends:1.2, 1.3]")
    assert (await bench.changes.depends({"task": "2.1", "on": ["1.3", "1.2"]}))["changed"] is False
    await bench.changes.depends({"task": "2.1", "on": []})
    assert bench.text == PLAN


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"task": "1.2"}, UsageError, "`on` must be a list"),
        ({"task": "1.2", "on": "1.1"}, UsageError, "`on` must be a list"),
        ({"task": "1.2", "on": [""]}, UsageError, "`on` must be a list"),
        ({"task": "1.2", "on": ["1.1"] * 501}, UsageError, "more than 500"),
        ({"task": "1.2", "on": ["7.7"]}, NotFound, "There is no task '7.7'"),
        ({"task": "1.1", "on": ["1.2"]}, Refused, "Then tasks would wait for each other: 1.1 → 1.2 → 1.1."),
        ({"task": "1.1", "on": ["1.1"]}, Refused, "can't wait for itself"),
    ],
)
async def test_dependencies_that_can_not_be_say_why_and_change_nothing(bench, params, error, message):
    with pytest.raises(error) as found:
        await bench.changes.depends(params)
    assert type(found.value) is error
    assert message in found.value.message
    assert bench.text == PLAN


def test_the_library_names_agents_and_skills_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(tmp_path / "config"))
    root = tmp_path / "project"
    root.mkdir()
    everything = library(root, None, None)
    by_name = {agent["name"]: agent for agent in everything["agents"]}
    assert {"engineer", "qa-engineer", "code-reviewer"} <= set(by_name)
    assert {skill["name"] for skill in everything["skills"]} >= {"plan-management", "testing-strategies"}
    assert everything["problems"] == []
    for each in (*everything["agents"], *everything["skills"]):
        assert each["description"] and each["why"] is None
        assert each["source"] == "shipped"
        with open(each["path"], encoding="utf-8") as file:
            assert each["name"] in file.read()
    for skill in everything["skills"]:
        assert skill["chars"] > 100 and skill["state"] == "active" and skill["when_not"]
        assert skill["triggers"] or skill["name"] == "language-patterns-base"
    plan = parse(PLAN)

    def used(task, kind):
        found = library(root, plan, find_task(plan, task))[kind]
        return {each["name"]: each["why"] for each in found if each["why"]}

    assert set(used("1.2", "agents")) == {"engineer"}
    assert used("2.1", "agents") == {"engineer": "the task names [agent:engineer]"}


def test_the_library_says_which_skills_a_task_would_be_offered_and_which_wait_for_trust(tmp_path, monkeypatch):
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(tmp_path / "config"))
    root = tmp_path / "project"
    own = root / ".devloop" / "skills" / "own-way"
    own.mkdir(parents=True)
    text = "---\nname: own-way\ndescription: Own\x1b[31m way. Use when.\ntriggers: {keywords: [endpoint]}\n---\nText\n"
    (own / "SKILL.md").write_text(text.replace("\x1b", "\u202e"))
    (root / ".devloop" / "skills" / "bad").mkdir()
    (root / ".devloop" / "skills" / "bad" / "SKILL.md").write_text("no front matter")
    (root / "pyproject.toml").touch()
    plan = parse("## Phase 1: A\n\n- [ ] Task 1.1: Add an endpoint\n  - Skills: go-patterns\n  - Files: `db/a.sql`\n")
    found = library(root, plan, find_task(plan, "1.1"))
    assert {each["name"]: each["why"] for each in found["skills"] if each["why"]} == {
        "api-design": "the title says “endpoint”",
        "database-patterns": "db/a.sql matches *.sql",
        "go-patterns": "the task names it",
    }
    (waiting,) = [each for each in found["skills"] if each["name"] == "own-way"]
    assert (waiting["state"], waiting["source"], waiting["why"]) == ("untrusted", ".devloop/skills", None)
    assert "\u202e" not in waiting["description"] and waiting["triggers"] == ["endpoint"]
    (problem,) = found["problems"]
    assert (problem["path"], problem["line"], problem["severity"]) == (".devloop/skills/bad/SKILL.md", 1, "error")
