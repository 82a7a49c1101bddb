"""The program that `forked.py` starts: loads what an engine or the program `devloop` consists of, then forks one for
each message.

Called with the kind and the number of the channel. A message: `{"arguments", "environment", "cwd"}`, with descriptors
for standard input, output, errors and one more: an engine's connection, or where the program's exit code is to be
written. The answer: its number, with a descriptor of its process. One thread, and nothing of devloop runs before the
fork.
"""

from __future__ import annotations

import gc

gc.disable()  # as `devloop/engine/__main__.py` has it

import importlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import pkgutil  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import traceback  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from typing import Any  # noqa: E402

MESSAGE = 1 << 18
CHILDREN = {signal.SIGCHLD}
FAILED = 1
Kind = Callable[[Sequence[str], int], Any]


def engine() -> Kind:
    importlib.import_module("devloop.engine.workflow")
    from devloop.engine.process import main

    def be(arguments: Sequence[str], connection: int) -> Any:
        os.setsid()
        return main([*arguments, "--fd", str(connection)])

    return be


def program() -> Kind:
    import devloop.cli
    from devloop.cli.entry import main

    for module in pkgutil.iter_modules(devloop.cli.__path__):
        importlib.import_module(f"devloop.cli.{module.name}")

    def be(arguments: Sequence[str], told: int) -> None:
        sys.argv = ["devloop", *arguments]
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
        code = FAILED
        try:
            code = main()
        finally:
            sys.stdout.flush()
            os.write(told, str(code).encode())

    return be


def serve(channel: socket.socket, be: Kind) -> None:
    signal.signal(signal.SIGCHLD, _collect)
    while True:
        told, fds, _, _ = socket.recv_fds(channel, MESSAGE, 4)
        if not told:
            return
        signal.pthread_sigmask(signal.SIG_BLOCK, CHILDREN)  # until its descriptor is there, it must not be collected
        pid = os.fork()
        if pid == 0:
            channel.close()
            _become(be, json.loads(told), fds)
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


def _become(be: Kind, told: dict[str, Any], fds: Sequence[int]) -> None:
    code: Any = FAILED
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CHILDREN)
        os.chdir(told["cwd"])
        *streams, own = fds
        for standard, fd in enumerate(streams):
            os.dup2(fd, standard)
            os.close(fd)
        os.set_inheritable(own, False)
        os.environ.clear()
        os.environ.update(told["environment"])
        code = be(told["arguments"], own)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        for stream in (sys.stdout, sys.stderr, sys.__stderr__):
            stream.flush()
        os._exit(code if isinstance(code, int) else FAILED)


if __name__ == "__main__":
    made = {"engine": engine, "program": program}[sys.argv[1]]()
    gc.freeze()
    gc.enable()
    serve(socket.socket(fileno=int(sys.argv[2])), made)
