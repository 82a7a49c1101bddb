"""The engine process: one per workspace, behind a lock, a child of the daemon.

It ends when the daemon's end of the connection closes, at once and without ceremony: every run is resumed at its last
finished step by the next engine, so an orderly end and a `kill -9` are the same case.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import logging.handlers
import os
import socket
import sys
import time
from pathlib import Path

from devloop import children, keys, launch
from devloop.engine.server import EngineServer
from devloop.files import held_lock
from devloop.paths import StateDir
from devloop.redact import RedactedOutput, Redactor
from devloop.rpc import Peer

LOCK_WAIT_S = 20.0
"""How long an engine that is on its way out may hold the workspace before the next one gives up."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="devloop.engine", description="Internal: the daemon starts this.")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--lock-wait", type=float, default=LOCK_WAIT_S)
    arguments = parser.parse_args(argv)
    children.collectable()
    children.told_by_the_kernel()
    keys.close_to_others()
    launch.take()
    redactor = Redactor.of_environment()
    sys.stderr = sys.stdout = RedactedOutput(sys.stderr, redactor)  # tracebacks, and what libraries print
    _log_to_stderr(redactor)
    state = StateDir(arguments.state)
    deadline = time.monotonic() + arguments.lock_wait
    while True:
        with held_lock(state.engine_lock) as lock:
            if lock is not None:
                lock.truncate(0)
                lock.write(f"{os.getpid()}\n")
                lock.flush()
                asyncio.run(_serve(arguments.root, state, arguments.fd, redactor))
                return 0
        if time.monotonic() > deadline:
            owner = state.engine_lock.read_text().strip() or "unknown"
            print(f"another engine owns this workspace (pid {owner})", file=sys.stderr)
            return 1
        time.sleep(0.05)  # the engine before us is on its way out; its lock goes with its process


async def _serve(root: Path, state: StateDir, fd: int, redactor: Redactor) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    peer = Peer(reader, writer, name="daemon")
    server = EngineServer(root, state, peer, redactor)
    peer.handlers.update(server.handlers())
    try:
        await peer.serve()
    finally:
        logging.shutdown()
        os._exit(0)


class _Redacting(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.text(super().format(record))


def _log_to_stderr(redactor: Redactor) -> None:
    """The daemon gave us its log file as stderr."""
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(_Redacting(redactor))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    durable = logging.getLogger("dbos")  # it makes a handler of its own, past the redactor, unless it has one
    durable.addHandler(handler)
    durable.propagate = False
    for noisy in ("alembic", "httpx2", "anthropic", "dbos"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
