"""The filter of system calls: each refused call is tried for real, also in the same sandbox without the filter."""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import json
import os
import platform
import socket
import sys
from pathlib import Path

import pytest

from devloop.sandbox import bubblewrap, detect, seccomp

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of system calls are those of x86_64")

# Arguments with which a call that is not refused fails in another way, or works.
CALLS = {
    "ptrace": (101, 0, 0, 0, 0),
    "process_vm_readv": (310, "self", 0, 0, 0, 0, 0),
    "process_vm_writev": (311, "self", 0, 0, 0, 0, 0),
    "pidfd_getfd": (438, -1, 0, 0),
    "io_uring_setup": (425, 1, 0),
    "io_uring_enter": (426, -1, 0, 0, 0, 0),
    "io_uring_register": (427, -1, 0, 0, 0),
    "add_key": (248, 0, 0, 0, 0, 0),
    "request_key": (249, 0, 0, 0, 0),
    "keyctl": (250, 0, -3, 0),
    "userfaultfd": (323, -1),
    "perf_event_open": (298, 0, 0, 0, 0, 0),
    "open_by_handle_at": (304, -1, 0, 0),
    "setns": (308, -1, 0),
    "unshare": (272, 0),
    "clone3": (435, 0, 0),
    "move_pages": (279, "self", 0, 0, 0, 0, 0),
    "fsconfig": (431, -1, 99, 0, 0, 0),
    "mount_setattr": (442, -1, 0, 0x10000000, 0, 0),
    "kcmp": (312, 1, 1, 99, 0, 0),
    "kexec_load": (246, 0, 99, 0, 0xFFFF0000),
    "modify_ldt": (154, 99, 0, 0),
    "bpf": (321, 99, 0, 0),
    "socket, packet": (41, 17, 3, 0),
    "socket, vsock": (41, 40, 1, 0),
    "socket, ciphers": (41, 38, 5, 0),
    "socket, unix": (41, 1, 1, 0),
    "socket, unix with a bit above": (41, 1 | 1 << 32, 1, 0),
    "ioctl TIOCSTI": (16, "tty", 0x5412, 0),
    "ioctl TIOCSTI with a bit above": (16, "tty", 0x5412 | 1 << 32, 0),
    "getpid of x32": (0x40000000 | 39,),
}
LIKE_ANY_OTHERS = {"bpf", "getpid of x32", "socket, packet"}
"""Refused by some kernels anyway, so that the control may see the same number."""
TRY = """
import contextlib, ctypes, fcntl, json, os, sys, termios
libc = ctypes.CDLL(None, use_errno=True)
tty = os.openpty()[1]
with contextlib.suppress(OSError):
    os.setsid()
fcntl.ioctl(tty, termios.TIOCSCTTY, 0)
names = {"self": os.getpid(), "tty": tty}
said = {}
for name, call in json.loads(sys.argv[1]).items():
    ctypes.set_errno(0)
    done = libc.syscall(*(ctypes.c_long(names.get(value, value)) for value in call))
    said[name] = ctypes.get_errno() if done < 0 else 0
print(json.dumps(said))
"""


def without_filter(backend) -> bubblewrap.Bubblewrap:
    return bubblewrap.Bubblewrap(backend.program)


async def tried(place, calls=CALLS, **changes) -> dict[str, int]:
    """The error number of each call inside, 0 where it worked."""
    result = await place.run(sys.executable, "-I", "-S", "-c", TRY, json.dumps(calls), **changes)
    assert result.ok, result.output
    return json.loads(result.output.splitlines()[-1])


async def test_calls_that_lead_out_are_refused(place):
    refused = await tried(place)
    absent = {name for name, code in refused.items() if code == errno.ENOSYS}
    assert absent == {name for name in CALLS if name.startswith("io_uring")} | {"clone3", "fsconfig", "mount_setattr"}
    assert {name for name, code in refused.items() if code != errno.EPERM} == absent

    open_place = dataclasses.replace(place, backend=without_filter(place.backend))
    without = await tried(open_place)
    alike = {name for name in CALLS if without[name] == refused[name]}
    assert alike <= LIKE_ANY_OTHERS, "the filter changes nothing here"


async def test_a_command_of_another_machine_word_is_refused(place):
    """`int 0x80` reaches the kernel's i386 table, where every number means another call."""
    source = """
import ctypes, mmap
code = b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3"  # mov eax, 20 (getpid); int 0x80; ret
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
"""
    assert int((await place.python(source)).output) == -errno.EPERM
    open_place = dataclasses.replace(place, backend=without_filter(place.backend))
    free = await open_place.python(source)
    assert free.signal is not None or int(free.output) > 0 or int(free.output) == -errno.ENOSYS


async def test_a_key_of_the_login_can_not_be_read(place):
    """Keyrings pass every namespace: what a login left in its session's keyring is there for each of its commands."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = libc.syscall(248, b"user", place.mark.encode(), b"the secret", 10, ctypes.c_long(-3))
    if number < 0:
        pytest.skip("this kernel has no keyrings")
    try:
        source = f"""
import ctypes
libc = ctypes.CDLL(None)
found = libc.syscall(250, 10, ctypes.c_long(-3), b"user", b"{place.mark}", 0)
text = ctypes.create_string_buffer(100)
print(libc.syscall(250, 11, ctypes.c_long(found), text, 100), text.value)
"""
        assert "the secret" not in (await place.python(source)).output
        open_place = dataclasses.replace(place, backend=without_filter(place.backend))
        assert "the secret" in (await open_place.python(source)).output
    finally:
        libc.syscall(250, 9, ctypes.c_long(number), ctypes.c_long(-3))  # unlink


async def test_a_unix_socket_that_is_in_sight_can_not_be_reached(place):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place.worktree / "socket"))
        server.listen()
        server.settimeout(0)
        source = "import socket; socket.socket(socket.AF_UNIX).connect('socket')"
        assert "Operation not permitted" in (await place.python(source)).output
        with pytest.raises(BlockingIOError):
            server.accept()
        assert (await place.python(source, unix_sockets=True)).ok  # as gates may
        server.accept()[0].close()


async def test_an_end_of_a_pair_can_not_be_led_elsewhere(place):
    """A pair of datagram sockets needs no `socket`, and each end can be connected to any name."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(place.worktree / "socket"))
        server.settimeout(0)
        source = """
import socket
for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC):
    try:
        socket.socketpair(socket.AF_UNIX, kind)[0].sendto(b"out", "socket")
        print("sent")
    except OSError as problem:
        print(problem.strerror)
socket.socketpair()
"""
        result = await place.python(source)
        assert result.ok and "sent" not in result.output
        with pytest.raises(BlockingIOError):
            server.recv(10)
        assert "sent" in (await place.python(source, unix_sockets=True)).output
        assert server.recv(10) == b"out"


async def test_programs_work_as_before(place):
    source = """
import asyncio, multiprocessing, socket, subprocess, threading
async def serve():
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert await reader.read() == b""
    writer.close()
    process = await asyncio.create_subprocess_exec("true")
    return await process.wait()
assert asyncio.run(serve()) == 0
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(abs, [-1, -2]) == [1, 2]
thread = threading.Thread(target=subprocess.run, args=(["sh", "-c", "true | true"],))
thread.start(); thread.join()
print("all of it")
"""
    result = await place.run(sys.executable, "-I", "-c", source)
    assert "all of it" in result.output, result.output


async def test_commands_side_by_side_each_get_the_whole_filter(place):
    import asyncio

    source = "import socket; socket.socket(socket.AF_UNIX)"
    results = await asyncio.gather(*(place.python(source) for _ in range(3)))
    assert all("Operation not permitted" in result.output for result in results)


async def test_without_the_library_the_sandbox_holds_and_says_what_is_missing(backend, monkeypatch, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    program = tmp_path / "pyseccomp.py"
    program.write_text("raise RuntimeError('Unable to find libseccomp')")
    missing = seccomp._read(3, b"")
    assert (missing.programs, missing.problem) == ({}, "libseccomp is not installed")
    assert "apt install libseccomp2" in missing.fix
    monkeypatch.setattr(seccomp, "_built", [missing])
    found = await detect("bubblewrap", candidates=[backend.program, tmp_path / "another"])
    assert found.state == "on"
    assert "without a filter of system calls: libseccomp is not installed" in found.reason
    assert found.fix == missing.fix
    degraded = await detect("landlock", candidates=[tmp_path / "another"])
    assert degraded.state == "off" and "can't hold without" in degraded.reason


@pytest.mark.parametrize(
    ("code", "said", "word"),
    [(2, b"", "pyseccomp"), (1, b"", "exit code 1"), (0, b"{}", "no filter"), (0, b'{"": ""}', "no filter")],
)
def test_what_is_no_filter_is_never_used(code, said, word):
    found = seccomp._read(code, said)
    assert word in found.problem and not found.programs and found.program(unix=False, net=True) is None


async def test_an_interpreter_that_is_missing_is_no_crash(tmp_path):
    assert "could not be built" in (await seccomp.build(str(tmp_path / "none"))).problem


async def test_the_program_says_by_its_exit_code_that_the_library_is_missing(tmp_path, monkeypatch):
    import subprocess

    (tmp_path / "pyseccomp.py").write_text("raise RuntimeError('Unable to find libseccomp')")
    words = [sys.executable, "-S", str(seccomp.PROGRAM)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    assert subprocess.run(words, env=env, check=False, capture_output=True).returncode == 3
    (tmp_path / "pyseccomp.py").unlink()
    assert subprocess.run(words, env=env, check=False, capture_output=True, cwd=Path("/")).returncode == 2
