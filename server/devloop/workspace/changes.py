"""What a person has changed, as a commit that others may look at: of the working tree, of the index, of a branch.

The person's index, refs and files are only read. The index is copied, so what git knows of unchanged files is not
found out again; new objects go to devloop's own git directory; the text conversions are those of the person's own
`git add`, without the programs that the repository names. The same files give the same commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from devloop.errors import NotFound, Refused, UsageError
from devloop.redact import one_line
from devloop.workspace import names
from devloop.workspace.git import Git
from devloop.workspace.names import shown, split_paths
from devloop.workspace.objects import entries, fold, read_commit, signature, tree_of, write_commit
from devloop.workspace.own import OwnGit
from devloop.workspace.private_files import is_private
from devloop.workspace.raw_commit import RawCommit
from devloop.workspace.records import Change, Identity, Skipped
from devloop.workspace.refs import drop, move, own_ref
from devloop.workspace.trees import Caps, apply, changed_files, decide, gitlinks

NEW_BYTES: Final = 64 << 20
"""What new files may have together."""
ASKED_DAYS: Final = 2
"""So long a change that nobody began with stays reachable."""
_OURS: Final = ".devloop/"
_MAIN: Final = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


@dataclass(frozen=True)
class _Scratch:
    git: Git
    head: str


async def uncommitted(own: OwnGit, caps: Caps) -> Change:
    """The working tree: changed, staged, removed and new files that are not ignored. `.devloop/` stays as in HEAD."""
    async with _scratch(own) as at:
        git = at.git
        changed, others, links = await asyncio.gather(changed_files(git), _others(git), gitlinks(git))
        files = [path for path in changed if path not in links]  # a submodule stays as the index names it
        new, skipped = await asyncio.to_thread(_bounded, own.repository.root, others)
        plan, kept = await asyncio.to_thread(decide, own.repository.root, files, new, {}, set(), set(), caps)
        await apply(own, git, at.head, plan)
        tree = await git.line("write-tree")
    tree, hidden = await _hidden(own, at.head, tree)
    return await _change(own, at.head, tree, "uncommitted changes", (*skipped, *kept, *hidden))


async def staged(own: OwnGit) -> Change:
    """The index. Raises `Refused` while it holds conflicts."""
    async with _scratch(own) as at:
        if (await at.git.run("ls-files", "-u", "-z", limit=1)).out:
            raise Refused("Conflicts of a merge are in the index.", hint="Resolve them, or look at --uncommitted.")
        tree = await at.git.line("write-tree")
    tree, hidden = await _hidden(own, at.head, tree)
    return await _change(own, at.head, tree, "staged changes", hidden)


async def between(own: OwnGit, text: str) -> Change:
    """`3`: the newest three commits; `A..B`, `A..`: what B (HEAD) has and A has not; a commit: that one alone."""
    if text.isdecimal():
        count = int(text)
        if not 0 < count <= 1000:
            raise UsageError(f"{text} commits can't be looked at.", hint="From 1 to 1000: --commits 3.")
        head = await _commit(own, "HEAD")
        found = await _before(own, head, count)
        return Change(found, head)
    first, dots, last = text.partition("..")
    tip = await _commit(own, last.removeprefix(".") or "HEAD") if dots else await _commit(own, first)
    if not dots:
        return Change(await _before(own, tip, 1), tip)
    return await _since(own, await _commit(own, first or "HEAD"), tip)


async def branch(own: OwnGit, against: str | None) -> tuple[Change, str]:
    """What the checked-out branch has and the branch it goes to has not, and the name of that: `against`, else the
    upstream where that is another branch, else the repository's main one."""
    head = await own.repository.head()
    if against is not None:
        return await _since(own, await _commit(own, against), head.commit), against
    plain = own.repository.plain()
    upstream = await plain.run("rev-parse", "--abbrev-ref", "--verify", "-q", "@{upstream}", ok=(0, 1, 128))
    known = [upstream.text] if upstream.code == 0 else []
    other = [name for name in known if name.partition("/")[2] != head.branch]
    for name in (*other, *_MAIN, *known):
        commit = await _resolved(own, name)
        if commit is not None and name != head.branch:
            return await _since(own, commit, head.commit), name
    raise NotFound("There is no branch to compare with.", hint="Name one: --branch --against NAME, or use --commits N.")


async def of_run(own: OwnGit, run: str) -> Change:
    """A run's commit, else its newest snapshot, on its base. Raises `NotFound` when nothing of it is left here."""
    base = await own_ref(own, names.run_base(run))
    if base is None:
        raise NotFound(
            f"Run {run} has no work here.", hint="What was accepted is in commits: devloop review --commits N."
        )
    made = await own_ref(own, names.run_branch(run))
    last = await own_ref(own, names.snapshots(run))
    return Change(base, made if made not in (None, base) and made else last or base)


async def below(own: OwnGit, commit: str, paths: Collection[str]) -> tuple[str, ...]:
    """The files of a commit that are one of `paths` or lie below one, as `Diff` spells them; private ones left out."""
    wanted = [path.rstrip("/") for path in paths]
    for path in wanted:
        if path and path != ".":
            names.checked_path(path)
    everything = any(path in ("", ".") for path in wanted)
    asked = () if everything else tuple(os.fsencode(path) for path in wanted)
    output = await own.git().run("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit, "--", *asked)
    found = [path for path in split_paths(output.out) if not (path.startswith(_OURS) or is_private(path))]
    for path in wanted:
        if not (path in ("", ".") or any(each == path or each.startswith(f"{path}/") for each in found)):
            raise NotFound(f"{one_line(path, 100)} is no file of this project, or a private one.")
    return tuple(map(shown, found))


async def keep(own: OwnGit, commit: str) -> None:
    """Keep a change reachable until a run begins with it (`hold`), or for some days."""
    await move(own.git(), names.asked(f"{int(time.time())}-{commit}"), commit, None)


async def hold(own: OwnGit, run: str, commit: str) -> None:
    """Keep a change reachable for as long as the run is there: what removes its worktree removes this as well."""
    if await own_ref(own, names.run_base(run)) is None:
        await move(own.git(), names.run_base(run), commit, None)
    kept = await _asked(own)
    await drop(own.git(), *(ref for ref, _, oid in kept if oid == commit))


async def expire(own: OwnGit) -> None:
    """Let changes go that nobody began with."""
    limit = time.time() - ASKED_DAYS * 86400
    await drop(own.git(), *(ref for ref, since, _ in await _asked(own) if since < limit))


async def _asked(own: OwnGit) -> list[tuple[str, int, str]]:
    prefix = names.asked("")
    listed = await own.git().run("for-each-ref", "--format=%(refname)", "--", prefix)
    found = []
    for ref in listed.text.splitlines():
        since, _, oid = ref.removeprefix(prefix).partition("-")
        if since.isdecimal():
            found.append((ref, int(since), oid))
    return found


@contextlib.asynccontextmanager
async def _scratch(own: OwnGit) -> AsyncIterator[_Scratch]:
    """The person's files with a copy of their index. Where there is none, that of HEAD."""
    head = (await own.repository.head()).commit
    index = own.repository.git_dir / "index"
    with own.scratch_index() as path:
        git = await own.repository.git(index=path, objects=own.state.git / "objects")
        # A split index is read with its shared part, which lies in the person's directory, and written whole.
        git = replace(git, config=(*git.config, ("core.splitIndex", "false")))
        if await asyncio.to_thread(_copied, index, path):
            yield _Scratch(git, head)
        else:
            await git.run("read-tree", head)
            yield _Scratch(git, head)


def _copied(index: Path, to: Path) -> bool:
    try:
        shutil.copy2(index, to)  # with its time, which git's check for racy entries needs
    except FileNotFoundError:
        return False
    return True


async def _others(git: Git) -> list[str]:
    output = await git.run("ls-files", "-z", "--others", "--exclude-standard")
    return [path for path in split_paths(output.out) if not path.startswith(_OURS)]


def _bounded(root: Path, paths: list[str]) -> tuple[list[str], list[Skipped]]:
    """New files that may be looked at: no private ones, and not more than `NEW_BYTES` together."""
    taken: list[str] = []
    skipped: list[Skipped] = []
    total = 0
    for path in sorted(paths):
        if is_private(path):
            skipped.append(Skipped(shown(path), "its name says that it holds secrets"))
            continue
        with contextlib.suppress(OSError):
            total += (root / path).lstat().st_size if not path.endswith("/") else 0
        if total > NEW_BYTES:
            skipped.append(Skipped(shown(path), f"more than {NEW_BYTES >> 20} MiB of new files"))
            continue
        taken.append(path)
    return taken, skipped


async def _hidden(own: OwnGit, head: str, tree: str) -> tuple[str, tuple[Skipped, ...]]:
    """The tree with private files and `.devloop/` as HEAD has them."""
    output = await own.git().run("diff-tree", "-r", "--name-only", "--no-renames", "-z", head, tree)
    changed = split_paths(output.out)
    private = [path for path in changed if is_private(path)]
    back = [*private, *(path for path in changed if path.startswith(_OURS))]
    present = await entries(own, head, back)
    tree = await fold(own, tree, {path: present.get(path) for path in back})
    return tree, tuple(Skipped(shown(path), "its name says that it holds secrets") for path in private)


async def _change(own: OwnGit, head: str, tree: str, what: str, skipped: tuple[Skipped, ...]) -> Change:
    if tree == await tree_of(own, head):
        return Change(head, head, skipped)
    who = signature(Identity("devloop", "devloop@localhost"), _seconds((await read_commit(own, head)).committer))
    commit = await write_commit(own, RawCommit(tree, (head,), who, who, None, f"devloop: {what}\n".encode()))
    return Change(head, commit, skipped)


def _seconds(committer: bytes) -> int:
    """When a commit was made, so that the same files on it are the same commit."""
    parts = committer.rsplit(b" ", 2)
    return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else 0


async def _since(own: OwnGit, commit: str, tip: str) -> Change:
    """From where `tip` left `commit`."""
    found = await own.git().run("merge-base", commit, tip, ok=(0, 1))
    if found.code:
        raise Refused("The two have no commit in common.", hint="Name commits of one history.")
    return Change(found.text, tip)


async def _before(own: OwnGit, tip: str, count: int) -> str:
    """The first parent `count` commits before; an empty tree's commit before the first one."""
    found = await own.git().run("rev-list", "--first-parent", f"--max-count={count + 1}", tip)
    line = found.text.splitlines()
    if len(line) > count:
        return line[count]
    empty = await own.git().run("mktree", data=b"")
    who = signature(Identity("devloop", "devloop@localhost"), 0)
    return await write_commit(own, RawCommit(empty.text, (), who, who, None, b"devloop: nothing\n"))


async def _commit(own: OwnGit, name: str) -> str:
    found = await _resolved(own, name)
    if found is None:
        raise NotFound(f"git knows no commit {one_line(name, 80)!r}.", hint="Name a branch, a tag or a hash.")
    return found


async def _resolved(own: OwnGit, name: str) -> str | None:
    if not name or "\0" in name or name.startswith("-"):
        return None
    found = await own.repository.plain().run(
        "rev-parse", "--verify", "-q", "--end-of-options", f"{name}^{{commit}}", ok=(0, 1, 128)
    )
    return found.text if found.code == 0 else None
