"""The answer to `initialize`, known before anything heavy is loaded.

`CAPABILITIES` is what the language server announces to a client that can everything; `answer` narrows it to one client
by the rules of pygls' `ServerCapabilitiesBuilder` and of `lsp.connection`. A test keeps both equal.
"""

from __future__ import annotations

from devloop import __version__
from devloop.lsp.pipe.capabilities import CAPABILITIES

TYPE_CHECKING = False  # `typing` itself costs 3 ms
if TYPE_CHECKING:
    from typing import Any

ENCODINGS = ("utf-8", "utf-16", "utf-32")


def answer(params: dict[str, Any]) -> dict[str, Any]:
    """The InitializeResult for a client's InitializeParams. Never raises: what is malformed counts as absent."""
    client = params.get("capabilities")
    return {
        "capabilities": capabilities(client if isinstance(client, dict) else {}),
        "serverInfo": {"name": "devloop", "version": __version__},
    }


def capabilities(client: dict[str, Any]) -> dict[str, Any]:
    """What this client is told, from what it declared."""
    told = {"positionEncoding": encoding(client), **CAPABILITIES}
    told["textDocumentSync"] = _synchronization(client)
    if "renameProvider" in told and not at(client, "textDocument", "rename", "prepareSupport"):
        told["renameProvider"] = True  # options only where the client prepares (LSP 3.17, RenameOptions)
    if "workspace" in told:
        told["workspace"] = {**told["workspace"], "fileOperations": _file_operations(client)}
        if at(client, "workspace", "textDocumentContent") is None:
            told["workspace"].pop("textDocumentContent", None)
    if not pulls(client):
        told.pop("diagnosticProvider", None)
    if "notebookDocumentSync" in told and at(client, "notebookDocument") is None:
        del told["notebookDocumentSync"]
    return told


def pulls(client: dict[str, Any]) -> bool:
    """Whether the client asks for diagnostics, and can be told to ask again; the others are told them."""
    refreshes = at(client, "workspace", "diagnostics", "refreshSupport") is True
    return refreshes and at(client, "textDocument", "diagnostic") is not None


def encoding(client: dict[str, Any]) -> str:
    """The first of the client's encodings that devloop knows; utf-16 when there is none (LSP 3.17)."""
    offered = at(client, "general", "positionEncodings")
    for name in offered if isinstance(offered, list) else ():
        if name in ENCODINGS:
            return str(name)
    return "utf-16"


def _synchronization(client: dict[str, Any]) -> dict[str, Any]:
    """`willSave` and `willSaveWaitUntil` repeat the client's word, false included."""
    told = dict(CAPABILITIES["textDocumentSync"])
    for name in ("willSave", "willSaveWaitUntil"):
        ours = told.pop(name, False)
        theirs = at(client, "textDocument", "synchronization", name)
        if isinstance(theirs, bool):
            told[name] = theirs and ours
    return told


def _file_operations(client: dict[str, Any]) -> dict[str, Any]:
    ours: dict[str, Any] = CAPABILITIES["workspace"].get("fileOperations", {})
    return {name: value for name, value in ours.items() if at(client, "workspace", "fileOperations", name)}


def at(value: Any, *names: str) -> Any:
    """What stands at a place in nested objects; None where there is nothing."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
