"""The first step of a run: worktree, trust, set-up, the first message, `[~]` in the plan."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ValidationError

from devloop import gates, sandbox, tools, trust
from devloop.errors import DevloopError, Refused
from devloop.redact import one_line, tail
from devloop.runs import (
    allowing,
    hooked_work,
    hooking,
    knowledge,
    prompt,
    proposing,
    reporting,
    stopping,
    tooling,
    verifying,
    whole_change,
)
from devloop.runs.checks import discover, prefetch_baseline
from devloop.runs.marking import mark
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.tooling import command_environment, environment, output_folder, worktree_mounts
from devloop.runs.transcript import Segment, Transcript
from devloop.settings import SetupSettings

TRUSTED_KINDS: tuple[Literal["gate", "setup"], ...] = ("gate", "setup")
"""What a run executes of what the repository declares. Its commands are those that were trusted when it began."""


async def prepare(services: Services, run: str) -> dict[str, Any]:
    """`{"outcome": "ready", "base", "decide", "gate_rounds", "patience_s", "gates", "access", "proposes"}`, and of an
    errand `"errand", "gathers", "part_of"`; or `failed` with what stands in the way."""
    spec = services.spec(run)
    row = services.store.run(run)
    first: dict[str, Any] = {"started": time.time()} if row is not None and row["started"] is None else {}
    services.set_state(run, "preparing", **first)
    if spec.gathers:
        return await _gathering(services, spec)
    if spec.lands:
        return await _landing(services, spec)
    try:
        await require_sandbox(services, spec)
        trusted = trust.require(services.root, services.state.trust_file, TRUSTED_KINDS)
        errand = spec.task.errand
        base = errand.base if errand is not None else None
        worktree = await services.workspace.prepare(run, base, include=_included(services, run))
        services.store.update_run(run, base=worktree.base)
        # What begins at a commit of its own was asked for as it is: nobody expects anything else there.
        services.notice(run, *(str(each) for each in worktree.notices if base is None or each.kind != "uncommitted"))
        await _write_prepared(services, spec)
        await _set_up(services, spec, setup_of(services, trusted))
        checks = () if spec.reports else await discover(services, run, worktree.base, trusted)
        if not spec.reports:
            checks, not_run = verifying.with_verify(services, spec, checks)
            services.notice(run, *filter(None, [not_run, allowing.notice(services, spec)]))
        if checks:
            prefetch_baseline(services, run, worktree.base, checks)
        await _open_conversation(services, spec, checks)
        await mark(services, spec, "started")
    except DevloopError as problem:
        return {"outcome": "failed", "reason": problem.message, "hint": problem.hint, "kind": problem.kind}
    return {**_ready(services, spec, checks), "base": worktree.base}


async def gates_now(services: Services, run: str) -> dict[str, Any]:
    """The gates of a run that began without any: what a person declared and trusted since."""
    row = services.store.run(run)
    assert row is not None
    try:
        trusted = trust.require(services.root, services.state.trust_file, TRUSTED_KINDS)
        checks = await discover(services, run, row["base"], trusted)
    except DevloopError as problem:
        services.notice(run, problem.sentences)
        checks = ()
    return {"outcome": "found", "gates": [gate.to_json() for gate in checks]}


async def _gathering(services: Services, spec: RunSpec) -> dict[str, Any]:
    """It has no worktree; the commit that its members begin at stays reachable for as long as it is there."""
    errand = spec.task.errand
    if errand is not None and errand.base is not None:
        try:
            await services.workspace.hold(spec.id, errand.base)
        except DevloopError as problem:
            return {"outcome": "failed", "reason": problem.message, "hint": problem.hint, "kind": problem.kind}
    return _ready(services, spec, ())


async def _landing(services: Services, spec: RunSpec) -> dict[str, Any]:
    """It has no worktree. The gates are those of the person's branch, and what fails there already holds nothing back.
    What the work itself may not hold was looked for when it was accepted."""
    try:
        await require_sandbox(services, spec)
        trusted = trust.require(services.root, services.state.trust_file, TRUSTED_KINDS)
        base = (await services.workspace.plan_landing()).old
        services.store.update_run(spec.id, base=base)
        checks = await discover(services, spec.id, base, trusted)
    except DevloopError as problem:
        return {"outcome": "failed", "reason": problem.message, "hint": problem.hint, "kind": problem.kind}
    return {**_ready(services, spec, checks), "base": base, "lands": True, "guarded": False, "searched": False}


def _ready(services: Services, spec: RunSpec, checks: tuple[gates.Gate, ...]) -> dict[str, Any]:
    errand = spec.task.errand
    told: dict[str, Any] = {}
    if errand is not None:
        told = {"errand": errand.command, "gathers": spec.gathers, "part_of": errand.part_of, "only": list(errand.only)}
    return {
        **told,
        **stopping.ready(services, spec),
        "outcome": "ready",
        "patience_s": services.settings.loop.decision_days * 86400.0,
        "decide": spec.loop.decide,
        "guarded": not spec.reports,
        "searched": not spec.reports,
        "gate_rounds": services.settings.loop.gate_rounds,
        "gates": [gate.to_json() for gate in checks],
        "looks_again": True,
        "access": "read" if spec.reports else "write",
        **({"proposes": True} if proposing.in_plan(spec) else {}),
    }


def _included(services: Services, run: str) -> bytes | None:
    """The text of `.worktreeinclude` that a person trusts as it stands: it decides which private files agents see.
    Without trust the run goes on without these files and says so."""
    states = trust.state(services.root, services.state.trust_file)
    found = next((each for each in states if each.item.kind == "include"), None)
    if found is None or found.status == "trusted":
        return found.item.data if found is not None else None
    why = {"new": "not trusted yet", "changed": "changed since it was trusted"}.get(found.status, found.item.refused)
    services.notice(run, f"Nothing of what {found.item.path} lists was copied ({why}). {trust.HINT}")
    return None


async def require_sandbox(services: Services, spec: RunSpec) -> None:
    """Without a working sandbox nothing runs, unless the person's own configuration accepts that."""
    refusal = await tooling.refusal(services, spec)
    if refusal is not None:
        raise refusal
    detected = await services.sandbox()
    if detected.state != "on":
        services.notice(spec.id, f"Commands run without a full sandbox ({detected.state}): {detected.reason}")
    if detected.state == "off" and spec.loop.decide is not None:
        services.notice(spec.id, "The agent runs no commands of its own: each one is asked for, and nobody attends.")


async def _open_conversation(services: Services, spec: RunSpec, checks: tuple[gates.Gate, ...]) -> None:
    transcript = Transcript(services.folder(spec.id), services.redactor)
    if transcript.segment() is not None:
        return
    services.notice(spec.id, *_about_the_choice(spec), *filter(None, [(spec.choice or {}).get("suggestion")]))
    await hooking.settle(services, spec)
    named = [f"{gate.name}: {' '.join(gate.command)}" for gate in checks]
    known, problems = await asyncio.to_thread(knowledge.opening, services, spec)
    services.notice(spec.id, *problems)
    handed_on = await asyncio.to_thread(reporting.handed_on, services, spec)
    text = prompt.task_message(spec, named, known, handed_on, () if spec.reports else allowing.names(services, spec))
    carried = _carried(services, spec)
    added = await hooked_work.session_start(services, spec, "resume" if carried else "startup")
    text = "\n\n".join(filter(None, (text, await whole_change.told(services, spec), added)))
    transcript.begin_segment(Segment(0, 1, prompt.next_task(text) if carried else text, carried))


def _about_the_choice(spec: RunSpec) -> list[str]:
    """What a person should know of who does it: the agent is not the one that the task names, or there was a doubt."""
    choice = spec.choice or {}
    if spec.task.agent and choice.get("confidence") == "low":
        return [str(choice["reason"])]
    if choice.get("ask"):
        others = ", ".join(choice["others"])
        return [
            f"{spec.agent}:{spec.mode} does it, but {others} would fit as well: {choice['reason']}. [agent:…] decides."
        ]
    return [str(choice["reason"])] if "nobody is asked" in str(choice.get("reason")) else []


def _carried(services: Services, spec: RunSpec) -> str | None:
    """The run whose conversation goes on here, when the loop asked for that and its transcript is still there."""
    before = spec.loop.carry
    return before if before and (services.state.runs / before / "transcript").is_dir() else None


async def _write_prepared(services: Services, spec: RunSpec) -> None:
    """An errand's prepared files, before the first snapshot: they are part of what the run changes."""
    files = spec.task.errand.prepared if spec.task.errand is not None else {}
    transcript = Transcript(services.folder(spec.id), services.redactor)
    if not files or transcript.segment() is not None:
        return
    with tools.Confined(services.workspace.path(spec.id), services.root, protected=tools.PROTECTED) as worktree:
        for path, text in files.items():
            try:
                worktree.replace(worktree.split(path), text.encode("utf-8", "surrogateescape"))
            except tools.Problem as problem:
                raise Refused(f"{path} can't be prepared: {problem}") from problem
    transcript.set_first_snapshot((await services.workspace.snapshot(spec.id, "prepared")).commit)


def setup_of(services: Services, trusted: Sequence[trust.Item]) -> SetupSettings | None:
    """The person's own set-up command, else the one that was trusted, made from the very table whose text was: settings
    were read at another time. None where neither says one."""
    if services.settings.own_setup:
        return services.settings.setup
    for item in trusted:
        if item.kind == "setup" and item.value is not None:
            with contextlib.suppress(ValidationError):
                return SetupSettings.model_validate(item.value)
    return None


async def _set_up(services: Services, spec: RunSpec, setup: SetupSettings | None) -> None:
    """The trusted set-up command: once per worktree, before any model turn, with network and without secrets."""
    done = services.folder(spec.id) / "setup.done"
    if setup is None or done.exists():
        return
    detected = await services.sandbox()
    found = await environment(services)
    log = output_folder(services, spec.id) / "setup.log"
    outcome = await detected.backend.run(
        sandbox.Command(
            argv=setup.command,
            cwd=services.root,
            mounts=worktree_mounts(services, spec.id, found),
            masks=tuple(services.root / name for name in tools.PROTECTED if name not in tools.ENVIRONMENTS),
            env=command_environment(services, found),
            limits=sandbox.Limits(wall_s=setup.timeout),
            network=True,
            trusted=True,
            unix_sockets=True,
        ),
        output_file=log,
    )
    if outcome.exit_code != 0:
        said = one_line(tail(services.redactor.text(outcome.output), 300), 300)
        ending = f"exit {outcome.exit_code}" if outcome.killed_reason is None else f"killed: {outcome.killed_reason}"
        raise DevloopError(f"The set-up command failed ({ending}): {said}", hint=f"All of it: {log}")
    snapshot = await services.workspace.snapshot(spec.id, "set-up")
    Transcript(services.folder(spec.id), services.redactor).set_first_snapshot(snapshot.commit)
    done.touch()
