"""A decision wakes the run that waits for it, without waiting for DBOS to look."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import asyncio, os, pathlib, sys
from types import SimpleNamespace
from dbos import DBOS, SetWorkflowID
from dbos._dbos import _get_dbos_instance
from devloop.engine import database, waking
from devloop.paths import StateDir

state = StateDir(pathlib.Path(sys.argv[1])).make()
waking.context = lambda: SimpleNamespace(services=SimpleNamespace(state=state))

@DBOS.workflow(name="waits")
async def waits():
    reached.set()
    return await DBOS.recv_async("decision-1", timeout_seconds=600)

async def main():
    global reached
    reached = asyncio.Event()
    DBOS(config={**database.configuration(state, None), "notification_listener_polling_interval_sec": 600})
    DBOS.launch()
    with SetWorkflowID(waking.workflow_id("run-1")):
        handle = await DBOS.start_workflow_async(waits)
    await reached.wait()
    while not _get_dbos_instance()._sys_db.notifications_map.snapshot():
        await asyncio.sleep(0.01)
    await waking.send_decision("run-1", 1, "commit", "")
    print((await handle.get_result())["decision"], flush=True)
    os._exit(0)

asyncio.run(main())
"""


def test_a_decision_is_looked_for_at_once(tmp_path):
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "commit\n", done.stderr
