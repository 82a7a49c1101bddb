"""Which hooks there are for a workspace, where each comes from, and which of them are run.

The person's own come first (`hooks.json` in the configuration directory); they need no trust. Then the repository's
files, in the order of `hook_files.REPOSITORY`; each is one item of trust, with the bytes of the scripts that it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from devloop import hook_files, trust
from devloop.hooks import definitions
from devloop.hooks.definitions import Declared, Dialect, Hook
from devloop.own_files import Fault
from devloop.paths import config_root

State = Literal["active", "untrusted", "refused"]

OWN_FILE: Final = "hooks.json"
OWN_FOLDER: Final = "hooks"
"""Beside the person's `hooks.json`: the scripts that their hooks run; commands see it where it is."""


@dataclass(frozen=True)
class Source:
    """One file of hooks. `files`: scripts of the repository by path, exactly as they were hashed. `key`: the item of
    trust, "" for the person's own. `note`: why its hooks do not run."""

    path: str
    origin: Literal["user", "repository"]
    declared: Declared
    state: State = "active"
    note: str = ""
    key: str = ""
    sha256: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Library:
    """`sources` in the order in which their hooks count."""

    sources: tuple[Source, ...] = ()
    root: str = ""

    @property
    def active(self) -> tuple[Source, ...]:
        return tuple(each for each in self.sources if each.state == "active" and each.declared.hooks)

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(fault for source in self.sources for fault in source.declared.faults)


def discover(root: Path | None, trust_file: Path | None) -> Library:
    """All hooks for the workspace at `root` (None: the person's own). Reads files; never raises on what they hold."""
    found = [*_own()]
    if root is not None:
        trusted = {} if trust_file is None else trust.trusted_hashes(trust_file)
        found += _of_repository(root, trusted)
    return Library(tuple(found), str(root or ""))


def dialect_of(path: str) -> Dialect:
    """Whose names the hooks of a file are told: Claude Code's in its own files and in those of its plugins."""
    return "claude" if path in (*hook_files.CLAUDE, hook_files.PLUGIN) else "devloop"


def bounded(path: Path) -> bytes:
    """A file's bytes, one more than may be read where there are too many. Raises `OSError`."""
    with path.open("rb") as stream:
        return stream.read(hook_files.MAX_BYTES + 1)


def _own() -> list[Source]:
    path = config_root() / OWN_FILE
    try:
        data = bounded(path)
    except FileNotFoundError:
        return []
    except OSError as problem:
        fault = Fault(str(path), 1, f"it can't be read ({problem.strerror})", code="hook-file")
        return [Source(str(path), "user", Declared(faults=(fault,)))]
    return [Source(str(path), "user", definitions.read(data, str(path)))]


def _of_repository(root: Path, trusted: Mapping[str, str]) -> list[Source]:
    items = {item.path: item for item in trust.hooks_in(root)}
    found = []
    for path in hook_files.REPOSITORY:
        item = items.get(path)
        declared = read_file(root, path)
        if item is None:
            if declared is not None and (declared.faults or declared.hooks):
                found.append(Source(path, "repository", declared, "refused", "it declares nothing that can be run"))
        elif item.refused:
            fault = Fault(path, 1, f"its hooks can't be used: {item.refused}", code="hook-file")
            found.append(Source(path, "repository", Declared(faults=(fault,)), "refused", item.refused, item.key))
        else:
            found.append(_of_item(item, path, declared or _as_hashed(item, path), trusted))
    return found


def _as_hashed(item: trust.Item, path: str) -> Declared:
    return definitions.read(hook_files.rendered((item.value or {}).get("hooks")).encode(), path, dialect_of(path))


def _of_item(item: trust.Item, path: str, declared: Declared, trusted: Mapping[str, str]) -> Source:
    """What was hashed is what counts, down to the time limits; the file only says on which lines that stands."""
    lines = {hook.id: hook.line for hook in declared.hooks}
    kept = tuple(replace(hook, line=lines.get(hook.id, 1)) for hook in _as_hashed(item, path).hooks)
    declared = Declared(kept, declared.faults, declared.unsupported)
    source = Source(path, "repository", declared, key=item.key, sha256=item.sha256, files=item.files)
    if trusted.get(item.key) == item.sha256:
        return source
    why = "changed since it was trusted" if item.key in trusted else "not trusted yet"
    return replace(source, state="untrusted", note=f"{why}; `devloop trust` shows it")


def read_file(root: Path, path: str) -> Declared | None:
    """What a file below `root` declares; None where there is none that may be read."""
    try:
        data = trust.read_file(root, path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return None
    return definitions.read(data, path, dialect_of(path))


def to_json(source: Source, hook: Hook) -> dict[str, Any]:
    """What every front-end is told of a hook."""
    return {
        "id": hook.id,
        "event": hook.event,
        "matcher": hook.matcher,
        "condition": hook.condition,
        "name": hook.name,
        "command": hook.command,
        "timeout_s": hook.timeout_s,
        "path": hook.path,
        "line": hook.line,
        "source": source.origin,
        "state": source.state,
        "note": source.note,
        "scripts": sorted(source.files),
    }
