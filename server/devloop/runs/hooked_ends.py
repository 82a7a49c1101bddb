"""Hooks around a run's commit, and those that are only told: of checkpoints, commits, a finished task, a run's end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from devloop.redact import one_line, printable
from devloop.runs import chaining, hooking
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.transcript import Transcript
from devloop.workspace import PLAN_BRANCH

Outcome = dict[str, Any]

END_LIMIT_S: Final = 5.0
"""How long a run's end waits for hooks: a cancelled run has to end at once."""


async def before_commit(services: Services, run: str, summary: str) -> Outcome | None:
    """`{"outcome": "held", "text", "reason", "halted"}` when hooks hold the commit back: words for the agent and for a
    person; `halted`: the person is to decide."""
    spec = services.spec(run)
    if not any(ready.hook.event == "PreCommit" for ready in hooking.held_for(services, run).ready):
        return None
    files = await _changed(services, spec)
    if not files:
        return None
    services.set_state(run, "checking")
    said = printable(services.redactor.text(summary))
    verdict = await hooking.fire(services, spec, "PreCommit", files=files, message=said, task=spec.task.id)
    if not verdict.blocked and verdict.halted is None:
        return None
    reason = verdict.halted or verdict.reason
    text = f"The commit is held back by a hook of this project; mend it and finish again.\n{reason}"
    told = f"A hook holds the commit back. {reason}"
    return {"outcome": "held", "text": text, "reason": told, "halted": verdict.halted is not None}


async def _changed(services: Services, spec: RunSpec) -> list[str]:
    """Paths that differ from the run's base, by its newest snapshot."""
    transcript = Transcript(services.folder(spec.id), services.redactor)
    last, row = transcript.snapshot(transcript.last_turn() + 1), services.store.run(spec.id)
    if last is None or row is None or not row["base"]:
        return []
    found = await services.workspace.diff(row["base"], last, limit=0)
    return [file.path for file in found.files[:1_000]]


async def accepted(services: Services, run: str, commit: str | None, summary: str) -> Outcome:
    """The work is on the plan branch, and its task ticked: both are told."""
    spec = services.spec(run)
    if commit is not None:
        await _committed(services, spec, commit, "accepted", PLAN_BRANCH)
    if spec.task.errand is None and chaining.following(spec) is None:
        said = printable(services.redactor.text(summary))
        about = {"id": spec.task.id, "title": spec.task.title, "phase": spec.task.phase}
        await hooking.once(services, spec, "TaskCompleted", "it", task=about, commit=commit, summary=said)
    return {"outcome": "told"}


async def landed(services: Services, run: str, commit: str | None, branch: str) -> Outcome:
    """The work is on the person's branch, where that is known under a commit of its own."""
    if commit is not None:
        await _committed(services, services.spec(run), commit, "landed", branch)
    return {"outcome": "told"}


async def _committed(services: Services, spec: RunSpec, commit: str, stage: str, branch: str) -> None:
    more = {"stage": stage, "commit": commit, "branch": branch, "task": spec.task.id, "title": spec.task.title}
    await hooking.once(services, spec, "PostCommit", f"{stage}-{commit}", subject=(stage,), **more)


async def checkpoint_opened(services: Services, run: str, shown: Mapping[str, Any]) -> None:
    number, kind = shown["number"], str(shown["kind"])
    more = {key: shown.get(key) for key in ("number", "kind", "summary", "problem", "decisions", "question")}
    about = {
        **more,
        "gates": [{k: g.get(k) for k in ("gate", "verdict", "required")} for g in shown.get("gates") or ()],
    }
    await hooking.once(services, services.spec(run), "CheckpointOpened", str(number), subject=(kind,), checkpoint=about)


async def session_end(services: Services, run: str, outcome: str, reason: str) -> None:
    """Before the worktree is gone; afterwards nothing of the run's hooks is kept in memory."""
    spec = services.spec(run)
    told = one_line(printable(services.redactor.text(reason)), 400)
    more = {"subject": (outcome,), "limit_s": END_LIMIT_S, "outcome": outcome}
    await hooking.once(services, spec, "SessionEnd", "it", **more, reason=outcome, message=told)
    services.hooks.pop(run, None)
