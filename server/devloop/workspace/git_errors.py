"""What git's error output means for a person; `LC_ALL=C` keeps its words stable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from devloop.errors import DevloopError, Refused, RepositoryUnfit, StorageError
from devloop.redact import cut

_LOCK = re.compile(r"Unable to create '([^']+\.lock)': File exists")
_OWNER = re.compile(r"dubious ownership in repository at '([^']+)'")
_IN_THE_WAY = re.compile(r"'(refs/[^']+)' exists; cannot create '(refs/[^']+)'")
_STALE = re.compile(r"but expected|reference already exists|unable to resolve reference")
_MISSING = re.compile(
    r"bad object|missing (?:blob|tree|commit)|unable to read (?:tree|sha1|blob)|not a valid object|"
    r"is corrupt|object file .* is empty|failed to read object|could not fetch",
    re.IGNORECASE,
)
_STORAGE: Mapping[str, str] = {
    "No space left on device": "The disk is full: free some space and try again.",
    "Disk quota exceeded": "Your disk quota is used up: free some space and try again.",
    "Read-only file system": "Make the file system writable and try again.",
    "unable to create directory": "Check that the .git directory is yours and that its file system is writable.",
    "insufficient permission": "You have no permission to write to the repository's .git directory.",
    "Permission denied": "You have no permission to write there: check the owner of the .git directory.",
}


class StaleRef(Refused):
    """A ref was no longer what the compare-and-swap expected."""

    kind = "stale_ref"


def lock_in_the_way(err: str) -> Path | None:
    """The lock file that another git command holds, or left."""
    found = _LOCK.search(err)
    return Path(found[1]) if found else None


def explain(err: str, command: str, code: int) -> DevloopError:
    """The failure of `git COMMAND` that said `err` and ended with `code`."""
    if found := _LOCK.search(err):
        return RepositoryUnfit(
            f"Another git command is running, or one crashed: {found[1]} exists.",
            hint=f"If no git command is running, remove {found[1]} and try again.",
            lock=found[1],
        )
    for words, hint in _STORAGE.items():
        if words in err:
            return StorageError(f"git {command} could not write: {words.lower()}.", hint=hint)
    if found := _OWNER.search(err):
        return RepositoryUnfit(
            f"{found[1]} belongs to another user, so git refuses to work there.",
            hint=f"If you trust it: git config --global --add safe.directory {found[1]}",
        )
    if "unknown repository extension" in err or "Expected git repo version" in err:
        return RepositoryUnfit("This repository needs a newer git than the one installed.", hint="Update git.")
    if "bad config" in err:
        return RepositoryUnfit(f"The repository's git configuration is broken: {_first(err)}", hint="Repair it.")
    if found := _IN_THE_WAY.search(err):
        taken, wanted = (name.removeprefix("refs/heads/") for name in found.groups())
        return RepositoryUnfit(
            f"The branch {taken} stands in the way of {wanted}.", hint=f"Rename it: git branch -m {taken} NEW-NAME"
        )
    if command == "update-ref" and _STALE.search(err):
        return StaleRef(f"A branch moved meanwhile: {_first(err)}", hint="Try again.")
    if _MISSING.search(err):
        return RepositoryUnfit(
            f"An object of the repository is missing or damaged: {_first(err)}",
            hint="In a partial clone have all of it: `git fetch --refetch --no-filter`. Otherwise: git fsck",
        )
    return DevloopError(f"git {command} failed (exit {code}): {_first(err)}")


def _first(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith(("fatal:", "error:"))] or err.splitlines()
    return cut(lines[0].removeprefix("fatal: ").removeprefix("error: "), 300) if lines else "no message."
