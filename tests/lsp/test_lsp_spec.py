"""`devloop lsp` as a process against pytest-lsp's client, which plays editors by the capabilities they really declare.

Its specification checks are on: a warning is an error here. pytest-lsp 1.0.1 checks completion items, document links,
`workspace/configuration` and `window/workDoneProgress/create` (`pytest_lsp.checks`); it knows no editor newer than
VS Code 1.65.2, Neovim 0.11 and Emacs 29.1. It does not check other server → client requests, hovers, code actions,
symbols or what a notification carries; `Watched` and the assertions below do that. It has no Helix, Zed or LSP 3.18
profile: `support.editor.EVERYTHING` stands for 3.18 in the other tests.
"""

from __future__ import annotations

import asyncio
import json

import pytest
from lsprotocol import types as t
from pygls.exceptions import JsonRpcException
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import register_lsp_features
from pytest_lsp.protocol import LanguageClientProtocol

from devloop.lsp.client import NEEDS, Client
from support.workspaces import LSP, Workspace

PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [x] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1, 9.9]
  - **Acceptance**: it works
  - **Files**: `src/none.py`
- [ ] Task 1.3: Third thing [depends:1.2]

## Phase 2: Go on

- [ ] Task 2.1: A task

## Progress Log

- 2026-01-02 03:04: Completed Task 1.1
"""
SECONDS = 40
EDITORS = [
    "visual-studio-code@v1.65.2",
    "neovim@v0.6.1",
    "neovim@v0.7.0",
    "neovim@v0.8.0",
    "neovim@v0.9.1",
    "neovim@v0.10.0",
    "neovim@v0.11.0",
    "emacs@v29.1",
    "nothing",
]
HERE = t.Position(7, 8)
WHOLE = t.Range(t.Position(0, 0), t.Position(18, 0))
FORMAT = t.FormattingOptions(tab_size=2, insert_spaces=True)


class Watched(LanguageClientProtocol):
    """Keeps everything that the server sends by itself."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.sent = []
        self.questions = []

    def _handle_request(self, msg_id, method_name, params):
        self.sent.append(method_name)
        self.questions.append((method_name, params))
        super()._handle_request(msg_id, method_name, params)

    def _handle_notification(self, method_name, params):
        self.sent.append(method_name)
        super()._handle_notification(method_name, params)


@pytest.fixture(scope="module")
def workspace():
    found = Workspace(PLAN)
    yield found
    found.end()


def made():
    client = LanguageClient(converter_factory=default_converter, protocol_cls=Watched)
    register_lsp_features(client)

    @client.feature(t.CLIENT_REGISTER_CAPABILITY)
    def registered(params):
        return None

    return client


@pytest.mark.parametrize("name", EDITORS)
async def test_nothing_is_sent_that_the_editor_did_not_declare(workspace, name):
    client = made()
    capabilities = t.ClientCapabilities() if name == "nothing" else client_capabilities(name)
    declared = Client(client.protocol._converter.unstructure(capabilities))
    await client.start_io(*LSP, cwd=workspace.root, env=workspace.environment)
    try:
        async with asyncio.timeout(SECONDS):
            params = t.InitializeParams(capabilities, process_id=None, root_uri=workspace.root.as_uri())
            told = (await client.initialize_session(params)).capabilities
            _announced(told, declared)
            await _everything(client, workspace.uri(), told, declared)
            for method in client.protocol.sent:
                assert method in NEEDS, f"{method} is in no version of the protocol that we know"
                assert declared.takes(method), f"{name} does not take {method}"
            for method, params in client.protocol.questions:
                if method == t.CLIENT_REGISTER_CAPABILITY:
                    for each in params.registrations:
                        section, _, what = each.method.partition("/")
                        assert declared.registers(f"{section}.{what}"), each.method
            assert client.error is None
            await client.shutdown_session()
            assert client._server.returncode == 0
    finally:
        if client._server.returncode is None:  # the test failed; `stop` would wait for ever
            client._server.kill()
        await client.stop()


def _announced(told, declared):
    """What is announced fits what was declared."""
    encodings = declared.get("general.positionEncodings") or ["utf-16"]
    assert told.position_encoding == encodings[0]
    if not declared.can("textDocument.rename.prepareSupport"):
        assert told.rename_provider in (None, True)
    if not declared.can("textDocument.diagnostic"):
        assert told.diagnostic_provider is None
    assert told.text_document_sync.change == t.TextDocumentSyncKind.Incremental


async def _everything(client, uri, told, declared):
    """Each feature once, as an editor would use it."""
    document = t.TextDocumentIdentifier(uri)
    item = t.TextDocumentItem(uri, "markdown", 1, PLAN)
    at = {"text_document": document, "position": HERE}
    client.text_document_did_open(t.DidOpenTextDocumentParams(item))
    if told.diagnostic_provider is None:
        await _until(lambda: client.diagnostics.get(uri))
        found = client.diagnostics[uri]
    else:
        report = await client.text_document_diagnostic_async(t.DocumentDiagnosticParams(document))
        found = report.items
        assert uri not in client.diagnostics
    _diagnostics(found, declared)

    hover = await client.text_document_hover_async(t.HoverParams(**at))
    formats = declared.get("textDocument.hover.contentFormat") or ["plaintext"]
    assert str(hover.contents.kind.value) in formats
    symbols = await client.text_document_document_symbol_async(t.DocumentSymbolParams(document))
    flat = not declared.can("textDocument.documentSymbol.hierarchicalDocumentSymbolSupport")
    assert symbols and all(isinstance(each, t.SymbolInformation) == flat for each in symbols)
    assert await client.text_document_folding_range_async(t.FoldingRangeParams(document))
    assert await client.text_document_semantic_tokens_full_async(t.SemanticTokensParams(document))
    links = await client.text_document_definition_async(t.DefinitionParams(document, t.Position(7, 38)))
    if not declared.can("textDocument.definition.linkSupport"):
        assert not any(isinstance(each, t.LocationLink) for each in (links if isinstance(links, (list, tuple)) else []))
    await client.text_document_references_async(t.ReferenceParams(t.ReferenceContext(True), **at))
    await client.text_document_document_highlight_async(t.DocumentHighlightParams(**at))
    await client.text_document_selection_range_async(t.SelectionRangeParams(document, [HERE]))
    await client.text_document_document_link_async(t.DocumentLinkParams(document))
    await client.text_document_inlay_hint_async(t.InlayHintParams(document, WHOLE))
    for lens in await client.text_document_code_lens_async(t.CodeLensParams(document)) or ():
        assert (await client.code_lens_resolve_async(lens)).command is not None
    await _completion(client, document)
    await _edits(client, document, declared)
    await _code_actions(client, document, found, declared)

    change = t.TextDocumentContentChangePartial(t.Range(HERE, HERE), "x")
    version = t.VersionedTextDocumentIdentifier(2, uri)
    client.text_document_did_change(t.DidChangeTextDocumentParams(version, [change]))
    assert await client.text_document_document_symbol_async(t.DocumentSymbolParams(document))
    command = t.ExecuteCommandParams("devloop.nextTask", [])
    assert (await client.workspace_execute_command_async(command)).get("path") == ".devloop/plan.md"
    client.text_document_did_save(t.DidSaveTextDocumentParams(document))
    client.text_document_did_close(t.DidCloseTextDocumentParams(document))


def _diagnostics(found, declared):
    assert any(each.code == "unknown-dependency" for each in found)
    path = "textDocument.publishDiagnostics"
    for each in found:
        assert each.data is None or declared.can(f"{path}.dataSupport")
        assert each.code_description is None or declared.can(f"{path}.codeDescriptionSupport")
        assert not each.related_information or declared.can(f"{path}.relatedInformation")


async def _completion(client, document):
    """pytest-lsp looks at the items: snippets, documentation, commit characters."""
    place = t.Position(7, 45)
    answer = await client.text_document_completion_async(t.CompletionParams(document, place))
    items = answer.items if isinstance(answer, t.CompletionList) else list(answer or ())
    for item in items[:5]:
        await client.completion_item_resolve_async(item)


async def _edits(client, document, declared):
    edit = await client.text_document_rename_async(t.RenameParams(document, t.Position(6, 12), "1.7"))
    if edit is not None:
        assert edit.document_changes is None or declared.can("workspace.workspaceEdit.documentChanges")
        assert edit.document_changes or edit.changes
    await client.text_document_formatting_async(t.DocumentFormattingParams(document, FORMAT))
    await client.text_document_range_formatting_async(t.DocumentRangeFormattingParams(document, WHOLE, FORMAT))
    typed = t.DocumentOnTypeFormattingParams(document, t.Position(8, 0), "\n", FORMAT)
    await client.text_document_on_type_formatting_async(typed)


async def _code_actions(client, document, diagnostics, declared):
    wanted = next(each for each in diagnostics if each.code == "unknown-dependency")
    context = t.CodeActionContext([wanted])
    found = await client.text_document_code_action_async(t.CodeActionParams(document, wanted.range, context))
    assert found or not declared.can("textDocument.codeAction.codeActionLiteralSupport")
    literals = declared.can("textDocument.codeAction.codeActionLiteralSupport")
    resolves = "edit" in (declared.get("textDocument.codeAction.resolveSupport.properties") or [])
    for action in found:
        if not literals:
            assert isinstance(action, t.Command)
            continue
        assert action.disabled is None or declared.can("textDocument.codeAction.disabledSupport")
        assert action.is_preferred is None or declared.can("textDocument.codeAction.isPreferredSupport")
        assert action.data is None or declared.can("textDocument.codeAction.dataSupport")
        if action.edit is None and action.command is None and action.disabled is None:
            assert resolves
            try:
                assert (await client.code_action_resolve_async(action)).edit is not None
            except JsonRpcException as refused:  # a refactoring may find only then that there is nothing to do
                assert action.kind != t.CodeActionKind.QuickFix and refused.code == t.LSPErrorCodes.RequestFailed


async def _until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def test_the_table_of_what_needs_what_is_as_large_as_the_protocol_says():
    """Methods from server to client that lsprotocol knows and we don't send are not in the table by accident."""
    known = {name for name in t.METHOD_TO_TYPES if t.message_direction(name) in ("serverToClient", "both")}
    ours = {name for name in NEEDS if not name.startswith("devloop/")}
    assert ours <= known, json.dumps(sorted(ours - known))
