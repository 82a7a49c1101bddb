"""Changes of the plan's file are told once each, and never half."""

from __future__ import annotations

import asyncio

import pytest

from devloop.daemon.documents import Documents
from devloop.daemon.watch import PlanWatch


@pytest.fixture
async def seen(project):
    """What the watch told: the texts, in order. It is up when the fixture is."""
    told = []
    watch = PlanWatch(Documents(project), lambda found: told.append(found.text), absent_s=0.05)
    task = asyncio.create_task(watch.run())
    plan = project / ".devloop" / "plan.md"
    begin = plan.read_text()
    async with asyncio.timeout(10):
        while not told:  # the watch is up when it tells of a change
            plan.write_text(plan.read_text() + "\n")
            await asyncio.sleep(0.05)
        plan.write_text(begin)
        while told[-1] != begin:
            await asyncio.sleep(0.01)
    told.clear()
    yield told
    task.cancel()
    await asyncio.wait({task})


async def test_a_write_is_told_with_its_text(project, seen, until):
    plan = project / ".devloop" / "plan.md"
    plan.write_text("# Plan: Other but long enough to be believed at once" + " x" * 200)
    await until(lambda: seen)
    assert seen == [plan.read_text()]


async def test_an_atomic_save_is_told(project, seen, until):
    plan = project / ".devloop" / "plan.md"
    temporary = plan.with_name("plan.tmp")
    temporary.write_text(plan.read_text().replace("First", "Very first"))
    temporary.replace(plan)
    await until(lambda: seen)
    assert "Very first" in seen[0]


async def test_a_plan_that_is_emptied_before_it_is_written_is_never_told_empty(project, seen, until):
    plan = project / ".devloop" / "plan.md"
    new = plan.read_text().replace("First", "Very first")
    with plan.open("w") as stream:  # truncated from here on
        await asyncio.sleep(0.2)
        stream.write(new)
    await until(lambda: seen)
    assert seen == [new]


async def test_a_plan_that_stays_empty_is_believed_in_the_end(project, seen, until):
    (project / ".devloop" / "plan.md").write_text("")
    await until(lambda: seen)
    assert seen == [""]


async def test_the_same_bytes_again_are_no_news(project, seen, until):
    plan = project / ".devloop" / "plan.md"
    plan.write_bytes(plan.read_bytes())
    plan.touch()
    (project / ".devloop" / "notes.md").write_text("not a plan")
    plan.write_text(plan.read_text() + "changed\n")
    await until(lambda: seen)
    assert len(seen) == 1


async def test_a_folder_that_goes_and_comes_back_is_watched_again(project, seen, until):
    folder = project / ".devloop"
    folder.rename(project / "away")
    await asyncio.sleep(0.2)
    (project / "away").rename(folder)
    plan = folder / "plan.md"

    async def noticed():
        plan.write_text(plan.read_text() + "more\n")
        await asyncio.sleep(0.05)
        return seen

    await until(noticed)


async def test_every_client_hears_of_a_change_made_outside(dial, project, until):
    heard = []

    async def hear(event):
        heard.append(event)

    peer = await dial(handlers={"devloop/event": hear})
    await peer.request("devloop/subscribe", {"after": None})
    plan = project / ".devloop" / "plan.md"

    async def noticed():
        plan.write_text(plan.read_text().replace("[ ] Task 1.1", "[x] Task 1.1") + "\n")
        await asyncio.sleep(0.05)
        return [event for event in heard if event["kind"] == "plan.changed"]

    event = (await until(noticed))[-1]
    assert event["data"]["path"] == ".devloop/plan.md"
    assert event["data"]["stats"]["done"] == 2
    await peer.close()
