"""A plan as the content of `.devloop/plan-state.json` (state-files §2), in version 2.0.0 and in 1.0.0."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from devloop import plan as plans
from devloop.redact import cut
from devloop.state.plan_state_shapes import MAX_DESCRIPTION, MAX_NAME
from devloop.state.storing import stamp

VERSION: Final = "2.0.0"
V1_VERSION: Final = "1.0.0"
_V1_ID = re.compile(r"[0-9]+\.[0-9]+\Z")
_V1_GROUP = re.compile(r"[A-Z]\Z")
_V1_PLAN: Final = {"paused": "in_progress", "blocked": "in_progress"}
_V1_TASK: Final = {"deferred": "pending", "unknown": "pending"}


def of(plan: plans.Plan, plan_file: str, now: datetime, *, archived_phases: tuple[str, ...] = ()) -> dict[str, Any]:
    """The file's content for a plan that was read from `plan_file` (relative to the root)."""
    counts, selection = plan.stats, plans.select(plan)
    top = plan.top_level
    problems = plan.problems
    first: dict[str, plans.Task] = {}
    for task in top:
        first.setdefault(task.id, task)
    created, updated = plan.field("Created"), plan.field("Updated")
    phases, current = _phases(plan), _current(plan)
    return _clean(
        {
            "schema_version": VERSION,
            "plan_file": plan_file,
            "plan_hash": hashlib.sha256(plan.data).hexdigest(),
            "last_sync": stamp(now),
            "plan_name": cut(plan.name, MAX_NAME),
            "status": plan.status,
            "created": cut(created.value, 100) if created else None,
            "updated": cut(updated.value, 100) if updated else None,
            "current_phase": current,
            "stats": _stats(counts.tasks),
            "subtasks": {"total": counts.subtasks.total, "done": counts.subtasks.done},
            "diagnostics": {
                "error": sum(each.severity == "error" for each in problems),
                "warning": sum(each.severity == "warning" for each in problems),
            },
            "phases": phases,
            "tasks": {name: _task(task) for name, task in first.items()},
            "task_list": [_listed(task) for task in plan.tasks],
            "criteria": [
                {"line": each.line, "text": each.text, "done": each.done, "section": each.section}
                for each in plan.criteria
            ],
            "parallel_groups": _groups(top),
            "dependencies": {task.id: list(task.depends_on) for task in first.values() if task.depends_on},
            "ready": [task.id for task in plans.ready(plan)],
            "blocked": [{"id": each.task.id, "by": list(each.by), "why": each.why} for each in selection.blocked],
            "next_task": selection.task.id if selection.task else None,
            "outcome": selection.state,
            "archived_phases": list(archived_phases),
        },
        plan,
    )


def of_v1(plan: plans.Plan, plan_file: str, now: datetime) -> dict[str, Any]:
    """Version 1.0.0, which allows no key that it does not know: foreign ids are left out, so are their counts."""
    tasks: dict[str, plans.Task] = {}
    for task in plan.top_level:
        if _V1_ID.match(task.id):
            tasks.setdefault(task.id, task)
    numbers = {each.id: int(each.id) for each in plan.phases if _is_number(each.id)}
    status = {name: _V1_TASK.get(task.status, task.status) for name, task in tasks.items()}
    created, updated = plan.field("Created"), plan.field("Updated")
    following = plans.select(plan).task
    state: dict[str, Any] = {
        "schema_version": V1_VERSION,
        "plan_file": plan_file,
        "last_sync": stamp(now),
        "plan_name": cut(plan.name, MAX_NAME),
        "status": _V1_PLAN.get(plan.status, plan.status),
        "created": cut(created.value, 100) if created else "",
        "updated": cut(updated.value, 100) if updated else "",
        "stats": _v1_stats(list(status.values())),
        "phases": [],
        "tasks": {},
        "parallel_groups": {
            name: ids
            for name, members in _groups(tuple(tasks.values())).items()
            if _V1_GROUP.match(name) and (ids := [each for each in members if each in tasks])
        },
        "dependencies": {},
        "next_task": following.id if following is not None and following.id in tasks else None,
    }
    current = _current(plan)
    if isinstance(current, int):
        state["current_phase"] = current
    for phase in plan.phases:
        if phase.id in numbers:
            ids = [name for name, task in tasks.items() if task.phase == phase.id]
            state["phases"].append(_v1_phase(phase, numbers[phase.id], ids, status))
    for name, task in tasks.items():
        entry = _v1_task(task, status[name], tasks, numbers)
        if entry["depends_on"]:
            state["dependencies"][name] = entry["depends_on"]
        state["tasks"][name] = entry
    return _clean(state, plan)


def _v1_task(task: plans.Task, status: str, known: Collection[str], numbers: Mapping[str, int]) -> dict[str, Any]:
    entry = _task(task)
    entry["status"] = status
    entry["depends_on"] = [each for each in task.depends_on if each in known]
    if not _V1_GROUP.match(entry["parallel_group"] or ""):
        del entry["parallel_group"]
    number = numbers.get(task.phase or "")
    if number is None:
        del entry["phase"]
    else:
        entry["phase"] = number
    return entry


def _v1_phase(phase: plans.Phase, number: int, ids: list[str], status: Mapping[str, str]) -> dict[str, Any]:
    stats = _v1_stats([status[name] for name in ids])
    return {
        "number": number,
        "name": phase.name,
        "goal": phase.goal,
        "status": _phase_status(phase),
        "task_ids": ids,
        "stats": {key: stats[key] for key in ("total", "completed", "pending")},
    }


def _v1_stats(states: list[str]) -> dict[str, int]:
    count = {name: states.count(name) for name in ("complete", "pending", "in_progress", "blocked", "skipped")}
    done = count["complete"] + count["skipped"]
    return {
        "total": len(states),
        "completed": count["complete"],
        "pending": count["pending"],
        "in_progress": count["in_progress"],
        "blocked": count["blocked"],
        "skipped": count["skipped"],
        "done": done,
        "percentage": done * 100 // len(states) if states else 0,
    }


def _stats(counts: plans.Counts) -> dict[str, int]:
    return {
        "total": counts.total,
        "completed": counts.completed,
        "pending": counts.pending,
        "in_progress": counts.in_progress,
        "blocked": counts.blocked,
        "skipped": counts.skipped,
        "deferred": counts.deferred,
        "unknown": counts.unknown,
        "done": counts.done,
        "percentage": counts.percentage,
    }


def _phases(plan: plans.Plan) -> list[dict[str, Any]]:
    ids: dict[int, list[str]] = defaultdict(list)
    for task in plan.top_level:
        if task.phase_index is not None:
            ids[task.phase_index].append(task.id)
    return [
        {
            "id": phase.id,
            "number": int(phase.id) if _is_number(phase.id) else None,
            "name": phase.name,
            "goal": phase.goal,
            "status": _phase_status(phase),
            "task_ids": ids.get(at, []),
            "stats": {"total": counts.total, "completed": counts.completed, "pending": counts.pending},
        }
        for at, (phase, counts) in enumerate(zip(plan.phases, plan.stats.phases, strict=True))
    ]


def _phase_status(phase: plans.Phase) -> str:
    return phase.status if phase.status in ("in_progress", "complete", "archived") else "pending"


def _current(plan: plans.Plan) -> int | str | None:
    """The first phase that is not complete and has tasks, as its number where it has one."""
    for phase, counts in zip(plan.phases, plan.stats.phases, strict=True):
        if counts.total and phase.status != "complete":
            return int(phase.id) if _is_number(phase.id) else phase.id
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1


def _task(task: plans.Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "description": cut(task.title, MAX_DESCRIPTION),
        "status": task.status,
        "phase": int(task.phase) if task.phase and _is_number(task.phase) else task.phase,
        "acceptance": "; ".join(task.acceptance),
        "files": [ref.path for ref in task.files],
        "notes": task.notes,
        "parallel_group": task.group,
        "depends_on": list(task.depends_on),
    }


def _listed(task: plans.Task) -> dict[str, Any]:
    return {
        "line": task.line,
        "key": task.key,
        "id": task.id,
        "title": task.title,
        "marker": task.marker,
        "status": task.status,
        "phase": task.phase,
        "parent": task.parent,
        "optional": task.optional,
        "agent": task.agent,
        "mode": task.mode,
        "model": task.model,
        "tags": list(task.tags),
        "requirements": list(task.requirements),
        "files": [{"path": ref.path, "new": ref.new} for ref in task.files],
    }


def _groups(tasks: tuple[plans.Task, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for task in tasks:
        if task.group and task.id not in found.setdefault(task.group, []):
            found[task.group].append(task.id)
    return found


def _clean(value: dict[str, Any], plan: plans.Plan) -> dict[str, Any]:
    """Without lone surrogates, which JSON in UTF-8 can't hold. Only bytes that are no UTF-8 give any."""
    try:
        plan.data.decode()
    except UnicodeDecodeError:
        cleaned: dict[str, Any] = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        return cleaned
    return value
