"""Where things are: the project's root and the workspace's private directories.

Runtime state lives in the person's state directory, mode 0700, keyed by workspace, never in the repository, where an
agent could reach it. `DEVLOOP_STATE_DIR` and `DEVLOOP_CONFIG_DIR` move the two roots (tests, several accounts).
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from devloop.errors import Refused
from devloop.files import storage_error


def state_root() -> Path:
    override = os.environ.get("DEVLOOP_STATE_DIR")
    return Path(override) if override else Path(platformdirs.user_state_dir("devloop"))


def config_root() -> Path:
    override = os.environ.get("DEVLOOP_CONFIG_DIR")
    return Path(override) if override else Path(platformdirs.user_config_dir("devloop"))


def settings_file() -> Path:
    """The person's own settings (`settings.sources`)."""
    return config_root() / "config.toml"


def find_root(start: Path) -> Path:
    """The project's root: the nearest ancestor (or `start` itself) with `.devloop/` or `.git`, else `start`."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / ".devloop").is_dir() or (folder / ".git").exists():
            return folder
    return start


def workspace_key(root: Path) -> str:
    """A readable, unique directory name for a workspace: its folder's name and a hash of its real path."""
    real = root.resolve()
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:12]
    name = re.sub(r"[^a-zA-Z0-9._-]+", "-", real.name).strip("-.")[:32] or "root"
    return f"{name}-{digest}"


def _make_ours(folder: Path) -> None:
    """Let nobody else write to a folder. Raises `Refused` where it, or a link to it, is another user's."""
    if sys.platform == "win32":
        return
    found = folder.stat()
    if found.st_uid != os.getuid() or folder.lstat().st_uid not in (0, os.getuid()):
        raise Refused(
            f"The state directory {folder} belongs to another user.",
            hint="Remove it, or name another place with DEVLOOP_STATE_DIR.",
        )
    if found.st_mode & 0o022:
        folder.chmod(found.st_mode & 0o7755)


@dataclass(frozen=True)
class StateDir:
    """The private directory of one workspace. Every attribute is a path below it; `make` creates the folders."""

    path: Path

    @classmethod
    def of(cls, root: Path) -> StateDir:
        return cls(state_root() / "workspaces" / workspace_key(root))

    def make(self) -> StateDir:
        """Create the folders, whatever the umask. Raises `StorageError` when that is not possible, `Refused` when one
        of them is somebody else's: who owns a folder can put another socket and other records into it."""
        try:
            above = (state_root(), self.path.parent) if self.path.is_relative_to(state_root()) else ()
            for folder in (*above, self.path):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _make_ours(folder)
            self.path.chmod(0o700)
            for folder in (self.runs, self.worktrees, self.checkouts, self.logs, self.reports):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as problem:
            refused = storage_error(problem, f"The state directory {self.path} can't be used")
            refused.hint = f"{refused.hint} DEVLOOP_STATE_DIR names another place.".strip()
            raise refused from problem
        return self

    @property
    def runs(self) -> Path:
        """One folder per run: transcript, responses, command output."""
        return self.path / "runs"

    @property
    def worktrees(self) -> Path:
        return self.path / "worktrees"

    @property
    def checkouts(self) -> Path:
        """Clean checkouts for gates."""
        return self.path / "checkouts"

    @property
    def spare(self) -> Path:
        """Empty folders for what a sandbox mounts in worktrees; made when the first is put by."""
        return self.path / "spare"

    @property
    def reports(self) -> Path:
        """Fresh, randomly named directories that gates write their reports to."""
        return self.path / "reports"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def git(self) -> Path:
        """devloop's own git directory; it borrows the repository's objects."""
        return self.path / "git"

    @property
    def records_db(self) -> Path:
        return self.path / "records.db"

    @property
    def engine_db(self) -> Path:
        return self.path / "engine.db"

    @property
    def daemon_file(self) -> Path:
        """`{"pid", "socket", "version", "started"}` of the daemon that serves this workspace."""
        return self.path / "daemon.json"

    @property
    def daemon_lock(self) -> Path:
        return self.path / "daemon.lock"

    @property
    def engine_lock(self) -> Path:
        return self.path / "engine.lock"

    @property
    def trust_file(self) -> Path:
        return self.path / "trust.json"
