"""A commit as devloop reads and writes it itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RawCommit:
    """A commit's parts as git stores them; signatures are not kept, since a rewritten commit would void them."""

    tree: str
    parents: tuple[str, ...]
    author: bytes
    committer: bytes
    encoding: bytes | None
    message: bytes
