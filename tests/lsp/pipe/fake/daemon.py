"""A daemon of one page: the real socket, lock and announcement, and behind `initialize` a language server that obeys.

Every message that it gets goes to the file FAKE_RECORD, one JSON object a line, with this process's id.
FAKE_VERSION: what hello says. FAKE_DIE: `always` ends it at every `initialize`. FAKE_WORKING: runs that it claims.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
import uuid
from pathlib import Path

from devloop import __version__
from devloop.daemon import endpoint
from devloop.files import held_lock
from devloop.lsp.pipe import frames
from devloop.paths import StateDir


class Client:
    def __init__(self, connected, stop):
        self.socket, self.stop = connected, stop
        self.frames = frames.Frames(connected.recv)

    def send(self, message):
        self.socket.sendall(frames.encode({"jsonrpc": "2.0", **message}))

    def serve(self):
        try:
            while (body := self.frames.next()) is not None:
                message = json.loads(body)
                record(message)
                if self.handle(message.get("method"), message.get("id"), message.get("params")) is False:
                    break
        except (OSError, frames.Broken):
            pass
        record({"method": "(gone)"})
        self.socket.close()

    def handle(self, method, number, params):
        if method == "devloop/hello":
            said = {
                "version": os.environ.get("FAKE_VERSION", __version__),
                "pid": os.getpid(),
                "workspace": "",
                "plan": None,
            }
            self.send(
                {"id": number, "result": {**said, "clients": 0, "working": int(os.environ.get("FAKE_WORKING", 0))}}
            )
        elif method == "devloop/stop":
            self.send({"id": number, "result": {"stopped": True}})
            self.stop()
        elif method == "initialize":
            if os.environ.get("FAKE_DIE") == "always":
                die()
            self.send({"method": "window/logMessage", "params": {"type": 4, "message": "before the answer"}})
            self.send({"id": number, "result": {"capabilities": {"swallowed": True}}})
        elif method == "echo":
            self.send({"id": number, "result": params})
        elif method == "die":
            die()
        elif method == "begin":
            self.send(
                {"method": "$/progress", "params": {"token": params["token"], "value": {"kind": "begin", "title": "t"}}}
            )
            if params.get("end"):
                self.send({"method": "$/progress", "params": {"token": params["token"], "value": {"kind": "end"}}})
        elif method == "ask":
            self.send({"id": str(uuid.uuid4()), "method": params["method"], "params": params["params"]})
        elif method == "half":
            self.socket.sendall(b'Content-Length: 500\r\n\r\n{"jsonrpc":"2.0","id":')
            die()
        elif method == "flood":
            for count in range(params["count"]):
                self.send({"method": "drop", "params": {"count": count, "text": "x" * params["size"]}})
            self.send({"id": number, "result": None})
        elif method == "shutdown":
            self.send({"id": number, "result": None})
        elif method == "exit":
            return False
        return None


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def record(message):
    with RECORDING, Path(os.environ["FAKE_RECORD"]).open("a") as stream:
        stream.write(json.dumps({"pid": os.getpid(), **message}) + "\n")


RECORDING = threading.Lock()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--secrets", action="store_true")
    state = StateDir.of(parser.parse_args().root.resolve()).make()
    with held_lock(state.daemon_lock) as lock:
        if lock is None:
            return 0
        bound = endpoint.listen(state)
        bound.listen(16)
        endpoint.announce(state, bound, __version__)

        def stop(*_):
            endpoint.withdraw(state, Path(bound.getsockname()))
            os._exit(0)

        signal.signal(signal.SIGTERM, stop)

        def accept():
            while True:
                connected, _ = bound.accept()
                threading.Thread(target=Client(connected, stop).serve, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        parent = os.environ.get("FAKE_PARENT")
        while not parent or alive(int(parent)):
            time.sleep(0.2)
    return 0


def alive(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


assert socket.AF_UNIX
sys.exit(main())
