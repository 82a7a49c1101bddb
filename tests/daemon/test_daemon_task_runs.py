"""Which run belongs to which task."""

from __future__ import annotations

from devloop import plan as plans
from devloop.daemon import task_runs
from devloop.daemon.run_view import RunView

PLAN = plans.parse("# Plan: P\n\n- [ ] \n- [ ] Say quick {#quick}\n- [ ] Task 1.1: First\n")


def test_an_errand_belongs_to_no_task_whatever_that_is_called() -> None:
    errand = RunView("run-quick-1", task="@quick", title="Fix it")
    assert task_runs.by_line(PLAN, [errand]) == {}
    assert all(task_runs.newest_of(task, [errand]) is None for task in PLAN.tasks)
    assert errand.errand and errand.name == "quick: Fix it"


def test_a_tasks_own_run_is_found_beside_errands() -> None:
    views = [RunView("run-quick-1", task="@quick"), RunView("run-1.1-1", task="1.1", title="First")]
    task = next(task for task in PLAN.tasks if task.id == "1.1")
    found = task_runs.newest_of(task, views)
    assert found is not None and (found.id, found.errand, found.name) == ("run-1.1-1", False, "Task 1.1: First")
    assert task_runs.by_line(PLAN, views) == {task.line: "run-1.1-1"}
