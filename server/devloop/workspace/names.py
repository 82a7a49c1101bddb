"""Names that cross into git: run ids, object ids, refs; and paths as people may see them."""

from __future__ import annotations

import os
import re

from devloop.errors import UsageError
from devloop.redact import one_line

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\Z")
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_RESERVED = re.compile(r"(?:\.git|git~[0-9]+)[. ]*(?:::?.*)?\Z", re.IGNORECASE)


def checked_run(run: str) -> str:
    """`run` when it can name a folder and a ref: letters, digits, `_`, `-`, single dots, at most 100 characters."""
    if not _RUN.match(run) or len(run) > 100 or run.endswith(".lock"):
        raise UsageError(f"{run!r} can't be the id of a run.", hint="Use letters, digits, - and _.")
    return run


def checked_oid(oid: str) -> str:
    """A full object id, 40 or 64 lower-case hex digits: nothing else ever reaches git's command line as an object."""
    if not _OID.match(oid):
        raise UsageError(f"{oid!r} is not a full object id.")
    return oid


def is_reserved(path: str) -> bool:
    """Whether a component of `path` is `.git` or what some file system takes for it (`.GIT`, `.git `, `git~1`)."""
    return any(_RESERVED.match(part) for part in path.split("/"))


def checked_path(path: str) -> str:
    """`path` when it can name a file of a tree: relative, `/` between folders, no `.`, `..`, `.git` or empty part."""
    wrong = "\0" in path or len(path) > 4096 or any(part in ("", ".", "..") for part in path.split("/"))
    if wrong or is_reserved(path) or not _encodable(path):
        raise UsageError(
            f"{one_line(path, 100)!r} can't be the path of a file in the repository.",
            hint="Name it from the repository's root, as the diff does: src/a.py.",
        )
    return path


def _encodable(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def spelled(path: str) -> str:
    """`shown` undone: `\\xNN` becomes the byte it stands for, in the form `os` functions take."""
    raw = re.sub(rb"\\x([89a-f][0-9a-f])", lambda m: bytes([int(m[1], 16)]), path.encode("utf-8", "surrogateescape"))
    return os.fsdecode(raw)


def shown(path: str) -> str:
    """A path as text that can be stored and printed: bytes that are not UTF-8 become `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def split_paths(raw: bytes) -> list[str]:
    """The items of NUL-separated output, in the form `os` functions take."""
    return [os.fsdecode(item) for item in raw.split(b"\0") if item]


def plan_base_ref(plan_branch: str) -> str:
    return f"refs/devloop/plan-base/{plan_branch}"


def run_branch(run: str) -> str:
    return f"refs/heads/devloop/run/{run}"


def run_base(run: str) -> str:
    return f"refs/devloop/base/{run}"


def snapshots(run: str) -> str:
    return f"refs/devloop/snapshots/{run}"


def discarded(run: str) -> str:
    return f"refs/devloop/discarded/{run}"


def asked(name: str) -> str:
    return f"refs/devloop/asked/{name}"


LANDING = "refs/devloop/landing"
