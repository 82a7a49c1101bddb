"""The daemon's process put together with its front-ends: `python -m devloop.serve --root PATH`.

The one module that knows both: the daemon does not import its front-ends, and they are loaded when the first of their
clients comes, so that a daemon that only serves terminals stays small.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from devloop.daemon import process

EDITOR = "--editor"
"""Given by an editor's process that starts the daemon: the language server is loaded at once, beside the rest."""
SERVER = "devloop.lsp.server"
RARELY = (50_000, 20, 20)
"""Python's collector looks at every object of an open plan, 230 ms for 50,000 lines, and finds next to nothing: with
its usual thresholds that takes a third of the time in which such a plan is read, and stops everybody meanwhile. Also
a tenth of a start: what is loaded stays."""

if TYPE_CHECKING:
    from devloop.daemon.service import Service
    from devloop.daemon.sessions import FrontEnd
    from devloop.lsp.server import Editors


class _Editors:
    """The language server, imported in a thread: its types take 0.4 s, and others want answers meanwhile."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loading = asyncio.Lock()
        self._editors: Editors | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._loading:
            if self._editors is None:
                module = await asyncio.to_thread(importlib.import_module, SERVER)
                await asyncio.to_thread(self._service.documents.archived_ids)
                gc.freeze()
                self._editors = module.Editors(self._service)
        await self._editors.serve(reader, writer)


def front_ends(service: Service) -> Mapping[str, FrontEnd]:
    return {"lsp": _Editors(service).serve}


def main(argv: Sequence[str] | None = None) -> int:
    gc.set_threshold(*RARELY)
    arguments = list(sys.argv[1:] if argv is None else argv)
    if EDITOR in arguments:
        arguments.remove(EDITOR)
        threading.Thread(target=importlib.import_module, args=(SERVER,), daemon=True).start()
    try:
        return process.main(arguments, make_front_ends=front_ends)
    finally:
        if argv is None:
            gc.freeze()  # the interpreter's end looks at every object once more: for nothing, the kernel takes them all


if __name__ == "__main__":
    sys.exit(main())
