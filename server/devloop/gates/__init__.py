"""Checks that devloop runs itself, and the verdicts they give.

`discover` says which gates a base tree has; `run_gates` (or `run_gate`) runs them in the sandbox on a clean checkout;
`compare` holds a result against the base tree's; `overall` combines. Only `pass` lets a task be ticked.
"""

from __future__ import annotations

from devloop.gates.baseline import cache_key, compare
from devloop.gates.discover import Discovery, discover, trusted_settings
from devloop.gates.environment import Environment, find, in_checkout
from devloop.gates.feedback import feedback
from devloop.gates.guard import Guard
from devloop.gates.guards import changes_to_checks
from devloop.gates.model import Changes, Counts, Coverage, Finding, Gate, GateResult, Verdict
from devloop.gates.place import Place, environment_mounts, tool_version
from devloop.gates.run import run_gate, run_gates
from devloop.gates.verdict import explain, overall

__all__ = [
    "Changes",
    "Counts",
    "Coverage",
    "Discovery",
    "Environment",
    "Finding",
    "Gate",
    "GateResult",
    "Guard",
    "Place",
    "Verdict",
    "cache_key",
    "changes_to_checks",
    "compare",
    "discover",
    "environment_mounts",
    "explain",
    "feedback",
    "find",
    "in_checkout",
    "overall",
    "run_gate",
    "run_gates",
    "tool_version",
    "trusted_settings",
]
