"""The person's repository: where it is, what state it is in. Everything here only reads."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devloop.errors import DevloopError, RepositoryUnfit
from devloop.workspace.git import Git, check_version
from devloop.workspace.git_program import distrust
from devloop.workspace.names import shown, split_paths
from devloop.workspace.records import DirtyFile, Head, Identity, Notice

_STATES = {"M": "modified", "A": "added", "D": "deleted", "R": "renamed", "C": "added", "T": "typechange"}
_CONFLICTS = {"DD", "AU", "UD", "UA", "DU", "AA", "UU"}
_BUSY = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "sequencer": "cherry-pick or revert",
}
_KEPT = ("core.autocrlf", "core.eol")
_KEPT_PATHS = {"core.excludesfile": "ignore", "core.attributesfile": "attributes"}
# What can name a program, by section and last part of the key; the value that makes it harmless.
_PROGRAMS = {
    ("filter", "clean"): "",
    ("filter", "smudge"): "",
    ("filter", "process"): "",
    ("filter", "required"): "false",
    ("diff", "textconv"): "",
    ("diff", "command"): "",
    ("merge", "driver"): "false",
    ("hook", "command"): "true",
    ("hook", "enabled"): "false",
}


SETTLED_S = 2.0
"""Seconds after which a file's times tell of each further change, however coarse the file system's clock is."""


@dataclass(frozen=True)
class Repository:
    """`root` is the top of the person's checkout; `git_dir` differs from `common_dir` in a linked worktree."""

    root: Path
    git_dir: Path
    common_dir: Path
    object_format: str
    kept: tuple[tuple[str, str], ...] = ()
    _read: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    async def discover(cls, start: Path, *, born: bool = True) -> Repository:
        """The repository around `start`. Raises `RepositoryUnfit`, which says what to do, for: git missing or too old,
        no repository, a bare one, a foreign owner, a work tree that is somewhere else, and, unless `born` is false,
        one without a commit."""
        start = await asyncio.to_thread(start.resolve)
        if not await asyncio.to_thread(start.is_dir):
            raise RepositoryUnfit(f"{start} is not a directory.")
        await asyncio.to_thread(_distrust_around, start)
        await check_version()
        look = Git(None, personal=True, cwd=start)
        try:
            git_dir = Path(await look.line("rev-parse", "--absolute-git-dir"))
        except RepositoryUnfit:
            raise
        except DevloopError as problem:
            if "not a git repository" not in problem.message:
                raise
            hint = f"Create one: cd {shlex.quote(str(start))} && git init && git add -A && git commit -m start"
            raise RepositoryUnfit(f"{start} is not inside a git repository.", hint=hint) from problem
        if await look.line("rev-parse", "--is-inside-work-tree") != "true":
            raise RepositoryUnfit(
                f"{start} is a bare repository or a .git directory: there are no files to work on.",
                hint="Open a checkout of it: git clone, or git worktree add.",
            )
        root = Path(await look.line("rev-parse", "--show-toplevel"))
        common = Path(await look.line("rev-parse", "--path-format=absolute", "--git-common-dir"))
        await _check_pointer(root, git_dir)
        person = Git(git_dir, root, personal=True)
        if born and (await person.run("rev-parse", "--verify", "-q", "HEAD^{commit}", ok=(0, 1, 128))).code:
            raise RepositoryUnfit(
                f"{root} has no commit yet.", hint="Make one: git add -A && git commit --allow-empty -m start"
            )
        object_format = await person.line("rev-parse", "--show-object-format")
        return cls(root, git_dir, common, object_format, await _kept_settings(person))

    @property
    def places(self) -> tuple[Path, ...]:
        """What has to be writable for a run: the checkout and the git directory that its refs are in."""
        return (self.root, self.common_dir)

    def plain(self) -> Git:
        """For commands that read refs and objects only; what moves a ref may raise hooks and takes `git`."""
        return Git(self.git_dir, self.root)

    async def git(self, *, index: Path | None = None, borrow: Path | None = None, objects: Path | None = None) -> Git:
        """For commands that look at or change the checkout: every program that the repository's configuration names
        is overridden. A person may change the configuration during a run: it is read again once its files did."""
        stamp = _stamp(self.common_dir / "config", self.git_dir / "config.worktree")
        if stamp is None or self._read.get("stamp") != stamp:
            told = (await Git(self.git_dir, self.root).run("config", "--list", "--name-only", "-z")).out
            keys = [os.fsdecode(raw) for raw in told.split(b"\0")]
            of_other_files = any(key.startswith(("include.", "includeif.")) for key in keys)
            self._read.update(stamp=None if of_other_files else stamp, overrides=_overrides(keys))
        config = (*self.kept, *self._read["overrides"])
        return Git(self.git_dir, self.root, index, config=config, borrow=borrow, objects=objects)

    async def head(self) -> Head:
        git = self.plain()
        both = await git.run("rev-parse", "-q", "HEAD^{commit}", "--symbolic-full-name", "HEAD", ok=(0, 1, 128))
        match both.text.split("\n"):
            case [commit, name] if both.code == 0 and name.startswith("refs/heads/"):
                return Head(commit, name.removeprefix("refs/heads/"))
        branch = await git.run("symbolic-ref", "-q", "HEAD", ok=(0, 1))
        called = branch.text.removeprefix("refs/heads/") if branch.code == 0 else None
        at = await git.run("rev-parse", "--verify", "-q", "--end-of-options", "HEAD^{commit}", ok=(0, 1))
        if at.code:
            raise RepositoryUnfit(
                f"{called or 'HEAD'} has no commit yet.", hint="Switch to a branch that has one, or commit to this one."
            )
        return Head(at.text, called)

    async def ref(self, name: str) -> str | None:
        """The commit a full ref name points to, or None."""
        found = await self.plain().run(
            "rev-parse", "--verify", "-q", "--end-of-options", f"{name}^{{commit}}", ok=(0, 1)
        )
        return found.text if found.code == 0 else None

    async def commits(self, *names: str) -> tuple[str | None, ...]:
        """The commits that HEAD or full ref names point to at one moment, or None."""
        asked = "".join(f"{name}^{{commit}}\n" for name in names).encode()
        told = await self.plain().run("cat-file", "--batch-check=%(objectname)", data=asked)
        lines = told.text.split("\n")  # a name may have other signs in it that Python ends a line at
        return tuple(line if " " not in line else None for line in lines)

    async def checked_out(self, name: str) -> Path | None:
        """The checkout (this one or a linked worktree) that has the ref checked out."""
        return (await self.branch(name))[1]

    async def branch(self, name: str) -> tuple[str | None, Path | None]:
        """What a branch's full name points to, or None, and the checkout that has it checked out."""
        told = await self.plain().run("for-each-ref", "--format=%(objectname) %(refname)%00%(worktreepath)", "--", name)
        for line in told.text.split("\n"):
            at, _, place = line.partition("\0")
            commit, _, found = at.partition(" ")
            if found == name:
                return commit, Path(place) if place else None
        return None, None

    def busy(self) -> str | None:
        """The operation that stands unfinished in the person's checkout."""
        found = next((name for file, name in _BUSY.items() if (self.git_dir / file).exists()), None)
        if found is None and (self.git_dir / "reftable").exists() and (self.git_dir / "MERGE_MSG").exists():
            return "cherry-pick or revert"  # whose refs are in a table there
        return found

    async def dirty(self) -> tuple[DirtyFile, ...]:
        """Changed, staged and untracked (not ignored) files of the person's checkout; no look into submodules."""
        git = await self.git()
        output = await git.run(
            "status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignore-submodules=all", "--no-renames"
        )
        found = []
        for raw in output.out.split(b"\0"):
            if raw:
                code, path = raw[:2].decode(), os.fsdecode(raw[3:])
                found.append(DirtyFile(shown(path), _state(code)))
        return tuple(found)

    async def identity(self) -> Identity:
        """Author of commits: `author.*`, else `user.*` of the person's configuration, else “devloop” and a notice."""
        look = Git(self.git_dir, self.root, personal=True)
        output = await look.run("config", "-z", "--get-regexp", r"^(user|author)\.(name|email)$", ok=(0, 1))
        values = {}
        for raw in output.out.split(b"\0"):
            key, _, value = raw.decode("utf-8", "replace").partition("\n")
            values[key.lower()] = " ".join("".join(c for c in value if c not in "<>\0").split())
        name = values.get("author.name") or values.get("user.name")
        email = values.get("author.email") or values.get("user.email")
        if name and email:
            return Identity(name, email)
        notice = Notice(
            "identity",
            "git knows no name and e-mail for you, so commits are made as “devloop”. "
            "Set them: git config --global user.name NAME and git config --global user.email ADDRESS",
        )
        return Identity(name or "devloop", email or "devloop@localhost", notice)


def _stamp(*files: Path) -> tuple[Any, ...] | None:
    """What tells that files are as they were; None where one changed just now, since the next change may not show."""
    found: list[Any] = []
    for file in files:
        try:
            at = file.stat()
        except FileNotFoundError:
            found.append(None)
            continue
        except OSError:  # git says what is wrong with it
            return None
        if time.time() - max(at.st_mtime, at.st_ctime) < SETTLED_S:
            return None
        found.append((at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns))
    return tuple(found)


def _overrides(keys: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """What makes the programs that a configuration names harmless, by its keys."""
    found: dict[str, str] = {}
    for each in keys:
        section, _, rest = each.partition(".")
        subsection, dot, _ = rest.rpartition(".")
        if dot:
            for (owner, key), value in _PROGRAMS.items():
                if section == owner:
                    found[f"{section}.{subsection}.{key}"] = value
    return tuple(found.items())


def _distrust_around(start: Path) -> None:
    """The checkout around `start`, before git is asked which one it is."""
    top = next((place for place in (start, *start.parents) if os.path.lexists(place / ".git")), None)
    if top is not None:
        distrust(top)


def _state(code: str) -> str:
    if code == "??":
        return "untracked"
    if code in _CONFLICTS:
        return "conflicted"
    letter = code[1] if code[1] != " " else code[0]
    return _STATES.get(letter, "modified")


async def _check_pointer(root: Path, git_dir: Path) -> None:
    """`root/.git` must lead to `git_dir`: a hostile `core.worktree` could otherwise aim landing at any directory."""
    look = Git(None, personal=True, cwd=root)
    pointed = await look.run("rev-parse", "--resolve-git-dir", str(root / ".git"), ok=(0, 128))
    if pointed.code or os.path.realpath(pointed.text) != os.path.realpath(git_dir):  # noqa: ASYNC240
        raise RepositoryUnfit(
            f"The git directory {git_dir} names {root} as its work tree, but {root / '.git'} does not lead back to it.",
            hint="devloop works in ordinary checkouts, linked worktrees and submodules only.",
        )


async def _kept_settings(person: Git) -> tuple[tuple[str, str], ...]:
    """Harmless settings of the person's own configuration that a landing has to respect."""
    wanted = "|".join(key.removeprefix("core.") for key in (*_KEPT, *_KEPT_PATHS))
    output = await person.run("config", "-z", "--type=path", "--get-regexp", rf"^core\.({wanted})$", ok=(0, 1))
    values = dict(item.partition("\n")[::2] for item in split_paths(output.out))
    kept = [(key, values[key]) for key in _KEPT if key in values]
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git"
    for key, default in _KEPT_PATHS.items():
        path = values.get(key) or str(home / default)
        if os.path.isfile(path):  # noqa: ASYNC240, PTH113
            kept.append((key, path))
    return tuple(kept)
