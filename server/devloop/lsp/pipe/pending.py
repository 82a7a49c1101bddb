"""What is open between an editor and one daemon, and what the editor is told about it when that daemon is gone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from devloop.lsp.pipe import frames
from devloop.lsp.pipe.initialize import at

RESTARTED = "devloop's daemon was restarted; please try again."
REFRESHES = (
    ("codeLens", "workspace/codeLens/refresh"),
    ("semanticTokens", "workspace/semanticTokens/refresh"),
    ("inlayHint", "workspace/inlayHint/refresh"),
    ("diagnostics", "workspace/diagnostic/refresh"),
    ("foldingRange", "workspace/foldingRange/refresh"),
)
_REQUEST_OR_RESPONSE, _NOTIFICATION = b'{"jsonrpc":"2.0","id":', b'{"jsonrpc":"2.0","method":"'
_NUMBERS = frozenset(b"-0123456789")
_decode = json.JSONDecoder().raw_decode

Number = int | str


class Pending:
    """Both directions' open requests, progress that has begun, capabilities that were registered.

    `from_daemon` looks at the first bytes only: the daemon writes `jsonrpc`, then `id` or `method`, first
    (`rpc.encode`). Anything that begins otherwise is read whole.
    """

    def __init__(self) -> None:
        self.flying: dict[Number, str] = {}
        """The client's requests that have no answer yet, with their methods."""
        self._asked: set[Number] = set()
        self._progress: dict[Number, None] = {}
        self._registered: dict[str, str] = {}
        self._own = itertools.count(1)

    def from_daemon(self, body: bytes) -> Number | None:
        """Note a message of the daemon. Answers with the id when it is a response."""
        if body.startswith(_NOTIFICATION):
            if body.startswith(b'$/progress"', len(_NOTIFICATION)):
                self._note_progress(json.loads(body))
            return None
        number, is_response = _open(body) if body.startswith(_REQUEST_OR_RESPONSE) else _read(body)
        if number is None:
            return None
        if is_response:
            self.flying.pop(number, None)
            return number
        self._asked.add(number)
        if b'/registerCapability"' in body[:200] or b'/unregisterCapability"' in body[:200]:
            self._note_registration(json.loads(body))
        return None

    def wanted(self, number: Any) -> bool:
        """Whether a response of the client answers a question of this daemon. Every question has one answer."""
        if number not in self._asked:
            return False
        self._asked.discard(number)
        return True

    def _note_progress(self, message: Mapping[str, Any]) -> None:
        token, kind = at(message, "params", "token"), at(message, "params", "value", "kind")
        if not isinstance(token, (int, str)):
            return
        if kind == "begin":
            self._progress[token] = None
        elif kind == "end":
            self._progress.pop(token, None)

    def _note_registration(self, message: Mapping[str, Any]) -> None:
        for entry in at(message, "params", "registrations") or ():
            self._registered[str(at(entry, "id"))] = str(at(entry, "method"))
        for entry in at(message, "params", "unregisterations") or ():  # the protocol's own spelling
            self._registered.pop(str(at(entry, "id")), None)

    def abandon(self) -> Iterator[bytes]:
        """The daemon is gone: every open request's answer, the end of every progress, every question withdrawn."""
        flying, self.flying = self.flying, {}
        for number, method in flying.items():
            if method == "shutdown":
                yield frames.result(number, None)
            else:
                yield frames.error(number, frames.REQUEST_FAILED, RESTARTED)
        for token in self._progress:
            yield frames.notification("$/progress", {"token": token, "value": {"kind": "end"}})
        for number in self._asked:
            yield frames.notification("$/cancelRequest", {"id": number})
        if self._registered:
            gone = [{"id": key, "method": method} for key, method in self._registered.items()]
            yield self._question("client/unregisterCapability", {"unregisterations": gone})
        self._progress.clear()
        self._asked.clear()
        self._registered.clear()

    def refreshes(self, client: Mapping[str, Any]) -> Iterator[bytes]:
        """What was refused meanwhile has to be asked for again: say so to a client that can hear it."""
        for name, method in REFRESHES:
            if at(client, "workspace", name, "refreshSupport"):
                yield self._question(method, None)

    def _question(self, method: str, params: Any) -> bytes:
        """A request of the pipe's own; its answer is wanted by nobody."""
        message = {"jsonrpc": "2.0", "id": f"devloop-lsp-{next(self._own)}", "method": method}
        return frames.encode(message if params is None else {**message, "params": params})


def _open(body: bytes) -> tuple[Number | None, bool]:
    """The id in a message that begins with it, and whether it is a response."""
    at_id = len(_REQUEST_OR_RESPONSE)
    if body[at_id] in _NUMBERS:
        end = body.find(b",", at_id, at_id + 30)
        if end > 0 and body[at_id:end].lstrip(b"-").isdigit():
            return int(body[at_id:end]), not body.startswith(b',"method"', end)
    elif body[at_id] == ord('"'):
        try:
            text = body[at_id : at_id + 600].decode("utf-8", "ignore")
            number, end = _decode(text)
        except ValueError:
            return _read(body)
        return number, not text.startswith(',"method"', end)
    return _read(body)


def _read(body: bytes) -> tuple[Number | None, bool]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None, False
    number = at(message, "id")
    return (number if isinstance(number, (int, str)) else None), at(message, "method") is None
