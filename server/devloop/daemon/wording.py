"""The words and figures that every front-end uses for a run, so that terminal and editor say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from devloop.redact import file_name

CHECKPOINTS: Final = {
    "decision": "Ready for your decision",
    "question": "The agent asks",
    "problem": "This needs you",
}
"""Kinds of checkpoints, as titles."""
QUESTIONS: Final = {"revise": "What should change?", "answer": "Your answer:", "block": "Why is it blocked?"}
"""Decisions that need words, with what a person is asked for. (`plan.replies` reads these words below a task.)"""

_PARTS: Final = {"text": "answering", "thinking": "thinking", "tool_input": "calling"}
"""What the model is writing (`models.turn.Progress`)."""


ACCEPTS: Final = frozenset(("continue", "commit", "fresh", "stop"))
"""Decisions after which the work goes onto the plan branch, where it passed."""


def doing_of(kind: str, data: Mapping[str, Any]) -> str | None:
    """What an event says goes on now; None leaves it as it is."""
    match kind:
        case "run.state":
            return waits_for(data.get("waiting_for")) or str(data.get("state") or "")
        case "checkpoint.closed":
            return "accepting" if data.get("decision") in ACCEPTS else None
        case "turn.started":
            return "asking the model"
        case "turn.progress":
            return f"{_PARTS.get(str(data.get('doing')), 'working')} {data.get('tool') or ''}".strip()
        case "tool.started":
            return str(data.get("tool") or "a tool")
        case "hook.started":
            return f"hook {', '.join(map(str, data.get('hooks') or ()))}"
        case "gate.started":
            return f"gate {data.get('gate')}"
        case _:
            return None


def secret(found: Mapping[str, Any]) -> str:
    """What a checkpoint's `secrets` say of one: `conf.py:2 github-pat`, `the name a/b github-pat`."""
    name, line = file_name(str(found.get("file")), 80), found.get("line")
    return f"{f'{name}:{line}' if line else f'the name {name}'} {found.get('kind')}"


def many(count: int, word: str) -> str:
    """`1 commit`, `3 commits`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def waits_for(what: object) -> str:
    """`waits for a decision`; "" for nothing."""
    return f"waits for {what}" if what else ""


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
