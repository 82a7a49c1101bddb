"""Moving refs by compare-and-swap: nothing else ever changes a ref."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from devloop.errors import UsageError
from devloop.workspace.git import Git
from devloop.workspace.own import OwnGit

ZERO = "0" * 40
_MESSAGE = "devloop"


async def check_branch(name: str) -> str:
    """`name` when it may be a branch's name (`git check-ref-format`)."""
    checked = await Git(None).run("check-ref-format", f"refs/heads/{name}", ok=(0, 1, 129))
    if checked.code or name.startswith("-"):
        raise UsageError(f"{name!r} can't be the name of a branch.")
    return name


async def own_ref(own: OwnGit, name: str) -> str | None:
    found = await own.git().run("rev-parse", "--verify", "-q", "--end-of-options", name, ok=(0, 1))
    return found.text if found.code == 0 else None


async def own_refs(own: OwnGit, *names: str) -> tuple[str | None, ...]:
    """What full names of refs point to at one moment."""
    there = await _values(own.git(), names)
    return tuple(there.get(name) for name in names)


async def _values(git: Git, names: Sequence[str]) -> dict[str, str]:
    told = await git.run("for-each-ref", "--format=%(objectname) %(refname)", "--", *names)
    return {name: value for value, _, name in (line.partition(" ") for line in told.text.split("\n"))}


async def move(git: Git, name: str, new: str, old: str | None) -> None:
    """Set one ref. `old` is what it must be now (`ZERO`: absent, None: anything). Raises `StaleRef`."""
    await move_all(git, [(name, new, old)])


async def move_all(git: Git, changes: list[tuple[str, str | None, str | None]]) -> None:
    """Set or delete (`new` None) several refs in one transaction: all or none. Raises `StaleRef`."""
    await git.run("update-ref", "-m", _MESSAGE, "--no-deref", "-z", "--stdin", data=_commands(changes))


@contextlib.asynccontextmanager
async def holding(
    git: Git, changes: list[tuple[str, str | None, str | None]]
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The same in two steps: compared and locked now, moved by what this gives, given up without it."""
    async with git.prepared(_commands(changes), _MESSAGE) as settle:
        yield settle


def _commands(changes: list[tuple[str, str | None, str | None]]) -> bytes:
    lines = []
    for name, new, old in changes:
        if new is None:
            lines.append(f"delete {name}\0{old or ''}\0")
        elif old == ZERO:
            lines.append(f"create {name}\0{new}\0")
        else:
            lines.append(f"update {name}\0{new}\0{old or ''}\0")
    return "".join(lines).encode()


async def drop(git: Git, *names: str) -> None:
    """Delete refs that exist, all or none; a missing one is fine. Raises `StaleRef` when one moves meanwhile."""
    there = await _values(git, names)
    if gone := [(name, None, there[name]) for name in names if name in there]:
        await move_all(git, [*gone])
