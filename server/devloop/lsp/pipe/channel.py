"""The editor's end, whatever it is made of: standard input and output, or a socket. Only types are here."""

from __future__ import annotations

from typing import Protocol


class Channel(Protocol):
    """Reading gives nothing at the end, writing raises `OSError` when nobody reads any more."""

    def read(self, size: int, /) -> bytes: ...
    def write(self, data: bytes, /) -> None: ...
    def leave(self, code: int, /) -> None: ...
