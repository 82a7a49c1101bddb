"""`devloop lsp`: the editor's process. Answers `initialize` at once, then passes messages to the workspace's daemon.

Up to that answer only the standard library's `os`, `sys` and `json` are loaded; a test holds that. What comes after is
in `session.py`.
"""

from __future__ import annotations

import os
import sys

from devloop.lsp.pipe import frames, initialize

TYPE_CHECKING = False  # `typing` itself costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from devloop.lsp.pipe.channel import Channel

LEFT, FAILED = 0, 1


class Stdio:
    """Standard input and output, without Python's buffers."""

    def read(self, size: int) -> bytes:
        return os.read(0, size)

    def write(self, data: bytes) -> None:
        written = os.write(1, data)
        while written < len(data):
            written += os.write(1, memoryview(data)[written:])

    def leave(self, code: int) -> None:
        """End the process from whatever thread finds that there is no editor any more."""
        os._exit(code)


def main(root: str | None = None, *, command: Sequence[str] | None = None) -> int:
    """Serve one editor on standard input and output; the exit code.

    `root` is the project instead of what the editor says; `command` replaces the command that starts the daemon.
    """
    if os.isatty(0):
        print(
            "devloop lsp speaks the Language Server Protocol on standard input: your editor starts it.", file=sys.stderr
        )
    if hasattr(os, "set_blocking"):  # whoever started us may have left them otherwise
        os.set_blocking(0, True)
        os.set_blocking(1, True)
    channel = Stdio()
    try:
        return converse(channel, root=root, command=command)
    except frames.Broken as problem:
        print(f"devloop lsp: {problem} The connection can't go on.", file=sys.stderr)
        return FAILED
    except OSError:
        return LEFT  # nobody reads our answers


def converse(
    channel: Channel,
    *,
    root: str | None = None,
    command: Sequence[str] | None = None,
    admit: Callable[[dict[str, Any]], bool] | None = None,
) -> int:
    """Serve one editor from its first message to its last; the exit code of a process that does nothing else.

    With `admit`, the first message has to be an `initialize` that it accepts; it may take out of its params what nobody
    else should see. Raises `frames.Broken`, with the error sent, when the client's bytes can't be understood, and
    `OSError` when the client does not read any more.
    """
    source = frames.Frames(channel.read)
    try:
        opened = _opening(source, channel, admit)
        if isinstance(opened, int):
            return opened
        from devloop.lsp.pipe.session import Session

        return Session(channel, source, *opened, root=root, command=command).serve()
    except frames.Broken as problem:
        channel.write(frames.error(None, frames.PARSE_ERROR, str(problem)))
        raise


def _opening(
    source: frames.Frames, channel: Channel, admit: Callable[[dict[str, Any]], bool] | None
) -> tuple[dict[str, Any], bytes] | int:
    """Everything up to the answer to `initialize`: its params and its bytes, or an exit code (LSP 3.17, lifecycle)."""
    while True:
        try:
            body = source.next()
            if body is None:
                return LEFT
            message = frames.parse(body)
        except frames.Refused as problem:
            channel.write(frames.error(None, problem.code, str(problem)))
            if admit is not None:
                return FAILED
            continue
        method, number = message.get("method"), message.get("id")
        params = message.get("params")
        if admit is not None and not (method == "initialize" and isinstance(params, dict) and admit(params)):
            text = "The connection's first message has to be an `initialize` with its token in initializationOptions."
            channel.write(frames.error(number, frames.INVALID_REQUEST, text))
            return FAILED
        if method == "exit" and number is None:
            return FAILED
        if method is None or number is None:
            continue
        if method != "initialize":
            channel.write(frames.error(number, frames.NOT_INITIALIZED, "The first request has to be `initialize`."))
        elif not isinstance(params, dict):
            channel.write(frames.error(number, frames.INVALID_PARAMS, "`initialize` needs an object of params."))
        else:
            channel.write(frames.result(number, initialize.answer(params)))
            return message, body if admit is None else frames.body_of(message)
