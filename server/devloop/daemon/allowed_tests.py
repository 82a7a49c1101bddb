"""What a start says about tests that its tasks may change: what a person said yes to, and what does not count."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from devloop import plan as plans
from devloop import trust
from devloop.daemon import verifying
from devloop.daemon.documents import PlanText
from devloop.lists import some
from devloop.redact import one_line

MOST = 10
"""Tasks that are named; of more the number is told."""
NAMES = 5


def told(found: PlanText, plan: plans.Plan, store: Path, tasks: Collection[str]) -> list[str]:
    """Sentences about `tasks`, by id; none where none of them names tests. Blocks."""
    wanted = {trust.tests_key(each) for each in tasks}
    items = [item for item in verifying.tests(found, plan) if item.key in wanted]
    if not items:
        return []
    known = trust.trusted_hashes(store)
    yes = [each for each in items if known.get(each.key) == each.sha256 and not each.refused]
    no = [each for each in items if each not in yes]
    sentences = []
    if yes:
        sentences.append(f"As you said yes to, tests may change without asking: {_listed(plan, yes)}.")
    if no:
        sentences.append(
            f"The plan says that tests may change: {_listed(plan, no)}. That does not count before you say yes to "
            "exactly that: `devloop trust`."
        )
    return sentences


def _listed(plan: plans.Plan, items: list[trust.Item]) -> str:
    names = {trust.tests_key(task.id): task.may_change_tests for task in plan.tasks}

    def told(item: trust.Item) -> str:
        shown = some(names[item.key], NAMES, lambda each: one_line(each, 80))
        return f"{one_line(item.key.partition(':')[2], 40)} ({shown})"

    return some(items, MOST, told, "; ")
