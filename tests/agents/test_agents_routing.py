"""Routing: a table of tasks as people write them, the order of what decides, and how long it takes."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devloop.agents import Agent, load_agents, read_agent, route
from devloop.runs.spec import TaskSpec

TABLE = Path(__file__).with_name("routing.toml")
RIGHT = 0.95
LONGEST_S = 0.001


def table() -> Iterator[tuple[str, TaskSpec]]:
    for expected, tasks in tomllib.loads(TABLE.read_text("utf-8")).items():
        for found in tasks:
            said = {"title": found} if isinstance(found, str) else found
            yield expected, TaskSpec(id="1.1", **said)


def named(task: TaskSpec, **more: Any) -> str:
    choice = route(load_agents(), task, **more)
    return f"{choice.agent}:{choice.mode}"


def task(title: str, **more: Any) -> TaskSpec:
    return TaskSpec(id="1.1", title=title, **more)


def test_at_least_95_of_100_tasks_go_where_they_should(record_property: Any) -> None:
    cases = list(table())
    assert len(cases) >= 200
    assert len({each.model_dump_json() for _, each in cases}) == len(cases)
    misses = [
        f"{each.title!r}: {found}, not {expected}" for expected, each in cases if (found := named(each)) != expected
    ]
    share = 1 - len(misses) / len(cases)
    told = f"{len(cases) - len(misses)} of {len(cases)} tasks right ({share:.1%}); misses:\n" + "\n".join(misses)
    print(told)
    record_property("routing", told)
    assert share >= RIGHT, told


def test_every_agent_and_mode_has_tasks_in_the_table() -> None:
    modes = {f"{agent.name}:{mode.name}" for agent in load_agents().values() for mode in agent.modes}
    assert modes == {expected for expected, _ in table()}


def test_one_decision_takes_less_than_a_millisecond() -> None:
    cases = [each for _, each in table()]
    known = load_agents()
    route(known, cases[0])
    taken = []
    for each in cases:
        taken.append(min(_timed(known, each) for _ in range(5)))
    assert max(taken) < LONGEST_S, f"slowest: {max(taken) * 1000:.2f} ms"


def _timed(known: dict[str, Agent], each: TaskSpec) -> float:
    begun = time.perf_counter()
    route(known, each)
    return time.perf_counter() - begun


def test_the_tasks_own_word_beats_its_title() -> None:
    choice = route(load_agents(), task("Write the README", agent="qa-engineer", mode="runner"))
    assert (choice.agent, choice.mode, choice.confidence) == ("qa-engineer", "runner", "high")
    assert choice.reason == "the task names [agent:qa-engineer:runner]"


def test_a_tag_without_a_mode_takes_the_mode_from_the_title_but_for_the_engineer() -> None:
    assert named(task("Run the suite", agent="qa-engineer")) == "qa-engineer:runner"
    assert named(task("Explore the suite", agent="engineer")) == "engineer:default"


@pytest.mark.parametrize("mode", ["bug_tracker", "bug-tracker", "Bug_Tracker"])
def test_a_mode_is_found_by_any_spelling(mode: str) -> None:
    assert named(task("x", agent="qa-engineer", mode=mode)) == "qa-engineer:bug_tracker"


def test_the_title_beats_files_and_phase() -> None:
    each = task("Implement the parser", files=("tests/test_x.py",), phase="Phase 2: Documentation")
    assert named(each) == "engineer:default"


def test_files_beat_the_phase() -> None:
    assert named(task("Leap years", files=("tests/test_x.py",), phase="Phase 2: Review")) == "qa-engineer:generator"


def test_files_of_two_kinds_say_nothing() -> None:
    assert named(task("Leap years", files=("tests/test_x.py", "src/x.py"))) == "engineer:default"


def test_a_phase_about_two_things_says_nothing() -> None:
    assert named(task("Leap years", phase="Phase 4: Testing and documentation")) == "engineer:default"


def test_the_title_of_the_phase_may_be_given_beside_the_task() -> None:
    assert named(task("Leap years", phase="3"), phase="Documentation") == "doc-generator:default"


def test_an_unknown_agent_and_an_unknown_mode_are_named_in_the_reason() -> None:
    choice = route(load_agents(), task("x", agent="nobody"))
    assert (choice.agent, choice.reason) == ("engineer", "there is no agent 'nobody'; engineer does it instead")
    choice = route(load_agents(), task("x", agent="qa-engineer", mode="gti"))
    assert (choice.agent, choice.mode, choice.confidence) == ("qa-engineer", "generator", "low")
    assert "no mode 'gti'" in choice.reason


def test_confidence_says_how_sure_it_is() -> None:
    known = load_agents()
    assert route(known, task("Write tests for the parser")).confidence == "high"
    assert route(known, task("Fix the vulnerability in the parser")).confidence == "medium"
    assert route(known, task("Date picker")).confidence == "low"


def agent(name: str, starts: str) -> Agent:
    found, problems = read_agent(f"---\nname: {name}\ndescription: d\nstarts: [{starts}]\n---\nBody\n", f"{name}.md")
    assert found is not None and not problems
    return found


def test_two_agents_that_fit_alike_are_asked_about() -> None:
    known = {**load_agents(), "painter": agent("painter", "review")}
    choice = route(known, task("Review the palette"))
    assert choice.ask and choice.confidence == "low"
    assert {choice.agent, *(name.partition(":")[0] for name in choice.others)} >= {"painter", "code-reviewer"}
    assert "painter" in choice.reason and "code-reviewer" in choice.reason


def test_unattended_a_doubt_takes_the_default_and_says_so() -> None:
    known = {**load_agents(), "painter": agent("painter", "review")}
    choice = route(known, task("Review the palette"), unattended=True)
    assert (choice.agent, choice.mode, choice.ask) == ("engineer", "default", False)
    assert "painter" in choice.reason


def test_two_modes_of_one_agent_are_no_doubt() -> None:
    assert not route(load_agents(), task("Implement and design the parser")).ask


def test_what_is_quoted_or_code_does_not_decide() -> None:
    assert named(task("Rename `review_tests` in src/security/audit.py")) == "engineer:default"
    assert named(task("“Write tests” button")) == "engineer:default"


@pytest.mark.parametrize("title", ["", " ", "***", "((((", "a" * 10_000, "review " * 2_000, "\x00\ud800", "* " * 500])
def test_any_title_is_routed(title: str) -> None:
    begun = time.perf_counter()
    assert route(load_agents(), task(title)).agent in load_agents()
    assert time.perf_counter() - begun < 0.25
