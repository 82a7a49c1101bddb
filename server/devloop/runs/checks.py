"""Gates of a run: which ones, what the base tree says, and the verdict on a commit."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from devloop import gates, globs, trust
from devloop.errors import Refused
from devloop.gates import Gate, GateResult, Guard, guard_files
from devloop.gates.verdict import ORDER
from devloop.lists import some
from devloop.redact import one_line
from devloop.runs import allowing, guarding, leaks, verifying
from devloop.runs.services import Services
from devloop.runs.tooling import environment, output_folder, person_mounts, person_variables, refusal

log = logging.getLogger(__name__)

ONLY = "files"
"""The gate that holds an errand to the files that it may change."""


async def discover(services: Services, run: str, base: str, trusted: Sequence[trust.Item]) -> tuple[Gate, ...]:
    """The gates for this run, read from the *base* tree and from trusted text: the agent's branch can't change them."""
    settings = services.settings
    own = {name: settings.gates[name] for name in settings.own_gates if name in settings.gates}
    declared = {**gates.trusted_settings(trusted), **own}
    installed = (await environment(services)).packages
    async with services.workspace.checkout(base) as tree:
        found = await asyncio.to_thread(gates.discover, tree, declared, installed=installed)
    services.notice(run, *found.notes)
    if not found.gates:
        services.notice(run, found.reason)
    return found.gates


def prefetch_baseline(services: Services, run: str, base: str, checks: tuple[Gate, ...]) -> None:
    """Begin the baseline now, beside the first turns. The check step takes what is there and runs what is missing.

    The base tree never changes, so its verdict later is its verdict now; only the waiting differs.
    """
    services.baseline_users.setdefault(base, set()).add(run)
    if base not in services.baselines:
        task = asyncio.create_task(_take_baseline(services, run, base, checks))
        task.add_done_callback(_log_failure)
        services.baselines[base] = task


async def drop_baseline(services: Services, run: str) -> None:
    """The run needs no baseline any more: one that is still being taken for nobody else is stopped, commands and
    all."""
    for base, users in list(services.baseline_users.items()):
        users.discard(run)
        if not users:
            del services.baseline_users[base]
            task = services.baselines.pop(base, None)
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait({task})


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.warning("the baseline could not be taken ahead: %r", problem)


async def baseline(services: Services, run: str, base: str, checks: tuple[Gate, ...]) -> dict[str, GateResult]:
    """What each gate says about the base tree, from the cache where tree, command and tool are the same."""
    begun = services.baselines.get(base)
    if begun is not None:
        await asyncio.wait({begun})
    return await _take_baseline(services, run, base, checks)


async def _take_baseline(services: Services, run: str, base: str, checks: tuple[Gate, ...]) -> dict[str, GateResult]:
    found = await environment(services)
    results = {}
    for gate in checks:
        key = gates.cache_key(base, gate, gates.tool_version(gate, found, services.root))
        known = services.store.baseline(key)
        if known is None:
            result = await _run_gate(services, run, gate, base)
            known = services.redactor.data(result.to_json(full=True))
            if result.verdict in ("pass", "fail"):
                services.store.set_baseline(key, known)
        results[gate.name] = GateResult.from_json(known)
    return results


async def check(
    services: Services, run: str, commit: str, gate: Gate, before: GateResult | None, *, of: int = 1
) -> GateResult:
    """Run one gate, of as many as the run has, on `commit` in a clean checkout and judge it against the baseline. Kept
    as evidence."""
    services.events.emit("gate.started", {"gate": gate.name, "commit": commit, "of": of}, run)
    renames = await _renames(services, run, commit)
    result = gates.compare(await _run_gate(services, run, gate, commit), before, renames)
    if services.settings.guarding.files == "base":
        result = await _from_base(services, run, commit, gate, before, renames, result)
    services.store.add_gate(run, commit, services.redactor.data(result.to_json()))
    data = {
        "gate": gate.name,
        "commit": commit,
        "verdict": result.verdict,
        "reason": one_line(services.redactor.text(result.reason)),
        "required": gate.required,
        "counts": result.counts.to_json() if result.counts else None,
        "duration_s": result.duration_s,
    }
    services.events.emit("gate.ended", data, run)
    return result


async def _from_base(
    services: Services,
    run: str,
    commit: str,
    gate: Gate,
    before: GateResult | None,
    renames: Mapping[str, str],
    result: GateResult,
) -> GateResult:
    """`result`, or what the gate says with the base's tests and configuration over the work where that is worse
    (`gates.from`, gates §5: the strongest setting)."""
    if before is not None and before.verdict == "unknown":
        note = f"the base's tests and configuration prove nothing: {before.reason}"
        return dataclasses.replace(result, notes=(*result.notes, note))
    row = services.store.run(run)
    assert row is not None
    own = await services.workspace.own_commit(run, commit, since=row["base"])
    base = own[0] if own else row["base"]
    judges = await guarding.judging(services, base)

    def of_base(path: str) -> bool:
        return path in judges or guard_files.from_base(path)

    try:
        tree = await services.workspace.with_base_files(commit, base, of_base)
    except Refused as problem:
        return dataclasses.replace(result, verdict="error", reason=problem.message)
    if tree is None:
        return result
    moved = {old: new for old, new in renames.items() if not of_base(old)}
    other = gates.compare(await _run_gate(services, run, gate, tree), before, moved)
    if ORDER.index(other.verdict) <= ORDER.index(result.verdict):
        note = f"with the base's tests and configuration: {other.verdict}"
        return dataclasses.replace(result, notes=(*result.notes, note))
    return dataclasses.replace(other, reason=f"with the base's tests and configuration: {other.reason}", tree=commit)


async def only(services: Services, run: str, commit: str, patterns: Sequence[str]) -> GateResult:
    """A gate of devloop's own: nothing is changed but files that match one of `patterns`. Kept as evidence. What others
    brought meanwhile, below the run's commit, is not its change."""
    row = services.store.run(run)
    assert row is not None
    changed = await services.workspace.own_change(run, commit, since=row["base"])
    paths = {path for file in changed.files for path in (file.path, file.old_path) if path}
    others = sorted(each for each in paths if not any(globs.matches(one, each.split("/")) for one in patterns))
    may = ", ".join(patterns)
    reason = f"only {may} may be changed here, not {some(others, 10)}" if others else f"nothing but {may} changed"
    result = GateResult(ONLY, "other", "fail" if others else "pass", reason, started=time.time(), tree=commit)
    _keep(services, run, commit, result)
    return result


async def leaked(services: Services, run: str, commit: str) -> GateResult:
    """Whether a secret is in what is new. Kept as evidence, and told, where something stands in the way."""
    result = await leaks.check(services, run, commit)
    held_before = any(each["gate"] == leaks.NAME for each in services.store.gates(run, commit))
    if result.verdict != "pass" or held_before:  # what a person said is none stands in the way no more
        _keep(services, run, commit, result)
    return result


async def guards(services: Services, run: str, commit: str) -> dict[str, Any]:
    """What the work does to its checks, as the `brief` of a gate. `holds`: a person has to see it; where
    `gates.guard` is "block" it fails, and is told and kept as any gate is."""
    result, listed = await guarding.check(services, run, commit)
    holds = any(each.holds for each in listed)
    accepted = holds and services.settings.guarding.guard == "accept"
    if listed and (accepted or not holds):  # nobody may ever be asked: what it was stays on the run
        services.notice(run, f"{result.reason}. {_why_nobody_is_asked(listed, accepted)}.")
    if result.verdict == "fail":
        _keep(services, run, commit, result)
    return {**brief(result), "holds": holds and not accepted}


def _why_nobody_is_asked(listed: Sequence[Guard], accepted: bool) -> str:
    if accepted:
        return "Your settings accept that"
    rest = [each for each in listed if not each.by_task]
    if len(rest) == len(listed):
        return "None of it takes anything from what was checked before"
    more = "; nothing else of it takes anything from what was checked before" if rest else ""
    return f"The task says that these tests may change, and you said yes to it{more}"


async def allowed(services: Services, run: str, commit: str, found: dict[str, Any]) -> dict[str, Any]:
    """The `brief` of a gate without those tests in `removed` whose going the task allows."""
    named = allowing.names(services, services.spec(run)) if found["removed"] else ()
    if not named:
        return found
    row = services.store.run(run)
    assert row is not None
    files = allowing.files_of(await services.workspace.diff(row["base"], commit, limit=0))
    left = allowing.not_allowed(named, found["removed"], files)
    went = [each for each in found["removed"] if each not in left]
    if went:
        services.notice(
            run, f"No longer run: {allowing.listed(services, went)}. The task says so, and you said yes to it."
        )
    return {**found, "removed": left}


def _keep(services: Services, run: str, commit: str, result: GateResult) -> None:
    """A gate of devloop's own: in the store as evidence, and told, as any other."""
    services.store.add_gate(run, commit, services.redactor.data(result.to_json()))
    reason = one_line(services.redactor.text(result.reason))
    told = {"gate": result.gate, "commit": commit, "verdict": result.verdict, "reason": reason}
    services.events.emit("gate.ended", {**told, "required": True, "counts": None, "duration_s": 0.0}, run)


async def _renames(services: Services, run: str, commit: str) -> dict[str, str]:
    """Old path to new path, so that a moved file brings its known findings along."""
    row = services.store.run(run)
    assert row is not None
    changed = await services.workspace.diff(row["base"], commit, limit=0)
    return {file.old_path: file.path for file in changed.files if file.old_path}


async def _run_gate(services: Services, run: str, gate: Gate, commit: str) -> GateResult:
    detected = await services.sandbox()
    spec = services.spec(run)
    refused = await refusal(services, spec)
    reason = f"{refused.message} {refused.hint}" if refused is not None else ""
    if not reason and verifying.taken_back(services, spec, gate):
        reason = f"its command is not trusted any more. {trust.HINT}"
    if reason:
        return GateResult(
            gate.name,
            gate.kind,
            "error",
            reason,
            command=gate.command,
            started=time.time(),
            tree=commit,
            required=gate.required,
            strict=gate.strict,
        )
    async with services.workspace.checkout(commit) as tree:
        return await gates.run_gate(
            gate,
            checkout=tree,
            view=services.root,
            environment=await environment(services),
            backend=detected.backend,
            reports_root=services.state.reports,
            output_dir=output_folder(services, run),
            tree=commit,
            redact=services.redactor.text,
            variables=person_variables(services),
            mounts=person_mounts(services),
        )


def skipped(declared: dict[str, Any], reason: str) -> dict[str, Any]:
    """The `brief` of a gate that was not run."""
    gate = Gate.from_json(declared)
    return brief(GateResult(gate.name, gate.kind, "skipped", reason, required=gate.required))


def brief(result: GateResult) -> dict[str, Any]:
    """What the workflow needs to go on; the whole result is in the store."""
    failing = sorted({*result.changes.new, *(n for n, outcome in result.tests.items() if outcome != "passed")})
    return {
        "gate": result.gate,
        "verdict": result.verdict,
        "reason": one_line(result.reason),
        "required": result.required,
        "removed": [*result.changes.removed, *result.changes.disabled],
        "fingerprint": _fingerprint(result, failing),
    }


_VARYING = re.compile(r"0x[0-9a-f]+|\d+")


def _fingerprint(result: GateResult, failing: Sequence[str]) -> str:
    """The same for two failures that are the same: what failed by name, else what the command printed, without
    numbers (times, addresses)."""
    text = "\n".join(failing) or _VARYING.sub("0", f"{result.reason}\n{result.output_tail}")
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def worst(results: Sequence[dict[str, Any]]) -> str:
    """The verdict of all gates together, from their `brief`s."""
    return gates.overall(GateResult(r["gate"], "other", r["verdict"], required=r["required"]) for r in results)


def feedback_text(services: Services, run: str, commit: str) -> str:
    """What the agent reads about the gates that failed on its commit."""
    results = [
        GateResult.from_json({key: value for key, value in row.items() if key != "commit"})
        for row in services.store.gates(run, commit)
    ]
    return services.redactor.text(gates.feedback(results))
