"""`.devloop/plan-state.json` (state-files §2): the plan as data for other programs. Derived, never trusted over it.

`of` gives version 2.0.0, `of_v1` what readers of 1.0.0 know. Keys of version 1 mean in version 2 what they meant there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from devloop import plan as plans
from devloop.own_files import Fault, read_text
from devloop.state.storing import json_lines, major, parse_json, stamp, validated, write_json

PATH: Final = ".devloop/plan-state.json"
VERSION: Final = "2.0.0"
V1_VERSION: Final = "1.0.0"
MAX_DESCRIPTION: Final = 500
MAX_NAME: Final = 200
_V1_ID = re.compile(r"[0-9]+\.[0-9]+\Z")
_V1_GROUP = re.compile(r"[A-Z]\Z")
_V1_PLAN: Final = {"paused": "in_progress", "blocked": "in_progress"}
_V1_TASK: Final = {"deferred": "pending", "unknown": "pending"}

TaskStatus = Literal["pending", "in_progress", "complete", "blocked", "skipped", "deferred", "unknown"]
Count = Field(ge=0)


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class PartState(_Shape):
    total: int = Count
    done: int = Count


class StatsState(_Shape):
    total: int = Count
    completed: int = Count
    pending: int = Count
    in_progress: int = Field(default=0, ge=0)
    blocked: int = Field(default=0, ge=0)
    skipped: int = Field(default=0, ge=0)
    deferred: int = Field(default=0, ge=0)
    unknown: int = Field(default=0, ge=0)
    done: int = Field(default=0, ge=0)
    percentage: int = Field(ge=0, le=100)


class PhaseStats(_Shape):
    total: int = Count
    completed: int = Count
    pending: int = Count


class PhaseState(_Shape):
    """`number` is null where the phase's id is no number."""

    id: str
    number: int | None
    name: str
    goal: str = ""
    status: str
    task_ids: tuple[str, ...] = ()
    stats: PhaseStats


class FileState(_Shape):
    path: str
    new: bool = False


class TaskState(_Shape):
    """An entry of `tasks`: the first task of an id."""

    id: str
    description: str = Field(max_length=MAX_DESCRIPTION)
    status: TaskStatus
    phase: int | str | None = None
    acceptance: str = ""
    files: tuple[str, ...] = ()
    notes: str = ""
    parallel_group: str | None = None
    depends_on: tuple[str, ...] = ()


class ListedTask(_Shape):
    """An entry of `task_list`: every task, in the order of the document."""

    line: int = Field(ge=1)
    key: str
    id: str
    title: str
    marker: str
    status: TaskStatus
    phase: str | None
    parent: str | None
    optional: bool
    agent: str | None
    mode: str | None
    model: str | None
    tags: tuple[str, ...]
    requirements: tuple[str, ...]
    files: tuple[FileState, ...]


class CriterionState(_Shape):
    line: int = Field(ge=1)
    text: str
    done: bool
    section: str


class Diagnostics(_Shape):
    error: int = Count
    warning: int = Count


class BlockedTask(_Shape):
    id: str
    by: tuple[str, ...]
    why: str


class PlanState(_Shape):
    """The whole file. `outcome` says what `next_task` is the answer of: the selection's state."""

    schema_version: str = Field(pattern=r"^2\.[0-9]+\.[0-9]+$")
    plan_file: str
    plan_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    last_sync: str
    plan_name: str = Field(max_length=MAX_NAME)
    status: Literal["planning", "in_progress", "paused", "blocked", "review", "complete", "archived"]
    created: str | None = None
    updated: str | None = None
    current_phase: int | str | None = None
    stats: StatsState
    subtasks: PartState
    diagnostics: Diagnostics
    phases: tuple[PhaseState, ...]
    tasks: dict[str, TaskState]
    task_list: tuple[ListedTask, ...]
    criteria: tuple[CriterionState, ...]
    parallel_groups: dict[str, tuple[str, ...]]
    dependencies: dict[str, tuple[str, ...]]
    ready: tuple[str, ...]
    blocked: tuple[BlockedTask, ...]
    next_task: str | None
    outcome: Literal["found", "all_complete", "all_blocked", "partial", "empty"]
    archived_phases: tuple[str, ...] = ()


class V1Stats(_Shape):
    total: int = Count
    completed: int = Count
    pending: int = Count
    percentage: int = Field(ge=0, le=100)


class PlanStateV1(_Shape):
    """What a file of version 1 must have; the rest is read where it makes sense."""

    schema_version: Literal["1.0.0"]
    plan_file: str
    last_sync: str
    stats: V1Stats
    tasks: dict[str, dict[str, Any]] = {}
    phases: tuple[dict[str, Any], ...] = ()
    next_task: str | None = None


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
            "plan_name": plan.name[:MAX_NAME],
            "status": plan.status,
            "created": created.value[:100] if created else None,
            "updated": updated.value[:100] if updated else None,
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
        "plan_name": plan.name[:MAX_NAME],
        "status": _V1_PLAN.get(plan.status, plan.status),
        "created": created.value[:100] if created else "",
        "updated": updated.value[:100] if updated else "",
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
        entry = _task(task)
        entry["status"] = status[name]
        entry["depends_on"] = [each for each in task.depends_on if each in tasks]
        if not _V1_GROUP.match(entry["parallel_group"] or ""):
            del entry["parallel_group"]
        number = numbers.get(task.phase or "")
        if number is None:
            del entry["phase"]
        else:
            entry["phase"] = number
        if entry["depends_on"]:
            state["dependencies"][name] = entry["depends_on"]
        state["tasks"][name] = entry
    return _clean(state, plan)


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
        "description": task.title[:MAX_DESCRIPTION],
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


def text_of(state: dict[str, Any]) -> str:
    """The file's text: a line for each key, and for each entry of a list or map of objects. That is what makes a
    change of one task a change of few lines, and it takes a fifth of the time that full indentation takes."""
    lines = [f"  {_json(key)}: {_lines(value)}" for key, value in state.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    return text.encode("utf-8", "replace").decode()


def _lines(value: Any) -> str:
    if isinstance(value, dict) and value and all(isinstance(each, dict | list) for each in value.values()):
        return "{\n" + ",\n".join(f"    {_json(key)}: {_json(each)}" for key, each in value.items()) + "\n  }"
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return "[\n" + ",\n".join(f"    {_json(each)}" for each in value) + "\n  ]"
    return _json(value)


def _json(value: Any) -> str:
    return _ENCODER.encode(value)


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


def read(text: str) -> tuple[PlanState | PlanStateV1 | None, tuple[Fault, ...]]:
    """A file of either version; None and why when it is neither. A newer major version is read as far as it goes."""
    value, faults = parse_json(text, PATH)
    if value is None:
        return None, faults
    if major(value.get("schema_version")) == 1:
        return validated(PlanStateV1, value, text, PATH)
    newer = (major(value.get("schema_version")) or 0) > 2
    state, faults = validated(PlanState, {**value, "schema_version": VERSION} if newer else value, text, PATH)
    if newer:
        line = json_lines(text).get(("schema_version",), 1)
        note = Fault(PATH, line, "a newer devloop wrote this; it is read, not written", "warning")
        return state, (note, *((faults) if state is None else ()))
    return state, faults


def check(text: str, plan: plans.Plan | None = None) -> tuple[Fault, ...]:
    """What the file contradicts: itself (sums, names of phases and tasks), and the plan, where one is given."""
    state, faults = read(text)
    if state is None:
        return faults
    lines = json_lines(text)
    found = [*faults, *_sums(state, lines), *_names(state, lines)]
    if plan is not None and isinstance(state, PlanState) and state.plan_hash != hashlib.sha256(plan.data).hexdigest():
        line = lines.get(("plan_hash",), 1)
        found.append(
            Fault(PATH, line, "the plan is another one by now; the file is written again on demand", "warning")
        )
    return tuple(found)


def _sums(state: PlanState | PlanStateV1, lines: dict[tuple[str | int, ...], int]) -> list[Fault]:
    stats = state.stats.model_dump()
    parts = ("completed", "pending", "in_progress", "blocked", "skipped", "deferred", "unknown")
    total = sum(int(stats.get(part) or 0) for part in parts)
    if total == stats["total"]:
        return []
    text = f"stats: the parts add up to {total}, not to the total of {stats['total']}"
    return [Fault(PATH, lines.get(("stats",), 1), text)]


def _names(state: PlanState | PlanStateV1, lines: dict[tuple[str | int, ...], int]) -> list[Fault]:
    known = set(state.tasks)
    found = []
    phases = [phase.model_dump() if isinstance(phase, PhaseState) else phase for phase in state.phases]
    for at, phase in enumerate(phases):
        ids = phase.get("task_ids") or ()
        missing = [str(each) for each in ids if each not in known] if isinstance(ids, list | tuple) else []
        if missing:
            line = lines.get(("phases", at), 1)
            found.append(Fault(PATH, line, f"phases.{at}: there is no task {', '.join(missing[:5])}"))
    if state.next_task is not None and not _exists(state, state.next_task):
        found.append(Fault(PATH, lines.get(("next_task",), 1), f"next_task: there is no task {state.next_task}"))
    return found


def _exists(state: PlanState | PlanStateV1, name: str) -> bool:
    return name in state.tasks or (isinstance(state, PlanState) and any(each.id == name for each in state.task_list))


def write(root: Path, plan: plans.Plan, plan_file: str, now: datetime) -> bool:
    """Bring the file in step with the plan. False when it was: an equal hash changes nothing, not even the time.

    Raises `Refused` when a newer devloop wrote it.
    """
    before = read_text(root, PATH)
    old = parse_json(before, PATH)[0] if before else None
    digest = hashlib.sha256(plan.data).hexdigest()
    if old is not None and old.get("plan_hash") == digest and old.get("plan_file") == plan_file:
        state, _ = read(before or "")
        if isinstance(state, PlanState):
            return False
    archived = old.get("archived_phases") if old is not None else None
    kept = tuple(str(each) for each in archived) if isinstance(archived, list) else ()
    return write_json(
        root,
        PATH,
        of(plan, plan_file, now, archived_phases=kept),
        version_key="schema_version",
        version=2,
        render=text_of,
    )
