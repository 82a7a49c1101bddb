"""The hooks of one run: settled when it begins, with the bytes of their scripts, in the run's own folder.

What is changed afterwards, in the checkout or by the run itself, changes nothing for it. A run that has no hooks has no
such folder, and asking for its hooks costs one look.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any, Final

from devloop import hook_files
from devloop.errors import StorageError
from devloop.files import write_atomic
from devloop.hooks.definitions import Hook
from devloop.hooks.library import OWN_FOLDER, Library, Source
from devloop.hooks.running import Ready
from devloop.paths import config_root

FOLDER: Final = "hooks"
_LIST: Final = "pinned.json"


def pin(library: Library, run_folder: Path) -> tuple[Ready, ...]:
    """Settle the hooks of the run whose folder this is. Doing it again changes nothing. Raises `StorageError`."""
    folder = run_folder / FOLDER
    if library.active and not (folder / _LIST).exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        sources = [_keep(source, folder / str(number), library.root) for number, source in enumerate(library.active)]
        text = json.dumps({"version": 1, "sources": sources}, indent=1)
        write_atomic(folder / _LIST, text.encode("utf-8", "surrogatepass"), mode=0o600)
    return pinned(run_folder)


def pinned(run_folder: Path) -> tuple[Ready, ...]:
    """The hooks that were settled for a run; none where there is no list. Raises `StorageError` for one that can't be
    read: a run must not go on without the hooks that guard it."""
    folder = run_folder / FOLDER
    try:
        data = json.loads((folder / _LIST).read_bytes())
        return tuple(
            ready for number, source in enumerate(data["sources"]) for ready in _ready(source, folder / str(number))
        )
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise StorageError(
            "Which hooks this run has can't be read any more.", hint="Cancel the run and begin the task again."
        ) from problem


def _keep(source: Source, folder: Path, root: str) -> dict[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)  # what a kill left of an earlier attempt
    for path, data in source.files.items():
        place = folder / path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o555)
    units = hook_files.units(source.files)
    hooks = [{**dataclasses.asdict(hook), "needs": _needs(hook, units, root)} for hook in source.declared.hooks]
    return {"key": source.key, "hooks": hooks, "units": list(units)}


def _needs(hook: Hook, units: tuple[str, ...], root: str) -> list[str]:
    named = hook_files.named(hook.command, root)
    return [unit for unit in units if any(name == unit or name.startswith(f"{unit}/") for name in named)]


def _ready(source: dict[str, Any], folder: Path) -> list[Ready]:
    own = config_root() / OWN_FOLDER
    shown = (own,) if not source["key"] and own.is_dir() else ()
    scripts = tuple((folder / unit, str(unit)) for unit in source["units"])
    found = []
    for each in source["hooks"]:
        needs = frozenset(map(str, each.pop("needs")))
        found.append(Ready(Hook(**each), scripts, needs, shown, source["key"]))
    return found
