"""What git knows of versions: tags, what came since one, and making the next. Nothing here pushes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from devloop.errors import Refused, UsageError
from devloop.redact import one_line, printable
from devloop.workspace.git import Git
from devloop.workspace.names import checked_oid
from devloop.workspace.repository import Repository

MAX_COMMITS = 2_000
PATCH_LIMIT = 4 << 20
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True)
class Released:
    """A commit since the last version, newest first in its list."""

    commit: str
    subject: str
    body: str


@dataclass(frozen=True)
class Since:
    """From a tag (None: from the beginning) to `head`. `patch` is cut at `PATCH_LIMIT` bytes (`cut`); `files` are paths
    with the bytes that they have at `head`, of those that were added or changed; `new`: paths that were not there
    before, links and submodules among them."""

    head: str
    tag: str | None
    commits: tuple[Released, ...]
    patch: str
    cut: bool
    files: tuple[tuple[str, int], ...]
    new: tuple[str, ...]


async def tags(repository: Repository, head: str) -> tuple[str, ...]:
    """The tags that a commit comes after."""
    merged = f"--merged={checked_oid(head)}"
    found = await repository.plain().run("for-each-ref", merged, "--format=%(refname:strip=2)", "refs/tags")
    return tuple(found.text.split("\n")) if found.text else ()


async def comes_after(repository: Repository, commit: str, earlier: str) -> bool:
    """Whether `earlier` is part of a commit's history."""
    found = await repository.plain().run(
        "merge-base", "--is-ancestor", checked_oid(earlier), checked_oid(commit), ok=(0, 1)
    )
    return found.code == 0


async def is_shallow(repository: Repository) -> bool:
    """Whether the clone has only the end of its history."""
    return await repository.plain().line("rev-parse", "--is-shallow-repository") == "true"


async def since(repository: Repository, head: str, tag: str | None) -> Since:
    """What a version that is made of `head` would bring beyond `tag`, one of `tags`."""
    git = await repository.git()
    start = await git.line("rev-parse", "--verify", "--end-of-options", f"refs/tags/{tag}^{{commit}}") if tag else None
    checked_oid(head)
    base = start or await git.line("hash-object", "-t", "tree", "/dev/null")
    reach = [head, f"^{start}"] if start else [head]
    told = await git.run(
        *("log", "-z", "--no-merges", "--no-show-signature", "--encoding=UTF-8", f"--max-count={MAX_COMMITS}"),
        *("--format=%H%x1f%s%x1f%b", *reach, "--"),
    )
    compared = ("--no-ext-diff", "--no-textconv", "--no-color", "-r", "--end-of-options", base, head, "--")
    patch = await git.run("diff-tree", "-p", *compared, limit=PATCH_LIMIT)
    raw = await git.run("diff-tree", "-z", *compared)
    return Since(
        head,
        tag,
        tuple(_released(told.out)),
        patch.out.decode("utf-8", "replace"),
        patch.truncated,
        tuple(await _sizes(git, raw.out)),
        tuple(path for _, _, status, path in _changed(raw.out) if status.startswith("A")),
    )


async def between(repository: Repository, start: str, commit: str) -> tuple[str, ...]:
    """The subjects of what lies below a commit and is not part of `start`'s history, newest first."""
    reach = (f"{checked_oid(commit)}^@", f"^{checked_oid(start)}")
    git = await repository.git()
    told = await git.run(
        *("log", "-z", "--no-merges", "--no-show-signature", "--encoding=UTF-8", f"--max-count={MAX_COMMITS}"),
        *("--format=%s", *reach, "--"),
    )
    return tuple(raw.decode("utf-8", "replace") for raw in told.out.split(b"\0") if raw)


def _released(out: bytes) -> list[Released]:
    parts = (raw.decode("utf-8", "replace").strip("\n").split("\x1f", 2) for raw in out.split(b"\0"))
    return [Released(each[0], each[1], each[2].strip()) for each in parts if len(each) == 3]


def _changed(raw: bytes) -> Iterator[tuple[str, str, str, str]]:
    """Mode, object, status and path from raw diff lines: `:MODE MODE OID OID STATUS NUL PATH NUL`."""
    items = iter(raw.split(b"\0"))
    for head in items:
        if head.startswith(b":"):
            _, mode, _, oid, status = head.decode().split(" ")
            yield mode, oid, status, next(items).decode("utf-8", "replace")


async def _sizes(git: Git, raw: bytes) -> list[tuple[str, int]]:
    blobs = [(path, oid) for mode, oid, status, path in _changed(raw) if mode.startswith("100") and status[0] in "AMT"]
    if not blobs:
        return []
    asked = "".join(f"{oid}\n" for _, oid in blobs).encode()
    sizes = (await git.run("cat-file", "--batch-check=%(objectsize)", data=asked)).text.split("\n")
    return [(path, int(size)) for (path, _), size in zip(blobs, sizes, strict=True) if size.isdigit()]


async def text_at(repository: Repository, commit: str, path: str) -> str | None:
    """A small text file of a commit; None where it is not there, is a link, or is no UTF-8."""
    git = repository.plain()
    entry = (await git.run("ls-tree", "-z", "--end-of-options", checked_oid(commit), "--", path)).out.rstrip(b"\0")
    mode, _, rest = entry.partition(b" ")
    if not mode.startswith(b"100"):
        return None
    oid = rest.split(b" ")[1].split(b"\t")[0].decode()
    found = await git.run("cat-file", "blob", oid, limit=4 << 20)
    try:
        return None if found.truncated else found.out.decode()
    except UnicodeDecodeError:
        return None


async def make_tag(repository: Repository, name: str, commit: str, message: str) -> bool:
    """An annotated tag by the person; False when it is there already, on that commit. Raises `Refused` when it is
    somewhere else."""
    if not _TAG.fullmatch(name) or ".." in name or name.endswith((".", ".lock")):
        raise UsageError(f"{one_line(name, 40)!r} is no name for a tag.")
    there = await repository.ref(f"refs/tags/{name}")
    if there == checked_oid(commit):
        return False
    if there is not None:
        raise Refused(
            f"There is a tag {name} already, on {there[:7]}.",
            hint="Choose another version, or remove that tag yourself.",
        )
    identity = await repository.identity()
    git = replace(await repository.git(), committer=(identity.name, identity.email))
    await git.run(
        *("tag", "--annotate", "--no-sign", "--cleanup=verbatim", "--file=-", "--end-of-options", name, commit),
        data=printable(message).encode("utf-8", "replace"),
    )
    return True
