"""`devloop analyze`, to its report and its tasks in the plan."""

from __future__ import annotations

from support.programs import Place

FOUND = [
    {
        "category": "tests",
        "path": "thing.py",
        "line": 1,
        "problem": "Nothing tests it",
        "change": "Test the thing",
        "step": "test",
        "impact": "high",
        "effort": "medium",
    },
    {
        "category": "architecture",
        "path": "thing.py",
        "line": 4,
        "problem": "Three jobs in one",
        "change": "Split the thing",
        "step": "extract",
        "impact": "high",
        "effort": "high",
    },
    {
        "category": "code quality",
        "path": "other.py",
        "line": 2,
        "problem": "Dead code",
        "change": "Remove the dead code",
        "step": "remove",
        "impact": "medium",
        "effort": "low",
    },
]


def script(place: Place, findings=FOUND) -> None:
    result = {"summary": "It can be changed, slowly.", "health": "fair", "findings": findings, "good": ["Short names"]}
    place.script({"@analyze": [{"calls": [{"name": "finish", "input": result}]}]})


def test_an_analysis_becomes_a_report_and_tasks_in_an_order_that_works(place: Place) -> None:
    script(place)
    done = place("analyze", "src/things", "--json")
    assert done.code == 3, done
    checkpoint = done.json["checkpoint"]
    assert checkpoint["report"]["data"]["health"] == "fair" and checkpoint["diff"] is None
    before = place.plan.read_text()
    assert place("decide", done.json["run"]["id"], "continue", "--follow").code == 0
    report = (place.root / ".devloop/reports/refactoring-src-things.md").read_text()
    assert "| tests | 1 | 1 | 0 |" in report and "### Split the thing" in report
    plan = place.plan.read_text()
    assert [line for line in before.splitlines() if "Task" in line] == [
        line for line in plan.splitlines() if "Task 1." in line and "[ ]" in line
    ]
    shown = place("plan", "show", "--json").json
    tasks = {task["title"]: task for task in shown["tasks"]}
    test, split, dead = (tasks[name] for name in ("Test the thing", "Split the thing", "Remove the dead code"))
    assert split["depends_on"] == [test["id"]] and test["effort"] == "M" and dead["effort"] == "S"
    assert split["files"] and dead["acceptance"]
    assert [phase["name"] for phase in shown["phases"]][1:] == ["Quick wins", "Tests before changes", "Restructuring"]
    assert place("plan", "check").code == 0


def test_a_report_alone_leaves_the_plan_and_categories_leave_out_the_rest(place: Place) -> None:
    script(place)
    before = place.plan.read_bytes()
    done = place("analyze", "--to", "report", "--categories", "code-quality", "--json")
    assert place("decide", done.json["run"]["id"], "continue", "--follow").code == 0
    report = (place.root / ".devloop/reports/refactoring.md").read_text()
    assert "Remove the dead code" in report and "Split the thing" not in report
    assert place.plan.read_bytes() == before
    assert "is no category" in place("analyze", "--categories", "beauty").err
    script(place, [])
    done = place("analyze", "nothing", "--decide", "continue", "--json")
    assert done.code == 0 and done.json["run"]["outcome"] == "accepted", "nothing found needs nobody"
    assert place.plan.read_bytes() == before
