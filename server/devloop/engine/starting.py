"""Making runs: ids, attempts, and the next task of a loop."""

from __future__ import annotations

import re
import secrets
from typing import Any

from devloop.engine.answers import summary
from devloop.models import limits_of
from devloop.runs import gathering
from devloop.runs.appointing import appoint
from devloop.runs.services import Services
from devloop.runs.spec import LoopSpec, PlanSpec, RunSpec, TaskSpec


def open_run_of(services: Services, task: TaskSpec) -> dict[str, Any] | None:
    """The run that has this task in hand, if there is one. An errand is the same one when it asks for the same."""
    for row in services.store.find_runs(task=task.id, open_only=True):
        if task.errand is None or RunSpec.model_validate(row["spec"]).task == task:
            return row
    return None


def record_run(services: Services, task: TaskSpec, plan: PlanSpec, loop: LoopSpec) -> dict[str, Any]:
    """A new run, recorded as `queued`. Its id is made of task and attempt, so that the same start attaches."""
    prefix = f"run-{_slug(task.id)}-"
    attempt = services.store.last_attempt(prefix) + 1
    appointed = appoint(services, task, unattended=loop.decide is not None)
    spec = RunSpec(
        id=f"{prefix}{attempt}",
        attempt=attempt,
        task=task,
        plan=plan,
        loop=loop,
        agent=appointed.choice.agent,
        mode=appointed.choice.mode,
        model=appointed.model,
        profile=appointed.profile,
        choice=appointed.choice.to_json(),
    )
    row = services.store.create_run(
        {
            "id": spec.id,
            "task_id": task.id,
            "task_key": task.key,
            "title": task.title,
            "attempt": attempt,
            "agent": spec.agent,
            "mode": spec.mode,
            "model": spec.model,
            "scripted": services.model_for(spec).scripted,
            "state": "queued",
            "turn": 0,
            "context_tokens": 0,
            "cancel": False,
            "loop": loop.id,
            "spec": spec.model_dump(mode="json"),
        }
    )
    services.events.emit("run.queued", summary(services, row), spec.id)
    return row


def members_of(services: Services, run: str) -> list[str]:
    """The runs of a gathering errand's members, in order; recorded where they are not yet."""
    spec = services.spec(run)
    assert spec.task.errand is not None
    known = {row["task_id"]: str(row["id"]) for row in services.store.find_runs(loop=run)}
    loop = LoopSpec(id=run, limit=1)
    found = []
    for task in spec.task.errand.members:
        own = gathering.member_task(spec, task)
        found.append(known.get(own.id) or str(record_run(services, own, spec.plan, loop)["id"]))
    return found


def new_loop(limit: int | None, decide: str | None, phase: str | None = None) -> LoopSpec:
    return LoopSpec.model_validate(
        {"id": f"loop-{secrets.token_hex(4)}", "limit": limit, "decide": decide, "phase": phase}
    )


async def next_of_loop(services: Services, run: str) -> str | None:
    """The loop's next run after `run`; repeating the question gives the same run."""
    spec = services.spec(run)
    row = services.store.run(run)
    if not spec.loop.goes_on or (row is not None and row["cancel"]):
        _loop_ends(services, spec, "limit" if not spec.loop.goes_on else "cancelled")
        return None
    for row in services.store.find_runs(loop=spec.loop.id):
        if RunSpec.model_validate(row["spec"]).loop.done == spec.loop.done + 1:
            return str(row["id"])
    held = [row["task_id"] for row in services.store.find_runs(open_only=True) if row["id"] != run]
    following = await services.plan.next(held, spec.loop.phase)
    if not following.get("task"):
        _loop_ends(services, spec, str(following["state"]))
        return None
    task = TaskSpec.model_validate(following["task"])
    loop = spec.loop.next(run if carries_on(services, spec, task) else None)
    return str(record_run(services, task, spec.plan, loop)["id"])


def _loop_ends(services: Services, spec: RunSpec, state: str) -> None:
    """`state`: limit, cancelled (too late for the run itself), or why selection found nothing (all_complete,
    all_blocked, partial, empty)."""
    services.events.emit("loop.ended", {"loop": spec.loop.id, "state": state, "done": spec.loop.done + 1}, spec.id)


def carries_on(services: Services, spec: RunSpec, task: TaskSpec) -> bool:
    """Whether the conversation goes on with the next task: same agent, mode and model, less than half the context.

    The same to the last character of prompt and tools: another mode is another conversation.
    """
    row = services.store.run(spec.id)
    following = appoint(services, task, unattended=spec.loop.decide is not None)
    chosen = (following.choice.agent, following.choice.mode, following.model, following.profile)
    same = chosen == (spec.agent, spec.mode, spec.model, spec.profile)
    return same and row is not None and row["context_tokens"] * 2 < limits_of(spec.model, services.listed).context


def _slug(text: str) -> str:
    """Letters, digits, dots, dashes; it becomes part of a branch's name and of a folder's."""
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.").lower()
    return re.sub(r"\.{2,}", ".", slug)[:40] or "task"
