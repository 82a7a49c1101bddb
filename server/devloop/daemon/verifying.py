"""What the plan's tasks have to be verified by, as things that a person may trust."""

from __future__ import annotations

from collections.abc import Iterator

from devloop import trust
from devloop.daemon.documents import Documents
from devloop.errors import DevloopError

MAX_ITEMS = 200


def items(documents: Documents) -> tuple[trust.Item, ...]:
    """One for each command, of tasks that are not done; in the order of the plan. Nothing without a plan. Blocks."""
    try:
        return tuple({item.key: item for item in _commands(documents)}.values())[:MAX_ITEMS]
    except DevloopError:
        return ()


def _commands(documents: Documents) -> Iterator[trust.Item]:
    found, plan = documents.plan()
    for task in plan.tasks:
        if not task.done and (command := task.verify_command):
            yield trust.verify_item(command, found.relative, f"{task.label} is verified by this command")
