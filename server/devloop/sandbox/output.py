"""What is kept of a command's output: everything in a file up to a cap, head and tail in memory."""

from __future__ import annotations

import codecs
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

FILE_CAP = 16 * 1024 * 1024
LINE_REACH = 4096
"""How far from a cut a line break is looked for, or else a blank, so that no line and no secret in it is shown by half.
Where there is neither, so much is left out."""
_BLANK = re.compile(rb"\s")


class Sink:
    """Takes output in pieces; memory stays within `keep` bytes and one piece, however much comes."""

    def __init__(self, keep: int, file: Path | None = None, on_output: Callable[[bytes], None] | None = None) -> None:
        self._head_size = keep // 2
        self._tail_size = keep - self._head_size
        self._head = bytearray()
        self._tail = bytearray()
        self._on_output = on_output
        self._fd = -1
        self.total = 0
        if file is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
            self._fd = os.open(file, flags, 0o600)

    @property
    def flooding(self) -> bool:
        """More came than anybody will ever read: the source may be slowed down."""
        return self.total > FILE_CAP

    @property
    def truncated(self) -> bool:
        return self.total > self._head_size + self._tail_size

    def write(self, data: bytes) -> None:
        self._to_file(data)
        self.total += len(data)
        rest = memoryview(data)
        if len(self._head) < self._head_size:
            taken = self._head_size - len(self._head)
            self._head += rest[:taken]
            rest = rest[taken:]
        self._tail += rest[-self._tail_size :] if self._tail_size else b""
        if len(self._tail) > 2 * self._tail_size:
            del self._tail[: -self._tail_size]
        if self._on_output is not None:
            self._tell(data)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def text(self) -> str:
        """Head, a line that says how many bytes are missing, tail."""
        tail = bytes(self._tail[-self._tail_size :]) if self._tail_size else b""
        if not self.truncated:
            return (bytes(self._head) + tail).decode("utf-8", "replace")
        head = _until_line_end(bytes(self._head))
        tail = _from_line_start(tail)
        left_out = self.total - len(head) - len(tail)
        return f"{_decode(head)}\n… {left_out} bytes left out …\n{tail.decode('utf-8', 'replace')}"

    def _to_file(self, data: bytes) -> None:
        room = FILE_CAP - self.total
        if self._fd < 0 or room <= 0:
            return
        try:
            view = memoryview(data)[:room]
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as problem:
            log.warning("command output is no longer written to its file: %s", problem)
            self.close()

    def _tell(self, data: bytes) -> None:
        assert self._on_output is not None
        try:
            self._on_output(data)
        except Exception:
            log.exception("the receiver of command output failed and gets no more")
            self._on_output = None


def _until_line_end(head: bytes) -> bytes:
    begin = max(0, len(head) - LINE_REACH)
    end = head.rfind(b"\n", begin)
    if end < 0:
        end = max((match.start() for match in _BLANK.finditer(head, begin)), default=begin)
    return head[:end]


def _from_line_start(tail: bytes) -> bytes:
    start = tail.find(b"\n", 0, LINE_REACH)
    if start < 0:
        found = _BLANK.search(tail, 0, LINE_REACH)
        start = found.start() if found else LINE_REACH - 1
    while start + 1 < len(tail) and tail[start + 1] & 0xC0 == 0x80:  # the rest of a character that was cut
        start += 1
    return tail[start + 1 :]


def _decode(head: bytes) -> str:
    """Like `decode("utf-8", "replace")`, without a mark for a character that was cut at the end."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(head, final=False)
