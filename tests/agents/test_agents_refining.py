"""Which tasks look vague or large before they are built."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devloop import agents
from devloop import plan as plans
from devloop.agents import refining
from devloop.daemon import plan_rules
from devloop.runs.spec import TaskSpec

KNOWN = agents.load_agents()


def said(title: str, **task: object) -> str:
    spec = TaskSpec.model_validate({"id": "1", "title": title, **task})
    return refining.suggestion(KNOWN, spec, agents.route(KNOWN, spec))


@pytest.mark.parametrize(
    ("title", "task", "why"),
    [
        ("Improve the search", {}, "vague (“improve”, without a criterion or a file)"),
        ("Make various things faster", {}, "vague (“various”"),
        ("Add billing", {"acceptance": ["a"] * 6}, "large (6 criteria)"),
        (
            "Add billing",
            {"acceptance": ["a"] * 7, "files": [f"{n}.py" for n in range(8)]},
            "large (7 criteria, 8 files)",
        ),
    ],
)
def test_a_vague_or_large_task_is_told_of_the_chain_with_the_reason(title, task, why):
    found = said(title, **task)
    assert found.startswith(f"This task looks {why}") and found.endswith(
        "with [agent:engineer:chain] explorer, architect come first."
    )


@pytest.mark.parametrize(
    ("title", "task"),
    [
        ("Add a flag --quiet", {}),
        ("Improve the search", {"acceptance": ["It finds umlauts"]}),
        ("Improve the search", {"files": ["search.py"]}),
        ("Improve the search", {"agent": "engineer"}),
        ("Explore the whole search", {}),
        ("Review everything", {}),
        ("Add billing", {"acceptance": ["a"] * 5, "files": ["a.py"] * 7}),
    ],
)
def test_a_plain_task_one_with_its_own_word_and_another_mode_are_not(title, task):
    assert said(title, **task) == ""


@pytest.mark.parametrize(
    "text", ["chains: 3", "chains: {a: [one]}", "chains: {a: [one, nine]}", "chains: {one: [one, two]}"]
)
def test_a_chain_that_is_none_is_a_problem_with_its_line(text):
    head = f"---\nname: x\ndescription: d\n{text}\nmodes:\n  one: {{}}\n  two: {{after: [one]}}\n---\nBody.\n"
    agent, problems = agents.read_agent(head, "x.md")
    assert agent is not None and agent.chains == {} and [(each.line, each.fatal) for each in problems] == [(4, False)]


def test_a_chain_is_found_by_name_or_along_after_to_the_default_mode():
    head = "---\nname: x\ndescription: d\nmode: two\nchains: {way: [Two, one]}\nskills: a, b\nmodes:\n"
    agent, problems = agents.read_agent(f"{head}  one: {{}}\n  two: {{after: [one]}}\n---\nBody.\n", "x.md")
    assert agent is not None and not problems and agent.skills == ("a", "b")
    assert (agent.chain("way"), agent.chain("chain"), agent.chain("none")) == (("two", "one"), ("one", "two"), ())
    assert KNOWN["engineer"].chain("chain") == ("explorer", "architect", "default")
    assert KNOWN["code-reviewer"].chain("chain") == ()


def test_a_chain_is_no_unknown_agent_in_a_plan(tmp_path):
    text = "# Plan: P\n\n- [ ] Task 1.1: A [agent:engineer:{}]\n"
    for mode, wrong in (("chain", []), ("refactor-commit", []), ("chains", ["unknown-agent"])):
        plan = plans.parse(text.format(mode).encode())
        found = [each.code for each in plan_rules.problems_outside(plan, tmp_path, datetime.now(UTC))]
        assert [code for code in found if code == "unknown-agent"] == wrong, mode
