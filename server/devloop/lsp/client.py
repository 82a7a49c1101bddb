"""What an editor said it can do (LSP 3.18, ClientCapabilities): nothing is sent that it did not declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ANSWER_S: Final = 5.0
"""How long an editor may take to answer what it needs no person for."""
SHOW_S: Final = 10.0
"""How long it may take to open a document, for which it may have to fetch the text."""

NEEDS: Final[dict[str, str]] = {
    "workspace/applyEdit": "workspace.applyEdit",
    "workspace/configuration": "workspace.configuration",
    "workspace/codeLens/refresh": "workspace.codeLens.refreshSupport",
    "workspace/inlayHint/refresh": "workspace.inlayHint.refreshSupport",
    "workspace/semanticTokens/refresh": "workspace.semanticTokens.refreshSupport",
    "workspace/diagnostic/refresh": "workspace.diagnostics.refreshSupport",
    "workspace/textDocumentContent/refresh": "workspace.textDocumentContent",
    "window/showDocument": "window.showDocument.support",
    "window/workDoneProgress/create": "window.workDoneProgress",
    "$/progress": "window.workDoneProgress",
    "client/registerCapability": "",
    "client/unregisterCapability": "",
    "window/showMessageRequest": "",
    "window/showMessage": "",
    "window/logMessage": "",
    "textDocument/publishDiagnostics": "",
    "$/logTrace": "",
    "devloop/status": "experimental.devloop.status",
    "devloop/event": "experimental.devloop.event",
}
"""Method → the capability that a client declares when it takes it. Those without one belong to every client."""


class Client:
    """`capabilities`: as they came, in the protocol's spelling."""

    def __init__(self, capabilities: Mapping[str, Any], name: str = "") -> None:
        self.name = name
        self._capabilities = capabilities

    def get(self, path: str) -> Any:
        """The value at `textDocument.codeAction.dataSupport`, or None."""
        found: Any = self._capabilities
        for key in path.split("."):
            if not isinstance(found, Mapping):
                return None
            found = found.get(key)
        return found

    def can(self, path: str) -> bool:
        """Whether something is declared: true, or an object that says more about it."""
        found = self.get(path)
        return found is not None and found is not False

    def takes(self, method: str) -> bool:
        """Whether this method of ours may be sent. One that is not in the table may not."""
        needed = NEEDS.get(method)
        return needed is not None and (not needed or self.can(needed))

    def registers(self, path: str) -> bool:
        """Whether a capability may be registered later, for example `workspace.didChangeWatchedFiles`."""
        return self.get(f"{path}.dynamicRegistration") is True
