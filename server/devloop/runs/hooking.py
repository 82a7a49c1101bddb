"""Hooks in a run: which ones it has, when they are asked, and what their answers change.

Everything here happens inside steps that a run has anyway, so a run that an older devloop began goes on with it (it has
no hooks). A step may be repeated: hooks of tool calls run again with the calls, because the worktree was put back; what
is told once (`_once`) is told once more only when the engine died while telling.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from devloop import hooks, tools, trust
from devloop.hooks import Answer, Occasion, Place, Ready, Verdict
from devloop.redact import one_line, printable
from devloop.runs import chaining
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.tooling import command_environment, environment, worktree_mounts
from devloop.runs.transcript import Transcript
from devloop.workspace import PLAN_BRANCH

log = logging.getLogger(__name__)

Outcome = dict[str, Any]

WRITING: Final = ("PostToolUse", "PreCommit")
"""Events whose hooks may change the worktree of an agent that may: what they do there becomes part of the work."""
HELD_AT_MOST: Final = 3
"""Refusals in a row to let an agent stop, after which it may."""
END_LIMIT_S: Final = 5.0
"""How long a run's end waits for hooks: a cancelled run has to end at once."""
TOLD_AT_MOST: Final = 40
"""Notices that hooks may add to one run."""
SHOWN: Final = 200
LOOKED_AT: Final = 1_000
"""Answers of hooks, of all runs, among which the last one of each is looked for."""
NO_TOOLS: Final = ("finish",)
"""Calls that are no tool calls to hooks: `Stop` tells of them."""


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
    if (await services.sandbox()).state != "on":
        services.notice(spec.id, "No hooks run: there is no sandbox for them.")
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


# Around the agent's work


async def session_start(services: Services, spec: RunSpec, source: str) -> str:
    """What hooks add to the first message of a conversation; `source`: startup, resume or compact."""
    verdict = await fire(services, spec, "SessionStart", subject=(source,), source=source, model=spec.model)
    return f"From hooks of this project:\n{verdict.context}" if verdict.context else ""


@dataclass
class ToolHooks:
    """The hooks around the tool calls of one turn. `halted`: why a person has to say how it goes on."""

    services: Services
    spec: RunSpec
    turn: int
    allowed: frozenset[str] | None
    halted: str | None = None
    _places: dict[str, Place] = field(default_factory=dict)

    async def before(self, call: tools.ToolCall) -> str | None:
        """Why this call is refused; None: it may be made."""
        if self.halted is not None:
            return f"It was not made: a hook stopped the work. {self.halted}"
        if not self._counts(call):
            return None
        verdict = await self._fire("PreToolUse", call)
        if verdict.halted is not None:
            self.halted = verdict.halted
            return f"It was not made: a hook stopped the work. {self.halted}"
        return f"A hook of this project refuses this call.\n{verdict.reason}" if verdict.blocked else None

    async def after(self, call: tools.ToolCall, result: tools.ToolResult) -> tools.ToolResult:
        """The result with what hooks say about it."""
        if result.control is not None or not self._counts(call):
            return result
        response = {"content": result.content, "is_error": result.is_error}
        verdict = await self._fire("PostToolUse", call, response)
        self.halted = self.halted or verdict.halted
        more = [f"A hook of this project objects:\n{verdict.reason}"] if verdict.blocked else []
        more += [f"From a hook of this project:\n{verdict.context}"] if verdict.context else []
        return replace(result, content="\n\n".join((result.content, *more))) if more else result

    def _counts(self, call: tools.ToolCall) -> bool:
        return call.name not in NO_TOOLS and (self.allowed is None or call.name in self.allowed)

    async def _fire(self, event: str, call: tools.ToolCall, response: Mapping[str, Any] | None = None) -> Verdict:
        if not any(ready.hook.event == event for ready in held_for(self.services, self.spec.id).ready):
            return Verdict()
        if event not in self._places:
            self._places[event] = await place_of(self.services, self.spec, event)
        return await fire(
            self.services,
            self.spec,
            event,
            subject=hooks.tool_names(call.name),
            place=self._places[event],
            turn=self.turn,
            call=call,
            response=response,
        )


def around_tools(services: Services, spec: RunSpec, turn: int, context: tools.ToolContext) -> ToolHooks | None:
    """None: the run has no hooks for tool calls."""
    found = held_for(services, spec.id).ready
    if not any(ready.hook.event in hooks.TOOL_EVENTS for ready in found):
        return None
    return ToolHooks(services, spec, turn, context.allowed)


def halted(reason: str) -> Outcome:
    """The outcome of a turn in which a hook wanted a person to say how it goes on."""
    return {"outcome": "question", "text": f"A hook stopped the work: {reason}\nHow should it go on?", "choices": []}


async def may_stop(services: Services, spec: RunSpec, transcript: Transcript, number: int, outcome: Outcome) -> Outcome:
    """The outcome of turn `number`, in which the agent says that it is finished: as it is, or with what hooks want
    first. After `HELD_AT_MOST` refusals in a row it may stop whatever they say."""
    event = stop_event(spec)
    if outcome["outcome"] != "finished":
        return outcome
    held = held_before(transcript, number)
    if held >= HELD_AT_MOST:
        services.notice(spec.id, f"Hooks held the agent back {held} times in a row; its work is now taken as it is.")
        return outcome
    said = printable(services.redactor.text(str(outcome.get("summary") or "")))
    more: dict[str, Any] = {"stop_hook_active": held > 0, "last_assistant_message": said}
    if event == "SubagentStop":
        names = (spec.agent, f"{spec.agent}:{spec.mode}")
        more |= {"subject": names, "agent_type": spec.agent, "agent_id": spec.id}
    verdict = await fire(services, spec, event, turn=number, **more)
    if verdict.halted is not None:
        return halted(verdict.halted)
    if verdict.blocked:
        text = f"You can't finish yet: a hook of this project holds you back.\n{verdict.reason}"
        return {"outcome": "unfit", "text": text, "hook": True}
    return outcome


def stop_event(spec: RunSpec) -> str:
    part = spec.task.errand is not None and spec.task.errand.part_of is not None
    return "SubagentStop" if spec.reports or part else "Stop"


def held_before(transcript: Transcript, number: int) -> int:
    """How often in a row before turn `number` hooks did not let the agent stop."""
    count = 0
    for turn in range(number - 1, 0, -1):
        outcome = (transcript.reply(turn) or {}).get("outcome", {})
        if outcome.get("outcome") == "unfit" and outcome.get("hook"):
            count += 1
        elif outcome.get("outcome") in ("finished", "question"):
            break
    return count


# Around the commit, and to whom it may concern


async def before_commit(services: Services, run: str, summary: str) -> Outcome | None:
    """`{"outcome": "held", "text", "reason", "halted"}` when hooks hold the commit back: words for the agent and for a
    person; `halted`: the person is to decide."""
    spec = services.spec(run)
    if not any(ready.hook.event == "PreCommit" for ready in held_for(services, run).ready):
        return None
    files = await _changed(services, spec)
    if not files:
        return None
    services.set_state(run, "checking")
    said = printable(services.redactor.text(summary))
    verdict = await fire(services, spec, "PreCommit", files=files, message=said, task=spec.task.id)
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
        await _once(services, spec, "TaskCompleted", "it", task=about, commit=commit, summary=said)
    return {"outcome": "told"}


async def landed(services: Services, run: str, commit: str | None, branch: str) -> Outcome:
    """The work is on the person's branch, where that is known under a commit of its own."""
    if commit is not None:
        await _committed(services, services.spec(run), commit, "landed", branch)
    return {"outcome": "told"}


async def _committed(services: Services, spec: RunSpec, commit: str, stage: str, branch: str) -> None:
    more = {"stage": stage, "commit": commit, "branch": branch, "task": spec.task.id, "title": spec.task.title}
    await _once(services, spec, "PostCommit", f"{stage}-{commit}", subject=(stage,), **more)


async def checkpoint_opened(services: Services, run: str, shown: Mapping[str, Any]) -> None:
    number, kind = shown["number"], str(shown["kind"])
    more = {key: shown.get(key) for key in ("number", "kind", "summary", "problem", "decisions", "question")}
    about = {
        **more,
        "gates": [{k: g.get(k) for k in ("gate", "verdict", "required")} for g in shown.get("gates") or ()],
    }
    await _once(services, services.spec(run), "CheckpointOpened", str(number), subject=(kind,), checkpoint=about)


async def session_end(services: Services, run: str, outcome: str, reason: str) -> None:
    """Before the worktree is gone; afterwards nothing of the run's hooks is kept in memory."""
    spec = services.spec(run)
    told = one_line(printable(services.redactor.text(reason)), 400)
    more = {"subject": (outcome,), "limit_s": END_LIMIT_S, "outcome": outcome}
    await _once(services, spec, "SessionEnd", "it", **more, reason=outcome, message=told)
    services.hooks.pop(run, None)


async def _once(services: Services, spec: RunSpec, event: str, key: str, **more: Any) -> None:
    """Tell hooks of what happened, unless that was done; a place that is gone has nobody to tell. Never raises."""
    if not any(ready.hook.event == event for ready in held_for(services, spec.id).ready):
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
