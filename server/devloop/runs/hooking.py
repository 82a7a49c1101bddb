"""Hooks in a run: which ones it has, how they are asked, and what is shown of their answers. When they are asked, and
what that changes: `hooked_work.py` around the agent's work, `hooked_ends.py` around the commit and what comes of it.

Everything here happens inside steps that a run has anyway, so a run that an older devloop began goes on with it (it has
no hooks). A step may be repeated: hooks of tool calls run again with the calls, because the worktree was put back; what
is told once (`once`) is told once more only when the engine died while telling.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from devloop import hooks, tools, trust
from devloop.errors import DevloopError
from devloop.hooks import Answer, Occasion, Place, Ready, Verdict
from devloop.redact import one_line
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.tooling import command_environment, environment, worktree_mounts

log = logging.getLogger(__name__)

WRITING: Final = ("PostToolUse", "PreCommit")
"""Events whose hooks may change the worktree of an agent that may: what they do there becomes part of the work."""
TOLD_AT_MOST: Final = 40
"""Notices that hooks may add to one run."""
SHOWN: Final = 200
LOOKED_AT: Final = 1_000
"""Answers of hooks, of all runs, among which the last one of each is looked for."""


@dataclass
class Held:
    """What an engine knows of one run's hooks. `told`: what was said already."""

    ready: tuple[Ready, ...] = ()
    told: set[str] = field(default_factory=set)


async def settle(services: Services, spec: RunSpec) -> None:
    """Settle the hooks of a run that begins: those that are trusted now, with their scripts as they are now."""
    library = await asyncio.to_thread(hooks.discover, services.root, services.state.trust_file)
    for source in library.sources:
        if source.state == "untrusted" and source.declared.hooks:
            why = source.note.split(";")[0]
            services.notice(spec.id, f"The hooks of {source.path} do not run ({why}). {trust.HINT}")
    if not library.active:
        services.hooks[spec.id] = Held()
        return
    if hooks.of_hook():
        services.notice(spec.id, "No hooks run here: a hook started this devloop.")
        services.hooks[spec.id] = Held()
        return
    state = (await services.sandbox()).state
    if state != "on":
        services.notice(spec.id, f"No hooks run: they need the full sandbox, and it is {state}.")
        services.hooks[spec.id] = Held()
        return
    ready = await asyncio.to_thread(hooks.pin, library, services.folder(spec.id))
    services.hooks[spec.id] = Held(ready)


def held_for(services: Services, run: str) -> Held:
    found = services.hooks.get(run)
    if not isinstance(found, Held):
        found = services.hooks[run] = Held(hooks.pinned(services.folder(run)))
    return found


async def fire(
    services: Services,
    spec: RunSpec,
    event: str,
    *,
    subject: tuple[str, ...] = (),
    place: Place | None = None,
    limit_s: float | None = None,
    turn: int | None = None,
    call: tools.ToolCall | None = None,
    response: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Verdict:
    """Ask the run's hooks at an event. Without hooks for it this is a look into a dictionary. Never raises for what a
    hook does; each answer is an event, and what went wrong a notice."""
    held = held_for(services, spec.id)
    if not any(ready.hook.event == event for ready in held.ready):
        return Verdict()
    occasion = Occasion(
        event=event,
        session=spec.id,
        cwd=str(services.root),
        subject=subject,
        tool=call.name if call is not None else "",
        tool_input=call.input if call is not None else {},
        response=response,
        fields=fields,
        about=_about(spec, turn),
    )
    chosen = _not_revoked(services, hooks.fitting(held.ready, occasion))
    if not chosen:
        return Verdict()
    titles = [one_line(ready.hook.title, 80) for ready in chosen]
    services.events.emit("hook.started", {"event": event, "hooks": titles}, spec.id, store=False)
    try:
        place = place or await place_of(services, spec, event)
        verdict = await hooks.fire(chosen, occasion, replace(place, limit_s=limit_s))
    except Exception:
        log.exception("the hooks of run %s at %s could not be run", spec.id, event)
        _notice(services, spec, held, [f"The hooks at {event} could not be run; the engine's log has the details."])
        return Verdict()
    for answer in verdict.answers:
        services.events.emit("hook.ended", _told(answer, turn, call), spec.id)
    _notice(services, spec, held, verdict.told)
    return verdict


def _about(spec: RunSpec, turn: int | None) -> dict[str, Any]:
    task = spec.task
    return {
        "run": spec.id,
        "attempt": spec.attempt,
        "task": task.id,
        "title": task.title,
        "agent": spec.agent,
        "mode": spec.mode,
        "turn": turn,
        "command": task.errand.command if task.errand is not None else None,
    }


def _not_revoked(services: Services, chosen: list[Ready]) -> list[Ready]:
    """Without those whose trust a person took back meanwhile."""
    if not any(ready.key for ready in chosen):
        return chosen
    trusted = trust.trusted_hashes(services.state.trust_file)
    return [ready for ready in chosen if not ready.key or ready.key in trusted]


async def place_of(services: Services, spec: RunSpec, event: str) -> Place:
    """Where hooks of a run see what: as its commands do, and read-only where nothing is to be changed."""
    detected = await services.sandbox()
    found = await environment(services)
    write = event in WRITING and not spec.reads_only
    return Place(
        worktree=services.workspace.path(spec.id),
        view=services.root,
        backend=detected.backend,
        mounts=worktree_mounts(services, spec.id, found, write=write),
        env=command_environment(services, found),
        redact=services.redactor.text,
        masks=tuple(services.root / name for name in tools.PROTECTED) if write else (),
    )


def _told(answer: Answer, turn: int | None, call: tools.ToolCall | None) -> dict[str, Any]:
    """One answer as an event: `{"event", "hook", "id", "path", "result", "reason", "exit_code", "ms"}`, of a tool call
    also `turn`, `tool` and the call's id as `call`."""
    hook = answer.hook
    data = {
        "event": hook.event,
        "hook": one_line(hook.title, 100),
        "id": hook.id,
        "path": hook.path,
        "result": answer.result,
        "reason": one_line(answer.reason, 400),
        "exit_code": answer.exit_code,
        "ms": round(answer.duration_s * 1000),
    }
    if turn is not None:
        data["turn"] = turn
    return data if call is None else {**data, "tool": call.name, "call": call.id}


def _notice(services: Services, spec: RunSpec, held: Held, texts: Iterable[str]) -> None:
    for text in texts:
        text = one_line(text, 400)
        kind = text.split(" failed: ")[0]  # the same hook failing at every call is said once
        if kind not in held.told and len(held.told) < TOLD_AT_MOST:
            held.told.add(kind)
            services.notice(spec.id, text)


async def once(services: Services, spec: RunSpec, event: str, key: str, **more: Any) -> None:
    """Tell hooks of what happened, unless that was done (`key` names it); a place that is gone has nobody to tell.
    Never raises."""
    try:
        ready = held_for(services, spec.id).ready
    except DevloopError as problem:
        log.warning("the hooks of run %s could not be told of %s: %s", spec.id, event, problem.message)
        return
    if not any(each.hook.event == event for each in ready):
        return
    done = services.folder(spec.id) / "hooks" / f"{event}-{key[:80]}.done"
    if done.exists() or not await asyncio.to_thread(services.workspace.path(spec.id).is_dir):
        return
    await fire(services, spec, event, **more)
    with contextlib.suppress(OSError):
        done.touch()


# What is shown of them


def told(services: Services, run: str) -> list[dict[str, Any]]:
    """What came of a run's hooks, oldest first, the newest `SHOWN` of them; see "hook.ended" in ARCHITECTURE.md."""
    found = services.store.events_of(run, ("hook.ended",))[-SHOWN:]
    return [{**event["data"], "at": event["at"]} for event in found]


def last_results(services: Services) -> list[dict[str, Any]]:
    """What came of each hook when it ran last, of any run."""
    found: dict[str, dict[str, Any]] = {}
    for event in services.store.newest_of("hook.ended", LOOKED_AT):
        data = event["data"]
        kept = {key: data.get(key) for key in ("id", "result", "reason", "ms")}
        found.setdefault(str(data.get("id")), {**kept, "run": event["run"], "at": event["at"]})
    return list(found.values())
