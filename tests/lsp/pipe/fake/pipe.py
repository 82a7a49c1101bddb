"""`devloop lsp` as it is, but for the command that starts the daemon: `pipe.py [--root DIR | --tcp]`."""

from __future__ import annotations

import sys
from pathlib import Path

COMMAND = [sys.executable, str(Path(__file__).parent / "daemon.py")]


def main(arguments):
    from devloop.cli.entry import _open_what_is_closed

    _open_what_is_closed()
    root = arguments[arguments.index("--root") + 1] if "--root" in arguments else None
    if "--tcp" in arguments:
        from devloop.lsp.pipe import tcp

        return tcp.main(root=root, command=COMMAND)
    from devloop.lsp.pipe import stdio as pipe

    return pipe.main(root, command=COMMAND)


sys.exit(main(sys.argv[1:]))
