"""The words a conversation begins with. The system prompt is the agent's own; everything that varies is in the
first user message, so that the prefix stays the same and can be cached (model-api §6, §8)."""

from __future__ import annotations

from collections.abc import Sequence

from devloop.runs.spec import RunSpec


def task_message(
    spec: RunSpec, checks: Sequence[str], knowledge: str = "", handed_on: str = "", tests: Sequence[str] = ()
) -> str:
    """The task as the agent reads it. The first two lines are also how a scripted player finds its script.

    `knowledge`: the index of matching skills, and the texts of those that the task names. `handed_on`: reports of the
    tasks that it waited for. `tests`: those that it may change, where that counts.
    """
    task = spec.task
    attempt = 1 if task.errand is not None else spec.attempt  # the number of an errand counts all of its kind
    lines = [f"Task: {task.id} {task.title}", f"Attempt: {attempt}"]
    if spec.plan.name or spec.plan.goal:
        lines.append(f"Plan: {' – '.join(part for part in (spec.plan.name, spec.plan.goal) if part)}")
    if task.phase:
        lines.append(f"Phase: {task.phase}")
    lines += _listed("Acceptance", task.acceptance)
    lines += _listed("Files", task.files)
    lines += _listed("Existing tests that may change where the task asks for it, and no others", tests)
    if task.notes:
        lines.append(f"Notes: {task.notes}")
    if task.verify:
        lines.append(f"Verify: {task.verify}")
    lines += _listed("Checks that devloop will run", checks)
    for more in filter(None, (handed_on, knowledge)):
        lines += ["", more]
    return "\n".join(lines)


def _listed(title: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    return [f"{title}: {items[0]}"] if len(items) == 1 else [f"{title}:", *(f"- {item}" for item in items)]


HAND_OFF_REQUEST = (
    "This conversation is nearly as long as it may get. Do not call a tool now. Answer with a hand-off summary for "
    "yourself: what is done, what is left, decisions and traps, files that matter."
)


def after_hand_off(task: str, conversation: int, summary: str, knowledge: str = "") -> str:
    """`knowledge`: skills that were loaded in the conversation before."""
    told = (
        f"{task}\nConversation: {conversation}\n\nYou have worked on this before; the worktree holds what you did. "
        f"Your hand-off summary:\n{summary}"
    )
    return f"{told}\n\n{knowledge}" if knowledge else told


def next_task(task: str) -> str:
    return f"The work was accepted; the worktree holds it now. Go on with the next task of the plan.\n\n{task}"
