"""Reading what a gate left in its report directory, believing none of it (gates §5.4)."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from devloop.gates import reports
from devloop.gates.model import Gate
from devloop.gates.sources import Sources, open_inside
from devloop.gates.stream import PLUGIN, Stream
from devloop.gates.verdict import Evidence

CLOCK_SLACK_S = 0.1
"""The kernel stamps files with a clock that may lag behind by a tick."""


@dataclass(frozen=True)
class ReportDir:
    """A directory of a name nobody can guess; `out` is written by the gate, `plugin` is read by it."""

    path: Path

    @property
    def out(self) -> Path:
        return self.path / "out"

    @property
    def plugin(self) -> Path:
        return self.path / "plugin"

    @property
    def module(self) -> str:
        """The plug-in's module name; it can't be guessed either, so nothing in the tree stands before it."""
        return f"_{self.path.name.replace('-', '_')}"

    @property
    def scratch(self) -> Path:
        return self.path / "scratch"

    @property
    def stream(self) -> Path:
        """A pipe: who writes into it takes nothing back."""
        return self.out / "stream"

    @classmethod
    def make(cls, root: Path) -> ReportDir:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = cls(Path(tempfile.mkdtemp(prefix="gate-", dir=root)).resolve())
        made.out.mkdir(mode=0o700)
        made.plugin.mkdir(mode=0o700)
        made.scratch.mkdir(mode=0o700)
        shutil.copyfile(PLUGIN, made.plugin / f"{made.module}.py")
        return made

    def tell_plugin(self, root: Path | None) -> None:
        """What the plug-in has to know, in a file beside it: a variable would tell the tests who runs them."""
        known = {"stream": str(self.stream), "root": str(root) if root is not None else ""}
        (self.plugin / f"{self.module}.json").write_text(json.dumps(known), "utf-8")

    def remove(self) -> None:
        """Remove it with whatever was put there, also folders that were made unreadable."""

        def retry(function: Callable[[str], object], path: str, _problem: object) -> None:
            with contextlib.suppress(OSError):
                Path(path).parent.chmod(0o700)
                if not Path(path).is_symlink():
                    Path(path).chmod(0o700)
                function(path)

        for _ in range(2):
            if sys.version_info >= (3, 12):
                shutil.rmtree(self.path, onexc=retry)
            else:
                shutil.rmtree(self.path, onerror=retry)
            if not self.path.exists():
                return


def gather(
    gate: Gate, folder: ReportDir, sources: Sources, started: float, witnessed: Stream | None
) -> tuple[Evidence, str]:
    """The evidence, and the report's sha256 ("" when there is none). `started` is seconds since the epoch; `witnessed`
    is what the gate said while it ran."""
    if gate.report == "none":
        return Evidence(stream=witnessed), ""
    try:
        data = fresh(folder.out, gate.file, started, reports.MAX_REPORT)
    except FileNotFoundError:
        return Evidence("missing", "the report is missing", stream=witnessed), ""
    except (OSError, ValueError) as problem:
        return Evidence("refused", f"the report was refused: {why(problem)}", stream=witnessed), ""
    digest = hashlib.sha256(data).hexdigest()
    try:
        report = reports.read(gate.report, data, sources)
    except reports.Unreadable as problem:
        return Evidence("unreadable", f"the report can't be read: {problem}", stream=witnessed), digest
    return Evidence("fresh", report=report, stream=witnessed), digest


def fresh(out: Path, name: str, started: float, limit: int) -> bytes:
    """The bytes of a regular file with one name, written after `started`. Raises `OSError` or `ValueError`."""
    with os.fdopen(open_inside(out, name), "rb") as stream:
        found = os.fstat(stream.fileno())
        if found.st_nlink != 1:
            raise ValueError("it has a second name (a hard link)")
        if found.st_mtime < started - CLOCK_SLACK_S:
            raise ValueError("it is older than the start of the gate")
        if found.st_size > limit:
            raise ValueError(f"it is larger than {limit // (1024 * 1024)} MiB")
        return stream.read(limit + 1)


def why(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.errno in (errno.ELOOP, errno.ENOTDIR):
        return "it is a symbolic link"
    return problem.strerror or "it can't be opened" if isinstance(problem, OSError) else str(problem)


CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
"""Folders in which tools keep what they found before: work that brings one along could say anything in it."""


def clear_caches(root: Path) -> tuple[str, ...]:
    """Remove the caches of a checkout; the paths of those that there were. No link is followed."""
    found = []
    for folder, names, _ in os.walk(root):
        for name in sorted(CACHES.intersection(names)):
            path = Path(folder, name)
            found.append(path.relative_to(root).as_posix())
            names.remove(name)
            if path.is_symlink():
                path.unlink()
            else:
                shutil.rmtree(path)
    return tuple(found)


Manifest = Mapping[str, tuple[int, ...]]


def manifest(root: Path) -> Manifest:
    """What identifies each file below `root` without reading it; a write, a rename or a touch changes it."""
    found: dict[str, tuple[int, ...]] = {}
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with contextlib.suppress(OSError), os.scandir(root / folder if folder else root) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(name)
                    continue
                info = entry.stat(follow_symlinks=False)
                kind = stat.S_IFMT(info.st_mode) | stat.S_IMODE(info.st_mode)
                found[name] = (kind, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
    return found


def differences(before: Manifest, after: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Files that were changed or removed, and files that are new."""
    touched = tuple(sorted(name for name, mark in before.items() if after.get(name) != mark))
    return touched, tuple(sorted(name for name in after if name not in before))
