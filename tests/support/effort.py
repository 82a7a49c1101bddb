"""What something costs, measured in readings of an ordinary plan: a bound that means the same on every machine."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from devloop import plan as plans

ORDINARY = "# P\n" + "".join(
    f"\n## Phase {phase}: part\n\n"
    + "".join(f"- [ ] Task {phase}.{at}: thing [depends:{phase}.{at - 1}]\n" for at in range(1, 98))
    for phase in range(1, 101)
)
"""10,000 lines."""


def cpu_s(action: Callable[[], object]) -> float:
    """Seconds of processor time, this process alone."""
    begin = time.process_time()
    action()
    return time.process_time() - begin


@functools.cache
def _reading_s() -> float:
    return min(cpu_s(lambda: plans.parse(ORDINARY).problems) for _ in range(3))


def readings(action: Callable[[], object]) -> float:
    """How many readings of a plan of 10,000 lines it costs to do this once."""
    return cpu_s(action) / _reading_s()
