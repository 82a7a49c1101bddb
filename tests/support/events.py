"""What an event makes of a plan's bytes."""

from __future__ import annotations

from devloop import plan as plans


def apply_event(data: bytes, event: plans.Event) -> bytes:
    return plans.apply(data, plans.change(plans.parse(data), event))
