"""What must exist on the host so that mounts and masks can lie on it, and how it is removed afterwards.

A mount needs a mount point. Below a writable mount that point lies on the host: an absent path becomes an empty folder
there for as long as a command runs. What is mounted on it is an empty folder of the command's own, closed, of a page's
size and gone with it (`Empty`): bwrap reads the list of all mounts anew for each folder of the host that it mounts, and
for this it does not. Three things make a mask more than a mount:

* a folder above a mask could be renamed, mask and all, and made anew: so each one becomes a mount point itself (the
  kernel refuses to rename a mount point);
* a symbolic link can't carry a mount: it is remembered and put back, and what it leads to is masked as well;
* the points are counted, and the last command that needs one removes it (`points.py`). An empty folder at a masked path
  that a crash left over is removed, too (git never makes one).
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from devloop.errors import SandboxMissing
from devloop.sandbox import points
from devloop.sandbox.command import Mount

MAX_LINKS = 40


@dataclass(frozen=True)
class Empty(Mount):
    """A masked place where nothing is: what covers it is not the folder at `source`, which is only its mount point.

    It is closed (0555), but the command owns it: if it opens it, it fills a page that nobody else ever sees.
    """


@dataclass
class Ground:
    """The mounts to make, in order, and what to undo when the command is gone."""

    mounts: list[Mount] = field(default_factory=list)
    pins: list[Mount] = field(default_factory=list)
    masked: list[Mount] = field(default_factory=list)
    _points: list[tuple[Path, Path | None, bool]] = field(default_factory=list)
    _links: dict[Path, str] = field(default_factory=dict)

    def restore(self) -> None:
        """Remove the mount points that nobody uses and nobody filled; put changed links back. Never raises."""
        for mount in self.mounts:
            if mount.write:
                _open(mount.source)
        for link, leads_to in self._links.items():
            _put_back(link, leads_to)
        for point, spare, file in reversed(self._points):
            points.leave(point, spare, file=file)
        self._points.clear()
        self._links.clear()

    def order(self) -> None:
        """Put pins and masks between the mounts: outer ones first, of two at one place the mask on top."""
        covered = [mount.target for mount in self.masked]
        pins = [pin for pin in self.pins if not any(pin.target.is_relative_to(target) for target in covered)]
        self.mounts = sorted((*self.mounts, *pins, *self.masked), key=lambda mount: len(mount.target.parts))

    def point(self, path: Path, spare: Path | None = None, *, file: bool = False) -> None:
        points.count(path)
        self._points.append((path, spare, file))

    def link(self, path: Path, leads_to: str) -> None:
        self._links.setdefault(path, leads_to)


def prepare(mounts: Iterable[Mount], masks: Iterable[Path]) -> Ground:
    """Order `mounts`, add what `masks` need, and create the mount points on the host.

    Raises `SandboxMissing` when a source does not exist, a symbolic link stands where a mount point must be, or the
    host lets nothing be made there.
    """
    ground = Ground()
    try:
        base = sorted(map(_checked, mounts), key=lambda mount: len(mount.target.parts))
        for mount in base:
            _mount_point(ground, mount)
            ground.mounts.append(mount)
        for mask in masks:
            _mask(ground, base, mask)
        ground.order()
    except OSError as problem:
        ground.restore()
        raise SandboxMissing(f"The sandbox could not be set up: {problem.strerror}: {problem.filename}") from problem
    except BaseException:
        ground.restore()
        raise
    return ground


def on_host(mounts: Iterable[Mount], inside: Path) -> tuple[Mount, Path] | None:
    """The mount that `inside` lies in and the host's path for it; None when no mount covers it."""
    best: Mount | None = None
    parts, most = inside.parts, 0
    for mount in mounts:
        target = mount.target.parts
        if len(target) >= most and parts[: len(target)] == target:
            best, most = mount, len(target)
    return None if best is None else (best, best.source.joinpath(*parts[most:]))


def _checked(mount: Mount) -> Mount:
    target = Path(posixpath.normpath(mount.target))
    if not target.is_absolute() or target == Path("/"):
        raise SandboxMissing(f"The sandbox can't mount anything at {mount.target}.")
    try:
        source = mount.source.resolve(strict=True)
    except (OSError, RuntimeError) as problem:
        raise SandboxMissing(f"The sandbox can't mount {mount.source}: {problem}.") from problem
    return replace(mount, source=source, target=target)


def _mount_point(ground: Ground, mount: Mount) -> None:
    """Create the place for `mount` on the host when it lies below a writable mount, or asks for that."""
    found = on_host(ground.mounts, mount.target)
    if found is None or not (found[0].write or mount.make) or found[0].target == mount.target:
        return
    outer, place = found
    path = outer.source
    for part in place.relative_to(outer.source).parts:
        path /= part
        last = path == place
        if last and not mount.source.is_dir():
            _make_file(ground, path)
        else:
            kind = _kind(path)
            if kind is None:
                path.mkdir()
            if kind is None or points.used(path) or (last and points.is_empty(path)):
                ground.point(path)
            elif not stat.S_ISDIR(kind):
                raise SandboxMissing(f"{path} is not a folder, so nothing can be mounted there.")


def _make_file(ground: Ground, path: Path) -> None:
    kind = _kind(path)
    if kind is None:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        ground.point(path, file=True)
    elif not stat.S_ISREG(kind):
        raise SandboxMissing(f"{path} is not a file, so nothing can be mounted there.")
    elif points.used(path):
        ground.point(path, file=True)


def _mask(ground: Ground, base: list[Mount], mask: Path) -> None:
    """Make `mask` read-only, or empty and read-only when it is absent, and pin the folders above it."""
    inside = Path(posixpath.normpath(mask))
    for _ in range(MAX_LINKS):
        found = on_host(base, inside)
        if found is None or not found[0].write:
            return  # read-only already, or in a scratch folder that ends with the command
        target = _pin(ground, *found, inside)
        if target is None:
            return
        inside = target
    raise SandboxMissing(f"{mask} can't be protected: its symbolic links lead in a circle.")


def _pin(ground: Ground, outer: Mount, place: Path, view: Path) -> Path | None:
    """Walk from the mount to the masked `place`, which is seen at `view`. Returns the path inside to go on with when a
    link is met, else None."""
    path, inside = outer.source, outer.target
    parts = place.parts[len(path.parts) :]
    for number, part in enumerate(parts, start=1):
        last = number == len(parts)
        path, inside = (place, view) if last else (path / part, inside / part)
        kind = _kind(path)
        if kind is not None and stat.S_ISLNK(kind):
            leads_to = str(path.readlink())
            ground.link(path, leads_to)
            return Path(posixpath.normpath(inside.parent / leads_to)).joinpath(*parts[number:])
        empty = last and (kind is None or (stat.S_ISDIR(kind) and points.is_empty(path)))
        if kind is None:
            spare = outer.spare if len(parts) == 1 else None  # deeper ones could be led elsewhere by a link
            points.make(path, spare)
            ground.point(path, spare)
        elif stat.S_ISDIR(kind) and (empty or points.used(path)):
            ground.point(path)
        elif not last and not stat.S_ISDIR(kind):
            # A file where a folder must be: nothing can be created below it, but it could be replaced.
            ground.masked.append(Mount(path, inside))
            return None
        mount = Empty(path, inside) if empty else Mount(path, inside, write=not last)
        kept = ground.masked if last else ground.pins
        if mount not in kept:
            kept.append(mount)
    return None


def _kind(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None


def _open(folder: Path) -> None:
    """A command that closed the folder it works in would leave its mount points there, and be the last to run there."""
    with contextlib.suppress(OSError):
        mode = folder.lstat().st_mode
        if stat.S_ISDIR(mode) and mode & stat.S_IRWXU != stat.S_IRWXU:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IRWXU)


def _put_back(link: Path, leads_to: str) -> None:
    with contextlib.suppress(OSError):
        kind = _kind(link)
        if kind is not None and stat.S_ISLNK(kind) and str(link.readlink()) == leads_to:
            return
        if kind is not None and stat.S_ISDIR(kind):
            shutil.rmtree(link, ignore_errors=True)
        elif kind is not None:
            link.unlink()
        link.symlink_to(leads_to)
