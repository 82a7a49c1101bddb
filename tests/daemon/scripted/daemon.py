"""The real daemon, with the scripted engine as its engine. `SCRIPTED_VERSION` makes it call itself another version,
`SCRIPTED_EDITORS` lets it serve editors too."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

from devloop import __version__
from devloop.daemon.process import main
from devloop.engine import EngineClient
from devloop.errors import Unavailable
from devloop.rpc import Peer
from devloop.serve import front_ends


def make_engine(root, state):
    async def start(variables, handlers):
        ours, theirs = socket.socketpair()
        with theirs, (state.logs / "engine.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *(str(Path(__file__).with_name("engine.py")), "--state", str(state.path), "--fd", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        client = EngineClient(process, Peer(reader, writer, handlers, name="engine"))
        try:
            await client.request("engine/environment", {"variables": dict(variables)})
        except Unavailable as problem:
            await client.kill()
            raise Unavailable("The engine did not start: scripted death") from problem
        return client

    return start


raise SystemExit(
    main(
        make_engine=make_engine,
        make_front_ends=front_ends if os.environ.get("SCRIPTED_EDITORS") else None,
        version=os.environ.get("SCRIPTED_VERSION", __version__),
    )
)
