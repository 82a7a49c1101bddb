"""What the state of the sandbox means for whoever works here, in the words that every face shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from devloop.sandbox.command import Detection, State
from devloop.sandbox.detect import Preferred, detect

OWN = "sandbox.require = false in your own config.toml"


class Wanted(Protocol):
    """What the person's configuration says of the sandbox."""

    @property
    def backend(self) -> Preferred: ...

    @property
    def require(self) -> bool: ...

    @property
    def network_hosts(self) -> Sequence[str]: ...

    @property
    def srt(self) -> Path | None: ...


async def detected(wanted: Wanted) -> Detection:
    """The backend for these settings (`detect`)."""
    return await detect(
        wanted.backend, accept_none=not wanted.require, hosts=tuple(wanted.network_hosts), srt_at=wanted.srt
    )


def refused(state: State, *, require: bool, unattended: bool) -> bool:
    """Whether work may not begin. A weak sandbox is enough while somebody looks on; without one the person's own
    configuration must have said that it may (security §6.3)."""
    match state:
        case "on":
            return False
        case "degraded":
            return unattended and require
        case "off":
            return require


def meaning(state: State, *, require: bool) -> str:
    """In one or two sentences, what happens and what does not."""
    match state:
        case "on":
            return "Commands of agents and gates run in the sandbox."
        case "degraded" if require:
            return (
                "Commands of agents and gates run in a weaker sandbox. Unattended runs are refused,"
                f" unless {OWN} allows them."
            )
        case "degraded":
            return "Commands of agents and gates run in a weaker sandbox, unattended runs too: you allowed it."
        case "off" if require:
            return f"No agent works until that is mended. At your own risk: {OWN}, then each command is asked for."
        case "off":
            return (
                "Commands of agents and gates run with all your rights: each one that an agent wants is asked for,"
                " and unattended an agent runs none."
            )


def report(found: Detection, *, require: bool) -> dict[str, Any]:
    """The sandbox as `devloop status --json` shows it."""
    return {
        "backend": found.backend.name,
        "degraded": found.state != "on",
        "state": found.state,
        "reason": found.reason,
        "fix": found.fix,
        "meaning": meaning(found.state, require=require),
    }
