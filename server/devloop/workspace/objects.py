"""Work on git objects alone: commits, folding files into a tree, replaying a commit onto another parent.

Commits are written byte by byte from the values given, so the same input is the same commit: a step that is run again
after a crash finds what it made before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from devloop.errors import DevloopError
from devloop.redact import one_line, printable
from devloop.workspace.names import checked_oid, shown, split_paths
from devloop.workspace.own import OwnGit
from devloop.workspace.raw_commit import RawCommit
from devloop.workspace.records import Identity, Replayed

_TRAILER = re.compile(r"[A-Za-z0-9-]+: \S")
_OURS = re.compile(r"devloop-[a-z]+\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One file of a tree or an index: `mode` in octal digits; no `oid` means absent."""

    mode: str
    oid: str


def signature(identity: Identity, seconds: int) -> bytes:
    return f"{identity.name} <{identity.email}> {seconds} +0000".encode()


def with_trailers(message: str, trailers: Mapping[str, str]) -> str:
    """The commit message with trailers as its last paragraph; lines that pose as devloop's own trailers are dropped."""
    lines = [line for line in printable(message).splitlines() if not _OURS.match(line)]
    body = "\n".join(lines).strip() or "Change files"
    last = body.rpartition("\n\n")[2]
    joined = "\n" if "\n\n" in body and all(_TRAILER.match(line) for line in last.splitlines()) else "\n\n"
    block = "\n".join(f"{name}: {one_line(value, 500)}" for name, value in trailers.items())
    return f"{body}{joined}{block}\n" if block else f"{body}\n"


async def read_commit(own: OwnGit, commit: str) -> RawCommit:
    known = own.commits.get(checked_oid(commit))
    if known is None:
        raw = (await own.git().run("cat-file", "commit", commit)).out
        known = own.commits.keep(commit, _parsed(raw))
    return known


def _parsed(raw: bytes) -> RawCommit:
    head, _, message = raw.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        if key:  # a continued line (of a signature) begins with a space
            fields.setdefault(key, []).append(value)
    return RawCommit(
        fields[b"tree"][0].decode(),
        tuple(parent.decode() for parent in fields.get(b"parent", [])),
        fields[b"author"][0],
        fields[b"committer"][0],
        fields.get(b"encoding", [None])[0],
        message,
    )


async def write_commit(own: OwnGit, commit: RawCommit) -> str:
    lines = [b"tree " + commit.tree.encode()]
    lines += [b"parent " + parent.encode() for parent in commit.parents]
    lines += [b"author " + commit.author, b"committer " + commit.committer]
    lines += [b"encoding " + commit.encoding] if commit.encoding else []
    raw = b"\n".join(lines) + b"\n\n" + commit.message
    return (await own.git().run("hash-object", "-t", "commit", "-w", "--stdin", data=raw)).text


async def tree_of(own: OwnGit, commit: str) -> str:
    return (await read_commit(own, commit)).tree


async def is_ancestor(own: OwnGit, ancestor: str, commit: str) -> bool:
    found = await own.git().run("merge-base", "--is-ancestor", checked_oid(ancestor), checked_oid(commit), ok=(0, 1))
    return found.code == 0


async def write_blob(own: OwnGit, data: bytes) -> str:
    return (await own.git().run("hash-object", "-w", "--stdin", data=data)).text


async def entries(own: OwnGit, tree: str, paths: Iterable[str]) -> dict[str, Entry]:
    """The entries of files among `paths` that exist in `tree`; a folder's name gives nothing."""
    found: dict[str, Entry] = {}
    wanted = [os.fsencode(path) for path in paths]
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        output = await own.git().run("ls-tree", "-r", "-z", "--full-tree", tree, "--", *chunk)
        for raw in output.out.split(b"\0"):
            if raw:
                meta, _, path = raw.partition(b"\t")
                mode, _, oid = meta.decode().split(" ")
                found[os.fsdecode(path)] = Entry(mode, oid)
    asked = set(wanted)
    return {path: entry for path, entry in found.items() if os.fsencode(path) in asked}


def index_info(own: OwnGit, changes: Mapping[str, Entry | None]) -> bytes:
    """Input of `update-index -z --index-info`: removals first, so that a file may take a folder's place."""
    nothing = b"0" * (64 if own.repository.object_format == "sha256" else 40)
    removed = [b"0 " + nothing + b"\t" + os.fsencode(path) for path, entry in changes.items() if entry is None]
    added = [
        f"{entry.mode} {entry.oid}\t".encode() + os.fsencode(path)
        for path, entry in changes.items()
        if entry is not None
    ]
    return b"".join(line + b"\0" for line in (*removed, *added))


async def fold(own: OwnGit, tree: str, changes: Mapping[str, Entry | None]) -> str:
    """The tree with these entries set (None: removed)."""
    if not changes:
        return tree
    with own.scratch_index() as index:
        git = own.git(index=index)
        await git.run("read-tree", tree)
        await git.run("update-index", "-z", "--index-info", data=index_info(own, changes))
        return await git.line("write-tree")


async def fold_files(own: OwnGit, tree: str, files: Mapping[str, bytes | None]) -> str:
    """The tree with the contents of these files replaced; a file keeps its mode."""
    present = await entries(own, tree, files)
    changes: dict[str, Entry | None] = {}
    for path, data in files.items():
        mode = present[path].mode if path in present else "100644"
        changes[path] = None if data is None else Entry(mode, await write_blob(own, data))
    return await fold(own, tree, changes)


async def replay(own: OwnGit, commit: str, onto: str, *, yield_to: Collection[str] = ()) -> Replayed:
    """`commit` with parent `onto`, as a cherry-pick makes it, by a three-way merge on objects alone.

    Author, message and both dates stay. A conflict in one of the paths `yield_to` is settled by taking `onto`'s
    version. (`merge-tree --merge-base` needs git 2.40: a commit of `onto`'s tree on the commit's own parent has that
    parent as its merge base and says the same.)
    """
    source = await read_commit(own, commit)
    if len(source.parents) != 1:
        raise DevloopError(f"{commit[:12]} has {len(source.parents)} parents and can't be replayed.")
    parent = source.parents[0]
    onto_tree = await tree_of(own, onto)
    if parent == onto:
        return Replayed(commit, source.tree, empty=source.tree == onto_tree)
    nobody = signature(Identity("devloop", "devloop@localhost"), 0)
    side = await write_commit(own, RawCommit(onto_tree, (parent,), nobody, nobody, None, b"replay\n"))
    output = await own.git().run(
        "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", side, commit, ok=(0, 1)
    )
    tree, *conflicts = split_paths(output.out)
    settled = [path for path in conflicts if path in yield_to]
    if settled:
        theirs = await entries(own, onto_tree, settled)
        tree = await fold(own, tree, {path: theirs.get(path) for path in settled})
    left = tuple(sorted({shown(path) for path in conflicts if path not in yield_to}))
    if left:
        return Replayed(None, tree, left)
    made = RawCommit(tree, (onto,), source.author, source.committer, source.encoding, source.message)
    return Replayed(await write_commit(own, made), tree, empty=tree == onto_tree)


async def find_run(own: OwnGit, run: str, tip: str, *, without: Iterable[str]) -> str | None:
    """The newest commit that carries this run's trailer, reachable from `tip` but not from `without`."""
    without = tuple(without)
    known = own.runs.get((run, tip, without))
    if known is not None:
        return known
    output = await own.git().run(
        "rev-list",
        "--no-commit-header",
        "--format=%H%x00%(trailers:key=Devloop-Run,valueonly,separator=%x00)",
        tip,
        *(f"^{commit}" for commit in without),
    )
    for line in output.out.decode("utf-8", "replace").splitlines():
        commit, *runs = line.split("\0")
        if run in runs:
            return own.runs.keep((run, tip, without), commit)
    return None
