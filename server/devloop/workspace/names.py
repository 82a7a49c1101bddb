"""Names that cross into git: run ids, object ids, refs; and paths as people may see them."""

from __future__ import annotations

import os
import re

from devloop.errors import UsageError

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


LANDING = "refs/devloop/landing"
