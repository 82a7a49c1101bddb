"""Compaction by the server: what a request says so that a long conversation is summarised in good time (model-api §9).

The server counts the input tokens of each request. From the trigger on it has the model write a summary, sends that as
a `compaction` block at the beginning of the answer, and goes on from there. What goes back afterwards is for
`conversation` to say.
"""

from __future__ import annotations

from typing import Any

from devloop.models.catalog import ModelLimits

BETA = "compact-2026-01-12"
TRIGGER = 0.6
"""The part of the context at which the server compacts: below the one at which a fresh conversation takes over, so that
this happens only where compaction did not."""
LEAST_TRIGGER = 50_000
"""The API takes no smaller one."""
MOST_TRIGGER = 0.75

INSTRUCTIONS = (
    "Write a summary of this conversation inside <summary></summary> tags. It will replace everything before it, "
    "so whoever goes on has nothing else. Keep: the task and its acceptance criteria, word for word; every "
    "instruction and answer of the person; what was decided and why; which files were changed and how; what was "
    "tried and failed; the last results of gates and commands that matter; the skills that were loaded and what in "
    "them still matters; what remains to be done and the very next step. Answer with text only: call no tool."
)
"""Our own, because the server's does not forbid tools: a model that calls one while it summarises leaves no summary."""


def compaction_edit(limits: ModelLimits) -> dict[str, Any] | None:
    """The `compact_20260112` edit for a model.

    None for one that is not known to compact, whose context is not known, or is too small for the least trigger.
    """
    if not limits.known or not limits.compacts:
        return None
    trigger = max(LEAST_TRIGGER, int(limits.context * TRIGGER))
    if trigger > limits.context * MOST_TRIGGER:
        return None
    return {
        "type": "compact_20260112",
        "trigger": {"type": "input_tokens", "value": trigger},
        "instructions": INSTRUCTIONS,
    }
