"""Which run belongs to which task, while the plan changes."""

from __future__ import annotations

from devloop import plan as plans
from support.board import board_after, event, row

PLAN = """# Plan: P

## Phase 1: One

- [ ] Task 1.1: Alpha
- [ ] Task 1.2: Beta
- [ ] Gamma

## Phase 2: Two

- [ ] Task 2.1: Alpha
"""


def told(run, task, title):
    return event("run.queued", run, **row(run, task=task, title=title, key=plans.title_key(title)))


async def lines(text, *runs):
    plan = plans.parse(text.encode(), name="plan.md")
    board = await board_after(*(told(*each) for each in runs))
    found = {plan.graph.by_line[line]: view.id for line, view in board.of_plan(plan).items()}
    alone = {at: view.id for at, task in enumerate(plan.tasks) if (view := board.of_task(task)) is not None}
    return {plan.tasks[at].id: run for at, run in found.items()}, {plan.tasks[at].id: run for at, run in alone.items()}


async def test_a_task_has_its_newest_run_and_not_that_of_its_namesake():
    found, alone = await lines(PLAN, ("r1", "1.1", "Alpha"), ("r2", "1.1", "Alpha"), ("r3", "1.2", "Beta"))
    assert found == alone == {"1.1": "r2", "1.2": "r3"}


async def test_a_counted_task_keeps_its_run_when_a_line_is_inserted_above_it():
    (gamma,) = [task.id for task in plans.parse(PLAN.encode()).tasks if not task.explicit]
    longer = PLAN.replace("- [ ] Gamma", "- [ ] New\n- [ ] Gamma")
    new, moved = [task.id for task in plans.parse(longer.encode()).tasks if not task.explicit]
    assert gamma == new
    found, alone = await lines(longer, ("r1", gamma, "Gamma"))
    assert found == alone == {moved: "r1"}


async def test_a_task_with_a_written_id_keeps_its_run_when_it_is_reworded():
    found, alone = await lines(PLAN.replace("Beta", "Better"), ("r1", "1.2", "Beta"))
    assert found == alone == {"1.2": "r1"}


async def test_a_renumbered_task_keeps_its_run_where_its_title_is_the_only_one():
    found, _ = await lines(PLAN.replace("Task 1.2", "Task 1.9"), ("r1", "1.2", "Beta"), ("r2", "1.8", "Alpha"))
    assert found == {"1.9": "r1"}


async def test_the_tasks_of_a_plan_get_new_runs_as_they_come():
    plan = plans.parse(PLAN.encode(), name="plan.md")
    board = await board_after(told("r1", "1.1", "Alpha"))
    (line,) = board.of_plan(plan)
    board.take(event("run.state", "r1", state="working", waiting_for=None, turn=1))
    assert board.of_plan(plan)[line].state == "working"
    board.take(told("r2", "1.1", "Alpha"))
    assert board.of_plan(plan)[line].id == "r2"
