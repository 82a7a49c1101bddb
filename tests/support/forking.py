"""The program that `forked.py` starts: forks an engine, a daemon or a call of `devloop` for each message.

What a kind consists of is loaded with its first message; nothing of devloop runs before the fork, and there is one
thread. Called with the number of the channel. A message: `{"kind", "arguments", "environment", "cwd"}`, with
descriptors for standard input, output and errors, for one of its own (an engine's connection, where others write their
exit code), for the answer, and of the other end of the channel: what is forked may ask for more. The answer: its
number, with a descriptor of its process.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

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
    from devloop import launch
    from devloop.cli.entry import main
    from support import forked

    for module in pkgutil.iter_modules(devloop.cli.__path__):
        importlib.import_module(f"devloop.cli.{module.name}")

    def be(arguments: Sequence[str], told: int) -> None:
        launch.subprocess = forked.starter(real=True)
        sys.argv = ["devloop", *arguments]
        _tell(told, main)

    return be


def daemon() -> Kind:
    import devloop.daemon
    from devloop import serve
    from support import forked

    for module in pkgutil.walk_packages(devloop.daemon.__path__, "devloop.daemon."):
        importlib.import_module(module.name)

    def be(arguments: Sequence[str], told: int) -> None:
        os.setsid()
        forked.engines()
        sys.argv = [*arguments]
        _tell(told, serve.main)

    return be


def scripted() -> Kind:
    daemon()

    def be(arguments: Sequence[str], told: int) -> None:
        os.setsid()
        sys.argv = [*arguments]
        _tell(told, lambda: runpy.run_path(arguments[0], run_name="__main__"))

    return be


def _tell(told: int, main: Callable[[], Any]) -> None:
    """Run it to its end, and say its exit code to whom it is no child of."""
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    code: Any = FAILED
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        os.write(told, str(code or 0).encode())


@functools.cache
def loaded(kind: str) -> Kind:
    gc.disable()  # as `devloop/engine/__main__.py` has it
    made = {"engine": engine, "program": program, "daemon": daemon, "scripted": scripted}[kind]()
    gc.freeze()
    gc.enable()
    return made


def serve(channel: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, _collect)
    while True:
        message, fds, _, _ = socket.recv_fds(channel, MESSAGE, 6)
        if not message:
            return
        told = json.loads(message)
        be = loaded(told["kind"])
        signal.pthread_sigmask(signal.SIG_BLOCK, CHILDREN)  # until its descriptor is there, it must not be collected
        pid = os.fork()
        if pid == 0:
            channel.close()
            _become(be, told, fds)
        pidfd = os.pidfd_open(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CHILDREN)
        with socket.socket(fileno=fds.pop(4)) as answer:
            socket.send_fds(answer, [str(pid).encode()], [pidfd])
        for fd in (*fds, pidfd):
            os.close(fd)


def _collect(*_: Any) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _become(be: Kind, told: dict[str, Any], fds: Sequence[int]) -> None:
    from support import forked

    code: Any = FAILED
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CHILDREN)
        os.chdir(told["cwd"])
        *streams, own, answer, channel = fds
        for standard, fd in enumerate(streams):
            os.dup2(fd, standard)
        for fd in (*streams, answer):
            os.close(fd)
        for fd in (own, channel):
            os.set_inheritable(fd, False)
        forked.use(channel)
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
    serve(socket.socket(fileno=int(sys.argv[1])))
