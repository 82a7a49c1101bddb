"""Line ends of what an agent commits.

Worktrees hold the bytes of the blobs, so an agent that writes CRLF would commit CRLF, and a repository that asks for
normalised text (`text`, `text=auto`, `eol=`, or the person's core.autocrlf) would show that file as changed ever
after. So changed text files are stored with LF, exactly where git itself would do it (gitattributes, "end-of-line
conversion"): `auto` leaves alone what is binary and what already had CRLF in the base.
"""

from __future__ import annotations

import os

from devloop.workspace.names import split_paths
from devloop.workspace.objects import Entry, entries, fold, write_blob
from devloop.workspace.own import OwnGit

_CHUNK = 500
_CR = "\r"


async def normalised(own: OwnGit, base: str, tree: str) -> str:
    """`tree` with LF in the changed files that the repository wants as text."""
    output = await own.git().run(
        "diff-tree", "-r", "--name-only", "--no-renames", "--diff-filter=AMT", "-z", base, tree
    )
    with_cr = await _with_cr(own, tree, split_paths(output.out))
    if not with_cr:
        return tree
    kinds = await _kinds(own, tree, with_cr)
    auto = [path for path in with_cr if kinds.get(path) == "auto"]
    before = set(await _with_cr(own, base, auto))
    wanted = [path for path in with_cr if kinds.get(path) == "text" or path in set(auto) - before]
    changes: dict[str, Entry | None] = {}
    for path, entry in (await entries(own, tree, wanted)).items():
        data = (await own.git().run("cat-file", "blob", entry.oid)).out
        if entry.mode != "120000":
            changes[path] = Entry(entry.mode, await write_blob(own, data.replace(b"\r\n", b"\n")))
    return await fold(own, tree, changes)


async def _with_cr(own: OwnGit, tree: str, paths: list[str]) -> list[str]:
    """Those among the files that hold a carriage return and are no binaries."""
    found: list[str] = []
    for start in range(0, len(paths), _CHUNK):
        chunk = [os.fsencode(path) for path in paths[start : start + _CHUNK]]
        output = await own.git().run(
            "grep", "-I", "-l", "-z", "-F", "--full-name", "-e", _CR, tree, "--", *chunk, ok=(0, 1)
        )
        found += [path.removeprefix(f"{tree}:") for path in split_paths(output.out)]
    return found


async def _kinds(own: OwnGit, tree: str, paths: list[str]) -> dict[str, str]:
    """`text`, `auto` or `` for each file, by the attributes in the tree and the person's configuration."""
    repository = own.repository
    autocrlf = dict(repository.kept).get("core.autocrlf", "").lower() in ("true", "input", "1", "yes", "on")
    with own.scratch_index() as index:
        await own.git(index=index).run("read-tree", tree)
        git = await repository.git(index=index, borrow=own.state.git / "objects")
        listed = b"".join(os.fsencode(path) + b"\0" for path in paths)
        output = await git.run("check-attr", "--cached", "-z", "--stdin", "text", "eol", data=listed)
    kinds: dict[str, str] = {}
    items = [os.fsdecode(item) for item in output.out.split(b"\0")]
    for path, name, value in zip(items[::3], items[1::3], items[2::3], strict=False):
        if name == "text":
            unspecified = "auto" if autocrlf else ""
            kinds[path] = {"set": "text", "auto": "auto", "unspecified": unspecified}.get(value, "")
            unset = value == "unset"
        elif value in ("lf", "crlf") and not unset and kinds[path] != "auto":
            kinds[path] = "text"
    return kinds
