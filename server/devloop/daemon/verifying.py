"""What of the plan a person may trust: commands that verify its tasks, and tests that its tasks may change."""

from __future__ import annotations

from collections.abc import Iterator

from devloop import plan as plans
from devloop import trust
from devloop.daemon import plan_events
from devloop.daemon.documents import Documents, PlanText
from devloop.errors import DevloopError

MAX_ITEMS = 200


def items(documents: Documents) -> tuple[trust.Item, ...]:
    """One for each command, and for each task that names tests, of tasks that are not done; in the order of the plan.
    Nothing without a plan. Blocks."""
    try:
        found, plan = documents.plan()
    except DevloopError:
        return ()
    return tuple({item.key: item for item in (*_commands(found, plan), *tests(found, plan))}.values())[:MAX_ITEMS]


def tests(found: PlanText, plan: plans.Plan) -> Iterator[trust.Item]:
    """Of the task as the engine gets it: the same words."""
    for task in plan.tasks:
        if not task.done and task.may_change_tests:
            told = plan_events.task_of(plan, task)
            words = (told["id"], told["title"], told["acceptance"], told["may_change_tests"])
            twice = len(plan.graph.by_id.get(task.id.lower(), ())) > 1
            yield trust.tests_item(*words, found.relative, refused="two tasks have this id" if twice else "")


def _commands(found: PlanText, plan: plans.Plan) -> Iterator[trust.Item]:
    for task in plan.tasks:
        if not task.done and (command := task.verify_command):
            yield trust.verify_item(command, found.relative, f"{task.label} is verified by this command")
