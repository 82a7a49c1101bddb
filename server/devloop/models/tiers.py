"""Tiers of models: how much thought a piece of work is worth. One table; settings, agents, modes and tasks override it.

As of `catalog.AS_OF`; what each costs is in `prices`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TIERS: Final[Mapping[str, str]] = {
    "fast": "claude-haiku-5-5",
    "balanced": "claude-sonnet-5-5",
    "deep": "claude-opus-5-5",
}
FAMILIES: Final[Mapping[str, str]] = {"haiku": "fast", "sonnet": "balanced", "opus": "deep"}
"""Plans and agents of other programs name families; they stand for tiers."""


def model_id(named: str, own: Mapping[str, str] | None = None, only: str | None = None) -> str:
    """The id of a tier, of a family, or what is a model's id already.

    `own`: ids by tier that the person set; `only`: the one model that the person set for all tiers.
    """
    tier = FAMILIES.get(named.lower(), named.lower())
    if tier not in TIERS:
        return named
    return (own or {}).get(tier) or only or TIERS[tier]
