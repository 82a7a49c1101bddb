"""What is unusual about a repository and changes what a run sees or can do: said on the run and by the doctor.

No filter is ever run, git-lfs's neither, and a person can't allow it: it fetches from the server that the repository's
own `.lfsconfig` names, with the person's credentials, which would be network of the repository's choice in a run.
"""

from __future__ import annotations

import asyncio
import os
import re
from typing import Final

from devloop.lists import some
from devloop.workspace import names
from devloop.workspace.git import Git
from devloop.workspace.records import Notice
from devloop.workspace.repository import Repository

_NAMED: Final = 20
_LFS: Final = "lfs"


async def peculiarities(repository: Repository, git: Git, commit: str) -> tuple[Notice, ...]:
    """Of a repository, and of a commit that `git` can read."""
    found = await asyncio.gather(
        _submodules(git, commit), _filters(git, commit), _partial(repository), _replaced(repository)
    )
    return tuple(notice for notices in found for notice in notices)


async def _submodules(git: Git, commit: str) -> list[Notice]:
    output = await git.run("ls-tree", "-r", "-z", "--full-tree", commit)
    links = re.findall(rb"(?:^|\0)160000 commit [0-9a-f]+\t([^\0]+)", output.out)
    if not links:
        return []
    paths = tuple(names.shown(os.fsdecode(path)) for path in links)
    return [Notice("submodules", f"Submodules are not filled in a worktree: {some(paths, _NAMED)}.", paths)]


async def _filters(git: Git, commit: str) -> list[Notice]:
    """Filters that attributes in the tree select, with the files that say so."""
    asked = ("-I", "-o", "-z", "-E", "-e", "filter=[^[:space:]]+", commit, "--", ":(glob)**/.gitattributes")
    output = await git.run("grep", *asked, ok=(0, 1), literal=False)
    files: dict[str, set[str]] = {}
    for line in output.out.split(b"\n"):
        place, _, match = line.partition(b"\0")
        name = names.shown(os.fsdecode(match.removeprefix(b"filter=")))
        if name:
            files.setdefault(name, set()).add(names.shown(os.fsdecode(place.partition(b":")[2])))
    made = []
    if _LFS in files:
        told = (
            "Files kept by git-lfs appear as their pointers in a worktree: devloop runs no filter and fetches nothing. "
            "What a run changes in them lands as pointers; then use `git lfs pull`."
        )
        made.append(Notice("lfs", told, tuple(sorted(files.pop(_LFS)))))
    if files:
        listed = some(sorted(files), _NAMED)
        told = (
            f"Files under a filter ({listed}) appear in a worktree as git stores them, and what a run writes there is "
            "stored as it is: devloop runs no filter."
        )
        made.append(Notice("filters", told, tuple(sorted(set().union(*files.values())))))
    return made


async def _partial(repository: Repository) -> list[Notice]:
    """A clone that has not all contents and would fetch them when they are looked at."""
    found = await repository.plain().run(
        "config", "--get-regexp", r"^(remote\..*\.(promisor|partialclonefilter)|extensions\.partialclone)$", ok=(0, 1)
    )
    if found.code:
        return []
    told = (
        "This is a partial clone. devloop fetches nothing during a run: what is not here yet counts as missing. "
        "To have all of it: git fetch --refetch --no-filter"
    )
    return [Notice("partial", told)]


async def _replaced(repository: Repository) -> list[Notice]:
    refs = await repository.plain().run("for-each-ref", "--count=1", "--", "refs/replace/")
    grafts = repository.common_dir / "info" / "grafts"
    if not refs.out and not await asyncio.to_thread(grafts.is_file):
        return []
    return [
        Notice("replaced", "This repository replaces objects (git replace, grafts). devloop works on the real ones.")
    ]
