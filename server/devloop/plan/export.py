"""The plan as plain JSON values, for front-ends and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devloop.plan.selection import MAX_PARALLEL, select

if TYPE_CHECKING:
    from devloop.plan.model import Criterion, FileRef, LogLine, Phase, Plan, Problem, Task
    from devloop.plan.selection import Blocked
    from devloop.plan.stats import Counts


def show(plan: Plan) -> dict[str, Any]:
    """Everything a front-end needs; lines are 1-based. Subtasks stand in `tasks` with `parent` set and don't count."""
    stats = plan.stats
    return {
        "name": plan.name,
        "status": plan.status,
        "status_text": plan.status_text,
        "fields": {field.key: field.value for field in plan.fields},
        "tasks": [task_json(task) for task in plan.tasks],
        "phases": [phase_json(phase) for phase in plan.phases],
        "criteria": [criterion_json(criterion) for criterion in plan.criteria],
        "log": [log_json(line) for line in plan.log],
        "stats": {
            **counts_json(stats.tasks),
            "subtasks": {"total": stats.subtasks.total, "done": stats.subtasks.done},
            "criteria": {"total": stats.criteria.total, "done": stats.criteria.done},
            "leaves": {"total": stats.leaves.total, "done": stats.leaves.done},
            "phases": [counts_json(counts) for counts in stats.phases],
        },
        "problems": [problem_json(problem) for problem in plan.problems],
    }


def next_task(
    plan: Plan, held: frozenset[str] = frozenset(), limit: int = MAX_PARALLEL, phase: str | None = None
) -> dict[str, Any]:
    """The answer of `plan next`: `blocked_by` and `parallel` are ids, `blocked` says who waits for what and why."""
    found = select(plan, held=held, limit=limit, phase=phase)
    return {
        "state": found.state,
        "task": task_json(found.task) if found.task is not None else None,
        "blocked_by": list(found.blocked_by),
        "parallel": [task.id for task in found.parallel],
        "resumable": [task.id for task in found.resumable],
        "blocked": [blocked_json(entry) for entry in found.blocked],
    }


def task_json(task: Task) -> dict[str, Any]:
    """One task with everything a run needs to know about it."""
    return {
        "id": task.id,
        "key": task.key,
        "title": task.title,
        "status": task.status,
        "marker": task.marker,
        "line": task.line,
        "phase": task.phase,
        "parent": task.parent,
        "depends_on": list(task.depends_on),
        "group": task.group,
        "acceptance": list(task.acceptance),
        "files": [file_json(ref) for ref in task.files],
        "may_change_tests": list(task.may_change_tests),
        "tags": list(task.tags),
        "notes": task.notes,
        "details": list(task.details),
        "verify": task.verify,
        "agent": task.agent,
        "mode": task.mode,
        "model": task.model,
        "skills": list(task.skills),
        "budget_usd": task.budget_usd,
        "turns": task.turns,
        "timeout_s": task.timeout_s,
        "optional": task.optional,
        "background": task.background,
        "sequential": task.sequential,
        "effort": task.effort,
        "requirements": list(task.requirements),
        "extra": [{"key": key, "value": value} for key, value in task.extra],
        "explicit": task.explicit,
    }


def file_json(ref: FileRef) -> dict[str, Any]:
    return {"path": ref.path, "new": ref.new, "lines": list(ref.lines) if ref.lines else None, "glob": ref.glob}


def phase_json(phase: Phase) -> dict[str, Any]:
    return {
        "id": phase.id,
        "name": phase.name,
        "line": phase.line,
        "end_line": phase.end_line,
        "level": phase.level,
        "goal": phase.goal,
        "status": phase.status,
        "depends_on": list(phase.depends_on),
    }


def criterion_json(criterion: Criterion) -> dict[str, Any]:
    return {
        "line": criterion.line,
        "text": criterion.text,
        "done": criterion.done,
        "section": criterion.section,
        "parent": criterion.parent,
    }


def log_json(line: LogLine) -> dict[str, Any]:
    return {
        "line": line.line,
        "stamp": line.stamp,
        "text": line.text,
        "event": line.event or None,
        "tasks": list(line.tasks),
    }


def counts_json(counts: Counts) -> dict[str, int]:
    return {
        "total": counts.total,
        "done": counts.done,
        "completed": counts.completed,
        "pending": counts.pending,
        "in_progress": counts.in_progress,
        "blocked": counts.blocked,
        "skipped": counts.skipped,
        "deferred": counts.deferred,
        "unknown": counts.unknown,
        "percentage": counts.percentage,
    }


def problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "line": problem.line,
        "message": problem.message,
        "start": problem.start,
        "end": problem.end,
        "related": [{"line": line, "message": message} for line, message in problem.related],
    }


def blocked_json(entry: Blocked) -> dict[str, Any]:
    return {
        "id": entry.task.id,
        "title": entry.task.title,
        "line": entry.task.line,
        "by": list(entry.by),
        "why": entry.why,
    }
