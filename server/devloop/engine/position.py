"""Where the workflow of a run stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Outcome = dict[str, Any]
"""What a step answers: `outcome` says what came of it, the rest depends on that."""


@dataclass
class Position:
    """Where the workflow stands; rebuilt from step outputs when it is replayed."""

    turn: int = 0
    rounds: int = 0
    checkpoint: int = 0
    fingerprint: str = ""
    repeats: int = 0
    """How often in a row the gates failed with this fingerprint."""
    patience_s: float = 30 * 86400.0
    """How long a checkpoint waits. After it the run ends as `partial`; the work stays on the run's branch."""
