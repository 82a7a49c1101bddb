"""What the engine asks about the plan: events applied once, the next task, the hand-off, the worklog."""

from __future__ import annotations

import json

import pytest

from devloop.daemon.documents import Documents
from devloop.daemon.plan_events import event_of
from devloop.daemon.plan_port import PlanPort
from devloop.errors import Refused, StaleEdit, UsageError
from devloop.plan import parse
from devloop.runs.spec import PlanSpec, TaskSpec

AT = "2026-03-04T05:06:07+00:00"


@pytest.fixture
def told():
    return []


@pytest.fixture
def port(project, state, told):
    return PlanPort(Documents(project, lock=state.path / "plan.lock"), state, told.append, told.append)


def event(project, kind, task="1.1", text=""):
    plan = parse((project / ".devloop" / "plan.md").read_bytes())
    found = next(each for each in plan.tasks if each.id == task)
    reference = {"id": found.id, "key": found.key, "title": found.title, "line": found.line}
    return {"event": {"kind": kind, "task": reference, "text": text, "at": AT}}


@pytest.mark.parametrize(
    ("kind", "marker"),
    [
        ("started", "[~]"),
        ("completed", "[x]"),
        ("partial", "[~]"),
        ("blocked", "[!]"),
        ("skipped", "[-]"),
        ("discarded", "[ ]"),
        ("reset", "[ ]"),
    ],
)
async def test_each_event_sets_its_marker_and_repeating_it_changes_nothing(project, port, told, kind, marker):
    await port.apply(event(project, "started"))
    wanted = event(project, kind, text="because")
    answer = await port.apply(wanted)
    text = (project / ".devloop" / "plan.md").read_text()
    assert f"- {marker} Task 1.1: First thing" in text
    assert answer == {"path": ".devloop/plan.md", "text": text, "changed": kind != "started"}
    again = await port.apply(wanted)
    assert again == {**answer, "changed": False}
    assert (project / ".devloop" / "plan.md").read_text() == text
    assert len(told) == 1 + (kind != "started")


async def test_other_lines_stay_as_they_are(project, port):
    before = (project / ".devloop" / "plan.md").read_text().splitlines()
    await port.apply(event(project, "started"))
    after = (project / ".devloop" / "plan.md").read_text().splitlines()
    kept = [line for line in before if line and "Task 1.1" not in line]
    assert kept == [line for line in after if line and "Task 1.1" not in line]


async def test_a_task_that_is_gone_is_stale(project, port):
    wanted = event(project, "completed")
    path = project / ".devloop" / "plan.md"
    path.write_text(path.read_text().replace("Task 1.1: First thing", "Task 8.1: Other"))
    with pytest.raises(StaleEdit):
        await port.apply(wanted)


@pytest.mark.parametrize("wrong", [{}, {"event": 5}, {"event": {"kind": "exploded", "task": {"id": "1.1"}}}])
async def test_what_is_no_event_is_refused(port, wrong):
    with pytest.raises(UsageError):
        await port.apply(wrong)


def test_times_in_the_plan_are_local():
    found = event_of({"kind": "started", "task": {"id": "1.1"}, "at": AT})
    assert found.now.isoformat() == found.now.astimezone().isoformat()
    assert found.now.timestamp() == 1772600767


async def test_next_leaves_out_what_is_held_and_fits_the_engine(project, port):
    path = project / ".devloop" / "plan.md"
    path.write_text(
        path.read_text().replace("Second thing", "Second thing [agent:engineer]\n  - **Files**: `a.py` (new), `b.py`")
    )
    following = await port.next({"held": ["1.1"]})
    assert following["state"] == "found"
    task = TaskSpec.model_validate(following["task"])
    assert (task.id, task.files, task.agent) == ("1.2", ("a.py", "b.py"), "engineer")
    assert PlanSpec.model_validate(following["plan"]).path == ".devloop/plan.md"


async def test_a_commit_is_noted_in_the_worklog_once(project, port):
    wanted = event(project, "committed", text="abc1234")
    await port.apply(wanted)
    await port.apply(wanted)
    worklog = (project / ".devloop" / "worklog.md").read_text()
    assert worklog.count("| abc1234 |") == 1 and "| First thing | 1.1 |" in worklog


async def test_a_plan_elsewhere_gets_no_worklog_unless_there_is_one(project, port):
    (project / ".devloop" / "plan.md").rename(project / "PLAN.md")
    wanted = {
        "event": {"kind": "committed", "task": {"id": "1.1", "title": "First thing"}, "text": "abc1234", "at": AT}
    }
    await port.apply(wanted)
    assert not (project / ".devloop" / "worklog.md").exists()
    (project / ".devloop" / "worklog.md").write_text("# Devloop Worklog\n")
    await port.apply(wanted)
    assert "abc1234" in (project / ".devloop" / "worklog.md").read_text()


async def test_a_worklog_that_leads_outside_is_left_alone_and_the_plan_still_changes(project, port, short_tmp):
    target = short_tmp / "outside.md"
    target.write_text("theirs")
    (project / ".devloop" / "worklog.md").symlink_to(target)
    assert (await port.apply(event(project, "committed", text="abc1234")))["changed"]
    assert target.read_text() == "theirs"


async def test_a_hand_off_is_written_and_the_one_before_is_kept(project, port, state):
    path = project / ".devloop" / "next-action.json"
    assert await port.hand_off({"version": "2", "handoff": "one ü"}) == {"path": ".devloop/next-action.json"}
    first = json.loads(path.read_text("utf-8"))
    assert first["handoff"] == "one ü" and len(first["planHash"]) == 64
    await port.hand_off({"version": "2", "handoff": "two"})
    assert json.loads(path.read_text())["handoff"] == "two"
    kept = [json.loads(file.read_text()) for file in (state.path / "hand-offs").iterdir()]
    assert kept == [first]


async def test_a_hand_off_never_leaves_the_repository(project, port, short_tmp):
    (project / ".devloop" / "next-action.json").symlink_to(short_tmp / "outside.json")
    with pytest.raises(Refused, match="outside"):
        await port.hand_off({"version": "2"})
    assert not (short_tmp / "outside.json").exists()
