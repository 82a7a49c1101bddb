"""Ten situations, the first that holds: as a table, and from the files of a project."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import get_args

import pytest

from devloop import beginning
from devloop.daemon import situating
from devloop.state.situation import Facts, IssueFacts, Kind, PlanFacts, needs_git, situation

ORDER = get_args(Kind)
BUG = IssueFacts("BUG-001", "It crashes", "bug", "critical")
TASK = IssueFacts("TASK-001", "Tidy up", "task", "low")
ACTIVE = PlanFacts(".devloop/plan.md", "Demo", "found", 1, 4, "1.2", "Second")
FACTS = {
    "fresh_start_resume": {"hand_off": "valid", "hand_off_task": "1.2", "plan": ACTIVE},
    "stale_fresh_start": {"hand_off": "stale", "hand_off_days": 9},
    "active_plan": {"plan": ACTIVE},
    "complete_plan": {"plan": PlanFacts("p", "Demo", "all_complete", 4, 4)},
    "blocked_plan": {"plan": PlanFacts("p", "Demo", "all_blocked", 1, 4, blocked_by=("1.2",))},
    "uncommitted_work": {"uncommitted": 3},
    "high_priority_issues": {"issues": (TASK, BUG)},
    "open_issues": {"issues": (TASK,)},
    "recent_spike": {"spike": ".devloop/spikes/a.md", "spike_age_h": 3.0},
    "clean_slate": {},
}


def test_all_ten_are_there_in_the_order_of_the_table():
    assert list(FACTS) == list(ORDER) and len(ORDER) == 10


@pytest.mark.parametrize("kind", ORDER)
def test_each_situation_by_its_facts(kind):
    found = situation(Facts(**FACTS[kind]))
    assert found.kind == kind and found.text.endswith(".") and 2 <= len(found.options) <= 4
    assert found.acts == (kind == "fresh_start_resume"), "it is the only one that acts by itself"
    assert json.dumps(found.to_json())


@pytest.mark.parametrize(("first", "second"), list(combinations(ORDER, 2)))
def test_of_two_the_earlier_one_holds(first, second):
    facts = {**FACTS[second], **FACTS[first]}
    if first == "stale_fresh_start" and "plan" in FACTS[second]:
        facts["plan"] = FACTS[second]["plan"]
    assert situation(Facts(**facts)).kind == first


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"hand_off": "superseded", "plan": ACTIVE}, "fresh_start_resume"),
        ({"hand_off": "valid", "plan": FACTS["complete_plan"]["plan"]}, "complete_plan"),
        ({"hand_off": "invalid", "plan": ACTIVE}, "stale_fresh_start"),
        ({"hand_off": "no_plan"}, "stale_fresh_start"),
        ({"plan": PlanFacts("p", "Demo", "partial", 3, 4)}, "active_plan"),
        ({"plan": PlanFacts("p", "Demo", "empty")}, "clean_slate"),
        ({"spike": "x", "spike_age_h": 25.0}, "clean_slate"),
        ({"spike": "x", "spike_age_h": -1.0}, "clean_slate"),
        ({"uncommitted": 0, "issues": (TASK,)}, "open_issues"),
    ],
)
def test_edges(facts, kind):
    assert situation(Facts(**facts)).kind == kind


def test_a_plan_is_not_called_done_while_its_work_is_not_on_the_persons_branch():
    found = situation(Facts(**FACTS["complete_plan"], unlanded=2))
    assert found.kind == "complete_plan" and "2 accepted commits are not on your branch yet" in found.text
    assert found.options[0].command == "devloop land"
    assert "1 accepted commit is not" in situation(Facts(**FACTS["complete_plan"], unlanded=1)).text


def test_the_sentences_name_what_matters():
    told = {kind: situation(Facts(**facts)).text for kind, facts in FACTS.items()}
    assert "1.2" in told["fresh_start_resume"] and "9 days" in told["stale_fresh_start"]
    assert "1 of 4" in told["active_plan"] and "1.2 Second" in told["active_plan"]
    assert "waits for 1.2" in told["blocked_plan"] and "3 files" in told["uncommitted_work"]
    assert "BUG-001" in told["high_priority_issues"] and ".devloop/spikes/a.md" in told["recent_spike"]


def test_git_is_asked_only_when_it_matters():
    asked = {kind for kind, facts in FACTS.items() if needs_git(Facts(**facts))}
    assert asked == {"high_priority_issues", "open_issues", "recent_spike", "clean_slate"}


# From files

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.fixture
def at(project, put):
    """`await at({path: text})` → the situation of a repository with these files."""
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)

    async def look(files, *, commit=True):
        for path, text in files.items():
            put(path, text)
        if commit:
            subprocess.run(["git", "add", "-A"], cwd=project, check=True)
            who = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
            subprocess.run(["git", *who, "commit", "-qm", "x", "--allow-empty"], cwd=project, check=True)
        return (await situating.look(project, NOW))[0]

    return look


PLAN = "# Plan: Demo\n\n## Phase 1: A\n\n- [x] Task 1.1: a\n- [ ] Task 1.2: b\n"
ISSUE = (
    "---\nid: BUG-001\ntype: bug\ntitle: It crashes\nstatus: open\npriority: high\ncreated: 2026-01-01T00:00:00\n"
    "updated: 2026-01-01T00:00:00\nreporter: user\n---\n\n# BUG-001: It crashes\n"
)


def hand_off(saved, task="1.2"):
    value = {"version": "2", "savedAt": saved, "plan": {"name": "Demo"}, "nextTask": {"id": task, "description": "b"}}
    return json.dumps(value)


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({".devloop/plan.md": PLAN, ".devloop/next-action.json": hand_off("2026-01-09T00:00:00Z")}, ORDER[0]),
        ({".devloop/plan.md": PLAN, ".devloop/next-action.json": hand_off("2025-01-09T00:00:00Z")}, ORDER[1]),
        ({".devloop/plan.md": PLAN, ".devloop/next-action.json": "{"}, ORDER[1]),
        ({".devloop/plan.md": PLAN}, ORDER[2]),
        ({".devloop/plan.md": PLAN.replace("[ ]", "[x]")}, ORDER[3]),
        ({".devloop/plan.md": PLAN.replace("[ ]", "[!]")}, ORDER[4]),
        ({".devloop/issues/BUG-001.md": ISSUE}, ORDER[6]),
        ({".devloop/issues/BUG-001.md": ISSUE.replace("high", "low")}, ORDER[7]),
        ({".devloop/issues/BUG-001.md": ISSUE.replace("open\n", "done\n")}, ORDER[9]),
        ({".devloop/issues/BUG-001.md": "broken"}, ORDER[9]),
        ({}, ORDER[9]),
    ],
)
async def test_from_the_files_of_a_project(at, files, kind):
    assert (await at(files)).kind == kind


async def test_a_plan_that_is_still_the_template_is_to_be_written_first(at):
    found = await at({".devloop/plan.md": beginning.plan_text("blank", "p", NOW.date())})
    assert found.kind == "active_plan" and "Write your first task into .devloop/plan.md" in found.text
    assert not [each for each in found.options if each.command in ("devloop continue", "devloop run 1.1")]


async def test_what_is_not_committed(at):
    found = await at({"a.txt": "a", "b.txt": "b"}, commit=False)
    assert found.kind == "uncommitted_work" and "2 files" in found.text


async def test_a_spike_of_today_and_one_of_last_week(at, project, put):
    path = put(".devloop/spikes/a.md", "# Spike: A\n")
    for age, kind in ((timedelta(hours=2), "recent_spike"), (timedelta(days=7), "clean_slate")):
        when = (NOW - age).timestamp()
        os.utime(path, (when, when))
        assert (await at({})).kind == kind


async def test_outside_of_a_repository(project):
    assert (await situating.look(project, NOW))[0].kind == "clean_slate"
