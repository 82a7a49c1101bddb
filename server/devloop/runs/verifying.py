"""A task's `Verify:` command as a gate of its run (plan-format §9): only when a person trusted exactly that text.

The plan is the repository's word, so the command is inert until then; the agent is told of it in any case.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from devloop import trust
from devloop.gates import Gate
from devloop.redact import one_line
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec

NAME = "verify"
_SHELL = frozenset("|&;<>()$`*?[]{}~#=%!\n")
"""What only a shell understands."""


def command_of(verify: str) -> str:
    """What stands in back-ticks; "" where the plan has words only."""
    first = verify.find("`")
    last = verify.find("`", first + 1)
    return verify[first + 1 : last].strip() if 0 <= first < last else ""


def argv_of(command: str) -> tuple[str, ...]:
    """As a gate runs it: its words, or a shell where it needs one."""
    try:
        words = tuple(shlex.split(command))
    except ValueError:
        return ("/bin/sh", "-c", command)
    return ("/bin/sh", "-c", command) if not words or _SHELL & set(command) else words


def taken_back(services: Services, spec: RunSpec, gate: Gate) -> bool:
    """Whether a person took back the trust in a gate that the repository declares. Its text is that of the run's begin;
    as long as some text of it is trusted, it goes on being checked by that one."""
    if gate.origin != "declared" or gate.name in services.settings.own_gates:
        return False
    keys = {trust.gate_key(gate.name)}
    command = command_of(spec.task.verify)
    if command and argv_of(command) == gate.command:
        keys.add(trust.verify_item(command, spec.plan.path).key)
    return not keys & trust.trusted_hashes(services.state.trust_file).keys()


def with_verify(services: Services, spec: RunSpec, checks: Sequence[Gate]) -> tuple[tuple[Gate, ...], str]:
    """The gates with the task's own, and what a person should know: that it is not run. One that is a gate anyway adds
    nothing."""
    command = command_of(spec.task.verify)
    if not command or spec.task.errand is not None:
        return tuple(checks), ""
    argv = argv_of(command)
    if any(gate.command == argv and gate.required for gate in checks):
        return tuple(checks), ""
    item = trust.verify_item(command, spec.plan.path)
    if trust.trusted_hashes(services.state.trust_file).get(item.key) != item.sha256:
        shown = one_line(services.redactor.text(command), 120)
        return tuple(checks), f"Verify of the task (`{shown}`) is not run: not trusted. {trust.HINT}"
    name = NAME if all(gate.name != NAME for gate in checks) else f"{NAME}-task"
    return (*checks, Gate(name=name, kind="other", command=argv, strict=True, origin="declared")), ""
