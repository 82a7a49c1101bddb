"""What a loop is begun with: where it asks, tasks at once, and what has to be in order first."""

from __future__ import annotations

import pytest

from devloop.errors import Refused, UsageError
from devloop.paths import config_root
from support.projects import commit_all, make_repository

pytestmark = pytest.mark.usefixtures("loaded")

PLAN = """# Plan: Groups

## Phase 1: Begin

- [x] Task 1.1: Done

## Phase 2: At once

- [ ] Task 2.1: A [parallel:A]
  - **Files**: a.py
- [ ] Task 2.2: B [parallel:A]
  - **Files**: a.py, b.py
- [ ] Task 2.3: C [parallel:A]
- [ ] Task 2.4: D [parallel:A]

## Progress Log

- 2026-01-02 03:04: Committed Task 1.1 - abc1234
"""


@pytest.fixture
def project(project):
    (project / ".devloop" / "plan.md").write_text(PLAN)
    return project


def settings(text):
    config_root().mkdir(parents=True, exist_ok=True)
    (config_root() / "config.toml").write_text(text)


async def begin(peer, **params):
    return await peer.request("devloop/continue", {"limit": None, "decide": None, **params})


async def test_tasks_of_a_group_are_asked_about_begun_together_or_one_by_one(dial, project):
    peer = await dial()
    asked = await begin(peer, asks=True)
    assert (asked["state"], asked["run"], asked["group"]) == ("ask_parallel", None, "A")
    assert [task["id"] for task in asked["tasks"]] == ["2.1", "2.3", "2.4"], "2.2 shares a file with 2.1"
    assert (await begin(peer, asks=True, limit=2))["tasks"][-1]["id"] == "2.3", "no more than are wanted"
    with pytest.raises(UsageError, match="`parallel` must be true, false or null"):
        await begin(peer, parallel="yes")
    assert (await begin(peer))["task"] == "2.1"
    await peer.close()


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("each", {"when": "each-task"}),
        ("phase", {"when": "phase-end"}),
        ("failure", {"when": "on-failure"}),
        (4, {"when": "every", "every": 4}),
        ("4", {"when": "every", "every": 4}),
        (None, None),
    ],
)
def test_where_a_loop_stops_has_one_word_each(given, rule):
    from devloop.daemon import asking

    assert asking.stop_at({"stop_at": given}) == rule


@pytest.mark.parametrize("given", ["sometimes", 0, -1, True, 1.5, "", [2]])
async def test_what_is_no_place_to_stop_at_is_refused(given):
    from devloop.daemon import asking

    with pytest.raises(UsageError, match="is no place to stop at"):
        asking.stop_at({"stop_at": given})


async def test_what_lags_or_is_not_committed_is_told_or_strictly_refused(dial, project, until):
    make_repository(project)
    commit_all(project)
    (project / "mine.txt").write_text("mine\n")
    (project / ".devloop" / "worklog.md").write_text("# Worklog\n")
    plan = project / ".devloop" / "plan.md"
    plan.write_text(PLAN.replace("Task 2.4: D", "Task 2.4: D [depends:2.4]"))
    settings('[checkpoints]\nenforcement = "strict"\n')
    peer = await dial()
    with pytest.raises(Refused) as caught:
        await begin(peer)
    assert (
        "The plan has " in caught.value.message and "`devloop plan check` lists what to mend." in caught.value.message
    )
    assert "The worklog lacks a commit of the plan's log (abc1234): run `devloop worklog sync`." in caught.value.message
    assert "you have changes that are not committed (mine.txt): commit them." in caught.value.message
    assert 'enforcement = "advisory"' in caught.value.hint
    named = await peer.request("devloop/run", {"task": "2.3", "decide": None})
    assert named["task"] == "2.3" and len(named["warnings"]) == 3, "a task that a person names begins all the same"
    await peer.request("devloop/cancel", {"run": named["run"]})

    async def ended():
        return not (await peer.request("devloop/runs", {"open": True}))["runs"]

    await until(ended)
    settings("")
    found = await begin(peer)
    assert found["state"] == "found" and len(found["warnings"]) == 3
    await peer.close()


async def test_a_phase_is_over_only_when_all_of_it_is(dial, project):
    make_repository(project)
    plan = project / ".devloop" / "plan.md"
    plan.write_text(PLAN.replace("## Phase 2", "- [ ] Task 1.2: Open\n\n## Phase 2"))
    commit_all(project)
    (project / "mine.txt").write_text("mine\n")
    peer = await dial()
    named = await peer.request("devloop/run", {"task": "2.3", "decide": None})
    assert named["warnings"] == []
    await peer.close()
