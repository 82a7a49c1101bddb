"""An open document that is no plan: its text, and what was found wrong in that version of it.

The same as the terminal says (`daemon.checkers`). Checked in a thread, one at a time for each document: what is typed
meanwhile is covered by the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.buffers import Change, replaced
from devloop.lsp.positions import Positions
from devloop.own_files import Fault


class OwnFile:
    """One open document. `name`: as faults name it."""

    def __init__(self, uri: str, version: int, text: str, name: str) -> None:
        self.uri, self.version, self.name = uri, version, name
        self.document = plans.Document.of(text)
        self.closed = False
        self.advanced = asyncio.Event()
        """Set with each new version, and replaced."""
        self._known: tuple[plans.Document, tuple[Fault, ...]] | None = None
        self._turn = asyncio.Lock()

    def change(self, version: int, changes: Sequence[Change], positions: Positions) -> None:
        if version < self.version:
            return
        for change in changes:
            if isinstance(change, t.TextDocumentContentChangePartial):
                self.document = replaced(self.document, change.range, change.text, positions)
            else:
                self.document = plans.Document.of(change.text)
        self.version = version
        self.advance()

    def advance(self, *, anew: bool = False) -> None:
        """Wake whoever waits for news. `anew`: what lies beside the file may have changed."""
        if anew:
            self._known = None
        self.advanced.set()
        self.advanced = asyncio.Event()

    async def checked(self, root: Path) -> tuple[int, plans.Document, tuple[Fault, ...]]:
        """The newest version with what is wrong with it."""
        from devloop.daemon import checkers

        while True:
            async with self._turn:
                version, document, known = self.version, self.document, self._known
                if known is None or known[0] is not document:
                    faults = await asyncio.to_thread(checkers.check, root, self.name, document.text)
                    known = document, faults
                    self._known = known
            if document is self.document:
                return version, document, known[1]
