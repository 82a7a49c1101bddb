"""`devloop lsp --tcp`: editors over loopback instead of standard input and output; each shows the printed token.

The token is what keeps other users of the machine, and pages in a browser, out. Until a connection has shown it, its
bytes are bounded, its time is bounded, and nothing it says is acted on.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from devloop.lsp.pipe import frames
from devloop.lsp.pipe.stdio import converse

HOST = "127.0.0.1"
ADMISSION_S = 10.0
MAX_FIRST = 1024 * 1024
"""Bytes that a connection may send before it is known."""
MAX_STRANGERS = 16


class Connection:
    """One editor's socket as a channel of `pipe.converse`."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._left: int | None = MAX_FIRST
        self._until = time.monotonic() + ADMISSION_S
        connected.settimeout(ADMISSION_S)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def admitted(self) -> None:
        self._left = None
        self._socket.settimeout(None)

    def read(self, size: int) -> bytes:
        if self._left is None:
            return self._socket.recv(size)
        patience = self._until - time.monotonic()
        if patience <= 0 or not self._left:
            return b""
        self._socket.settimeout(patience)
        data = self._socket.recv(min(size, self._left))
        self._left -= len(data)
        return data

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def leave(self, code: int) -> None:
        """Whoever reads gets the end."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        self.leave(0)
        self._socket.close()


class Listener:
    """Accepts editors on 127.0.0.1 and on nothing else. `port` 0 is any free one."""

    def __init__(self, port: int = 0, *, root: str | None = None, command: Sequence[str] | None = None) -> None:
        """Raises `OSError` when the port can't be had."""
        self.token = secrets.token_urlsafe(32)
        self._socket = socket.create_server((HOST, port))
        self.port: int = self._socket.getsockname()[1]
        self._root, self._command = root, command
        self._strangers = threading.BoundedSemaphore(MAX_STRANGERS)

    def serve(self) -> None:
        """Until the socket is closed or the process ends."""
        while True:
            try:
                connected, _ = self._socket.accept()
            except ConnectionError:
                continue
            except OSError:
                return
            if self._strangers.acquire(blocking=False):
                threading.Thread(target=self._converse, args=(connected,), name="editor", daemon=True).start()
            else:
                connected.close()

    def close(self) -> None:
        self._socket.close()

    def _converse(self, connected: socket.socket) -> None:
        known = _Once(self._strangers.release)
        try:
            channel = Connection(connected)
        except OSError:
            connected.close()
            known()
            return

        def admit(params: dict[str, Any]) -> bool:
            options = params.get("initializationOptions")
            shown = options.pop("token", None) if isinstance(options, dict) else None
            if not isinstance(shown, str):
                return False
            if not hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), self.token.encode()):
                return False
            channel.admitted()
            known()
            return True

        try:
            converse(channel, root=self._root, command=self._command, admit=admit)
        except (frames.Broken, OSError):
            pass  # it got the protocol's error if it still reads
        finally:
            known()
            channel.close()


class _Once:
    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def __call__(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


def main(port: int = 0, *, root: str | None = None, command: Sequence[str] | None = None) -> int:
    """Print `{"host", "port", "token"}` as one line and serve until the process is ended; the exit code."""
    try:
        listener = Listener(port, root=root, command=command)
    except (OSError, OverflowError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "no such port"
        print(f"devloop lsp: {HOST}:{port} can't be listened on: {why}.", file=sys.stderr)
        return 1
    print(json.dumps({"host": HOST, "port": listener.port, "token": listener.token}), flush=True)
    listener.serve()
    return 0


__all__ = ["HOST", "Listener", "main"]
