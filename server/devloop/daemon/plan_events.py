"""Between the protocol's plain objects and the plan package's types."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from devloop import plan as plans
from devloop.daemon.documents import PlanText


def event_of(wanted: Mapping[str, Any]) -> plans.Event:
    """The plan's event for `plan/apply`. Its time is written into the plan, so it is local (state-files §16).

    Raises `UsageError` for what is no event.
    """
    return dataclasses.replace(plans.Event.from_json(wanted), now=time_of(wanted).astimezone())


def label_of(event: plans.Event) -> str:
    """What an editor calls the change in its undo history."""
    name = (event.task.id or event.task.title) if event.task else "plan"
    return f"devloop: {name} {event.kind}"


def about(event: plans.Event) -> str:
    """The same for all events of a task, in order of which a later one makes an earlier one superfluous."""
    return f"{event.task.id.lower()} {event.task.content_key}" if event.task else ""


def time_of(wanted: Mapping[str, Any]) -> datetime:
    """`at` of an event; now where it says nothing that can be understood."""
    try:
        found = datetime.fromisoformat(str(wanted.get("at")))
    except ValueError:
        return datetime.now(UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def plan_of(found: PlanText, plan: plans.Plan) -> dict[str, str]:
    """The plan as a run remembers it."""
    workflow = next((field.value.lower() for field in plan.fields if field.key.lower() == "workflow"), "")
    named = {"name": plan.name, "goal": plan.goal, "workflow": workflow}
    return {"path": found.relative, **{key: _encodable(value) for key, value in named.items()}}


def task_of(plan: plans.Plan, task: plans.Task) -> dict[str, Any]:
    """The task as the engine takes it: as exported, with files as paths and the name of its phase."""
    return for_engine(plan, plans.task_json(task))


def for_engine(plan: plans.Plan, task: Mapping[str, Any]) -> dict[str, Any]:
    phase = next((each.name for each in plan.phases if each.id == task["phase"]), "")
    files = [file["path"] for file in task["files"]]
    encodable: dict[str, Any] = _encodable({**task, "files": files, "phase_name": phase})
    return encodable


def _encodable(value: Any) -> Any:
    """The same value without lone surrogates: bytes of a plan that are no UTF-8 can't be kept in a database or sent
    to a model. The plan itself keeps them; a task is found again by its line, id and key."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {name: _encodable(each) for name, each in value.items()}
    return [_encodable(each) for each in value] if isinstance(value, list) else value


def next_for_engine(
    plan: plans.Plan, held: Iterable[str], phase: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """`plan next`, with its task as the engine takes it; `beside`: the tasks of its group that may begin with it,
    `limit` of them all at most. What is still the template's is nothing to do."""
    held = frozenset((*held, *(task.id for task in plan.tasks if task.unwritten)))
    following = plans.next_task(plan, held, **({"limit": limit} if limit else {}), phase=phase)
    task = following["task"]
    names = {name.lower() for name in following["parallel"]}
    beside = [task_of(plan, each) for each in plan.tasks if each.id.lower() in names] if task is not None else []
    return {**following, "task": for_engine(plan, task) if task is not None else None, "beside": beside}


def beside(plan: plans.Plan, task: Mapping[str, Any], held: Iterable[str], limit: int) -> list[dict[str, Any]]:
    """The tasks of the group of this one that may begin with it, `limit` of them all at most; as the engine takes
    them."""
    taken = {name.lower() for name in held} | {str(task["id"]).lower()}
    at = next((at for at, each in enumerate(plan.tasks) if each.id == task["id"]), None)
    if at is None or limit < 2:
        return []
    lines = {each.line for each in plans.ready(plan) if each.id.lower() not in taken}
    free = [other for other, each in enumerate(plan.tasks) if each.line in lines]
    return [task_of(plan, plan.tasks[other]) for other in plans.beside_first(plan, [at, *free], limit)[1:]]


def as_done(plan: plans.Plan, reference: Mapping[str, Any]) -> plans.Plan:
    """The plan as it would be if the task were done. Raises `StaleEdit` where it is not there any more."""
    event = plans.Event("completed", plans.TaskRef.from_json(reference), now=datetime.now(UTC))
    return plans.parse(plans.apply(plan.document.data, plans.change(plan, event)), archived_ids=plan.archived_ids)
