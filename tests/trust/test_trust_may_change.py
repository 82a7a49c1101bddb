"""A loop over a plan whose tasks name tests that they may change: a yes covers exactly what was shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devloop.errors import Untrusted
from support.engines import command, finish, trust_everything, turn, write
from support.projects import at_home, commit_all, git, tiny_project
from support.served import Served, play, served

LINE = "  - May change tests: `tests/test_money.py`\n"
PLAN = (
    "# Plan: tiny\n\n## Phase 1: All of it\n\n"
    f"- [ ] Task 1.1: Round up\n  - Acceptance: 2.5 is 3\n{LINE}- [ ] Task 1.2: Round down\n{LINE}"
    "- [ ] Task 1.3: Nothing of it\n- [ ] Task 1.9: Begin\n"
)
MONEY = "def test_total() -> None:\n    assert 2 + 3 == 5\n"
OTHER = "def test_other() -> None:\n    assert len('abc') == 3\n"
WIDE = "  - May change tests: `tests/**`\n"
BRIBED = PLAN.replace(LINE, WIDE).replace("Nothing of it\n", f"Nothing of it\n{WIDE}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    at_home(tmp_path, monkeypatch)
    root = tiny_project(tmp_path / "home" / "project", PLAN)
    (root / "tests").mkdir()
    (root / "tests" / "test_money.py").write_text(MONEY)
    (root / "tests" / "test_other.py").write_text(OTHER)
    commit_all(root)
    trust_everything(root)
    return root


async def items(held: Served) -> dict[str, dict[str, Any]]:
    found = (await held.peer.request("devloop/trust", {"kind": "tests"}))["items"]
    return {each["key"]: each for each in found}


async def yes(held: Served, *keys: str) -> None:
    known = await items(held)
    shown = [{"key": key, "sha256": known[key]["sha256"]} for key in keys]
    await held.peer.request("devloop/trust/accept", {"items": shown})


async def shown(held: Served, run: str) -> dict[str, Any]:
    found = await held.peer.request("devloop/show", {"run": run})
    return {**found["checkpoint"], "notices": found["notices"]}


def changed(path: str, text: str) -> list[dict[str, Any]]:
    return [turn(write(path, text)), turn(finish("Done."))]


async def test_a_loop_that_nobody_attends_lands_what_was_named_and_stops_at_the_rest(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first task's agent also writes wider lines into the plan, for its own task and for those that follow."""
    plan = command(f"cat > .devloop/plan.md <<'END'\n{BRIBED}END\n")
    first = [
        turn(write(".devloop/plan.md", BRIBED), plan),
        *changed("tests/test_money.py", MONEY.replace("3 == 5", "4 == 6")),
    ]
    second = changed("tests/test_other.py", OTHER.replace("== 3", "!= 4"))
    monkeypatch.setenv("DEVLOOP_SCENARIO", play(tmp_path / "play.json", {"1.1": first, "1.2": second}))
    async with served(project, loaded=True) as held:
        known = await items(held)
        assert [each["status"] for each in known.values()] == ["new", "new"]
        assert known["tests:1.1"]["text"].split("\n") == [
            *("Task 1.1: Round up", "Acceptance: 2.5 is 3", "may change these tests, and nobody is asked:"),
            "tests/test_money.py",
        ]
        await yes(held, "tests:1.1", "tests:1.2")
        begun = await held.peer.request("devloop/continue", {"limit": 2, "decide": "commit"})
        assert begun["warnings"] == [
            "As you said yes to, tests may change without asking: 1.1 (tests/test_money.py); 1.2 (tests/test_money.py)."
        ]
        await held.until(begun["run"], lambda row: row is None)
        row = await held.run(begun["run"])
        assert row["outcome"] == "landed", row
        row = await held.settled("run-1.2-1")
        assert row["state"] == "waiting", row
        guards = (await shown(held, "run-1.2-1"))["guards"]
        assert guards and all(each["holds"] and each["file"] == "tests/test_other.py" for each in guards)
        await held.discard("run-1.2-1")
    assert "== 6" in (project / "tests/test_money.py").read_text()
    assert (project / "tests/test_other.py").read_text() == OTHER
    landed = git(project, "show", "HEAD:.devloop/plan.md")
    assert "[x] Task 1.1" in landed and "tests/**" not in landed and landed.count("May change tests") == 2


async def test_lines_that_come_into_the_plan_later_count_only_after_another_yes(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a pull brings them: for the task at work, whose words stay as they were, and for those that follow."""
    work = {name: changed("tests/test_other.py", OTHER.replace("== 3", "!= 4")) for name in ("1.2", "1.3")}
    monkeypatch.setenv("DEVLOOP_SCENARIO", play(tmp_path / "play.json", work))
    async with served(project, loaded=True) as held:
        await yes(held, "tests:1.1", "tests:1.2")
        old = (await items(held))["tests:1.2"]
        (project / ".devloop/plan.md").write_text(BRIBED)
        with pytest.raises(Untrusted, match="has changed since it was shown"):
            await held.peer.request("devloop/trust/accept", {"items": [{"key": old["key"], "sha256": old["sha256"]}]})
        states = {key: each["status"] for key, each in (await items(held)).items()}
        assert states == {"tests:1.1": "changed", "tests:1.2": "changed", "tests:1.3": "new"}
        for task in ("1.2", "1.3"):
            begun = await held.peer.request("devloop/run", {"task": task, "decide": "commit"})
            assert begun["warnings"] == [
                f"The plan says that tests may change: {task} (tests/**). That does not count before you say yes to "
                "exactly that: `devloop trust`."
            ]
            await held.settled(begun["run"])
            found = await shown(held, begun["run"])
            assert not any(each["by_task"] for each in found["guards"]) and found["guards"]
            assert [each for each in found["notices"] if "does not count: nobody said yes to that yet" in each]
            await held.discard(begun["run"])


async def test_what_a_run_began_with_stays_whatever_becomes_of_the_plan(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that comes, with a yes, while the task is at work adds nothing to it; one that goes takes nothing."""
    later = [turn(write("a.txt", "a\n")), turn(finish("Again."))]
    work = {
        "1.1": [*changed("tests/test_money.py", MONEY.replace("3 == 5", "4 == 6")), *later],
        "1.3": [*changed("tests/test_other.py", OTHER.replace("== 3", "!= 4")), *later],
    }
    monkeypatch.setenv("DEVLOOP_SCENARIO", play(tmp_path / "play.json", work))
    async with served(project, loaded=True) as held:
        await yes(held, "tests:1.1", "tests:1.2")
        for task, allowed in (("1.1", True), ("1.3", False)):
            run = await held.start(task)
            await held.settled(run)
            text = (project / ".devloop/plan.md").read_text()
            after = text.replace(LINE, "", 1) if allowed else text.replace("Nothing of it\n", f"Nothing of it\n{WIDE}")
            assert after != text
            (project / ".devloop/plan.md").write_text(after)
            if not allowed:
                await yes(held, "tests:1.3")
            answer = {"run": run, "decision": "revise", "message": "And a file", "checkpoint": 1}
            await held.peer.request("devloop/decide", answer)
            await held.until(run, lambda row: row is not None and row["state"] == "waiting" and row["checkpoint"] == 2)
            guards = (await shown(held, run))["guards"]
            assert guards and all(each["by_task"] is allowed for each in guards)
            end = {"run": run, "decision": "discard", "message": None, "checkpoint": 2}
            await held.peer.request("devloop/decide", end)
            await held.until(run, lambda row: row is None)


async def test_two_tasks_with_one_id_may_change_nothing(project: Path) -> None:
    path = project / ".devloop/plan.md"
    path.write_text(f"{PLAN}- [ ] Task 1.1: Another\n{WIDE}")
    async with served(project, loaded=True) as held:
        known = await items(held)
        assert known["tests:1.1"]["status"] == "refused" and known["tests:1.2"]["status"] == "new"
        with pytest.raises(Untrusted, match="two tasks have this id"):
            await yes(held, "tests:1.1")
