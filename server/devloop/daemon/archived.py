"""Which tasks are done because they are archived: a dependency on one of them is met (plan-format §7)."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path
from typing import Final

from devloop import beneath
from devloop import plan as plans
from devloop.own_files import MAX_BYTES

ARCHIVE: Final = ".devloop/archive"
MAX_ARCHIVED: Final = 500


class Archived:
    """The archive files of the workspace at `root`; each is read again when it changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, tuple[tuple[int, int], frozenset[str]]] = {}
        self._last: frozenset[str] | None = None

    def ids(self) -> frozenset[str]:
        """Ids of done tasks in archived phases. Blocks."""
        try:
            listed = beneath.entries(self._root, ARCHIVE)
            names = [name for name, mode in listed if name.endswith(".md") and stat.S_ISREG(mode)][:MAX_ARCHIVED]
        except OSError:
            names = []
        found: dict[Path, tuple[tuple[int, int], frozenset[str]]] = {}
        for path in (self._root / ARCHIVE / name for name in names):
            with contextlib.suppress(OSError):
                status = path.lstat()
                stamp = (status.st_mtime_ns, status.st_size)
                known = self._known.get(path)
                found[path] = known if known and known[0] == stamp else (stamp, _done_ids(self._root, path.name))
        self._known = found
        self._last = frozenset().union(*(ids for _, ids in found.values()))
        return self._last

    def last(self) -> frozenset[str]:
        """What `ids` found the last time it looked; a first look when there was none."""
        return self.ids() if self._last is None else self._last


def _done_ids(root: Path, name: str) -> frozenset[str]:
    """The done tasks of an archive file, and its finished phases as `phase 1`."""
    plan = plans.parse(beneath.read(root, f"{ARCHIVE}/{name}", MAX_BYTES), name=name)
    tasks = {task.id for task in plan.tasks if task.done}
    return frozenset(tasks | {f"phase {phase.id}".lower() for phase in plan.phases if phase.status == "complete"})
