"""Before a loop begins, the person at the terminal is shown which tests its tasks may change, and asked once."""

from __future__ import annotations

import pytest

LINE = "  - May change tests: `tests/test_money.py`\n"
WIDE = "  - May change tests: `tests/**`\n"


@pytest.fixture
def plan(project):
    path = project / ".devloop" / "plan.md"
    text = path.read_text().replace("First thing\n", f"First thing\n{LINE}")
    path.write_text(text.replace("A question\n", f"A question\n{WIDE}"))
    return path


def states(devloop):
    return {item["key"]: item["status"] for item in devloop("trust", "--json").json["items"]}


def test_a_yes_before_the_run_is_a_yes_to_what_was_shown(terminal, devloop, scripted, plan):
    person = terminal("run", "1.1")
    person.until("may change these tests, and nobody is asked:")
    person.until("tests/test_money.py")
    person.until("Trust this?")
    person.type("y\n")
    person.until("As you said yes to, tests may change without asking: 1.1 (tests/test_money.py).")
    person.until("Decision:")
    person.type("discard\n")
    person.end()
    assert states(devloop) == {"tests:1.1": "trusted", "tests:1.3": "new"}, "1.3 is no task of this run"


def test_a_no_begins_all_the_same_and_says_that_it_does_not_count(terminal, devloop, scripted, plan):
    person = terminal("continue", "-n", "1")
    person.until("Task 1.1: First thing")
    person.until("Trust this?")
    person.type("\n")
    person.until("Task 1.3: A question")
    person.until("Trust this?")
    person.type("n\n")
    person.until(
        "The plan says that tests may change: 1.1 (tests/test_money.py). That does not count before you say yes"
    )
    person.until("Decision:")
    person.type("discard\n")
    person.end()
    assert states(devloop) == {"tests:1.1": "new", "tests:1.3": "new"}


def test_without_a_person_nobody_is_asked_and_it_is_said(program, devloop, scripted, plan):
    result = program("run", "1.1")
    assert "That does not count before you say yes to exactly that: `devloop trust`." in result.out
    assert states(devloop) == {"tests:1.1": "new", "tests:1.3": "new"}


def test_other_words_for_a_task_show_all_that_a_yes_would_cover_again(program, devloop, plan):
    """Names that stayed were another task's when the person said yes to them."""
    names = ", ".join(f"`tests/test_{number}.py`" for number in range(20))
    plan.write_text(plan.read_text().replace("`tests/test_money.py`", names))
    devloop("trust", "tests:1.1", "--yes")
    plan.write_text(plan.read_text().replace("First thing", "Another thing"))
    assert states(devloop)["tests:1.1"] == "changed"
    shown = program("trust", "tests:1.1").out
    now = shown.partition("As it is now:")[2]
    assert "Task 1.1: Another thing" in now and all(f"tests/test_{number}.py" in now for number in range(20))
