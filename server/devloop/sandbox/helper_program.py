"""Runs one command and sees to it that nothing of it is left, under landlock if asked to. A program by itself, with
nothing but the standard library, because landlock holds for the thread that asks for it and what that thread starts.

It reads its job, JSON, from the descriptor that its only argument names: `{"argv", "env", "cwd", "parent": pid or null,
"landlock": null or {"read": [path], "write": [path], "devices": [path], "net": bool, "rules": base64 or ""}}`.

This process itself stays outside of the restrictions and outside of the reach of the command's signals. Whatever the
command starts and abandons becomes its child; when the command ends, or when SIGTERM comes (by devloop, or by the
kernel because devloop died), it kills all of them and ends with the command's exit code, as a shell does.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import signal
import stat
import sys
from pathlib import Path
from types import FrameType
from typing import Any

REFUSED = 125
KILLED = 137

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH, ABI_OF = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = EXECUTE | READ_FILE | READ_DIR
DEVICE = READ_FILE | WRITE_FILE
NO_DEVICES = ~(1 << 6 | 1 << 11)  # making device files
KNOWN_FS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights on files each version of the kernel's interface knows; 16 from the fifth on."""

CAPABILITY_VERSION = 0x20080522
PR_CAPBSET_DROP = 24
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38

libc = ctypes.CDLL(None, use_errno=True)


class Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def call(number: int, *arguments: Any) -> int:
    done = int(libc.syscall(ctypes.c_long(number), *arguments))
    if done < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return done


def prctl(option: int, *values: Any) -> None:
    padded = [*values, *([ctypes.c_ulong(0)] * (4 - len(values)))]
    if libc.prctl(option, *padded) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def give_up_capabilities() -> None:
    """The superuser's powers, without which its processes are like any other's: landlock does not hold against all."""
    for number in range(64):
        if libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(number), *([ctypes.c_ulong(0)] * 3)) != 0:
            break  # the last one was before, or there was none to give up
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    if libc.capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)())) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def restrict(may: dict[str, Any]) -> None:
    """Give up everything but what `may` names; for this process and all that come from it."""
    give_up_capabilities()
    version = call(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(ABI_OF))
    handled = (1 << KNOWN_FS.get(version, 16)) - 1
    rules = Ruleset(
        handled,
        0b11 if version >= 4 and not may["net"] else 0,  # TCP: bind and connect
        0b11 if version >= 6 else 0,  # abstract Unix sockets and signals stay inside
    )
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = call(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    for name, rights in (("read", READ), ("write", handled & NO_DEVICES), ("devices", DEVICE)):
        for path in may[name]:
            allow(ruleset, path, rights & handled)
    prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1))
    call(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)
    if may["rules"]:
        code = base64.b64decode(may["rules"])
        program = Program(len(code) // 8, code)
        prctl(PR_SET_SECCOMP, ctypes.c_ulong(2), ctypes.byref(program))


def allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no right
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= OF_FILES
        call(
            *(ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(PATH_BENEATH)),
            *(ctypes.byref(Beneath(rights, place)), ctypes.c_uint32(0)),
        )
    finally:
        os.close(place)


def start(job: dict[str, Any]) -> int:
    """The command's process. What is wrong with its sandbox, it says itself."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.chdir(job["cwd"])
        if job["landlock"] is not None:
            restrict(job["landlock"])
        os.execve(job["argv"][0], job["argv"], job["env"])  # noqa: S606 - this is what the program is for
    except BaseException as problem:
        os.write(1, f"devloop: the command could not be started: {problem}\n".encode())
    os._exit(REFUSED)


def kill_the_rest() -> None:
    """Everything that descends from here, until nothing does: what an ending process leaves becomes a child."""
    while True:
        for pid in below(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            signal.sigtimedwait([signal.SIGCHLD], 0.005)
        except ChildProcessError:
            return


def below(root: int) -> list[int]:
    found = [root]
    for pid in found:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                children = map(int, (thread / "children").read_bytes().split())
                found += [child for child in children if child not in found]
    return found[1:]


class Told(BaseException):
    """SIGTERM came."""


def told(_: int, __: FrameType | None) -> None:
    raise Told


def main() -> int:
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        job = json.load(file)
    code = KILLED
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    signal.signal(signal.SIGTERM, told)
    prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1))
    prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM))
    if job.get("parent") not in (None, os.getppid()):
        return KILLED  # whoever started this is gone already
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        child = start(job)
        while True:
            pid, status = os.wait()
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                break
    except Told:
        code = KILLED
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD])
    kill_the_rest()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(main())
