"""devloop's own git directory: bare, with a configuration of its own, borrowing the repository's objects.

Snapshots, commits, replays, diffs and checkouts happen here, so nothing that the repository's configuration names can
run, and the `.git` pointer of an agent's worktree leads to a directory without remotes or tokens. `info/attributes`
has the highest precedence and switches off filters, textconv, merge drivers and every line-end or encoding
conversion: **a worktree and a checkout hold exactly the bytes of the blobs**, whatever core.autocrlf or `eol=` say.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.errors import Refused
from devloop.files import held_lock, write_atomic
from devloop.paths import StateDir
from devloop.workspace.git import Git
from devloop.workspace.known import Known
from devloop.workspace.names import checked_run
from devloop.workspace.repository import Repository

if TYPE_CHECKING:
    from devloop.workspace.raw_commit import RawCommit
    from devloop.workspace.records import FileStat

LAYOUT = "1"
_ATTRIBUTES = b"* !filter !diff !merge -text !eol -ident !working-tree-encoding !conflict-marker-size !whitespace\n"
_SETTINGS = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.autocrlf", "false"),
    ("core.eol", "lf"),
    ("core.logAllRefUpdates", "false"),
    ("core.sshCommand", "false"),
    ("commit.gpgSign", "false"),
    ("gc.auto", "0"),
    ("merge.renames", "true"),
    ("worktree.guessRemote", "false"),
    ("devloop.layout", LAYOUT),
)
_LOCK_WAIT = 120.0


class OwnGit:
    """The own git directory of one workspace, and the paths of its worktrees."""

    def __init__(self, repository: Repository, state: StateDir) -> None:
        self.repository = repository
        self.state = state
        self.commits: Known[RawCommit] = Known(256)
        self.runs: Known[str] = Known(64)
        self.figures: Known[tuple[FileStat, ...]] = Known(16)
        self.patches: Known[bytes] = Known(4)

    async def open(self) -> None:
        """Create the directory or bring it up to date (alternates, excludes, shallow points). Safe to repeat."""
        self.state.make()
        async with self.lock():
            await self._create()
            await asyncio.to_thread(self._refresh)

    async def _create(self) -> None:
        path, wanted = self.state.git, self.repository.object_format
        bare = Git(path, own=True)
        if (path / "config").is_file():
            layout = await bare.run("config", "--get", "devloop.layout", ok=(0, 1, 128))
            kind = await bare.run("rev-parse", "--show-object-format", ok=(0, 128))
            if layout.text == LAYOUT and kind.text == wanted:
                return
            if kind.code == 0 and kind.text != wanted:  # another repository stands at this place now
                path.rename(path.with_name(f"git.before-{secrets.token_hex(4)}"))
        await Git(None, own=True, cwd=self.state.path).run(
            "init", "-q", "--bare", "--template=", f"--object-format={wanted}", path
        )
        await asyncio.to_thread(self._configure)

    def _configure(self) -> None:
        """Add the settings to what `git init` found out about the file system; written last, all at once."""
        config = self.state.git / "config"
        lines = config.read_text().splitlines()
        for key, value in _SETTINGS:
            section, name = key.split(".")
            lines += [f"[{section}]", f"\t{name} = {value}"]
        write_atomic(config, ("\n".join(lines) + "\n").encode())

    def _refresh(self) -> None:
        objects = self.repository.common_dir / "objects"
        _keep(self.state.git / "objects" / "info" / "alternates", _alternates(objects))
        _keep(self.state.git / "info" / "attributes", _ATTRIBUTES)
        common = self.repository.common_dir
        _keep(self.state.git / "info" / "exclude", _excludes(self.repository))
        shallow = common / "shallow"
        _keep(self.state.git / "shallow", shallow.read_bytes() if shallow.is_file() else None)

    def git(self, *, index: Path | None = None, work_tree: Path | None = None) -> Git:
        return Git(self.state.git, work_tree, index, own=True)

    def path(self, run: str) -> Path:
        """The worktree of a run. The only directories that `restore` and removal may touch are these."""
        return self.state.worktrees / checked_run(run)

    def admin(self, run: str) -> Path:
        """git's own folder for that worktree; out of the agent's reach."""
        return self.state.git / "worktrees" / checked_run(run)

    def worktree_git(self, run: str, *, index: Path | None = None) -> Git:
        """For commands in the run's worktree; the `.git` file in it, which an agent might change, is never followed."""
        return Git(self.admin(run), self.path(run), index, own=True)

    @contextlib.contextmanager
    def scratch_index(self, like: Path | None = None) -> Iterator[Path]:
        """A fresh index file (a link to `like` when given: git never writes an index in place), removed at the end.

        A name of its own per operation, so that a git left behind by a killed process can't disturb the next one.
        """
        folder = like.parent if like is not None else self.state.git
        path = folder / f"index.{secrets.token_hex(6)}.tmp"
        if like is not None and like.exists():
            try:
                path.hardlink_to(like)
            except OSError:
                shutil.copy2(like, path)  # keeps the time stamp, which git's check for racy entries needs
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)
            path.with_name(path.name + ".lock").unlink(missing_ok=True)

    @contextlib.asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """One at a time, over processes too: adding and removing worktrees, accepting, landing."""
        path = self.state.path / "workspace.lock"
        deadline = asyncio.get_running_loop().time() + _LOCK_WAIT
        pause = 0.005
        while True:
            with held_lock(path) as held:
                if held is not None:
                    yield
                    return
            if asyncio.get_running_loop().time() > deadline:
                raise Refused(
                    "Another devloop process has been working on this repository for a long time.",
                    hint="Wait for it, or end it and try again.",
                )
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.2)

    async def send(self, tip: str, known: list[str]) -> None:
        """Copy the objects of `tip` that are not reachable from `known` into the person's repository.

        `pack-objects | unpack-objects`: no remote, no URL, no upload-pack, so no configuration has a say (a fetch
        would obey `url.*.insteadOf` and `remote.<path>.uploadpack` of the repository).
        """
        wanted = "\n".join([tip, *(f"^{commit}" for commit in known)]) + "\n"
        reader, writer = os.pipe()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pack(wanted, writer))
                group.create_task(self._unpack(reader))
        except* Exception as problems:  # the first cause is the one to show
            raise problems.exceptions[0] from None

    async def _pack(self, wanted: str, writer: int) -> None:
        try:
            await self.git().run("pack-objects", "--revs", "--stdout", "-q", data=wanted.encode(), stdout=writer)
        finally:
            os.close(writer)

    async def _unpack(self, reader: int) -> None:
        try:
            await self.repository.plain().run("unpack-objects", "-q", stdin=reader)
        finally:
            os.close(reader)


def _alternates(objects: Path) -> bytes:
    """`objects` and what it borrows from itself; git follows relative entries of the first level only."""
    found: list[Path] = []
    todo = [objects]
    while todo and len(found) < 50:
        place = todo.pop()
        if place in found:
            continue
        found.append(place)
        listed = place / "info" / "alternates"
        if listed.is_file():
            lines = listed.read_bytes().split(b"\n")
            todo += [
                Path(os.path.normpath(place / os.fsdecode(line)))
                for line in lines
                if line and not line.startswith((b"#", b'"'))
            ]
    return b"".join(_quoted(os.fsencode(place)) + b"\n" for place in found)


def _quoted(path: bytes) -> bytes:
    if not any(c < 0x20 or c in b'"\\' for c in path):
        return path
    escaped = b"".join(b"\\%03o" % c if c < 0x20 or c in b'"\\' else bytes([c]) for c in path)
    return b'"' + escaped + b'"'


def _excludes(repository: Repository) -> bytes:
    """What the person ignores outside of .gitignore files: their global file first, then the repository's own."""
    text = b""
    for key, value in repository.kept:
        if key == "core.excludesfile":
            text += _read(Path(value)) + b"\n"
    return text + _read(repository.common_dir / "info" / "exclude")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def _keep(path: Path, data: bytes | None) -> None:
    """Make `path` hold `data` (None: make it absent), without touching it when it already does."""
    if data is None:
        path.unlink(missing_ok=True)
    elif _read(path) != data or not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(path, data)
