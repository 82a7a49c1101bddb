"""Every command that gives work to agents, once to its end with the real SDK against the strict double of the API.

What each of them does is tested beside this with the scripted player; here the requests of their agents pass the rules
of the API, and what the command wrote is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from double import Double
from support.programs import Place

pytestmark = pytest.mark.asyncio(loop_scope="module")


def finish(**result: Any) -> dict[str, Any]:
    return {"turns": [{"calls": [{"name": "finish", "input": {"summary": "Done.", **result}}]}]}


def write(path: str, **result: Any) -> dict[str, Any]:
    call = {"name": "write_file", "input": {"path": path, "content": f"# {path}\n"}}
    return {"turns": [{"calls": [call]}, *finish(**result)["turns"]]}


DEBT = {"category": "tests", "path": "x.py", "line": 1, "problem": "No test", "change": "Test x", "step": "test"}
TASKS = {
    "@quick": write("quick.txt"),
    "@spike": finish(
        questions=[{"question": "Can we?", "answer": "Yes"}],
        feasible="yes",
        approach="so",
        size="S",
        risk="low",
        confidence="high",
        discoveries=["x.py:1"],
        recommendation="Do it.",
    ),
    "@review/reviewer": finish(verdict="APPROVE", findings=[]),
    "@analyze": finish(health="good", findings=[{**DEBT, "impact": "high", "effort": "low"}], good=[]),
    "@ship": finish(verdict="READY", pr_title="Ship", pr_text="## Summary"),
    "@onboard": write("AGENTS.md"),
    "@bootstrap": write("BEGIN.md"),
    "@plan-new": finish(title="New", phases=[{"name": "Core", "tasks": [{"title": "Build it"}]}]),
    "@plan-revise": finish(title="New", phases=[], changes=[{"what": "add", "title": "Build more", "after": "1.1"}]),
    "0.1": finish(kind="Feature", confidence="High", words=["greet"], workflow="full", skip=[]),
    "1.1": finish(stories=[{"story": "A person greets", "acceptance": ["hello"]}]),
    "2.1": finish(
        factors=dict.fromkeys(("files", "concepts", "integration", "data", "testing", "regression", "uncertainty"), 1),
        spike=False,
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def double(place: Place) -> AsyncIterator[Double]:
    """Answers for the whole module; at the end no request has broken a rule."""
    async with Double(scenario={"tasks": TASKS}) as found:
        place.environment |= {"ANTHROPIC_API_KEY": found.key, "ANTHROPIC_BASE_URL": found.url}
        place.environment.pop("DEVLOOP_SCENARIO")
        yield found
        assert [(entry.number, entry.rule, entry.error) for entry in found.journal if entry.rule] == []


COMMANDS = [
    (("quick", "Write quick.txt"), "commit", "quick.txt"),
    (("spike", "Can we?"), "continue", ".devloop/spikes/can-we.md"),
    (("review", "--quick", "--commits", "1"), "continue", None),
    (("analyze",), "continue", ".devloop/reports/refactoring.md"),
    (("onboard",), "commit", "AGENTS.md"),
    (("bootstrap", "want.txt"), "commit", "BEGIN.md"),
    (("ship", "--tag"), "commit", "CHANGELOG.md"),
    (("plan", "revise", "Add more"), "continue", None),
    (("plan", "new", "Something new", "--replace"), "continue", ".devloop/plan.md"),
]


@pytest.mark.parametrize(
    ("arguments", "decision", "written"), COMMANDS, ids=lambda each: " ".join(each)[:14] if each else ""
)
async def test_a_command_reaches_its_end_against_the_double(
    place: Place, double: Double, arguments: tuple[str, ...], decision: str, written: str | None
) -> None:
    (place.root / "want.txt").write_text("People greet each other.\n")
    asked = len(double.messages)
    begun = await asyncio.to_thread(place, *arguments, "--json")
    assert begun.code in (0, 3) and not begun.json["run"]["scripted"], begun
    ended = await asyncio.to_thread(place, "decide", begun.json["run"]["id"], decision, "--follow", "--json")
    assert ended.json["run"]["outcome"] == ("landed" if decision == "commit" else "accepted"), ended
    assert len(double.messages) > asked
    assert written is None or (place.root / written).is_file()
    if arguments[0] == "plan":
        assert "Build " in place.plan.read_text()


async def test_a_workflow_begins_against_the_double(place: Place, double: Double) -> None:
    """Triage, requirements and estimate: agents that no command of its own begins."""
    found = await asyncio.to_thread(place, "start", "Greet people", "--replace", "--json")
    for task in ("0.1", "1.1", "2.1"):
        assert found.code == 3 and found.json["run"]["task"] == task, found
        word = "continue" if task != "2.1" else "stop"
        found = await asyncio.to_thread(place, "decide", found.json["run"]["id"], word, "--follow", "--json")
    assert found.json["run"]["outcome"] == "accepted"
    assert place.plan.read_text().count("- [x]") == 3
