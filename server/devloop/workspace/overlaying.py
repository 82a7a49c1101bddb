"""A commit with some of its files as its base has them: a tree, made of objects alone."""

from __future__ import annotations

from collections.abc import Callable

from devloop.errors import Refused
from devloop.lists import some
from devloop.redact import one_line
from devloop.workspace.names import shown, split_paths
from devloop.workspace.objects import entries, fold
from devloop.workspace.own import OwnGit

_NAMED = 5


async def with_base_files(own: OwnGit, commit: str, base: str, which: Callable[[str], bool]) -> str | None:
    """See `Workspace.with_base_files`."""
    changed = await _changed(own, base, commit)
    taken = {path for path in changed if which(shown(path))}
    if not taken:
        return None
    present = await entries(own, base, taken)
    source = await own.git().line("rev-parse", "--verify", f"{commit}^{{tree}}")
    tree = await fold(own, source, {path: present.get(path) for path in sorted(taken)})
    if await _changed(own, base, tree) != changed - taken:  # git kept only one of a file and a folder of one name
        named = some(sorted(map(shown, taken)), _NAMED)
        raise Refused(
            f"The base's {one_line(named, 200)} can't be put over the work: a file stands in the place of a folder.",
            hint='Undo that, or set gates.from = "work".',
        )
    return tree


async def _changed(own: OwnGit, base: str, tree: str) -> set[str]:
    output = await own.git().run("diff-tree", "-r", "--no-renames", "--name-only", "-z", base, tree)
    return set(split_paths(output.out))
