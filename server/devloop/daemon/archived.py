"""Which tasks are done because they are archived: a dependency on one of them is met (plan-format §7)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from devloop import plan as plans

ARCHIVE: Final = ".devloop/archive"
MAX_ARCHIVED: Final = 500


class Archived:
    """The archive files of the workspace at `root`; each is read again when it changed."""

    def __init__(self, root: Path) -> None:
        self._folder = root / ARCHIVE
        self._known: dict[Path, tuple[tuple[int, int], frozenset[str]]] = {}
        self._last: frozenset[str] | None = None

    def ids(self) -> frozenset[str]:
        """Ids of done tasks in archived phases. Blocks."""
        try:
            files = sorted(path for path in self._folder.iterdir() if path.suffix == ".md")[:MAX_ARCHIVED]
        except OSError:
            files = []
        found: dict[Path, tuple[tuple[int, int], frozenset[str]]] = {}
        for path in files:
            with contextlib.suppress(OSError):
                status = path.stat()
                stamp = (status.st_mtime_ns, status.st_size)
                known = self._known.get(path)
                found[path] = known if known and known[0] == stamp else (stamp, _done_ids(path))
        self._known = found
        self._last = frozenset().union(*(ids for _, ids in found.values()))
        return self._last

    def last(self) -> frozenset[str]:
        """What `ids` found the last time it looked; a first look when there was none."""
        return self.ids() if self._last is None else self._last


def _done_ids(path: Path) -> frozenset[str]:
    """The done tasks of an archive file, and its finished phases as `phase 1`."""
    plan = plans.parse(path.read_bytes(), name=path.name)
    tasks = {task.id for task in plan.tasks if task.done}
    return frozenset(tasks | {f"phase {phase.id}".lower() for phase in plan.phases if phase.status == "complete"})
