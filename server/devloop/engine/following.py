"""What follows a run: the task's next mode, the loop's next task, or several at once. Recorded, not yet started."""

from __future__ import annotations

from typing import Any

from devloop.engine import grouping
from devloop.engine.starting import carries_on, record_run, record_runs
from devloop.errors import DevloopError
from devloop.lists import some
from devloop.redact import file_name, one_line
from devloop.runs import chaining, stopping
from devloop.runs.services import Services
from devloop.runs.spec import Group, LoopSpec, RunSpec, TaskSpec

Row = dict[str, Any]


async def following(services: Services, run: str) -> list[str]:
    """The runs that come after `run`; repeating the question gives the same ones.

    Of tasks that are done at the same time the last one to end goes on, for all of them.
    """
    spec, row = services.spec(run), services.store.run(run)
    cancelled = row is not None and bool(row["cancel"])
    if chaining.following(spec) is not None and not cancelled:
        return [_next_mode(services, spec)]
    if not grouping.is_last(services, spec):
        return []
    stopped = not grouping.all_went_on(services, spec)
    if not spec.loop.goes_on or cancelled or stopped:
        _loop_ends(services, spec, "cancelled" if cancelled else "stopped" if stopped else "limit")
        return []
    recorded = _recorded(services, spec)
    return recorded or await _next_tasks(services, spec)


def _recorded(services: Services, spec: RunSpec) -> list[str]:
    """The loop's next runs, where they are recorded already; in the order of their tasks."""
    specs = (RunSpec.model_validate(row["spec"]) for row in services.store.find_runs(loop=spec.loop.id, limit=1000))
    found = [each for each in specs if each.loop.begins == spec.loop.then_done and not (each.chain and each.chain.at)]
    return [each.id for each in sorted(found, key=lambda each: each.loop.done)]


async def _next_tasks(services: Services, spec: RunSpec) -> list[str]:
    held = [row["task_id"] for row in services.store.find_runs(open_only=True) if row["id"] != spec.id]
    found = await services.plan.next(held, spec.loop.phase, limit=services.settings.loop.max_parallel)
    if not found.get("task"):
        _loop_ends(services, spec, str(found["state"]))
        return []
    task = TaskSpec.model_validate(found["task"])
    if task.phase != spec.task.phase and not await _phase_may_end(services, spec):
        _loop_ends(services, spec, "uncommitted")
        return []
    loop = spec.loop.next(None, _unseen(services, spec))
    beside = [TaskSpec.model_validate(each) for each in found.get("beside") or ()] if loop.parallel else []
    tasks = together(services, loop, [task, *beside])
    if len(tasks) > 1:
        label = str(found["task"].get("group") or "")
        return [str(row["id"]) for row in record_runs(services, tasks, spec.plan, as_group(loop, len(tasks), label))]
    carry = spec.id if spec.loop.group is None and _may_carry(services, spec, task) else None
    return [str(record_run(services, task, spec.plan, loop.model_copy(update={"carry": carry}))["id"])]


async def _phase_may_end(services: Services, spec: RunSpec) -> bool:
    """Whether the loop goes on into another phase: not over changes of the person that are not committed, where that is
    insisted on; else they are told of them."""
    try:
        dirty = await services.workspace.repository.dirty()
    except DevloopError:
        return True
    paths = [each.path for each in dirty if not each.path.startswith(".devloop/")]
    if not paths:
        return True
    names = some(paths, 3, lambda path: file_name(services.redactor.text(path), 80))
    strict = services.settings.checkpoints.enforcement == "strict"
    then = "commit them, then `devloop continue`" if strict else "commit them while it is clear what they belong to"
    phase = one_line(spec.task.phase or "", 40)
    told = f"Phase {phase} ends with changes of yours that are not committed ({names}): {then}."
    services.notice(spec.id, told)
    return not strict


def together(services: Services, loop: LoopSpec, tasks: list[TaskSpec]) -> list[TaskSpec]:
    """As many of them as may begin at once."""
    room = services.settings.loop.max_parallel
    return tasks[: room if loop.limit is None else min(room, loop.limit - loop.done)]


def as_group(loop: LoopSpec, size: int, label: str) -> list[LoopSpec]:
    """The loop as each of `size` tasks sees it that begin at once."""
    group = Group(id=f"{loop.id}-{loop.done + 1}", begins=loop.done, size=size, label=label)
    return [loop.model_copy(update={"done": loop.done + at, "group": group}) for at in range(size)]


def _unseen(services: Services, spec: RunSpec) -> tuple[str, ...]:
    """What the loop accepted by rule since the last checkpoint. A checkpoint of one of a group shows all before it."""
    if spec.loop.group is None:
        return stopping.unseen_after(services, spec.id)
    own = [row["id"] for row in grouping.members(services, spec)]
    passed = tuple(run for run in own if stopping.last_passed(services, run) is not None)
    return (*spec.loop.unseen, *passed) if len(passed) == len(own) else passed


def _may_carry(services: Services, spec: RunSpec, task: TaskSpec) -> bool:
    """Unattended, a conversation of `fresh_threshold` tasks is not carried on."""
    if spec.loop.decide and spec.loop.then_done % services.settings.checkpoints.fresh_threshold == 0:
        return False
    return carries_on(services, spec, task)


def _next_mode(services: Services, spec: RunSpec) -> str:
    chain = chaining.next_link(spec)
    for row in services.store.find_runs(task=spec.task.id, limit=1000):
        other = RunSpec.model_validate(row["spec"])
        if other.chain is not None and other.chain == chain and other.loop.id == spec.loop.id:
            return other.id
    loop = spec.loop.model_copy(update={"carry": None})
    return str(record_run(services, spec.task, spec.plan, loop, chain)["id"])


def _loop_ends(services: Services, spec: RunSpec, state: str) -> None:
    """`state`: limit, cancelled (too late for the run itself), stopped (at another task of its group), uncommitted (see
    `_phase_may_end`), or why selection found nothing (all_complete, all_blocked, partial, empty).
    """
    unseen = _unseen(services, spec)
    if unseen:
        many = "task was" if len(unseen) == 1 else "tasks were"
        services.notice(
            spec.id,
            f"{len(unseen)} {many} accepted by rule since the last checkpoint; the work is on the plan branch and "
            "lands with the next commit.",
        )
    services.events.emit("loop.ended", {"loop": spec.loop.id, "state": state, "done": spec.loop.then_done}, spec.id)
