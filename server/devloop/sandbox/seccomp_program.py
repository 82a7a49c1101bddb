"""Builds the filters of system calls and prints them, as JSON: `{"unix net": base64 of BPF, …}`. Runs by itself.

A program of its own, because looking for libseccomp starts other programs and its code is C: neither belongs into the
daemon. `seccomp.py` runs it once per process. The keys of the answer are the words of `seccomp.Filters.program`.

Refused with an error number, never by a kill, so that a program can go on without. `EPERM` where the call exists and
is not allowed, `ENOSYS` where programs know how to do without a call that an older kernel lacks.

A system call sees 32 bits of a number where its C type is `int`, but the filter sees 64: every comparison must hold for
values with something in the upper half, too.
"""

from __future__ import annotations

import base64
import errno
import json
import sys
import tempfile

REFUSED = (
    # other processes: their memory, registers and descriptors
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "process_madvise", "kcmp"),
    # keyrings are the user's and not the namespace's: what a login left there could be read
    *("add_key", "request_key", "keyctl"),
    # large parts of the kernel that nothing here needs
    *("bpf", "userfaultfd", "perf_event_open", "fanotify_init", "open_by_handle_at", "lookup_dcookie"),
    *("mount", "umount", "umount2", "pivot_root", "chroot", "setns", "unshare", "quotactl", "quotactl_fd"),
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module"),
    *("reboot", "swapon", "swapoff", "acct", "syslog", "vhangup", "uselib", "nfsservctl", "iopl", "ioperm"),
    *("modify_ldt", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "move_pages", "migrate_pages"),
)
ABSENT = (
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("open_tree", "open_tree_attr", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"),
    "clone3",  # its flags lie in memory, where a filter can't look; without it programs call clone
)
NUMBERS = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "clone3": 435,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "open_tree_attr": 467,
}
"""Calls that an older libseccomp does not know by name; since Linux 5.1 a number means the same on all machines."""

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCK_DGRAM, SOCK_RAW = 2, 3
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
CLONE_NEWUSER = 0x10000000
INT = 0xFFFFFFFF


def build(unix: bool, net: bool) -> bytes:
    """The filter as the kernel takes it. `unix`: Unix sockets may be made, `net`: those of the Internet."""
    import pyseccomp as s  # type: ignore[import-untyped]

    refuse, absent = s.ERRNO(errno.EPERM), s.ERRNO(errno.ENOSYS)
    rules = s.SyscallFilter(s.ALLOW)
    rules.set_attr(s.Attr.ACT_BADARCH, refuse)  # calls as i386 or x32, whose numbers mean something else
    for name in REFUSED:
        _add(rules, refuse, name)
    for name in ABSENT:
        _add(rules, absent, name)
    rules.add_rule(refuse, "clone", s.Arg(0, s.MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER))
    for request in (TIOCSTI, TIOCLINUX):
        rules.add_rule(refuse, "ioctl", s.Arg(1, s.MASKED_EQ, INT, request))
    families = {AF_NETLINK, AF_INET, AF_INET6} if net else set()
    families |= {AF_UNIX} if unix else set()
    for family in set(range(AF_NETLINK + 1)) - families:
        rules.add_rule(refuse, "socket", s.Arg(0, s.EQ, family))
    # packets, virtual machines, the kernel's ciphers and whatever comes; and any family with a bit in the upper half
    rules.add_rule(refuse, "socket", s.Arg(0, s.GT, AF_NETLINK))
    if not unix:
        # One end of such a pair can be connected anew: to any Unix socket that can be seen.
        for kind in (SOCK_DGRAM, SOCK_RAW):
            rules.add_rule(refuse, "socketpair", s.Arg(1, s.MASKED_EQ, 0xF, kind))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _add(rules: object, action: int, name: str) -> None:
    import pyseccomp as s

    number = s.resolve_syscall(s.Arch.NATIVE, name)
    if number == -1:
        number = NUMBERS.get(name, -1)
    if number >= 0:  # below: the call does not exist on this machine
        rules.add_rule(action, number)  # type: ignore[attr-defined]


def main() -> int:
    try:
        import pyseccomp  # noqa: F401
    except ImportError:
        print("pyseccomp is not installed")
        return 2
    except RuntimeError:
        print("libseccomp is not installed")
        return 3
    names = {(False, False): "", (True, False): "unix", (False, True): "net", (True, True): "unix net"}
    print(json.dumps({name: base64.b64encode(build(*flags)).decode() for flags, name in names.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
