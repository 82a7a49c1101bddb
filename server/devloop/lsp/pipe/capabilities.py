"""What the language server announces to an editor that can everything (test_lsp_capabilities.py)."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` itself costs 3 ms
if TYPE_CHECKING:
    from typing import Any

CAPABILITIES: dict[str, Any] = {
    "codeActionProvider": {
        "codeActionKinds": [
            "quickfix",
            "refactor.rewrite",
            "refactor.move",
            "source.fixAll.devloop",
            "source.renumber.devloop",
        ],
        "resolveProvider": True,
    },
    "codeLensProvider": {"resolveProvider": True},
    "completionProvider": {
        "resolveProvider": True,
        "triggerCharacters": ["[", ":", ",", " ", "-", ".", "/", "`", "*", "#"],
    },
    "definitionProvider": True,
    "diagnosticProvider": {"identifier": "devloop", "interFileDependencies": False, "workspaceDiagnostics": False},
    "documentFormattingProvider": {},
    "documentHighlightProvider": True,
    "documentLinkProvider": {"resolveProvider": True},
    "documentOnTypeFormattingProvider": {"firstTriggerCharacter": "\n", "moreTriggerCharacter": ["]"]},
    "documentRangeFormattingProvider": {},
    "documentSymbolProvider": {"label": "devloop"},
    "executeCommandProvider": {
        "commands": [
            "devloop.run",
            "devloop.continue",
            "devloop.runPhase",
            "devloop.decide",
            "devloop.fresh",
            "devloop.cancel",
            "devloop.showRun",
            "devloop.showDiff",
            "devloop.openTranscript",
            "devloop.nextTask",
            "devloop.archive",
            "devloop.mark",
            "devloop.move",
            "devloop.depends",
            "devloop.start",
            "devloop.quick",
            "devloop.ship",
            "devloop.onboard",
            "devloop.bootstrap",
            "devloop.planNew",
            "devloop.planRevise",
            "devloop.spike",
            "devloop.review",
            "devloop.analyze",
            "devloop.dismissFinding",
            "devloop.planFinding",
            "devloop.fixFinding",
            "devloop.status",
            "devloop.doctor",
        ]
    },
    "foldingRangeProvider": True,
    "hoverProvider": {},
    "inlayHintProvider": {"resolveProvider": True},
    "referencesProvider": True,
    "renameProvider": {"prepareProvider": True},
    "selectionRangeProvider": True,
    "semanticTokensProvider": {
        "full": {"delta": True},
        "legend": {
            "tokenModifiers": ["declaration", "deprecated"],
            "tokenTypes": [
                "namespace",
                "class",
                "enumMember",
                "parameter",
                "variable",
                "property",
                "keyword",
                "comment",
                "string",
                "number",
                "event",
                "decorator",
                "type",
            ],
        },
        "range": True,
    },
    "textDocumentSync": {"change": 2, "openClose": True, "save": {"includeText": True}},
    "workspace": {
        "fileOperations": {},
        "textDocumentContent": {"schemes": ["devloop"]},
        "workspaceFolders": {"changeNotifications": True, "supported": True},
    },
}
