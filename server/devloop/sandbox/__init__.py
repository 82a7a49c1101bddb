"""Where a command that an agent chose runs: bubblewrap, something weaker, or nowhere unless the person accepted that.

`detect()` finds the backend by trying, `detected()` the one for a person's settings, `report()` says what its state
means; `backend.run(Command(...))` runs one command and answers an `Outcome`.
"""

from devloop.sandbox.command import GIB, MIB, Backend, Command, Detection, Limits, Mount, Outcome, State
from devloop.sandbox.detect import detect
from devloop.sandbox.environment import environment
from devloop.sandbox.states import detected, refused, report
from devloop.sandbox.toolchain import toolchain_mounts

__all__ = [
    "GIB",
    "MIB",
    "Backend",
    "Command",
    "Detection",
    "Limits",
    "Mount",
    "Outcome",
    "State",
    "detect",
    "detected",
    "environment",
    "refused",
    "report",
    "toolchain_mounts",
]
