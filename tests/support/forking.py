"""The program that `forked.py` starts: loads what an engine consists of, then forks an engine for each message.

A message: `{"arguments", "environment", "cwd"}`, with descriptors for standard input, output and the connection. The
answer: the engine's number, with a descriptor of its process. One thread, and nothing of devloop runs before the fork.
"""

from __future__ import annotations

import gc

gc.disable()  # as `devloop/engine/__main__.py` has it

import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import traceback  # noqa: E402
from typing import Any  # noqa: E402

import devloop.engine.workflow  # noqa: E402, F401
from devloop.engine.process import main  # noqa: E402

gc.freeze()
gc.enable()

MESSAGE = 1 << 18
CHILDREN = {signal.SIGCHLD}


def serve(channel: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, _collect)
    while True:
        told, fds, _, _ = socket.recv_fds(channel, MESSAGE, 3)
        if not told:
            return
        signal.pthread_sigmask(signal.SIG_BLOCK, CHILDREN)  # until its descriptor is there, it must not be collected
        pid = os.fork()
        if pid == 0:
            channel.close()
            _be_an_engine(json.loads(told), *fds)
        pidfd = os.pidfd_open(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CHILDREN)
        socket.send_fds(channel, [str(pid).encode()], [pidfd])
        for fd in (*fds, pidfd):
            os.close(fd)


def _collect(*_: Any) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _be_an_engine(told: dict[str, Any], stdin: int, log: int, connection: int) -> None:
    code: Any = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CHILDREN)
        os.setsid()
        os.chdir(told["cwd"])
        for fd, standard in ((stdin, 0), (log, 1), (log, 2)):
            os.dup2(fd, standard)
        for fd in {stdin, log}:
            os.close(fd)
        os.environ.clear()
        os.environ.update(told["environment"])
        code = main([*told["arguments"], "--fd", str(connection)])
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        for stream in (sys.stdout, sys.stderr, sys.__stderr__):
            stream.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
