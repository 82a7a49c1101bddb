"""When a loop stops for a person (`[checkpoints] when`), and what it passed without one.

Work that is not due is accepted onto the plan branch by rule: after the same gates, as "continue", and recorded as a
checkpoint that the rule closed. Whatever needs a person's eye is due whatever the rule says; a rule never lands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devloop.errors import DevloopError
from devloop.redact import one_line
from devloop.runs import chaining
from devloop.runs.services import Services
from devloop.runs.spec import LoopSpec, RunSpec

Row = dict[str, Any]

MAX_LISTED = 200


def ready(services: Services, spec: RunSpec) -> Row:
    """What the run's workflow has to know: `when`, and `fresh`: so many tasks are done that a fresh start is due."""
    own = services.settings.checkpoints
    fresh = spec.task.errand is None and tasks_since_fresh(spec) >= own.fresh_threshold
    ask = spec.task.errand is not None or chaining.following(spec) is not None or (fresh and not spec.loop.decide)
    return {
        "when": "on-failure" if approved(services, spec) else "each-task" if ask else spec.loop.when,
        "group": spec.loop.group is not None,
        "fresh": fresh and own.enforcement == "strict",
    }


def approved(services: Services, spec: RunSpec) -> bool:
    """Whether the person gave the approval of this phase of a workflow in advance (`workflow.auto_approve`)."""
    names = {name.lower() for name in services.settings.workflow.auto_approve}
    return spec.task.errand is None and spec.plan.workflow == "full" and spec.task.phase_name.lower() in names


def tasks_since_fresh(spec: RunSpec) -> int:
    """How many tasks the loop has done when this one is done. A loop begins with an empty context."""
    return spec.loop.then_done


def settled(loop: LoopSpec) -> str:
    """The rule in words."""
    return {
        "each-task": "a checkpoint after each task",
        "every": f"a checkpoint after every {loop.every} tasks",
        "phase-end": "a checkpoint at the end of a phase",
        "on-failure": "a checkpoint only when something fails",
    }[loop.when]


async def stops(services: Services, spec: RunSpec) -> str | None:
    """Why the loop stops after this task; None where its rule lets it go on."""
    loop = spec.loop
    if loop.when == "on-failure" or approved(services, spec):
        return None
    if loop.when == "each-task":
        return "each task has a checkpoint"
    done = len(loop.unseen) + loop.size
    if loop.when == "every" and done >= loop.every:
        return f"{done} tasks are done since the last checkpoint"
    if not loop.goes_on:
        return "the loop ends here"
    own = [services.spec(row["id"]).task for row in services.store.find_runs(loop=loop.id) if _beside(row, loop)]
    done_then = [task.reference() for task in own or [spec.task]]
    held = [row["task_id"] for row in services.store.find_runs(open_only=True) if row["loop"] != loop.id]
    following = await services.plan.next(held, loop.phase, done_then)
    task = following.get("task")
    if not task:
        return "nothing follows that could run"
    if loop.when == "phase-end" and task.get("phase") != spec.task.phase:
        return f"phase {one_line(spec.task.phase or '', 40)} ends here"
    return None


async def is_last(services: Services, spec: RunSpec) -> bool:
    """Whether every task of the plan is done with this one."""
    if spec.task.errand is not None or chaining.following(spec) is not None:
        return False
    try:
        found = await services.plan.next([], None, [spec.task.reference()])
    except DevloopError:  # the plan can't be read, or the task stands there no more
        return False
    return bool(found["state"] == "all_complete")


def _beside(row: Mapping[str, Any], loop: LoopSpec) -> bool:
    """Whether a run of the loop is done at the same time as the one with this `loop`."""
    other = RunSpec.model_validate(row["spec"]).loop
    return other.begins == loop.begins


def last_passed(services: Services, run: str) -> Row | None:
    """The run's last checkpoint, where the rule closed it."""
    last: Row | None = None
    number = 1
    while (found := services.store.checkpoint(run, number)) is not None:
        last, number = found, number + 1
    return last if last is not None and last["content"].get("rule") else None


def unseen_after(services: Services, run: str) -> tuple[str, ...]:
    """What the loop has accepted since the last checkpoint that a person saw, this run included."""
    spec = services.spec(run)
    return (*spec.loop.unseen, run) if last_passed(services, run) is not None else ()


def accepted(services: Services, spec: RunSpec, diff: Mapping[str, Any] | None) -> Row | None:
    """Everything that a decision here is about: what the rule passed since the last checkpoint, and this run's own
    `diff`. None where that is this run alone.

    `{"tasks": [{run, task, title, summary, commit, files, added, deleted}], "files", "added", "deleted", "list"}`.
    """
    if not spec.loop.unseen:
        return None
    tasks: list[Row] = []
    paths: dict[str, Row] = {}
    for run in (*spec.loop.unseen, spec.id):
        row = services.store.run(run)
        if row is None:
            continue
        passed = last_passed(services, run) if run != spec.id else None
        content = passed["content"] if passed is not None else {}
        own = (content.get("diff") if run != spec.id else diff) or {"files": 0, "added": 0, "deleted": 0, "list": []}
        for file in own["list"]:
            before = paths.get(file["path"])
            more = {name: (before or {}).get(name, 0) + (file.get(name) or 0) for name in ("added", "deleted")}
            paths[file["path"]] = {**file, **more}
        tasks.append(
            {
                "run": run,
                "task": row["task_id"],
                "title": one_line(services.redactor.text(row["title"]), 120),
                "summary": one_line(str(content.get("summary") or ""), 200),
                "commit": row["commit_id"],
                **{name: own[name] for name in ("files", "added", "deleted")},
            }
        )
    sums = {name: sum(task[name] for task in tasks) for name in ("added", "deleted")}
    return {"tasks": tasks, "files": len(paths), **sums, "list": list(paths.values())[:MAX_LISTED]}
