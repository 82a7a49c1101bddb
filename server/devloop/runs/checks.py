"""Gates of a run: which ones, what the base tree says, and the verdict on a commit."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from devloop import gates
from devloop.errors import DevloopError
from devloop.gates import Gate, GateResult
from devloop.redact import one_line
from devloop.runs.services import Services
from devloop.runs.tooling import command_environment, environment, output_folder

log = logging.getLogger(__name__)


async def discover(services: Services, run: str, base: str) -> list[Gate]:
    """The gates for this run, read from the *base* tree, so that the agent's branch can't change them."""
    async with services.workspace.checkout(base) as tree:
        return await asyncio.to_thread(gates.discover, tree, services.settings.gates)


def prefetch_baseline(services: Services, run: str, base: str, checks: list[Gate]) -> None:
    """Begin the baseline now, beside the first turns. The check step takes what is there and runs what is missing."""
    if base not in services.baselines:
        task = asyncio.create_task(_take_baseline(services, run, base, checks))
        task.add_done_callback(_log_failure)
        services.baselines[base] = task


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.warning("the baseline could not be taken ahead: %s", problem)


async def baseline(services: Services, run: str, base: str, checks: list[Gate]) -> dict[str, GateResult]:
    """What each gate says about the base tree, from the cache where tree, command and tool are the same."""
    begun = services.baselines.get(base)
    if begun is not None:
        await asyncio.wait({begun})
        services.baselines.pop(base, None)
    return await _take_baseline(services, run, base, checks)


async def _take_baseline(services: Services, run: str, base: str, checks: list[Gate]) -> dict[str, GateResult]:
    found = environment(services)
    results = {}
    for gate in checks:
        key = gates.baseline_key(base, gate, found.tool_version(gate))
        known = services.store.baseline(key)
        if known is None:
            result = await _run_gate(services, run, gate, base)
            known = services.redactor.data(result.to_json())
            if result.verdict in ("pass", "fail"):
                services.store.set_baseline(key, known)
        results[gate.name] = GateResult.from_json(known)
    return results


async def check(services: Services, run: str, commit: str, gate: Gate, before: GateResult | None) -> GateResult:
    """Run one gate on `commit` in a clean checkout and judge it against the baseline. Kept as evidence."""
    services.events.emit("gate.started", {"gate": gate.name, "commit": commit}, run)
    result = gates.compare(await _run_gate(services, run, gate, commit), before)
    services.store.add_gate(run, commit, services.redactor.data(result.to_json()))
    data = {
        "gate": gate.name,
        "verdict": result.verdict,
        "reason": one_line(services.redactor.text(result.reason)),
        "required": gate.required,
    }
    services.events.emit("gate.ended", data, run)
    return result


async def _run_gate(services: Services, run: str, gate: Gate, commit: str) -> GateResult:
    detected = await services.sandbox()
    found = environment(services)
    try:
        async with services.workspace.checkout(commit) as tree:
            return await gates.run_gate(
                gate,
                checkout=tree,
                view=services.root,
                environment=found,
                variables=command_environment(services, found),
                backend=detected.backend,
                reports_root=services.state.reports,
                output_dir=output_folder(services, run),
                tree=commit,
                redact=services.redactor.text,
            )
    except DevloopError as problem:
        return gates.could_not_run(gate, commit, problem.message)


def brief(result: GateResult) -> dict[str, Any]:
    """What the workflow needs to go on; the whole result is in the store."""
    return {
        "gate": result.gate,
        "verdict": result.verdict,
        "reason": one_line(result.reason),
        "required": result.required,
        "removed": list(result.removed)[:20],
        "fingerprint": result.failure_fingerprint,
    }


def feedback_text(services: Services, run: str, commit: str) -> str:
    """What the agent reads about the gates that failed on its commit."""
    results = [GateResult.from_json(row) for row in services.store.gates(run, commit)]
    return services.redactor.text(gates.feedback(results))
