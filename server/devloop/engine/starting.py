"""Making runs: ids, attempts, loops, and which conversation goes on."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from devloop.engine.answers import summary
from devloop.errors import Refused
from devloop.models import limits_of
from devloop.redact import one_line
from devloop.runs import gathering
from devloop.runs.appointing import appoint
from devloop.runs.services import Services
from devloop.runs.spec import Chain, Errand, LoopSpec, PlanSpec, RunSpec, TaskSpec


def open_run_of(services: Services, task: TaskSpec) -> dict[str, Any] | None:
    """The run that has this task in hand, if there is one. An errand is the same one when it asks for the same.

    Raises `Refused` where only one may be open and that one was asked for with other wishes.
    """
    for row in services.store.find_runs(task=task.id, open_only=True):
        if task.errand is None:
            return row
        known = RunSpec.model_validate(row["spec"]).task
        if task.errand.wishes is not None:
            _must_wish_alike(row, known.errand, task.errand)
            return row
        if known == task:
            return row
    return None


def _must_wish_alike(row: Mapping[str, Any], known: Errand | None, wanted: Errand) -> None:
    """One after the other: two of them at the same time would each be made without the other."""
    before, now = (known.wishes if known is not None else None) or {}, wanted.wishes or {}
    other = [
        f"{name} {_wish(before.get(name))} there, {_wish(now.get(name))} here"
        for name in dict.fromkeys((*before, *now))
        if before.get(name) != now.get(name)
    ]
    if not other:
        return
    waits = row["state"] == "waiting"
    raise Refused(
        f"{row['id']} ({one_line(row['title'], 80)}) is open with other wishes: {'; '.join(other)}.",
        hint=f"Let it end first ({'it waits for your decision: ' if waits else ''}devloop "
        f"{'decide' if waits else 'show'} {row['id']}), or end it: devloop cancel {row['id']}. Then ask again. "
        "With the same wishes you join it.",
    )


def _wish(value: Any) -> str:
    if value is None or value == "" or isinstance(value, bool):
        return "yes" if value else "no"
    return repr(one_line(str(value), 60))


def record_run(
    services: Services, task: TaskSpec, plan: PlanSpec, loop: LoopSpec, chain: Chain | None = None
) -> dict[str, Any]:
    """A new run, recorded as `queued`. Its id is made of task and attempt, so that the same start attaches.

    `chain`: where its chain of modes stands, when it is not the first of them.
    """
    row = services.store.create_run(_row(services, task, plan, loop, chain))
    services.events.emit("run.queued", summary(services, row), row["id"])
    return row


def record_runs(
    services: Services, tasks: Sequence[TaskSpec], plan: PlanSpec, loops: Sequence[LoopSpec]
) -> list[dict[str, Any]]:
    """New runs that begin at once: all of them are recorded, or none."""
    rows: list[dict[str, Any]] = []
    for task, loop in zip(tasks, loops, strict=True):
        taken = {row["id"] for row in rows}
        rows.append(_row(services, task, plan, loop, None, taken))
    recorded = services.store.create_runs(rows)
    for row in recorded:
        services.events.emit("run.queued", summary(services, row), row["id"])
    return recorded


def _row(
    services: Services,
    task: TaskSpec,
    plan: PlanSpec,
    loop: LoopSpec,
    chain: Chain | None,
    taken: Collection[str] = (),
) -> dict[str, Any]:
    prefix = f"run-{_slug(task.id)}-"
    attempt = services.store.last_attempt(prefix) + 1
    while f"{prefix}{attempt}" in taken:
        attempt += 1
    appointed = appoint(services, task, unattended=loop.decide is not None, chain=chain)
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
        choice=appointed.choice.to_json() | ({"suggestion": appointed.suggestion} if appointed.suggestion else {}),
        chain=appointed.chain,
    )
    return {
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


def new_loop(services: Services, wanted: Mapping[str, Any]) -> LoopSpec:
    """`wanted`: `limit`, `decide`, `phase`, `stop_at` (`{"when", "every"}`; None: as the person's settings say) and
    `parallel`. Unattended, only a rule that is asked for keeps the loop from deciding at each task."""
    decide = wanted.get("decide")
    own = services.settings.checkpoints
    rule = wanted.get("stop_at") or ({} if decide else {"when": own.when, "every": own.every})
    return LoopSpec.model_validate(
        {
            "id": f"loop-{secrets.token_hex(4)}",
            "limit": wanted.get("limit", 1),
            "decide": decide,
            "phase": wanted.get("phase"),
            "parallel": bool(wanted.get("parallel")),
            **{name: rule[name] for name in ("when", "every") if rule.get(name) is not None},
        }
    )


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
