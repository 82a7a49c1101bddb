"""Fail points for crash tests: the engine kills itself with SIGKILL at the n-th boundary it passes.

`DEVLOOP_FAULT=n` in the daemon's environment, and only where a person's shell sets it. The count lives in a file of
the state directory named by `DEVLOOP_FAULT_LEDGER`, so that a restarted engine does not die again at the same place;
each boundary is appended there by name and process, which is how a test knows all of them.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path


def boundary(name: str) -> None:
    ledger = os.environ.get("DEVLOOP_FAULT_LEDGER")
    if not ledger:
        return
    path = Path(ledger)
    with path.open("a") as stream:
        stream.write(f"{name} {os.getpid()}\n")
        stream.flush()
    fault = os.environ.get("DEVLOOP_FAULT", "")
    if fault.isdigit() and len(path.read_text().splitlines()) == int(fault):
        os.kill(os.getpid(), signal.SIGKILL)
