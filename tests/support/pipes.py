"""An editor with blocking reads: the other end of `devloop lsp` as a process, or of its TCP port."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time

from devloop.lsp.pipe import frames


class Wire:
    """Sends and collects messages. `read(n)` and `write(data)` are the stream."""

    def __init__(self, read, write):
        self._frames, self._write = frames.Frames(read), write
        self.got = []
        self.ended = False
        self._changed = threading.Condition()
        self._numbers = iter(range(1, 10**9))
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        try:
            while (body := self._frames.next()) is not None:
                with self._changed:
                    self.got.append(json.loads(body))
                    self._changed.notify_all()
        except (OSError, ValueError, frames.Broken):
            pass
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def raw(self, data):
        self._write(data)

    def send(self, **message):
        self._write(frames.encode({"jsonrpc": "2.0", **message}))

    def notify(self, method, params=None):
        self.send(method=method, params={} if params is None else params)

    def ask(self, method, params=None):
        """Send a request and give its id."""
        number = next(self._numbers)
        self.send(id=number, method=method, params={} if params is None else params)
        return number

    def answer(self, number, seconds=20):
        """The response to a request; it is taken out of what was got."""
        return self.take(lambda message: message.get("id") == number and "method" not in message, seconds)

    def request(self, method, params=None, seconds=20):
        return self.answer(self.ask(method, params), seconds)

    def notified(self, method, seconds=20):
        return self.take(lambda message: message.get("method") == method, seconds)

    def take(self, wanted, seconds=20):
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for message in self.got:
                    if wanted(message):
                        self.got.remove(message)
                        return message
                left = deadline - time.monotonic()
                assert not self.ended and left > 0, f"it did not come (ended: {self.ended}); there is {self.got}"
                self._changed.wait(left)

    def wait_end(self, seconds=20):
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self.ended:
                assert self._changed.wait(deadline - time.monotonic()), "the stream did not end"

    def initialize(self, **params):
        given = {"processId": os.getpid(), "rootUri": None, "capabilities": {}, **params}
        return self.request("initialize", given)["result"]


class Program(Wire):
    """A process that speaks LSP on its standard streams."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, **options
        )
        super().__init__(self.process.stdout.read, self.process.stdin.write)

    def hang_up(self):
        self.process.stdin.close()

    def exit_code(self, seconds=20):
        code = self.process.wait(seconds)
        self.wait_end()
        return code

    @property
    def errors(self):
        """What it wrote to standard error; call it once, after its end."""
        return self.process.stderr.read().decode()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.wait_end()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


def shut_down(editor):
    """The polite way out; the exit code."""
    assert editor.request("shutdown")["result"] is None
    editor.notify("exit")
    return editor.exit_code()
