"""The words and figures that every front-end uses for a run, so that terminal and editor say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def doing_of(kind: str, data: Mapping[str, Any]) -> str | None:
    """What an event says goes on now; None leaves it as it is."""
    match kind:
        case "run.state":
            return str(data.get("waiting_for") or data.get("state") or "")
        case "turn.started":
            return "asking the model"
        case "turn.progress":
            return f"{data.get('doing') or 'working'}{' ' + str(data['tool']) if data.get('tool') else ''}"
        case "tool.started":
            return str(data.get("tool") or "a tool")
        case "gate.started":
            return f"gate {data.get('gate')}"
        case _:
            return None


def money(value: float | None) -> str:
    """US dollars; small amounts keep enough digits to be told apart."""
    if value is None:
        return "$?"
    return f"${value:.2f}" if value >= 0.1 or value == 0 else f"${value:.4f}"


def tokens(counted: Mapping[str, Any] | None) -> str:
    """All tokens of a run, short: `950`, `12.3k`, `1.2M`."""
    total = (
        sum(int(counted.get(name) or 0) for name in ("input", "output", "cache_read", "cache_write")) if counted else 0
    )
    if total < 1000:
        return str(total)
    return f"{total / 1000:.1f}k" if total < 1_000_000 else f"{total / 1_000_000:.1f}M"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
